"""Lists of builds: their order, their filters, and whose builds they show."""

from collections.abc import Sequence
from typing import Any

import pytest

from gitlab_hub.builds.runs.routes import LEAST_SCANNED
from gitlab_hub.storage.ports import Item, Key, Rows
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.events import OWNER
from tests.fakes.table import MemoryTable
from tests.functional.builds.builds_hub import INTEGRATION, OTHER, PROJECT, TRIGGER, World, push, trigger

STRANGER = Principal("t-other", Role.OWNER, frozenset({OTHER}))


@pytest.fixture
def world() -> World:
    world = World()
    world.add()
    return world


def ids(world: World, **query: Any) -> list[str]:
    """Read a whole list, page by page."""
    principal = query.pop("principal", OWNER)
    found: list[str] = []
    while True:
        status, body = world.call("GET", "/v1/builds", principal=principal, **query)
        assert status == 200, body
        found += [build["id"] for build in body["builds"]]
        if body["next_cursor"] is None:
            return found
        query["cursor"] = body["next_cursor"]


@pytest.mark.parametrize("limit", [1, 2, 200])
def test_builds_are_listed_newest_first_and_filtered(world: World, limit: int) -> None:
    world.add(trigger("trg_0a1b_two", events=("tag_push",)))
    made: list[str] = []
    for number in range(4):
        world.now += 1
        made.append(
            world.push(f"{number + 1}" * 40, ref="main" if number % 2 else "dev", delivery=f"dlv_0a1b_{number}")
        )
    world.now += 1
    tags, _ = world.receive(push(ref="v1", kind="tag_push"), "dlv_0a1b_t")
    world.call("PATCH", f"/v1/builds/{made[0]}", {"status": "failed"})
    main = [made[3], made[1]]
    assert ids(world, limit=limit)[2:] == made[::-1]
    assert set(ids(world, limit=limit)[:2]) == set(tags)
    assert ids(world, limit=limit, ref="main") == main
    assert ids(world, limit=limit, status="failed") == [made[0]]
    assert ids(world, limit=limit, trigger_id="trg_0a1b_two") == [
        build_id for build_id in tags if world.build(build_id).trigger_id == "trg_0a1b_two"
    ]
    assert ids(world, limit=limit, integration_id=INTEGRATION, project_id=PROJECT, ref="dev") == [made[2], made[0]]
    assert ids(world, limit=limit, integration_id=OTHER) == []
    assert ids(world, limit=limit, project_id=PROJECT + 1) == []


def test_a_list_shows_only_what_the_caller_may_see(world: World) -> None:
    world.push()
    assert ids(world, principal=STRANGER) == []
    for query in ({"integration_id": INTEGRATION}, {"trigger_id": TRIGGER}, {"integration_id": "int_none"}):
        assert world.call("GET", "/v1/builds", principal=STRANGER, **query)[0] == 404


def test_a_list_over_several_integrations_is_in_one_order(world: World) -> None:
    world.add(trigger("trg_0c2d_one", integration_id=OTHER))
    made: list[str] = []
    for number in range(6):
        world.now += 1
        owner = INTEGRATION if number % 2 else OTHER
        found, _ = world.feature.builds.on_event(owner, push(f"{number + 1}" * 40), delivery_id=f"dlv_{number}")
        made += found
    assert ids(world, limit=2) == made[::-1]
    assert ids(world, limit=2, integration_id=OTHER) == made[::-1][1::2]


def test_a_cursor_belongs_to_its_list(world: World) -> None:
    for number in range(3):
        world.push(f"{number + 1}" * 40, delivery=f"dlv_0a1b_{number}")
    cursor = world.call("GET", "/v1/builds", limit=1)[1]["next_cursor"]
    assert world.call("GET", "/v1/builds", limit=1, ref="main", cursor=cursor)[1]["code"] == "invalid_cursor"
    assert world.call("GET", "/v1/builds", cursor=cursor[:-2] + "xx")[1]["code"] == "invalid_cursor"


def test_a_rare_match_is_found_by_the_pages_that_follow(world: World) -> None:
    made: list[str] = []
    for number in range(1, LEAST_SCANNED + 5):
        world.now += 1
        made.append(world.push(f"{number:040x}", delivery=f"dlv_0a1b_{number}"))
    world.call("PATCH", f"/v1/builds/{made[0]}", {"status": "failed"})
    _, first = world.call("GET", "/v1/builds", status="failed", limit=1)
    assert (first["builds"], first["next_cursor"] is None) == ([], False)
    assert ids(world, status="failed", limit=1) == [made[0]]
    assert ids(world, status="failed", limit=7) == [made[0]]


class Reads(MemoryTable):
    """Counts the rows that are read, and the entries of indexes that are looked at."""

    rows = entries = 0

    def get_many(self, keys: Sequence[Key], *, attributes: Sequence[str] = ()) -> list[Item]:
        self.rows += len(keys)
        return super().get_many(keys, attributes=attributes)

    def query(self, pk: str, **how: Any) -> Rows:
        found = super().query(pk, **how)
        self.entries += len(found.items)
        return found


def test_a_list_reads_what_it_shows_and_with_a_filter_a_few_for_each() -> None:
    world = World()
    rows = Reads(indexes=("by_time", "pending"))
    world.rows = rows
    world.use(rows, world.queue)
    world.add()
    for number in range(1, 301):
        world.push(f"{number:040x}", delivery=f"dlv_0a1b_{number}")
    for limit, status, most in ((1, "", 1), (10, "", 10), (1, "failed", LEAST_SCANNED)):
        rows.rows = rows.entries = 0
        query: dict[str, Any] = {"status": status} if status else {}
        assert world.call("GET", "/v1/builds", limit=limit, **query)[0] == 200
        assert (rows.rows, rows.entries <= most + 2 + limit) == (most, True), (limit, status)


def test_too_many_integrations_for_one_list_are_refused(world: World) -> None:
    world.integrations.known = [f"int_{number}" for number in range(101)]
    assert world.call("GET", "/v1/builds")[0] == 422
