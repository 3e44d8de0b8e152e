"""Hub tokens: who may call what, and what a limited token sees."""

import time
from typing import Any

import pytest

from stand_in_gitlab.process import Running
from tests.end_to_end.companies import newcomer, token
from tests.end_to_end.hub_client import Answer, Hub, until
from tests.end_to_end.stores import items

ROLES = ("viewer", "developer", "admin", "owner")
OPEN = (("GET", "/healthz"), ("GET", "/openapi.json"))
SAMPLE = (
    ("viewer", "GET", "/v1/integrations"),
    ("viewer", "GET", "{one}"),
    ("viewer", "GET", "{one}/sync"),
    ("viewer", "GET", "{one}/accounts"),
    ("viewer", "GET", "{one}/grants"),
    ("viewer", "GET", "{one}/changes"),
    ("viewer", "GET", "{one}/pipelines"),
    ("viewer", "GET", "{one}/repositories"),
    ("admin", "POST", "/v1/integrations/gitlab/start"),
    ("admin", "PATCH", "{one}"),
    ("admin", "POST", "{one}/verify"),
    ("admin", "PUT", "{one}/gitlab-token"),
    ("admin", "POST", "{one}/gitlab-token/check"),
    ("admin", "POST", "{one}/sync"),
    ("admin", "POST", "{one}/sync/reject"),
    ("admin", "POST", "{one}/sync/accept"),
    ("owner", "DELETE", "{other}"),
    ("owner", "GET", "/v1/tokens"),
    ("owner", "POST", "/v1/tokens"),
    ("owner", "DELETE", "/v1/tokens/unknown"),
)
UNKNOWN = "/v1/integrations/int_unknown"


def make(hub: Hub, role: str, **more: Any) -> dict[str, Any]:
    answer = hub.call("POST", "/v1/tokens", {"role": role, **more})
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.body
    return made


@pytest.fixture(scope="module")
def callers(hub: Hub) -> dict[str, str]:
    return {role: make(hub, role)["token"] for role in ROLES}


@pytest.mark.parametrize(("method", "path"), OPEN)
def test_open_routes_need_no_token(hub: Hub, method: str, path: str) -> None:
    assert hub.call(method, path, token=None).status == 200
    assert hub.call(method, path, token="ghub_no_body").status == 200


@pytest.mark.parametrize(
    ("method", "path", "refusal"),
    [
        ("GET", "/v1/integration", (404, "not_found")),
        ("GET", "/", (404, "not_found")),
        ("GET", "/v1/webhooks/gitlab", (405, "method_not_allowed")),
        ("DELETE", "/healthz", (405, "method_not_allowed")),
        ("PUT", "{one}/accounts", (405, "method_not_allowed")),
        ("POST", "/v1/builds/build_1_1", (405, "method_not_allowed")),
    ],
)
def test_what_has_no_route_is_told_so_in_the_hubs_own_words(
    hub: Hub, one: str, method: str, path: str, refusal: tuple[int, str]
) -> None:
    for caller in (None, hub.owner_token):
        answer = hub.call(method, path.format(one=one), token=caller)
        assert answer.refusal == refusal
        assert answer.body.keys() >= {"error", "code", "retryable", "request_id"}


def test_a_query_that_no_route_takes_is_refused_with_what_it_takes(hub: Hub, one: str) -> None:
    answer = hub.call("GET", f"{one}/accounts?statuss=active")
    assert answer.refusal == (422, "invalid_input")
    assert "status" in answer.body["details"]["allowed"]
    answer = hub.call("GET", f"{one}/accounts?status=activ")
    assert answer.refusal == (422, "invalid_input")
    assert answer.body["details"]["allowed"] == ["active", "disabled", "pending", "unknown"]


def test_a_caller_is_told_who_it_is_and_what_was_done(hub: Hub) -> None:
    made = make(hub, "viewer", label="who")
    shown = hub.call("GET", "/v1/whoami", token=made["token"])
    assert (shown.status, shown.body["token_id"], shown.body["name"], shown.body["role"]) == (
        200, made["id"], "who", "viewer",
    )  # fmt: skip
    log = hub.call("GET", "/v1/audit-log?action=token.create&limit=200", token=made["token"])
    assert [entry["actor"] for entry in log.body["entries"] if entry["target"] == made["id"]] == [
        hub.call("GET", "/v1/whoami").body["token_id"]
    ]


@pytest.mark.parametrize(("least", "method", "path"), SAMPLE)
def test_a_role_is_let_in_or_refused(
    hub: Hub, one: str, callers: dict[str, str], least: str, method: str, path: str
) -> None:
    address = path.format(one=one, other=UNKNOWN)
    # A field that no route knows: whoever is let in changes nothing.
    body = None if method in {"GET", "DELETE"} else {"no-such-field": 1}
    for role, caller in callers.items():
        answer = hub.call(method, address, body, token=caller)
        if ROLES.index(role) < ROLES.index(least):
            assert answer.refusal == (403, "permission_denied"), role
        else:
            assert answer.status in {200, 404, 422}, (role, answer)


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer x", "Bearer ghub_", "Bearer ghub_owner_no", "Basic Z2g=", "Bearer ghub_é_ü"],
)  # fmt: skip
def test_what_is_no_token_lets_nobody_in(hub: Hub, header: str) -> None:
    answer = hub.call("GET", "/v1/integrations", token=None, Authorization=header)
    assert answer.refusal == (401, "unauthorized")
    assert answer.body.keys() >= {"error", "code", "retryable", "request_id"}


def test_nobody_is_let_in_anywhere(hub: Hub, one: str) -> None:
    for _, method, path in SAMPLE:
        answer = hub.call(method, path.format(one=one, other=one), token=None, raw="{nonsense")
        assert answer.refusal == (401, "unauthorized"), path


