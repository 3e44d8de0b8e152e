"""What an integration and its repositories show of the hooks that another room keeps."""

from dataclasses import replace

import pytest

from gitlab_hub.webhooks.hooks.store import HookStore
from tests.fakes.counting_table import CountedTable
from tests.fakes.gitlab import answer, project
from tests.fakes.hooks import kept
from tests.functional.api.api_hub import ApiHub


@pytest.fixture
def hub() -> ApiHub:
    return ApiHub()


def test_an_integration_shows_its_hooks_and_when_it_was_last_heard_of(hub: ApiHub) -> None:
    path, hook_id = f"/v1/integrations/{hub.own}", hub.ids["hook_id"]
    shown = hub("GET", path)[1]["integration"]
    assert (shown["hooks"], shown["last_delivery_at"]) == (
        [hub("GET", f"{path}/webhooks/{hook_id}")[1]["webhook"]],
        None,
    )
    HookStore(hub.tables["deliveries"]).record_delivery(hook_id, 1_790_000_123)
    assert hub("GET", path)[1]["integration"]["last_delivery_at"] == 1_790_000_123
    assert hub("PATCH", path, {"paused": True})[1]["integration"]["hooks"][0]["id"] == hook_id
    assert hub("GET", f"/v1/integrations/{hub.other}")[1]["integration"]["hooks"] == []


def test_hooks_that_stand_in_for_one_are_heard_and_not_listed(hub: ApiHub) -> None:
    store = HookStore(hub.tables["deliveries"])
    parent = store.require(hub.own, hub.ids["hook_id"])
    child = replace(parent, id=f"{parent.id}c", parent_id=parent.id, target_id=4, last_delivery_at=1_790_000_500)
    kept(store, **{name: getattr(child, name) for name in child.__dataclass_fields__})
    shown = hub("GET", f"/v1/integrations/{hub.own}")[1]["integration"]
    assert ([one["id"] for one in shown["hooks"]], shown["last_delivery_at"]) == ([parent.id], 1_790_000_500)


def test_an_integration_reads_a_page_of_its_hooks_however_many_there_are(hub: ApiHub) -> None:
    store = HookStore(hub.tables["deliveries"])
    parent = store.require(hub.own, hub.ids["hook_id"])
    values = {name: getattr(parent, name) for name in parent.__dataclass_fields__}
    for number in range(300):
        kept(
            store, **values | {"id": f"{parent.id}z{number:03d}", "parent_id": parent.id, "target_id": 10_000 + number}
        )
    store.record_delivery(f"{parent.id}z299", 1_790_000_900)
    table = CountedTable(hub.tables["deliveries"])
    shown = hub.hooks_over(table).summary(hub.own)
    assert (table.reads, table.items) == ({"query": 1, "get": 1}, 102)
    assert ([hook["id"] for hook in shown["hooks"]], shown["hooks_complete"]) == ([parent.id], False)
    answered = hub("GET", f"/v1/integrations/{hub.own}")[1]["integration"]
    assert (answered["hooks_complete"], answered["last_delivery_at"]) == (False, 1_790_000_900)
    assert hub("GET", f"/v1/integrations/{hub.other}")[1]["integration"]["hooks_complete"] is True


def test_a_repository_shows_the_hook_that_hangs_on_it(hub: ApiHub) -> None:
    hub.gitlab.script["/projects"] = answer(body=[project(3), project(4)])
    rows = hub("GET", f"/v1/integrations/{hub.own}/repositories")[1]["repositories"]
    assert [row["hook"] for row in rows] == [{"id": hub.ids["hook_id"], "status": "manual"}, None]


def test_a_repository_shows_its_hook_however_many_there_are(hub: ApiHub) -> None:
    store = HookStore(hub.tables["deliveries"])
    parent = store.require(hub.own, hub.ids["hook_id"])
    values = {name: getattr(parent, name) for name in parent.__dataclass_fields__}
    for number in range(1_100):
        child = {"id": f"{parent.id}c{number}", "parent_id": parent.id, "target_id": 10_000 + number}
        kept(store, **values | child)
    hub.gitlab.script["/projects"] = answer(body=[project(10_000), project(11_099), project(9)])
    table = CountedTable(hub.tables["deliveries"])
    found = HookStore(table).of_projects(hub.own, [10_000, 11_099, 9])
    assert [hook.target_id for hook in found] == [10_000, 11_099]
    assert (table.reads, table.items) == ({"query": 3}, 2)
    rows = hub("GET", f"/v1/integrations/{hub.own}/repositories")[1]["repositories"]
    assert [row["hook"] and row["hook"]["id"] for row in rows] == [f"{parent.id}c0", f"{parent.id}c1099", None]


def test_another_integration_s_hook_on_a_project_of_the_same_id_is_not_shown(hub: ApiHub) -> None:
    assert HookStore(hub.tables["deliveries"]).of_projects(hub.other, [3]) == []
