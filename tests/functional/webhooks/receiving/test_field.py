"""Deliveries as proxies, older GitLabs and several hooks make them: taken, once, and understood."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gitlab_hub.gitlab.webhooks.parse import parse
from gitlab_hub.webhooks.receiving.receiver import deduplicated_value
from tests.functional.webhooks.deliveries_hub import DATA, INTEGRATION, PATH, PROJECT, PUSH, DeliveriesHub, a_hook

SIGNS = a_hook("2", verification="signature")
TOKEN = a_hook("1")
BOTH = pytest.mark.parametrize("hook", [TOKEN, SIGNS], ids=["token", "signature"])
RAW = json.dumps(PUSH).encode()
Change = Callable[[Mapping[str, str]], Mapping[str, str]]


@pytest.fixture
def hub() -> DeliveriesHub:
    return DeliveriesHub(TOKEN, SIGNS)


def renamed(change: Callable[[str], str]) -> Change:
    return lambda headers: {change(name): value for name, value in headers.items()}


def valued(change: Callable[[str], str]) -> Change:
    return lambda headers: {name: change(value) for name, value in headers.items()}


def without(*names: str) -> Change:
    return lambda headers: {name: value for name, value in headers.items() if name.lower() not in names}


def plus(**more: str) -> Change:
    return lambda headers: {**headers, **{name.replace("_", "-"): value for name, value in more.items()}}


ODD: dict[str, Change] = {
    "lower case": renamed(str.lower),
    "upper case": renamed(str.upper),
    "every header twice": valued(lambda value: f"{value},{value}"),
    "every header twice, with a space": valued(lambda value: f"{value}, {value}"),
    "no X-Gitlab-Event": without("x-gitlab-event"),
    "another X-Gitlab-Event": plus(X_Gitlab_Event="System Hook"),
    "called a form": plus(Content_Type="application/x-www-form-urlencoded"),
    "no content type": without("content-type"),
    "an empty Idempotency-Key": plus(Idempotency_Key=""),
    "headers of others": plus(Authorization="Bearer x", X_Forwarded_For="1.2.3.4", Cookie="a=b"),
}


@BOTH
@pytest.mark.parametrize("named", [True, False], ids=["by id", "by secret"])
@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_what_a_proxy_makes_of_headers_is_taken(hub: DeliveriesHub, hook: Any, named: bool, change: Change) -> None:
    headers = change(hub.headers(hook, RAW))
    status, answer = hub.call(RAW, headers, f"{PATH}/{hook.id}" if named else PATH)
    assert (status, answer["ok"]) == (202, True), answer
    hub.work()
    [row] = hub.rows()
    assert (row["event"], row["ref"], row["status"]) == ("push", "master", "handled")


@BOTH
def test_a_doubled_proof_that_is_wrong_stays_wrong(hub: DeliveriesHub, hook: Any) -> None:
    wrong = {name: f"{value}x,{value}x" for name, value in hub.headers(hook, RAW).items()}
    assert hub.call(RAW, wrong, f"{PATH}/{hook.id}")[0] == 401
    different = {name: f"{value},{value}x" for name, value in hub.headers(hook, RAW).items()}
    assert hub.call(RAW, different, f"{PATH}/{hook.id}")[0] == 401


@pytest.mark.parametrize(
    ("value", "once"),
    [("a,a", "a"), ("a, a", "a"), ("a,b,a,b", "a,b"), ("a,b", "a,b"), ("a,a,a", "a,a,a"), (",", ","), ("", "")],
)
def test_only_what_stands_there_exactly_twice_is_taken_once(value: str, once: str) -> None:
    assert deduplicated_value(value) == once


def test_a_signed_hook_may_send_its_token_too(hub: DeliveriesHub) -> None:
    assert hub(SIGNS, PUSH, {"X-Gitlab-Token": hub.token(SIGNS)})[0] == 202


def test_a_signature_proves_more_than_an_empty_token(hub: DeliveriesHub) -> None:
    headers = hub.signed(TOKEN, RAW) | {"X-Gitlab-Token": ""}
    assert hub.call(RAW, headers, f"{PATH}/{TOKEN.id}")[0] == 202


@BOTH
def test_a_resend_is_the_same_delivery(hub: DeliveriesHub, hook: Any) -> None:
    keys = {"Idempotency-Key": "k1"} | ({} if hook is TOKEN else hub.signed(hook, RAW, message_id="k1"))
    assert hub(hook, RAW, keys)[0] == 202
    hub.work()
    again = {"Idempotency-Key": "k1"} | ({} if hook is TOKEN else hub.signed(hook, RAW, message_id="k1"))
    assert hub(hook, RAW, again | {"X-Gitlab-Webhook-UUID": "another"}) == (200, {"ok": True, "duplicate": True})
    hub.work()
    assert len(hub.builds.asked) == 1


def test_a_header_that_somebody_has_added_makes_no_two_deliveries_one(hub: DeliveriesHub) -> None:
    for number in (1, 2):
        body = PUSH | {"after": str(number) * 40}
        assert hub(TOKEN, body, {"webhook-id": "always", "Idempotency-Key": f"k{number}"})[0] == 202
    assert len(hub.rows()) == 2


def test_a_signed_delivery_is_known_by_what_is_signed(hub: DeliveriesHub) -> None:
    for number in (1, 2):
        hub(SIGNS, RAW, hub.signed(SIGNS, RAW, message_id="m1") | {"Idempotency-Key": f"k{number}"})
    assert len(hub.rows()) == 1


@pytest.mark.parametrize("header", ["Push Hook", "System Hook", ""])
def test_an_older_gitlab_says_its_event_s_name_only(hub: DeliveriesHub, header: str) -> None:
    body = {name: value for name, value in PUSH.items() if name != "object_kind"}
    assert hub(TOKEN, body, {"X-Gitlab-Event": header})[0] == 202
    hub.work()
    assert hub.rows()[0]["event"] == "push"


def test_the_sample_of_a_system_hook_is_taken(hub: DeliveriesHub) -> None:
    hook = hub.add(a_hook("s", scope="system", target_id=None, target="https://gitlab.example.com"))
    sample = {
        "event_name": "project_create", "name": "Ruby", "path": "ruby", "project_id": 1,
        "owner_name": "Someone", "owner_email": "example@gitlabhq.com",
    }  # fmt: skip
    assert hub(hook, sample, {"X-Gitlab-Event": "System Hook"})[0] == 202
    hub.work()
    assert hub.hints.given == [("project", "int_0a1b", 1)]


def test_a_body_of_many_megabytes_is_taken_and_one_above_the_limit_is_named_so(hub: DeliveriesHub) -> None:
    commits = [{"id": f"c{number}", "message": "m", "added": ["x" * 50] * 4_000} for number in range(20)]
    raw = json.dumps(PUSH | {"commits": commits}).encode()
    assert 4_000_000 < len(raw) < 6 * 1024 * 1024
    assert hub(TOKEN, raw)[0] == 202
    status, answer = hub(TOKEN, raw + b" " * (6 * 1024 * 1024))
    assert (status, answer["code"]) == (413, "payload_too_large")


# ---- One event, several hooks


def of_several_hooks(hub: DeliveriesHub) -> dict[str, Any]:
    return {
        "project": TOKEN,
        "group": hub.add(a_hook("g", scope="group", target_id=3, target="mike")),
        "system": hub.add(a_hook("s", scope="system", target_id=None, target="https://gitlab.example.com")),
    }


@pytest.mark.parametrize("kind", ["push", "tag_push", "merge_request"])
def test_one_event_through_three_hooks_is_built_once(hub: DeliveriesHub, kind: str) -> None:
    body = json.loads((DATA / "webhooks" / f"{kind}.json").read_text())
    place = {"id": PROJECT, "path_with_namespace": "mike/diaspora"}
    body |= {"project": place, "project_id": PROJECT}
    if kind == "merge_request":
        body["object_attributes"]["target_project_id"] = PROJECT
    for name, hook in of_several_hooks(hub).items():
        headers = {"X-Gitlab-Event-UUID": f"u of {name}", "Idempotency-Key": f"key of {name}"}
        assert hub(hook, body, headers)[0] == 202
    hub.work()
    assert len(hub.builds.asked) == 1
    outcomes = sorted((row["status"], *row["reasons"]) for row in hub.rows())
    assert outcomes == [("handled",), ("ignored", "same_event"), ("ignored", "same_event")]


def test_a_first_hook_s_delivery_that_fails_is_tried_again_and_stays_the_first(hub: DeliveriesHub) -> None:
    hooks = of_several_hooks(hub)
    for name in ("project", "group"):
        hub(hooks[name], PUSH, {"X-Gitlab-Event-UUID": name, "Idempotency-Key": name})
    first, second = hub.queue.take()
    hub.builds.error = RuntimeError("down")
    assert hub.deliver(first) == [first]
    hub.builds.error = None
    assert hub.deliver(second, first) == []
    assert len(hub.builds.asked) == 1
    assert {row["hook_id"]: row["status"] for row in hub.rows()} == {TOKEN.id: "handled", hooks["group"].id: "ignored"}


@pytest.mark.parametrize(
    "more", [{"ref": "refs/heads/other"}, {"before": "1" * 40}, {"after": "2" * 40}, {"project_id": PROJECT, "x": 1}]
)
def test_other_refs_are_other_events(hub: DeliveriesHub, more: dict[str, Any]) -> None:
    hooks = of_several_hooks(hub)
    hub(hooks["project"], PUSH, {"X-Gitlab-Event-UUID": "u1", "Idempotency-Key": "k1"})
    hub(hooks["group"], PUSH | more, {"X-Gitlab-Event-UUID": "u1", "Idempotency-Key": "k2"})
    hub.work()
    assert len(hub.builds.asked) == (1 if "x" in more else 2)


def test_two_updates_of_a_merge_request_are_two_events(hub: DeliveriesHub) -> None:
    body = json.loads((DATA / "webhooks" / "merge_request.json").read_text())
    body |= {"project": {"id": PROJECT, "path_with_namespace": "mike/diaspora"}}
    body["object_attributes"] |= {"target_project_id": PROJECT, "action": "update"}
    for number, labels in enumerate(([], [{"title": "ready"}])):
        hub(TOKEN, body | {"labels": labels}, {"X-Gitlab-Event-UUID": "u1", "Idempotency-Key": f"k{number}"})
    hub.work()
    assert len(hub.builds.asked) == 2


def test_a_late_copy_of_another_hook_is_the_same_event(hub: DeliveriesHub) -> None:
    hooks = of_several_hooks(hub)
    hub(hooks["project"], PUSH, {"X-Gitlab-Event-UUID": "u1", "Idempotency-Key": "k1"})
    hub(hooks["project"], PUSH | {"before": PUSH["after"], "after": "c" * 40}, {"Idempotency-Key": "k2"})
    hub.work()
    hub.now += 3_600
    hub(hooks["group"], PUSH, {"X-Gitlab-Event-UUID": "u2", "Idempotency-Key": "k3"})
    hub.work()
    assert [event.after for _, event, _ in hub.builds.asked] == [PUSH["after"], "c" * 40]


@pytest.mark.parametrize("uuids", [("u1", "u2", "u3", "u4"), ("u1",) * 4, ("",) * 4])
def test_what_one_hook_tells_twice_are_two_events(hub: DeliveriesHub, uuids: tuple[str, ...]) -> None:
    """A branch that was deleted is made again at the same commit: both times GitLab says the same of it."""
    hooks, told = of_several_hooks(hub), iter(uuids)
    for name in ("project", "group", "group", "project"):
        hub(hooks[name], PUSH, {"X-Gitlab-Event-UUID": next(told), "Idempotency-Key": f"{name} {len(hub.rows())}"})
        hub.work()
    assert len(hub.builds.asked) == 2
    assert sorted(row["reasons"] for row in hub.rows()).count(["same_event"]) == 2


def test_a_push_that_the_hub_found_is_no_copy_of_one_that_a_hook_told(hub: DeliveriesHub) -> None:
    hub(TOKEN, PUSH, {"Idempotency-Key": "k1"})
    hub.work()
    event = parse("Push Hook", PUSH)
    hub.deliveries.synthesized_pushes.push(INTEGRATION, event, "f" * 64)
    hub.work()
    assert len(hub.builds.asked) == 2


def test_nothing_that_is_known_of_an_event_names_the_integration(hub: DeliveriesHub) -> None:
    hub(TOKEN, PUSH, {"X-Gitlab-Event-UUID": "u1"})
    hub.work()
    [row] = [row for row in hub.table.dump() if row["sk"] == "EVENT"]
    assert "0a1b" not in str(row)
    assert row["expires_at"] == hub.now + 2 * 86_400
