import json
from typing import Any

import pytest

from gitlab_hub.gitlab.webhooks.parse import parse
from gitlab_hub.webhooks.deliveries.body import MAX_BODY_BYTES, decompress_body
from gitlab_hub.webhooks.deliveries.store import StoredDeliveries
from tests.fakes.events import Context, answered, http_event
from tests.fakes.threads import together
from tests.functional.webhooks.deliveries_hub import NOW, PATH, PUSH, DeliveriesHub, a_hook

SIGNS = a_hook("2", verification="signature")
TOKEN = a_hook("1")
BOTH = pytest.mark.parametrize("hook", [TOKEN, SIGNS], ids=["token", "signature"])
RAW = json.dumps(PUSH).encode()


@pytest.fixture
def hub() -> DeliveriesHub:
    return DeliveriesHub(TOKEN, SIGNS)


@BOTH
@pytest.mark.parametrize("named", [True, False])
def test_a_genuine_delivery_is_kept_and_queued(hub: DeliveriesHub, hook: Any, named: bool) -> None:
    status, answer = hub(hook, PUSH, named=named)
    assert (status, answer["ok"]) == (202, True)
    [row] = hub.rows()
    assert (row["delivery_id"], row["hook_id"], row["status"]) == (answer["delivery_id"], hook.id, "pending")
    assert (row["event"], row["project_id"], row["ref"], row["sha"]) == ("push", 15, "master", PUSH["checkout_sha"])
    body = decompress_body(row["body"])
    assert parse("Push Hook", body) == parse("Push Hook", PUSH)
    assert {"user_email", "user_avatar", "repository"}.isdisjoint(body)
    assert set(body["commits"][0]) == {"id", "message", "added", "modified", "removed"}
    [sent] = hub.queue.sent
    assert (sent.body, sent.once) == ({"schema": 1, "delivery_id": answer["delivery_id"]}, answer["delivery_id"])


@BOTH
def test_a_repeated_delivery_is_acknowledged_and_has_one_effect(hub: DeliveriesHub, hook: Any) -> None:
    hub(hook, PUSH)
    assert hub(hook, PUSH) == (200, {"ok": True, "duplicate": True})
    hub.work()
    assert hub(hook, PUSH)[1]["duplicate"] is True
    hub.queue.expire_ids()
    assert hub(hook, PUSH)[1]["duplicate"] is True
    assert hub.queue.sent == []
    assert len(hub.builds.asked) == len(hub.rows()) == 1


@pytest.mark.parametrize("header", ["Idempotency-Key", "webhook-id", "IDEMPOTENCY-KEY"])
def test_what_gitlab_calls_one_delivery_is_one_whatever_its_body(hub: DeliveriesHub, header: str) -> None:
    assert hub(TOKEN, PUSH, {header: "k1"})[0] == 202
    assert hub(TOKEN, PUSH | {"user_id": 5}, {header: "k1"})[0] == 200
    assert hub(TOKEN, PUSH, {header: "k2"})[0] == 202


@pytest.mark.parametrize("header", ["X-Gitlab-Event-UUID", "X-Gitlab-Webhook-UUID"])
def test_ids_of_other_things_do_not_tell_deliveries_apart(hub: DeliveriesHub, header: str) -> None:
    assert hub(TOKEN, PUSH, {header: "1"})[0] == 202
    assert hub(TOKEN, PUSH, {header: "2"})[0] == 200
    assert hub(TOKEN, PUSH | {"user_id": 5}, {header: "1"})[0] == 202


def test_without_any_id_the_body_tells_deliveries_apart(hub: DeliveriesHub) -> None:
    assert [hub(TOKEN, body)[0] for body in (PUSH, PUSH, PUSH | {"user_id": 5})] == [202, 200, 202]
    hub.work()
    assert len(hub.builds.asked) == 2


def test_the_same_id_through_two_hooks_is_two_deliveries(hub: DeliveriesHub) -> None:
    headers = {"Idempotency-Key": "k1", "webhook-id": "k1"}
    other = hub.add(a_hook("3"))
    assert [hub(hook, PUSH, headers)[0] for hook in (TOKEN, other)] == [202, 202]


