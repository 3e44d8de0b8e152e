"""Projects and groups of triggers: looked up when a trigger is made, and told by their ids ever after."""

import json
from pathlib import Path
from typing import Any

import pytest

from gitlab_hub.builds.triggers.group_resolver import Ancestors, Group
from gitlab_hub.composition.adapters import WebhookCoverage
from gitlab_hub.gitlab.webhooks.parse import parse
from gitlab_hub.webhooks.hooks.store import HookStore
from tests.fakes.hooks import hook
from tests.fakes.table import MemoryTable
from tests.fakes.triggers import INTEGRATION, MemoryGroups
from tests.functional.builds.build_company import PROJECT, WorldWithGitLab
from tests.functional.builds.triggers_hub import BODY, PATH, TriggersHub

FIELD = Path(__file__).parents[3] / "data" / "gitlab" / "field"
TARGET = {"type": "eventbridge"}


class Below(WorldWithGitLab):
    """A hub whose trigger is for the top group of a project, by its path."""

    def __init__(self) -> None:
        super().__init__(project_id=99)
        self.group = self.company.do("add_group", path="indigo")["id"]
        self.inner = self.company.do("add_group", path="tools", parent_id=self.group)["id"]
        project = self.company.app.company.projects[PROJECT]
        project.group_id, project.full_path = self.inner, "indigo/tools/app"
        status, body = self.call(
            "POST", "/v1/triggers",
            {"integration_id": INTEGRATION, "group": "indigo", "events": ["push"], "target": TARGET},
        )  # fmt: skip
        assert (status, body["trigger"]["group_id"]) == (201, self.group), body
        self.made = body["trigger"]["id"]

    def shown(self) -> tuple[str, int]:
        shown = self.call("GET", f"/v1/triggers/{self.made}")[1]["trigger"]
        return shown["group"], shown["group_id"]

    def expire_ids(self) -> None:
        """Make the trigger's row what the release before had written."""
        row = self.rows.get(f"INTEGRATION#{INTEGRATION}", f"TRIGGER#{self.made}")
        assert row is not None
        self.rows.put({name: value for name, value in row.items() if name != "group_id"})
        self.use(self.rows, self.queue)


def test_a_trigger_follows_its_group_when_it_is_renamed() -> None:
    world = Below()
    world.company.do("rename_group", id=world.group, path="ember-renamed")
    _, built, reasons = world.happens("push", files=["a"])
    assert (len(built), reasons) == (1, [])
    assert world.shown() == ("ember-renamed", world.group)
    assert world.build(built[0]).project_path == "ember-renamed/tools/app"


def test_a_trigger_follows_its_group_when_the_group_is_moved_with_what_is_in_it() -> None:
    world = Below()
    company = world.company.app.company
    outer = world.company.do("add_group", path="outer")["id"]
    group, project = company.groups[world.group], company.projects[PROJECT]
    group.parent_id, group.full_path = outer, "outer/indigo"
    company.groups[world.inner].full_path, project.full_path = "outer/indigo/tools", "outer/indigo/tools/app"
    assert len(world.happens("push", files=["a"])[1]) == 1
    assert world.shown() == ("outer/indigo", world.group)


def test_another_group_that_takes_the_old_name_is_not_the_triggers() -> None:
    world = Below()
    world.company.do("rename_group", id=world.group, path="ember-renamed")
    other = world.company.do("add_group", path="indigo")["id"]
    project = world.company.app.company.projects[PROJECT]
    project.group_id, project.full_path = other, "indigo/tools/app"
    assert world.happens("push", files=["a"])[1:] == ([], ["no_trigger"])


def test_a_project_that_is_moved_out_of_the_group_is_left_alone() -> None:
    world = Below()
    assert len(world.happens("push", files=["a"])[1]) == 1
    other = world.company.do("add_group", path="other")["id"]
    project = world.company.app.company.projects[PROJECT]
    project.group_id, project.full_path = other, "other/app"
    assert world.happens("push", files=["b"])[1:] == ([], ["no_trigger"])


def test_a_trigger_of_the_release_before_learns_the_id_of_its_group_and_follows_it() -> None:
    world = Below()
    world.expire_ids()
    assert len(world.happens("push", files=["a"])[1]) == 1
    assert world.shown() == ("indigo", world.group)
    world.company.do("rename_group", id=world.group, path="ember-renamed")
    assert len(world.happens("push", files=["b"])[1]) == 1


def test_the_dry_run_decides_by_ids_too() -> None:
    world = Below()
    world.company.do("rename_group", id=world.group, path="ember-renamed")
    body = json.loads((FIELD / "push__group_renamed.json").read_bytes())
    payload = body | {
        "project_id": PROJECT,
        "project": {"id": PROJECT, "path_with_namespace": "ember-renamed/tools/app"},
    }
    _, answer = world.call("POST", f"/v1/triggers/{world.made}/test", {"event": "push", "payload": payload})
    assert answer["would_build"] is True
    assert "group_fits" in [reason["code"] for reason in answer["reasons"]]
    assert parse("Push Hook", payload).project_path == "ember-renamed/tools/app"


def test_a_build_that_a_person_asks_for_is_of_a_project_below_the_group_whatever_it_is_called() -> None:
    world = Below()
    world.company.do("push", files=["a"])
    world.company.do("rename_group", id=world.group, path="ember-renamed")
    asked = {"trigger_id": world.made, "ref": "main", "project_id": PROJECT}
    assert world.call("POST", "/v1/builds", asked)[0] == 201
    assert world.call("POST", "/v1/builds", asked | {"project_id": 2})[0] == 422


