"""Registering hooks: who may, what is kept, what is refused."""

import base64
import json
from typing import Any

import pytest

from stand_in_gitlab.app import StandIn
from tests.unit.stand_in.test_schemas import HOOK, assert_fits, without

SIGNING = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"
URL = "https://hub.test/hook"
PLACES = ["/projects/1/hooks", "/groups/1/hooks", "/hooks"]


@pytest.mark.parametrize("place", PLACES)
def test_a_hook_comes_changes_and_goes(ask: Any, place: str) -> None:
    made = ask(place, "admin", "POST", {"url": URL, "token": "s3cret", "signing_token": SIGNING, "name": "hub"})
    assert made.status == 201
    assert (made.json["token_present"], made.json["signing_token_present"]) == (True, True)
    here = f"{place}/{made.json['id']}"
    changed = ask(here, "admin", "PUT", {"tag_push_events": True, "push_events_branch_filter": "release/*"})
    assert (changed.json["tag_push_events"], changed.json["push_events_branch_filter"]) == (True, "release/*")
    assert ask(here, "admin").json == changed.json
    assert changed.json in ask(place, "admin").json
    assert "s3cret" not in json.dumps(ask(place, "admin").json)
    assert SIGNING not in json.dumps(ask(place, "admin").json)
    assert ask(here, "admin", "DELETE").status == 204
    assert ask(here, "admin").status == 404


def test_a_project_s_hook_has_gitlab_s_shape(ask: Any) -> None:
    made = ask(PLACES[0], "admin", "POST", {"url": URL, "signing_token": SIGNING})
    assert_fits("project_hook.json", without(made.json, HOOK))


def test_whose_hook_it_is(ask: Any) -> None:
    owners = [ask(place, "admin", "POST", {"url": URL}).json for place in PLACES]
    assert [each.get("project_id") for each in owners] == [1, None, None]
    assert [each.get("group_id") for each in owners] == [None, 1, None]
    assert [each.get("organization_id") for each in owners] == [None, None, 1]
    assert "subgroup_events" in owners[1]
    assert "pipeline_events" not in owners[2]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("wiped", ["token", "signing_token"])
def test_a_new_address_wipes_the_secret_that_does_not_come_with_it(ask: Any, place: str, wiped: str) -> None:
    sent = {"url": URL, "token": "s3cret", "signing_token": SIGNING}
    here = f"{place}/{ask(place, 'admin', 'POST', sent).json['id']}"
    moved = {"url": f"{URL}/2", **{name: value for name, value in sent.items() if name not in {"url", wiped}}}
    got = ask(here, "admin", "PUT", moved).json
    assert got[f"{wiped}_present"] is False
    assert [got["token_present"], got["signing_token_present"]].count(True) == 1
    kept = ask(here, "admin", "PUT", {"url": f"{URL}/2", "name": "same"}).json
    assert [kept["token_present"], kept["signing_token_present"]].count(True) == 1


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("listed", ["custom_headers", "url_variables"])
def test_headers_and_variables_are_merged_and_taken_out_one_by_one(ask: Any, place: str, listed: str) -> None:
    made = ask(place, "admin", "POST", {"url": URL, listed: [{"key": "a", "value": "1"}]})
    here = f"{place}/{made.json['id']}"
    assert ask(here, "admin", "PUT", {"name": "x", listed: []}).json[listed] == [{"key": "a"}]
    assert ask(here, "admin", "PUT", {listed: [{"key": "b", "value": "2"}]}).json[listed] == [
        {"key": "a"},
        {"key": "b"},
    ]
    assert ask(f"{here}/{listed}/c", "admin", "PUT", {"value": "3"}).status == 204
    assert ask(f"{here}/{listed}/a", "admin", "DELETE").status == 204
    assert ask(f"{here}/{listed}/a", "admin", "DELETE").status == 404
    assert ask(here, "admin").json[listed] == [{"key": "b"}, {"key": "c"}]
    assert ask(here, "admin", "PUT", {"url": f"{URL}/2"}).json[listed] == []


def test_the_api_of_system_hooks_takes_no_template(ask: Any) -> None:
    made = [ask(place, "admin", "POST", {"url": URL, "custom_webhook_template": "{}"}) for place in PLACES]
    assert [each.json["custom_webhook_template"] for each in made] == ["{}", "{}", None]


def test_all_branches_empties_the_filter(ask: Any) -> None:
    sent = {"url": URL, "push_events_branch_filter": "main", "branch_filter_strategy": "all_branches"}
    assert ask(PLACES[0], "admin", "POST", sent).json["push_events_branch_filter"] is None


