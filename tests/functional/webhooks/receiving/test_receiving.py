import json
from typing import Any

import pytest

from gitlab_hub.gitlab.webhooks.parse import parse
from gitlab_hub.webhooks.deliveries.body import MAX_BODY_BYTES, decompress_body
from gitlab_hub.webhooks.deliveries.store import StoredDeliveries
from tests.fakes.events import Context, answered, http_event
from tests.fakes.threads import together
from tests.functional.webhooks.deliveries_hub import NOW, PATH, PUSH, Post, a_hook

SIGNS = a_hook("2", verification="signature")
TOKEN = a_hook("1")
BOTH = pytest.mark.parametrize("hook", [TOKEN, SIGNS], ids=["token", "signature"])
RAW = json.dumps(PUSH).encode()


@pytest.fixture
def post() -> Post:
    return Post(TOKEN, SIGNS)


@BOTH
@pytest.mark.parametrize("named", [True, False])
def test_a_genuine_delivery_is_kept_and_queued(post: Post, hook: Any, named: bool) -> None:
    status, answer = post(hook, PUSH, named=named)
    assert (status, answer["ok"]) == (202, True)
    [row] = post.rows()
    assert (row["delivery_id"], row["hook_id"], row["status"]) == (answer["delivery_id"], hook.id, "pending")
    assert (row["event"], row["project_id"], row["ref"], row["sha"]) == ("push", 15, "master", PUSH["checkout_sha"])
    body = decompress_body(row["body"])
    assert parse("Push Hook", body) == parse("Push Hook", PUSH)
    assert {"user_email", "user_avatar", "repository"}.isdisjoint(body)
    assert set(body["commits"][0]) == {"id", "message", "added", "modified", "removed"}
    [sent] = post.queue.sent
    assert (sent.body, sent.once) == ({"schema": 1, "delivery_id": answer["delivery_id"]}, answer["delivery_id"])


@BOTH
def test_a_repeated_delivery_is_acknowledged_and_has_one_effect(post: Post, hook: Any) -> None:
    post(hook, PUSH)
    assert post(hook, PUSH) == (200, {"ok": True, "duplicate": True})
    post.work()
    assert post(hook, PUSH)[1]["duplicate"] is True
    post.queue.forget()
    assert post(hook, PUSH)[1]["duplicate"] is True
    assert post.queue.sent == []
    assert len(post.builds.asked) == len(post.rows()) == 1


@pytest.mark.parametrize("header", ["Idempotency-Key", "webhook-id", "IDEMPOTENCY-KEY"])
def test_what_gitlab_calls_one_delivery_is_one_whatever_its_body(post: Post, header: str) -> None:
    assert post(TOKEN, PUSH, {header: "k1"})[0] == 202
    assert post(TOKEN, PUSH | {"user_id": 5}, {header: "k1"})[0] == 200
    assert post(TOKEN, PUSH, {header: "k2"})[0] == 202


@pytest.mark.parametrize("header", ["X-Gitlab-Event-UUID", "X-Gitlab-Webhook-UUID"])
def test_ids_of_other_things_do_not_tell_deliveries_apart(post: Post, header: str) -> None:
    assert post(TOKEN, PUSH, {header: "1"})[0] == 202
    assert post(TOKEN, PUSH, {header: "2"})[0] == 200
    assert post(TOKEN, PUSH | {"user_id": 5}, {header: "1"})[0] == 202


def test_without_any_id_the_body_tells_deliveries_apart(post: Post) -> None:
    assert [post(TOKEN, body)[0] for body in (PUSH, PUSH, PUSH | {"user_id": 5})] == [202, 200, 202]
    post.work()
    assert len(post.builds.asked) == 2


def test_the_same_id_through_two_hooks_is_two_deliveries(post: Post) -> None:
    headers = {"Idempotency-Key": "k1", "webhook-id": "k1"}
    other = post.add(a_hook("3"))
    assert [post(hook, PUSH, headers)[0] for hook in (TOKEN, other)] == [202, 202]


def test_of_five_copies_at_once_one_has_an_effect(post: Post) -> None:
    for number in range(20):
        body = PUSH | {"user_id": number + 1}
        answers = together(5, lambda _, body=body: post(TOKEN, body))  # type: ignore[misc]  # a default, not a capture
        assert sorted(status for status, _ in answers) == [200, 200, 200, 200, 202]  # type: ignore[misc]  # no errors
    post.work()
    assert (len(post.rows()), len(post.builds.asked)) == (20, 20)


def test_bytes_are_verified_as_they_came(post: Post) -> None:
    raw = b'{ "object_kind":"push",\r\n "project_id": 15, "user_name": "J\xc3\xbcrgen" }'
    assert post(SIGNS, raw)[0] == 202
    text = raw.decode()
    assert post.call(text, post.headers(SIGNS, raw), f"{PATH}/{SIGNS.id}")[0] == 200, "not encoded, the same bytes"
    assert post.call(raw.replace(b"\r", b""), post.headers(SIGNS, raw), f"{PATH}/{SIGNS.id}")[0] == 401


def test_a_hook_that_signs_is_never_believed_without(post: Post) -> None:
    token = {"X-Gitlab-Token": post.token(SIGNS), "X-Gitlab-Event": "Push Hook"}
    for path in (f"{PATH}/{SIGNS.id}", PATH):
        assert post.call(RAW, token, path)[0] == 401
    assert post.call(RAW, token | post.signed(SIGNS, RAW), f"{PATH}/{SIGNS.id}")[0] == 202


