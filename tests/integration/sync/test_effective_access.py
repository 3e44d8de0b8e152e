"""After a sync, what access adds up to equals GitLab's own truth, for everybody in everything."""

import random
from collections.abc import Iterator

import pytest

from gitlab_hub.access.effective.graph import Place
from gitlab_hub.access.effective.loading import GraphReader
from gitlab_hub.access.effective.paths import GrantKind
from gitlab_hub.access.effective.reader import EffectiveFilter, EffectiveGrant, EffectiveReader
from gitlab_hub.access.model import Account
from gitlab_hub.access.reader import AccessReader
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from gitlab_hub.sync.scope_list import ScopeList
from stand_in_gitlab.process import Running, running
from tests.fakes.sync_worker import ID, SyncHub
from tests.integration.sync.conftest import EPOCH

LARGER = ("--users", "40", "--groups", "14", "--projects", "24", "--pipelines", "0", "--jobs", "0", "--seed", "5")
Levels = dict[tuple[str, int, int], int]


@pytest.fixture(scope="module")
def larger() -> Iterator[Running]:
    """A company with some hierarchy, and groups invited into most things."""
    with running("--frozen", "--epoch", EPOCH, *LARGER) as stand_in:
        groups = [row["id"] for row in stand_in.truth("groups")]
        projects = [row["id"] for row in stand_in.truth("projects")]
        chance = random.Random(7)  # noqa: S311 - which groups are invited where is no secret
        for kind, numbers in (("group", groups), ("project", projects)):
            for number in numbers:
                invited = chance.choice([one for one in groups if (kind, one) != ("group", number)])
                level = chance.choice([5, 10, 20, 30, 40, 50]) if kind == "group" else chance.choice([10, 30, 50])
                known = {row["group_id"] for row in stand_in.truth("shares", source=kind, source_id=number)}
                if invited not in known:
                    stand_in.change("add_share", source=kind, source_id=number, group_id=invited, level=level)
        stand_in.change("update_group", id=groups[0], share_with_group_lock=True)
        yield stand_in


@pytest.fixture
def synced(larger: Running) -> SyncHub:
    hub = SyncHub(larger)
    hub.sync(Kind.ACCESS)
    return hub


def reader(hub: SyncHub) -> EffectiveReader:
    table = hub.rows[Kind.ACCESS]
    return EffectiveReader(GraphReader(table, ScopeList(hub.state)), now=lambda: hub.now)


def listed(hub: SyncHub) -> list[EffectiveGrant]:
    """Everything of `of_everything`, page after page."""
    found: list[EffectiveGrant] = []
    after = None
    while True:
        page = reader(hub).of_everything(ID, EffectiveFilter(), after=after, limit=200)
        found += page.values
        if page.next is None:
            return found
        kind, number, account = page.next.split(":")
        after = Place(ResourceType(kind), int(number)), int(account) if account else None


def levels(grants: list[EffectiveGrant]) -> Levels:
    """What memberships give; what administrators may do everywhere is not among GitLab's rows."""
    return {
        (str(one.node.place.type), one.node.place.id, one.account_id): best.level
        for one in grants
        if (best := next((path for path in one.access.paths if path.kind is not GrantKind.IMPLIED), None)) is not None
    }


def truth(hub: SyncHub) -> Levels:
    return {
        (row["source"], row["source_id"], row["user_id"]): row["access_level"] for row in hub.server.truth("access")
    }


def account(hub: SyncHub, number: int) -> Account:
    found = AccessReader(hub.rows[Kind.ACCESS], now=lambda: hub.now).account(ID, number)
    assert found is not None
    return found


def test_everybodys_access_to_everything_is_gitlabs(synced: SyncHub) -> None:
    grants = listed(synced)
    real = truth(synced)
    assert levels(grants) == real
    assert len(real) > 500
    assert {path.kind for one in grants for path in one.access.paths} == set(GrantKind)


def test_it_is_the_same_from_every_account(synced: SyncHub) -> None:
    real = truth(synced)
    for number in {key[2] for key in real}:
        page = reader(synced).of_account(ID, account(synced, number), EffectiveFilter(), after=None, limit=10_000)
        assert levels(page.values) == {key: level for key, level in real.items() if key[2] == number}


def test_removing_what_it_says_in_gitlab_ends_the_access_and_less_does_not(synced: SyncHub) -> None:
    several = [one for one in listed(synced) if len(one.access.revoke_at) > 1]
    chosen = random.Random(3).sample(several, 5)  # noqa: S311 - no secret
    for one in chosen:
        key = str(one.node.place.type), one.node.place.id, one.account_id
        removed = []
        for edge in one.access.revoke_at:
            assert key in truth(synced), "ended too early"
            source = {"source": str(edge.place.type), "source_id": edge.place.id, "user_id": one.account_id}
            removed.append({**source, "level": edge.level})
            synced.server.change("remove_member", **source)
        assert key not in truth(synced)
        for row in removed:
            synced.server.change("add_member", **row)


def test_after_changes_and_another_sync_it_is_gitlabs_again(synced: SyncHub) -> None:
    server, chance = synced.server, random.Random(11)  # noqa: S311 - no secret
    groups = [row["id"] for row in server.truth("groups")]
    members = server.truth("members")
    for row in chance.sample([row for row in members if row["access_level"] < 50], 4):
        server.change("remove_member", source=row["source"], source_id=row["source_id"], user_id=row["user_id"])
    for row in chance.sample(members, 10):
        server.change("add_member", source="group", source_id=chance.choice(groups), user_id=row["user_id"], level=40)
    server.change("remove_expired")
    synced.later(3_600)
    assert synced.sync(Kind.ACCESS).status is RunStatus.IDLE
    assert levels(listed(synced)) == truth(synced)


@pytest.mark.parametrize(("token", "group"), [("owner-read", None), ("admin-read", "first")])
def test_who_reaches_what_a_token_covers_is_gitlabs_or_said_to_be_at_least_that(
    larger: Running, token: str, group: str | None
) -> None:
    """Of a member's token, and of one limited to a group: through groups above it and invited ones, too."""
    top = next(row["full_path"] for row in larger.truth("groups") if row["parent_id"] is None)
    hub = SyncHub(larger, token, group=top if group else None)
    assert hub.sync(Kind.ACCESS).status is RunStatus.IDLE
    covered = {
        (kind, row["id"])
        for kind in ("group", "project")
        for row in hub.rows[Kind.ACCESS].dump()
        if row["pk"] == f"{ID}#{kind}s"
    }
    grants = listed(hub)
    shown, real = levels(grants), {key: level for key, level in truth(hub).items() if key[:2] in covered}
    certain = {(str(one.node.place.type), one.node.place.id) for one in grants if not one.at_least}
    for key in real.keys() | shown.keys():
        if key[:2] in certain:
            assert shown.get(key, 0) == real.get(key, 0), key
        else:
            assert shown.get(key, 0) <= real.get(key, 0), key
    assert {one.node.place for one in grants if one.node.outside} == set()
    everybody = {key[2] for key in real}
    found = {key[2] for key in shown}
    assert len(found) > 0.9 * len(everybody)
    known = {row["id"] for row in hub.rows[Kind.ACCESS].dump() if row["pk"] == f"{ID}#accounts"}
    assert found <= known
    assert any(row["pk"] == f"{ID}#outside_groups" for row in hub.rows[Kind.ACCESS].dump())