def test_triggers_are_made_in_the_integration_s_group_whatever_it_is_called() -> None:
    shop = Below()
    shop.company.set(group="indigo", group_id=shop.group)
    shop.company.do("rename_group", id=shop.group, path="ember-renamed")
    shop.company.do("add_group", path="indigo")
    body = {"integration_id": INTEGRATION, "events": ["push"], "target": TARGET}
    for place in ({"project_id": PROJECT}, {"group": "ember-renamed"}, {"group": "ember-renamed/tools"}):
        assert shop.call("POST", "/v1/triggers", body | place)[0] == 201
    assert shop.call("PATCH", f"/v1/triggers/{shop.made}", {"group": "ember-renamed/tools"})[0] == 200
    assert shop.call("POST", "/v1/triggers", body | {"group": "indigo"})[0] == 404


def test_where_nobody_can_say_the_group_s_name_is_the_one_it_was_last_seen_with() -> None:
    shop = Below()
    shop.company.set(group="indigo", group_id=10_000)
    body = {"integration_id": INTEGRATION, "events": ["push"], "target": TARGET}
    assert shop.call("POST", "/v1/triggers", body | {"project_id": PROJECT})[0] == 201
    assert shop.call("POST", "/v1/triggers", body | {"project_id": 2})[0] == 404


def test_where_a_project_lies_is_asked_once_a_day_and_when_its_path_changes() -> None:
    world = Below()
    world.happens("push", files=["a"])
    opened = world.company.opened
    world.happens("push", files=["b"])
    assert world.company.opened == opened
    world.use(world.rows, world.queue)
    world.happens("push", files=["c"])
    assert world.company.opened == opened, "another worker finds it in the table"
    world.now += 86_401
    world.happens("push", files=["d"])
    assert world.company.opened == opened + 1


# Made only where they can fire


def hub_of(group_lookup: MemoryGroups) -> TriggersHub:
    hub = TriggersHub()
    hub.group_lookup = group_lookup
    hub.use(hub.rows)
    return hub


KNOWN = {15: Ancestors("acme/app", (Group(7, "acme"),), complete=True)}


@pytest.mark.parametrize(
    ("place", "field"),
    [({"project_id": 16}, "body.project_id"), ({"project_id": None, "group": "acme/x"}, "body.group")],
)
def test_a_trigger_for_what_gitlab_does_not_have_is_refused_and_says_what(place: dict[str, Any], field: str) -> None:
    hub = hub_of(MemoryGroups(projects=KNOWN, groups={7: "acme"}, silent=False))
    wanted = {name: value for name, value in (BODY | place).items() if value is not None}
    status, body = hub("POST", PATH, wanted)
    field = "body.project_id" if place["project_id"] else "body.group"
    assert (status, body["code"], body["details"]["fields"][0]["field"]) == (404, "not_found", field)
    assert str(place.get("group") or place["project_id"]) in body["error"]
    assert hub.listed() == []
    made = hub.made()
    status, body = hub("PATCH", f"{PATH}/{made['id']}", {name: value for name, value in place.items() if value})
    assert (status, body["code"]) == (404, "not_found")


def test_a_group_is_kept_by_its_id_and_the_name_that_gitlab_gives_it() -> None:
    hub = hub_of(MemoryGroups(groups={7: "Acme"}, silent=False))
    wanted = {name: value for name, value in BODY.items() if name != "project_id"} | {"group": "Acme"}
    status, body = hub("POST", PATH, wanted)
    assert (status, body["trigger"]["group"], body["trigger"]["group_id"]) == (201, "Acme", 7)


def test_a_trigger_is_made_with_a_warning_where_gitlab_cannot_be_asked() -> None:
    status, body = hub_of(MemoryGroups())("POST", PATH, BODY)
    assert (status, [one["code"] for one in body["warnings"]]) == (201, ["place_unchecked"])


def test_a_trigger_whose_project_was_removed_can_still_be_switched_off() -> None:
    group_lookup = MemoryGroups(projects=dict(KNOWN), silent=False)
    hub = hub_of(group_lookup)
    made = hub.made()
    group_lookup.projects.clear()
    status, body = hub("PATCH", f"{PATH}/{made['id']}", {"enabled": False})
    assert (status, body["trigger"]["enabled"]) == (200, False)


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        (None, {"push", "tag_push"}),
        ({"scope": "project", "target_id": 15, "events": ("push",)}, {"tag_push"}),
        ({"scope": "project", "target_id": 16, "events": ("push", "tag_push")}, {"push", "tag_push"}),
        ({"scope": "group", "target_id": 7, "events": ("push", "tag_push")}, set()),
        ({"scope": "group", "target_id": 8, "events": ("push", "tag_push")}, {"push", "tag_push"}),
        ({"scope": "system", "target_id": None, "events": ("push", "tag_push")}, set()),
        (
            {"scope": "system", "target_id": None, "events": ("push", "tag_push"), "status": "disabled"},
            {"push", "tag_push"},
        ),
    ],
)
def test_events_that_no_webhook_brings_are_warned_of(fields: dict[str, Any] | None, left: set[str]) -> None:
    store = HookStore(MemoryTable())
    if fields is not None:
        store.create(hook(**fields), "f" * 64)
    found = WebhookCoverage(store).missing(INTEGRATION, ("push", "tag_push"), project_id=15, groups=(7,))
    assert set(found) == left


def test_the_warnings_say_what_to_do() -> None:
    world = Below()
    world.company.set(report_statuses=False)
    status, body = world.call(
        "POST", "/v1/triggers",
        {"integration_id": INTEGRATION, "project_id": PROJECT, "events": ["push"], "target": TARGET},
    )  # fmt: skip
    assert status == 201
    assert {one["code"]: INTEGRATION in one["message"] for one in body["warnings"]} == {
        "no_webhook": True,
        "report_statuses_off": True,
    }