def test_of_five_copies_at_once_one_has_an_effect(hub: DeliveriesHub) -> None:
    for number in range(20):
        body = PUSH | {"user_id": number + 1}
        answers = together(5, lambda _, body=body: hub(TOKEN, body))  # type: ignore[misc]  # a default, not a capture
        assert sorted(status for status, _ in answers) == [200, 200, 200, 200, 202]  # type: ignore[misc]  # no errors
    hub.work()
    assert (len(hub.rows()), len(hub.builds.asked)) == (20, 20)


def test_bytes_are_verified_as_they_came(hub: DeliveriesHub) -> None:
    raw = b'{ "object_kind":"push",\r\n "project_id": 15, "user_name": "J\xc3\xbcrgen" }'
    assert hub(SIGNS, raw)[0] == 202
    text = raw.decode()
    assert hub.call(text, hub.headers(SIGNS, raw), f"{PATH}/{SIGNS.id}")[0] == 200, "not encoded, the same bytes"
    assert hub.call(raw.replace(b"\r", b""), hub.headers(SIGNS, raw), f"{PATH}/{SIGNS.id}")[0] == 401


def test_a_hook_that_signs_is_never_believed_without(hub: DeliveriesHub) -> None:
    token = {"X-Gitlab-Token": hub.token(SIGNS), "X-Gitlab-Event": "Push Hook"}
    for path in (f"{PATH}/{SIGNS.id}", PATH):
        assert hub.call(RAW, token, path)[0] == 401
    assert hub.call(RAW, token | hub.signed(SIGNS, RAW), f"{PATH}/{SIGNS.id}")[0] == 202


def test_a_hook_that_need_not_sign_may(hub: DeliveriesHub) -> None:
    assert hub.call(RAW, hub.signed(TOKEN, RAW), f"{PATH}/{TOKEN.id}")[0] == 202
    wrong = hub.signed(TOKEN, RAW) | {"X-Gitlab-Token": "wrong"}
    assert hub.call(RAW, wrong, f"{PATH}/{TOKEN.id}")[0] == 401, "what is there has to be right"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing_token"),
        ({"X-Gitlab-Token": ""}, "missing_token"),
        ({"X-Gitlab-Token": "wrong"}, "wrong_token"),
        ({"X-Gitlab-Token": "schlüssel"}, "wrong_token"),
        ({"X-Gitlab-Token": "\ud800"}, "wrong_token"),
    ],
)
def test_every_refusal_looks_the_same(hub: DeliveriesHub, headers: dict[str, str], reason: str) -> None:
    status, answer = hub.call(RAW, headers, f"{PATH}/{TOKEN.id}")
    assert (status, answer["code"], answer["retryable"]) == (401, "invalid_token", False)
    assert hub.metrics.seen == {f"refused {reason}": 1}
    others = [
        hub.call(RAW, hub.headers(TOKEN, RAW), f"{PATH}/hook_0a1b_404"),
        hub.call(RAW, hub.headers(TOKEN, RAW), f"{PATH}/nonsense"),
        hub.call(RAW, headers, PATH),
        hub.call(RAW, headers, f"{PATH}/{SIGNS.id}"),
        hub.call(RAW, hub.signed(SIGNS, RAW) | {"webhook-timestamp": str(NOW - 301)}, PATH),
        hub.call(b"no json", headers, f"{PATH}/{TOKEN.id}"),
    ]
    assert all(other == (status, answer) for other in others)
    assert hub.rows() == []