def test_an_older_gitlab_takes_the_signing_token_and_forgets_it(ask: Any, control: Any) -> None:
    assert ask("/version", "admin").json["version"].startswith("19.")
    control("POST", "behaviour", {"ignore_signing_token": True})
    made = ask(PLACES[0], "admin", "POST", {"url": URL, "signing_token": SIGNING})
    assert made.status == 201
    assert "signing_token_present" not in made.json
    assert control("GET", "ground-truth/hooks?project_id=1")["rows"][-1]["signing_token"] is None
    assert ask("/version", "admin").json["version"].startswith("18.")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 400),
        ({"url": "ftp://hub.test"}, 422),
        ({"url": "http://127.0.0.1/hook"}, 422),
        ({"url": URL, "signing_token": "whsec_c2hvcnQ="}, 422),
        ({"url": URL, "signing_token": "plain"}, 422),
        ({"url": URL, "branch_filter_strategy": "regex", "push_events_branch_filter": "("}, 422),
        ({"url": URL, "branch_filter_strategy": "magic"}, 400),
    ],
)
def test_wrong_hooks_are_refused_and_not_kept(
    ask: Any, control: Any, app: StandIn, sent: dict[str, str], status: int
) -> None:
    control("POST", "behaviour", {"blocked_urls": "127\\.0\\.0\\.1"})
    before = ask(PLACES[0], "admin").json
    assert ask(PLACES[0], "admin", "POST", sent).status == status
    assert ask(PLACES[0], "admin").json == before


def test_a_wrong_change_leaves_the_hook_as_it_was(ask: Any) -> None:
    made = ask(PLACES[0], "admin", "POST", {"url": URL}).json
    here = f"{PLACES[0]}/{made['id']}"
    assert ask(here, "admin", "PUT", {"url": "nowhere", "tag_push_events": True}).status == 422
    assert ask(here, "admin", "PUT", {"tag_push_events": True, "signing_token": "x"}).status == 422
    assert ask(here, "admin", "PUT").status == 400
    assert ask(here, "admin").json == made


@pytest.mark.parametrize(("kind", "place"), [("project", PLACES[0]), ("group", PLACES[1])])
def test_there_are_so_many_hooks_and_no_more(ask: Any, control: Any, kind: str, place: str) -> None:
    limit = len(ask(place, "admin").json) + 1
    control("POST", "behaviour", {f"{kind}_hook_limit": limit})
    assert ask(place, "admin", "POST", {"url": URL}).status == 201
    refused = ask(place, "admin", "POST", {"url": URL})
    assert (refused.status, refused.json) == (422, {"error": f"Maximum number of {kind} hooks ({limit}) exceeded"})


def test_who_may_register(ask: Any, app: StandIn, control: Any) -> None:
    group = min(app.company.groups)
    for name, level in (("maintainer", 40), ("owner", 50), ("stranger", 0)):
        user = control("POST", "changes", {"do": "add_user", "username": name})["id"]
        control("POST", "changes", {"do": "add_token", "name": name, "user_id": user, "scopes": ["api"]})
        if level:
            enrol = {"source": "group", "source_id": group, "user_id": user, "level": level}
            control("POST", "changes", {"do": "add_member", **enrol})
    project = next(each.id for each in app.company.projects.values() if each.group_id == group)
    app.company.projects[project].visibility = app.company.groups[group].visibility = "private"

    def may(name: str, place: str) -> int:
        return int(ask(place, name, "POST", {"url": URL}).status)

    assert [may(name, f"/projects/{project}/hooks") for name in ("maintainer", "owner", "stranger")] == [201, 201, 404]
    assert [may(name, f"/groups/{group}/hooks") for name in ("maintainer", "owner", "stranger")] == [403, 201, 404]
    assert [may(name, "/hooks") for name in ("maintainer", "owner", "admin")] == [403, 403, 201]


@pytest.mark.parametrize(("state", "status"), [("on", 200), ("missing", 404), ("unlicensed", 403)])
def test_an_instance_may_have_no_group_hooks(ask: Any, control: Any, state: str, status: int) -> None:
    control("POST", "behaviour", {"group_hooks": state})
    assert ask(PLACES[1], "admin").status == status
    assert ask(PLACES[0], "admin").status == 200


def test_switches_that_are_none_are_refused(app: StandIn) -> None:
    mistakes: list[dict[str, object]] = [
        {"nothing": 1},
        {"group_hooks": "perhaps"},
        {"status_conflicts": "many"},
        {"project_hook_limit": True},
    ]
    for wrong in mistakes:
        with pytest.raises(ValueError, match=r"switch|group_hooks"):
            app.company.behaviour.turn(wrong)
    assert app.company.behaviour.group_hooks == "on"
