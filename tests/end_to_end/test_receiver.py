"""The receiver of webhooks: every answer of the contract, to calls that a library of others has signed."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from tests.end_to_end.coding_company import FEATURES, CodingCompany, Row
from tests.end_to_end.companies import revoke, token
from tests.end_to_end.hub_client import Answer, Hub
from tests.end_to_end.stores import invoke
from tests.fakes.events import http_event

RECEIVER = "/v1/webhooks/gitlab"
REFUSED = {
    "error": "This delivery could not be verified: check the webhook's URL and secret in GitLab.",
    "code": "invalid_token",
    "retryable": False,
}


class Sender:
    """A GitLab that signs: the other side of a hook that a person has entered there."""

    def __init__(self, company: CodingCompany, hook: Row) -> None:
        self.hub, self.hook, self.secret = company.hub, hook, hook["signing_token"]
        self.path = f"{RECEIVER}/{hook['id']}"

    def body(self, **more: Any) -> bytes:
        """Tell of a push."""
        project = {"id": self.hook["target_id"], "path_with_namespace": self.hook["target"]}
        push = {"object_kind": "push", "ref": "refs/heads/main", "before": "0" * 40, "after": uuid4().hex + "0" * 8}
        return json.dumps({**push, "project_id": project["id"], "project": project, "commits": [], **more}).encode()

    def headers(self, body: bytes, *, key: str = "", age: float = 0, secret: str = "", **more: str) -> dict[str, str]:
        """The headers of a signed call."""
        key, at = key or str(uuid4()), datetime.now(UTC) - timedelta(seconds=age)
        signature = Webhook(secret or self.secret).sign(key, at, body.decode())
        signed = {"webhook_id": key, "webhook_timestamp": str(int(at.timestamp())), "webhook_signature": signature}
        return {"X_Gitlab_Event": "Push Hook", "Content_Type": "application/json", **signed, **more}

    def post(self, body: bytes | None = None, *, path: str = "", **how: Any) -> Answer:
        """Send a signed call."""
        body = self.body() if body is None else body
        return self.send(body, self.headers(body, **how), path=path)

    def send(self, body: bytes, headers: Mapping[str, str], *, path: str = "") -> Answer:
        """Send any call."""
        return self.hub.call("POST", path or self.path, raw=body, token=None, **headers)


@pytest.fixture(scope="module")
def signed(_coding_company: CodingCompany) -> Sender:
    """A hook that signs."""
    hook = _coding_company.hook("project", _coding_company.project(), "push", "note", mode="manual")
    assert (hook["verification"], hook["status"]) == ("signature", "manual")
    return Sender(_coding_company, hook)


@pytest.fixture(scope="module")
def tokened(_coding_company: CodingCompany) -> Sender:
    """A hook of a GitLab that does not sign yet."""
    hook = _coding_company.hook("project", _coding_company.project(), "push", mode="manual", verification="token")
    return Sender(_coding_company, hook)


def told(answer: Answer) -> tuple[int, dict[str, Any]]:
    """The status and the body, but for what differs from call to call."""
    return answer.status, {name: value for name, value in answer.body.items() if name != "request_id"}


def refused(answer: Answer) -> bool:
    return told(answer) == (401, REFUSED)


def test_a_genuine_delivery_is_accepted_once(company: CodingCompany, signed: Sender) -> None:
    body, key = signed.body(), str(uuid4())
    first = signed.post(body, key=key)
    delivery_id = first.body["delivery_id"]
    assert told(first) == (202, {"ok": True, "delivery_id": delivery_id})
    for _ in range(3):
        again = signed.post(body, key=key)
        assert told(again) == (200, {"ok": True, "duplicate": True})
    rows = company.worked_on(hook_id=signed.hook["id"], event="push")
    assert [row["id"] for row in rows].count(delivery_id) == 1
    shown = company.hub.get(f"/v1/deliveries/{delivery_id}")["delivery"]
    assert (shown["status"], shown["reasons"], shown["verification"]) == ("ignored", ["no_trigger"], "signature")
    assert "webhook-signature" not in shown["headers"]


def test_a_delivery_without_a_key_is_known_by_its_body(tokened: Sender) -> None:
    secret = {"X_Gitlab_Event": "Push Hook", "X_Gitlab_Token": tokened.hook["secret_token"]}
    one, other = tokened.body(), tokened.body()
    answers = [tokened.send(body, secret) for body in (one, one, other)]
    assert [answer.status for answer in answers] == [202, 200, 202]


def test_signatures_in_other_company_count(signed: Sender) -> None:
    body = signed.body()
    headers = signed.headers(body)
    good = headers["webhook_signature"]
    for listed in (f"v1,AAAA {good}", f"v2,zzz v1a,zzz  {good}", f"{good} {good}"):
        assert signed.send(body, {**headers, "webhook_signature": listed}).status in {200, 202}
    assert refused(signed.send(body, {**headers, "webhook_signature": f"{good} " * 40}))


def test_bodies_that_the_gateway_encodes_are_verified_as_they_were(signed: Sender) -> None:
    """API Gateway hands bodies over in base64 where it does not take them for text."""
    body = signed.body(user_name="Zoë")
    headers = {name.replace("_", "-"): value for name, value in signed.headers(body).items()}
    event = http_event("POST", signed.path, raw=body, headers=headers, principal=None)
    assert event["isBase64Encoded"] is True
    answer = invoke(signed.hub.stack, "WebhooksFunction", event)
    assert (answer["statusCode"], json.loads(answer["body"])["ok"]) == (202, True)
    spoiled = {**event, "body": event["body"][:-4] + "!!!!"}
    assert invoke(signed.hub.stack, "WebhooksFunction", spoiled)["statusCode"] == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"age": 301}, {"age": -302}, {"secret": "whsec_" + "A" * 43 + "="},
        {"webhook_signature": ""}, {"webhook_signature": "v1"}, {"webhook_signature": "v1,not base64"},
        {"webhook_signature": "v1,a,b,c"}, {"webhook_timestamp": "inf"}, {"webhook_timestamp": "-1"},
        {"webhook_timestamp": "1.5"}, {"webhook_timestamp": ""}, {"webhook_id": ""}, {"webhook_id": "another"},
    ],
    ids=str,
)  # fmt: skip
def test_what_was_not_signed_so_is_refused(signed: Sender, changed: dict[str, Any]) -> None:
    assert refused(signed.post(**changed))


def test_one_changed_byte_is_refused(signed: Sender) -> None:
    body = signed.body()
    assert refused(signed.send(body.replace(b"main", b"mail"), signed.headers(body)))
    assert refused(signed.send(b"\xff\xfe", signed.headers(body)))


def test_a_hook_that_signs_is_not_believed_by_its_token(signed: Sender) -> None:
    event = {"X_Gitlab_Event": "Push Hook", "X_Gitlab_Token": signed.hook["secret_token"]}
    assert refused(signed.send(signed.body(), event))
    assert refused(signed.send(signed.body(), event, path=RECEIVER))


def test_tokens_count_where_a_gitlab_does_not_sign(tokened: Sender, signed: Sender) -> None:
    good, event = tokened.hook["secret_token"], {"X_Gitlab_Event": "Push Hook"}
    assert tokened.send(tokened.body(), {**event, "X_Gitlab_Token": good}).status == 202
    assert tokened.post().status == 202  # A signature proves more.
    for bad in ("", good[:-1], good + "x", "tökén", signed.hook["secret_token"]):
        assert refused(tokened.send(tokened.body(), {**event, "X_Gitlab_Token": bad}))
    assert refused(tokened.send(tokened.body(), event))


def test_the_route_without_an_id_finds_the_hook(tokened: Sender, signed: Sender) -> None:
    by_token = {"X_Gitlab_Event": "Push Hook", "X_Gitlab_Token": tokened.hook["secret_token"]}
    for sender, answer in (
        (tokened, tokened.send(tokened.body(), by_token, path=RECEIVER)),
        (signed, signed.post(path=RECEIVER)),
    ):
        assert answer.status == 202
        shown = sender.hub.get(f"/v1/deliveries/{answer.body['delivery_id']}")["delivery"]
        assert shown["hook_id"] == sender.hook["id"]
    assert refused(signed.post(signed.body(project_id=1, project={"id": 1}), path=RECEIVER))
    assert refused(signed.send(signed.body(), {"X_Gitlab_Event": "Push Hook"}, path=RECEIVER))


def test_unknown_hooks_are_refused_in_the_same_words(signed: Sender) -> None:
    for path in (f"{RECEIVER}/hook_unknown", f"{signed.path}0", f"{RECEIVER}/%00"):
        assert refused(signed.post(path=path))


def test_what_has_no_effect_is_acknowledged_and_ignored(signed: Sender) -> None:
    for body, event, reason in (
        (signed.body(object_kind="note"), "Note Hook", "unsupported_event"),
        (signed.body(object_kind="never_heard_of"), "Never Heard Of Hook", "unsupported_event"),
        (signed.body(project_id=1, project={"id": 1}), "Push Hook", "outside_scope"),
        (signed.body(project={"id": 1}), "Push Hook", "outside_scope"),
    ):
        assert told(signed.post(body, X_Gitlab_Event=event)) == (200, {"ok": True, "ignored": reason})


def test_what_is_no_object_is_an_invalid_payload(signed: Sender) -> None:
    for body in (b"", b"{", b"[]", b"null", b'{"a": NaN}', b"[" * 5000, b'{"a":' * 200 + b"1" + b"}" * 200):
        assert told(signed.post(body)) == (
            400,
            {"error": "Send a JSON object in UTF-8, as GitLab does.", "code": "invalid_payload", "retryable": False},
        )


def test_what_is_too_large_is_refused(signed: Sender) -> None:
    large = signed.body(padding="x" * (6 * 1024 * 1024))
    assert signed.post(large).refusal == (413, "payload_too_large")


def test_a_large_push_is_kept(company: CodingCompany, signed: Sender) -> None:
    paths = [f"src/{uuid4().hex}.py" for _ in range(20_000)]
    commits = [{"id": "a" * 40, "message": "Large", "added": paths, "modified": [], "removed": []}]
    answer = signed.post(signed.body(commits=commits))
    assert answer.status == 202
    rows = {row["id"]: row for row in company.worked_on(hook_id=signed.hook["id"])}
    assert rows[answer.body["delivery_id"]]["size"] > 800_000


def test_a_paused_integration_puts_deliveries_aside(company: CodingCompany, signed: Sender) -> None:
    hub, key, body = company.hub, str(uuid4()), signed.body()
    hub.call("PATCH", company.path, {"paused": True})
    try:
        assert told(signed.post(body, key=key)) == (200, {"ok": True, "ignored": "paused"})
    finally:
        hub.call("PATCH", company.path, {"paused": False})
    [row] = [row for row in company.deliveries() if row["headers"].get("webhook-id") == key]
    assert (row["status"], row["reasons"]) == ("ignored", ["paused"])
    replayed = hub.call("POST", f"/v1/deliveries/{row['id']}/replay")
    assert (replayed.status, replayed.body["delivery"]["replays"]) == (202, 1)
    rows = {row["id"]: row for row in company.worked_on()}
    assert rows[row["id"]]["reasons"] == ["no_trigger"]


def test_a_broken_credential_refuses_no_delivery(hub: Hub, company: CodingCompany) -> None:
    admin = next(row["id"] for row in company.gitlab.truth("users") if row["is_admin"])
    own = token(company.gitlab, admin, ("api",))
    group = company.group()
    project = company.project(group["id"])
    path = hub.connect(company.gitlab.base, own, features=FEATURES, group=group["full_path"])
    other = CodingCompany(hub, company.gitlab, path)
    sender = Sender(other, other.hook("project", project, "push", mode="manual"))
    revoke(company.gitlab, own)
    assert hub.call("POST", f"{other.path}/verify").body["code"] == "invalid_credentials"
    assert hub.get(other.path)["integration"]["status"] == "error"
    assert sender.post().status == 202
    other.worked_on(hook_id=sender.hook["id"])
    assert hub.call("DELETE", other.path).status == 200
    assert refused(sender.post())


@contextmanager
def without_queue(hub: Hub) -> Iterator[None]:
    """Let the receiver send to a queue that does not exist."""
    client, name = hub.stack.client("lambda"), hub.stack.resources["WebhooksFunction"]
    settings = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    broken = {**settings, "DELIVERIES_QUEUE_URL": settings["DELIVERIES_QUEUE_URL"].replace(".fifo", "-gone.fifo")}
    client.update_function_configuration(FunctionName=name, Environment={"Variables": broken})
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": settings})


def test_a_queue_that_is_down_costs_a_resend_and_no_delivery(hub: Hub, company: CodingCompany, signed: Sender) -> None:
    body, key = signed.body(), str(uuid4())
    with without_queue(hub):
        assert refused(signed.post(secret=f"whsec_{'A' * 43}="))  # Loads the function, which is as patient as ever.
        started = time.monotonic()
        answer = signed.post(body, key=key)
        assert time.monotonic() - started < 10
    assert answer.refusal == (503, "webhook_queue_unavailable")
    assert (answer.body["retryable"], "retry-after" in answer.headers) == (True, True)
    [row] = [row for row in company.deliveries() if row["headers"].get("webhook-id") == key]
    assert row["status"] == "pending"
    assert told(signed.post(body, key=key))[1]["duplicate"] is True
    rows = {row["id"]: row for row in company.worked_on()}
    assert rows[row["id"]]["status"] == "ignored"