def test_the_address_without_an_id_finds_hooks_by_token_and_by_project(hub: DeliveriesHub) -> None:
    elsewhere = hub.add(a_hook("7", "int_other", verification="signature"))
    assert hub.call(RAW, hub.signed(elsewhere, RAW), PATH)[0] == 202
    assert hub.rows()[0]["integration_id"] == "int_other"
    assert hub.call(RAW, hub.signed(SIGNS, RAW), PATH)[0] == 202
    assert hub.call(RAW, hub.signed(a_hook("8"), RAW), PATH)[0] == 401
    other = json.dumps(PUSH | {"project_id": 16}).encode()
    assert hub.call(other, hub.signed(SIGNS, other), PATH)[0] == 401, "no hook of that project"
    for raw in (b"[]", b"{", b'{"project_id": true}', b"\xff"):
        assert hub.call(raw, hub.signed(SIGNS, raw), PATH)[0] == 401
    assert hub.call(RAW, {"X-Gitlab-Token": "unknown"} | hub.signed(SIGNS, RAW), PATH)[0] == 401


def test_an_old_secret_is_good_until_its_day(hub: DeliveriesHub) -> None:
    for scheme in ("token", "signature"):
        hook = hub.add(a_hook(scheme, verification=scheme, secret_version=2, previous_version_until=NOW + 60))

        def send(version: int, number: int, hook: Any = hook) -> int:
            raw = json.dumps(PUSH | {"user_id": number}).encode()
            proof = hub.signed(hook, raw, version=version) | {"webhook-id": "msg_1"}
            token = {"X-Gitlab-Token": hub.token(hook, version), "Idempotency-Key": str(number)}
            headers = token if hook.verification == "token" else proof
            return hub.call(raw, headers, f"{PATH}/{hook.id}")[0]

        hub.now = NOW
        assert [send(2, 1) // 100, send(1, 2) // 100, send(3, 3)] == [2, 2, 401]
        hub.now = NOW + 59.9
        assert send(1, 4) // 100 == 2
        hub.now = NOW + 60
        assert [send(1, 5), send(2, 6) // 100] == [401, 2]


@BOTH
@pytest.mark.parametrize(
    "raw", [b"", b"no json", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}']
)
def test_a_genuine_body_that_is_no_object_is_refused(hub: DeliveriesHub, hook: Any, raw: bytes) -> None:
    status, answer = hub(hook, raw)
    assert (status, answer["code"]) == (400, "invalid_payload")
    assert hub.rows() == []


def test_nesting_has_an_end(hub: DeliveriesHub) -> None:
    deep = b'{"project_id":15,"object_kind":"push","a":' + b"[" * 500 + b"]" * 500 + b"}"
    assert hub(TOKEN, deep)[0] == 400
    flat = b'{"project_id":15,"object_kind":"push","a":' + b"[" * 90 + b"]" * 90 + b"}"
    assert hub(TOKEN, flat)[0] == 202


def test_too_much_is_refused_before_anything_is_looked_up(hub: DeliveriesHub) -> None:
    for raw in ("x" * (MAX_BODY_BYTES + 1), b"x" * (MAX_BODY_BYTES + 1)):
        status, answer = hub.call(raw, {}, f"{PATH}/{TOKEN.id}")
        assert (status, answer["code"]) == (413, "payload_too_large")


def test_a_body_that_cannot_be_decoded_proves_nothing(hub: DeliveriesHub) -> None:
    event = http_event("POST", f"{PATH}/{TOKEN.id}", principal=None, headers=hub.headers(TOKEN, RAW), raw="%%%")
    assert answered(hub.app.resolve(event | {"isBase64Encoded": True}, Context()))[0] == 401
    assert answered(hub.app.resolve(event | {"body": "\ud800"}, Context()))[0] == 401


def test_other_methods_and_paths_are_not_there(hub: DeliveriesHub) -> None:
    assert hub.call(b"", {}, PATH, "GET")[0] == 405
    assert hub.call(b"", {}, f"{PATH}/a/b")[0] == 404
    assert hub.call(b"", {}, "/v1/webhooks")[0] == 404


@BOTH
def test_whoever_looks_for_failed_deliveries_knows_which_were_kept(hub: DeliveriesHub, hook: Any) -> None:
    known = StoredDeliveries(hub.table)
    key = {"Idempotency-Key": "msg_1", "webhook-id": "msg_1"}
    assert not known.exists(hook.id, "msg_1")
    assert hub(hook, PUSH, key)[0] == 202
    assert known.exists(hook.id, "msg_1")
    assert not known.exists(hook.id, "msg_2")