def test_a_hook_that_need_not_sign_may(post: Post) -> None:
    assert post.call(RAW, post.signed(TOKEN, RAW), f"{PATH}/{TOKEN.id}")[0] == 202
    wrong = post.signed(TOKEN, RAW) | {"X-Gitlab-Token": "wrong"}
    assert post.call(RAW, wrong, f"{PATH}/{TOKEN.id}")[0] == 401, "what is there has to be right"


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
def test_every_refusal_looks_the_same(post: Post, headers: dict[str, str], reason: str) -> None:
    status, answer = post.call(RAW, headers, f"{PATH}/{TOKEN.id}")
    assert (status, answer["code"], answer["retryable"]) == (401, "invalid_token", False)
    assert post.notices.seen == {f"refused {reason}": 1}
    others = [
        post.call(RAW, post.headers(TOKEN, RAW), f"{PATH}/hook_0a1b_404"),
        post.call(RAW, post.headers(TOKEN, RAW), f"{PATH}/nonsense"),
        post.call(RAW, headers, PATH),
        post.call(RAW, headers, f"{PATH}/{SIGNS.id}"),
        post.call(RAW, post.signed(SIGNS, RAW) | {"webhook-timestamp": str(NOW - 301)}, PATH),
        post.call(b"no json", headers, f"{PATH}/{TOKEN.id}"),
    ]
    assert all(other == (status, answer) for other in others)
    assert post.rows() == []


def test_the_address_without_an_id_finds_hooks_by_token_and_by_project(post: Post) -> None:
    elsewhere = post.add(a_hook("7", "int_other", verification="signature"))
    assert post.call(RAW, post.signed(elsewhere, RAW), PATH)[0] == 202
    assert post.rows()[0]["integration_id"] == "int_other"
    assert post.call(RAW, post.signed(SIGNS, RAW), PATH)[0] == 202
    assert post.call(RAW, post.signed(a_hook("8"), RAW), PATH)[0] == 401
    other = json.dumps(PUSH | {"project_id": 16}).encode()
    assert post.call(other, post.signed(SIGNS, other), PATH)[0] == 401, "no hook of that project"
    for raw in (b"[]", b"{", b'{"project_id": true}', b"\xff"):
        assert post.call(raw, post.signed(SIGNS, raw), PATH)[0] == 401
    assert post.call(RAW, {"X-Gitlab-Token": "unknown"} | post.signed(SIGNS, RAW), PATH)[0] == 401


def test_an_old_secret_is_good_until_its_day(post: Post) -> None:
    for scheme in ("token", "signature"):
        hook = post.add(a_hook(scheme, verification=scheme, secret_version=2, previous_version_until=NOW + 60))

        def send(version: int, number: int, hook: Any = hook) -> int:
            raw = json.dumps(PUSH | {"user_id": number}).encode()
            proof = post.signed(hook, raw, version=version) | {"webhook-id": "msg_1"}
            token = {"X-Gitlab-Token": post.token(hook, version), "Idempotency-Key": str(number)}
            headers = token if hook.verification == "token" else proof
            return post.call(raw, headers, f"{PATH}/{hook.id}")[0]

        post.now = NOW
        assert [send(2, 1) // 100, send(1, 2) // 100, send(3, 3)] == [2, 2, 401]
        post.now = NOW + 59.9
        assert send(1, 4) // 100 == 2
        post.now = NOW + 60
        assert [send(1, 5), send(2, 6) // 100] == [401, 2]


@BOTH
@pytest.mark.parametrize(
    "raw", [b"", b"no json", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}']
)
def test_a_genuine_body_that_is_no_object_is_refused(post: Post, hook: Any, raw: bytes) -> None:
    status, answer = post(hook, raw)
    assert (status, answer["code"]) == (400, "invalid_payload")
    assert post.rows() == []


def test_nesting_has_an_end(post: Post) -> None:
    deep = b'{"project_id":15,"object_kind":"push","a":' + b"[" * 500 + b"]" * 500 + b"}"
    assert post(TOKEN, deep)[0] == 400
    flat = b'{"project_id":15,"object_kind":"push","a":' + b"[" * 90 + b"]" * 90 + b"}"
    assert post(TOKEN, flat)[0] == 202


def test_too_much_is_refused_before_anything_is_looked_up(post: Post) -> None:
    for raw in ("x" * (MAX_BODY_BYTES + 1), b"x" * (MAX_BODY_BYTES + 1)):
        status, answer = post.call(raw, {}, f"{PATH}/{TOKEN.id}")
        assert (status, answer["code"]) == (413, "payload_too_large")


def test_a_body_that_cannot_be_decoded_proves_nothing(post: Post) -> None:
    event = http_event("POST", f"{PATH}/{TOKEN.id}", principal=None, headers=post.headers(TOKEN, RAW), raw="%%%")
    assert answered(post.front.resolve(event | {"isBase64Encoded": True}, Context()))[0] == 401
    assert answered(post.front.resolve(event | {"body": "\ud800"}, Context()))[0] == 401


def test_other_methods_and_paths_are_not_there(post: Post) -> None:
    assert post.call(b"", {}, PATH, "GET")[0] == 405
    assert post.call(b"", {}, f"{PATH}/a/b")[0] == 404
    assert post.call(b"", {}, "/v1/webhooks")[0] == 404


@BOTH
def test_whoever_looks_for_failed_deliveries_knows_which_were_kept(post: Post, hook: Any) -> None:
    known = StoredDeliveries(post.table)
    key = {"Idempotency-Key": "msg_1", "webhook-id": "msg_1"}
    assert not known.exists(hook.id, "msg_1")
    assert post(hook, PUSH, key)[0] == 202
    assert known.exists(hook.id, "msg_1")
    assert not known.exists(hook.id, "msg_2")
