"""Dry runs: what a trigger would make of an event, with nothing kept and nothing sent."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.triggers import INTEGRATION
from tests.functional.api.api_hub import ApiHub
from tests.functional.builds.triggers_hub import DEVELOPER, PATH, TriggersHub

BODIES = Path(__file__).parents[3] / "data" / "gitlab"
RECORDED = sorted(BODIES.glob("*hooks/*.json"))


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((BODIES / f"{name}.json").read_text())
    return found


@pytest.fixture
def hub() -> TriggersHub:
    return TriggersHub()


def dry_run(hub: TriggersHub, trigger: dict[str, Any], event: str, payload: dict[str, Any]) -> dict[str, Any]:
    status, answer = hub(
        "POST", f"{PATH}/{trigger['id']}/test", {"event": event, "payload": payload}, principal=DEVELOPER
    )
    assert status == 200, answer
    found: dict[str, Any] = answer
    return found


@pytest.mark.parametrize("event", ["Push Hook", "push", "System Hook"])
def test_an_event_that_would_build_shows_the_build(hub: TriggersHub, event: str) -> None:
    made = hub.made(concurrency={"cancel_previous": True})
    answer = dry_run(hub, made, event, recorded("webhooks/push"))
    assert (answer["would_build"], answer["event"]) == (True, "push")
    assert answer["build"] == {
        "trigger_id": made["id"],
        "project_id": 15,
        "project_path": "mike/diaspora",
        "event": "push",
        "ref": "master",
        "sha": "da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
        "actor": "jsmith",
        "merge_request_iid": None,
        "source_project_id": None,
        "needs_approval": False,
        "cancel_previous": True,
        "deletes_ref": False,
        "target": {"type": "eventbridge"},
    }


def test_an_event_that_would_not_build_says_every_reason(hub: TriggersHub) -> None:
    made = hub.made(branches={"include": ["release/*"]}, enabled=False)
    answer = dry_run(hub, made, "push", recorded("webhooks/push"))
    assert (answer["would_build"], answer["build"]) == (False, None)
    assert [(one["code"], one["ok"]) for one in answer["reasons"]] == [
        ("trigger_disabled", False),
        ("event_wanted", True),
        ("project_fits", True),
        ("branch_pushed", True),
        ("commit_known", True),
        ("branch_not_included", False),
        ("skip_ci_not_asked", True),
    ]
    assert 'The branch "master" fits no pattern that is included.' in [one["text"] for one in answer["reasons"]]


def test_the_payload_decides_what_it_is(hub: TriggersHub) -> None:
    answer = dry_run(hub, hub.made(), "push", recorded("webhooks/merge_request"))
    assert (answer["event"], answer["would_build"]) == ("merge_request", False)


def test_the_name_decides_where_the_payload_does_not_say(hub: TriggersHub) -> None:
    payload = recorded("webhooks/push")
    del payload["object_kind"], payload["event_name"]
    assert dry_run(hub, hub.made(), "Push Hook", payload)["would_build"]
    assert not dry_run(hub, hub.made(), "Tag Push Hook", payload)["would_build"]


def test_gitlab_is_asked_as_it_would_be_for_a_delivery(hub: TriggersHub) -> None:
    made = hub.made(paths={"include": ["docs/**"]})
    hub.sources.paths = ["src/a"]
    answer = dry_run(hub, made, "push", recorded("webhooks/push"))
    assert [one["code"] for one in answer["reasons"] if not one["ok"]] == ["no_path_fits"]
    assert hub.sources.asked[0][:3] == ("compare", INTEGRATION, 15)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_recorded_body_can_be_dry_run(hub: TriggersHub, path: Path) -> None:
    made = hub.made(events=["push", "tag_push", "merge_request"])
    rows, log = hub.rows.dump(), list(hub.integrations.log)
    answer = dry_run(hub, made, "System Hook", json.loads(path.read_text()))
    assert answer["would_build"] == all(one["ok"] for one in answer["reasons"])
    assert answer["reasons"]
    assert (hub.rows.dump(), hub.integrations.log) == (rows, log)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": "push"},
        {"payload": {}},
        {"event": "", "payload": {}},
        {"event": 1, "payload": {}},
        {"event": "push", "payload": []},
        {"event": "push", "payload": "{}"},
        {"event": "push", "payload": {}, "store": True},
        {"event": "x" * 101, "payload": {}},
    ],
)
def test_a_body_that_is_no_event_is_refused(hub: TriggersHub, body: dict[str, Any]) -> None:
    status, answer = hub("POST", f"{PATH}/{hub.made()['id']}/test", body)
    assert (status, answer["code"]) == (422, "invalid_input")


@pytest.mark.parametrize(
    "payload",
    [{}, {"object_kind": []}, {"ref": {"deep": [[[]]]}}, {"commits": [None, 1]}],
)
def test_an_odd_payload_is_an_event_that_does_not_build(hub: TriggersHub, payload: dict[str, Any]) -> None:
    assert not dry_run(hub, hub.made(), "push", payload)["would_build"]


def test_a_trigger_that_is_gone_cannot_be_dry_run(hub: TriggersHub) -> None:
    made = hub.made()
    hub("DELETE", f"{PATH}/{made['id']}")
    assert hub("POST", f"{PATH}/{made['id']}/test", {"event": "push", "payload": {}})[0] == 404


def test_a_delivery_that_came_is_tried_as_its_body_would_be() -> None:
    hub = ApiHub()
    path, sent = f"{PATH}/{hub.ids['trigger_id']}/test", {"delivery_id": hub.ids["delivery_id"]}
    payload = {"object_kind": "push", "project_id": 3, "ref": "refs/heads/main", "after": "a" * 40}
    before = hub.stored()
    status, answer = hub("POST", path, sent)
    assert (status, answer) == hub("POST", path, {"event": "push", "payload": payload})
    assert (status, answer["event"], len(answer["reasons"]) > 0) == (200, "push", True)
    assert hub.stored() == before


def test_a_delivery_of_another_integration_is_an_unknown_one() -> None:
    hub = ApiHub()
    other = {"integration_id": hub.other, "project_id": 3, "events": ["push"], "target": {"type": "eventbridge"}}
    _, made = hub("POST", PATH, other)
    path = f"{PATH}/{made['trigger']['id']}/test"
    unknown = f"{hub.ids['delivery_id'][:-4]}0000"
    told = [hub("POST", path, {"delivery_id": one}) for one in (hub.ids["delivery_id"], "dlv_x")]
    told.append(hub("POST", f"{PATH}/{hub.ids['trigger_id']}/test", {"delivery_id": unknown}))
    assert {(status, answer["code"]) for status, answer in told} == {(404, "not_found")}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": "push"},
        {"payload": {}},
        {"delivery_id": "d", "event": "push"},
        {"delivery_id": "d", "payload": {}},
    ],
)
def test_what_is_tried_is_a_delivery_or_a_body(hub: TriggersHub, body: dict[str, Any]) -> None:
    status, answer = hub("POST", f"{PATH}/{hub.made()['id']}/test", body, principal=DEVELOPER)
    assert (status, answer["code"]) == (422, "invalid_input")
    assert "either a delivery_id, or an event and its payload" in answer["error"]