def test_an_owners_token_can_lose_its_last_letter(hub: Hub) -> None:
    assert hub.call("GET", "/v1/integrations", token=hub.owner_token[:-1]).refusal == (401, "unauthorized")


def test_a_token_is_shown_once_and_kept_as_a_hash(hub: Hub) -> None:
    made = make(hub, "developer", label="CI")
    listed = next(row for row in hub.rows("/v1/tokens") if row["id"] == made["id"])
    assert made == {**listed, "token": made["token"]}
    assert (listed["role"], listed["label"], listed["integration_ids"]) == ("developer", "CI", None)
    secret = made["token"].rpartition("_")[2]
    assert all(secret not in str(item) for _, item in items(hub.stack))


def test_a_revoked_token_ends_at_once(hub: Hub) -> None:
    made = make(hub, "viewer")
    assert hub.call("GET", "/v1/integrations", token=made["token"]).status == 200
    assert hub.call("DELETE", f"/v1/tokens/{made['id']}").body == {"ok": True}
    assert hub.call("GET", "/v1/integrations", token=made["token"]).refusal == (401, "unauthorized")
    assert hub.call("DELETE", f"/v1/tokens/{made['id']}").status == 200
    assert hub.call("DELETE", "/v1/tokens/unknown").refusal == (404, "not_found")


def test_a_token_expires(hub: Hub) -> None:
    made = make(hub, "viewer", expires_at=int(time.time()) + 2)
    assert hub.call("GET", "/v1/integrations", token=made["token"]).status == 200
    until(lambda: hub.call("GET", "/v1/integrations", token=made["token"]).refusal == (401, "unauthorized"))


@pytest.mark.parametrize(
    "body",
    [
        {}, {"role": "god"}, {"role": "viewer", "expires_at": 1}, {"role": "viewer", "expires_at": "soon"},
        {"role": "viewer", "integration_ids": []}, {"role": "viewer", "integration_ids": "all"},
        {"role": "viewer", "token": "ghub_mine_mine"}, {"role": "viewer", "id": "mine"},
    ],
)  # fmt: skip
def test_a_token_of_another_shape_is_not_made(hub: Hub, body: dict[str, Any]) -> None:
    assert hub.call("POST", "/v1/tokens", body).refusal == (422, "invalid_input")


class Limited:
    """An owner of one integration alone, who knows the id of another one."""

    def __init__(self, hub: Hub, gitlab: Running, foreign: str) -> None:
        self.hub, self.foreign = hub, foreign
        self.own = hub.connect(gitlab.base, token(gitlab, newcomer(gitlab)))
        self.id = self.own.rpartition("/")[2]
        self.token = make(hub, "owner", integration_ids=[self.id])["token"]

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        return self.hub.call(method, path, body, token=self.token)


@pytest.fixture(scope="module")
def limited(hub: Hub, _lively: Running, one: str) -> Limited:
    return Limited(hub, _lively, one)


def test_a_limited_token_sees_its_own_alone(hub: Hub, limited: Limited) -> None:
    assert [row["id"] for row in limited.call("GET", "/v1/integrations").body["integrations"]] == [limited.id]
    assert limited.call("GET", limited.own).status == 200


def test_a_foreign_integration_is_an_unknown_one(hub: Hub, limited: Limited) -> None:
    before = hub.rows("/v1/integrations"), hub.rows(f"{limited.foreign}/accounts")
    connection = f"/api/connections/{limited.foreign.rpartition('/')[2]}/credentials"
    for method, more in (
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/repositories"), ("POST", "/verify"), ("POST", "/sync"),
        ("GET", "/sync"), ("POST", "/sync/accept"), ("PUT", "/gitlab-token"), ("POST", "/gitlab-token/check"),
        ("GET", "/accounts"), ("GET", "/accounts/1"), ("GET", "/groups"), ("GET", "/projects"), ("GET", "/grants"),
        ("GET", "/changes"), ("GET", "/pipelines"), ("GET", "/projects/1/pipelines/1"),
        ("GET", "/projects/1/pipelines/1/jobs"),
    ):  # fmt: skip
        theirs, nobodys = (dict(limited.call(method, one + more).body) for one in (limited.foreign, UNKNOWN))
        assert theirs.pop("request_id") != nobodys.pop("request_id")
        assert (theirs, theirs["code"]) == (nobodys, "not_found"), more
    for method, more in (("GET", ".list"), ("GET", ".info/x"), ("POST", ".create"), ("POST", ".delete")):
        assert limited.call(method, connection + more).body["error"] == "connection_not_found"
    assert (hub.rows("/v1/integrations"), hub.rows(f"{limited.foreign}/accounts")) == before


def test_a_limited_owner_reaches_no_further(hub: Hub, limited: Limited) -> None:
    foreign = limited.foreign.rpartition("/")[2]
    for body in ({"role": "viewer"}, {"role": "viewer", "integration_ids": [foreign]}):
        assert limited.call("POST", "/v1/tokens", body).refusal == (403, "permission_denied")
    assert limited.call("POST", "/v1/tokens", {"role": "viewer", "integration_ids": [limited.id]}).status == 201
    everybody = {row["id"] for row in hub.rows("/v1/tokens") if row["integration_ids"] is None}
    assert everybody
    for token_id in everybody:
        assert limited.call("DELETE", f"/v1/tokens/{token_id}").refusal == (404, "not_found")
    assert not everybody & {row["id"] for row in limited.call("GET", "/v1/tokens?limit=200").body["tokens"]}
    start = {"host_url": "https://gitlab.example.com", "auth_mode": "personal_token", "access_token": "x"}
    assert limited.call("POST", "/v1/integrations/gitlab/start", start).refusal == (403, "permission_denied")
