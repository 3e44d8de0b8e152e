"""The `credentials.*` routes: another convention for the same connections."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from stand_in_gitlab.process import Running
from tests.end_to_end.companies import newcomer, revoke, token
from tests.end_to_end.hub_client import Answer, Hub

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")


class Connection:
    """A connection of a test's own, by the routes of this convention."""

    def __init__(self, hub: Hub, gitlab: Running) -> None:
        self.hub, self.gitlab = hub, gitlab
        self.user_id = newcomer(gitlab)
        self.token = token(gitlab, self.user_id)
        self.one = hub.connect(gitlab.base, self.token)
        self.path = f"/api/connections/{self.one.rpartition('/')[2]}/credentials"

    def post(self, verb: str, body: Any = None, **more: Any) -> Answer:
        return self.hub.call("POST", f"{self.path}.{verb}", body, **more)

    def create(self, value: str = "", **more: Any) -> Answer:
        secret = value or token(self.gitlab, self.user_id)
        return self.post("create", {"secrets": {"api_token": secret}, **more})

    def info(self, credential_id: str) -> Mapping[str, Any]:
        answer = self.hub.get(f"{self.path}.info/{credential_id}")
        assert answer["ok"] is True
        found: Mapping[str, Any] = answer["credential"]
        return found

    def ids(self) -> list[str]:
        listed = self.hub.get(f"{self.path}.list")
        assert listed["ok"] is True
        return [row["id"] for row in listed["credentials"]]


@pytest.fixture
def connection(hub: Hub, lively: Running) -> Connection:
    return Connection(hub, lively)


def test_a_credential_is_created_read_changed_and_deleted(connection: Connection) -> None:
    [first] = connection.ids()
    created = connection.create(label="Second", expiration_date="2030-05-01T00:00:00Z")
    assert (created.status, created.body["ok"]) == (201, True)
    credential = created.body["credential"]
    assert credential.keys() >= {"id", "type", "label", "created_at"}
    assert (credential["type"], credential["label"]) == ("gitlab", "Second")
    assert ISO.fullmatch(credential["created_at"])
    assert set(connection.ids()) == {first, credential["id"]}

    info = connection.info(credential["id"])
    assert info.keys() >= {
        "id", "type", "label", "created_at", "settings", "disabled_at", "deleted_at", "expiration_date", "status",
    }  # fmt: skip
    assert info["settings"] == {"api_base_url": connection.gitlab.base}
    assert (info["disabled_at"], info["deleted_at"], info["status"]) == (None, None, "valid")
    assert info["expiration_date"].startswith("2030-05-01T00:00:00")

    changed = connection.post("update", {"id": credential["id"], "label": "Renamed"})
    assert (changed.status, changed.body["credential"]["label"]) == (200, "Renamed")
    assert connection.info(credential["id"])["expiration_date"] == info["expiration_date"]

    assert connection.post("delete", {"id": credential["id"]}).body == {"ok": True}
    assert connection.ids() == [first]
    assert ISO.fullmatch(connection.info(credential["id"])["deleted_at"])
    assert refused(connection.post("delete", {"id": credential["id"]}))[1] == "credential_not_found"
    assert refused(connection.post("update", {"id": credential["id"], "label": "x"}))[1] == "credential_not_found"


def refused(answer: Answer) -> tuple[int, str, str]:
    assert answer.body["ok"] is False
    assert answer.body.keys() == {"ok", "error", "error_detail"}
    return answer.status, answer.body["error"], answer.body["error_detail"]


def test_what_gitlab_does_not_take_is_not_kept(connection: Connection) -> None:
    gitlab, before = connection.gitlab, connection.ids()
    stranger = gitlab.change("add_user", username=f"nobody-{connection.user_id}")["id"]
    for value, error, detail in (
        ("nonsense", "invalid_credentials", "invalid_credentials"),
        (gitlab.tokens["expired"], "invalid_credentials", "token_expired"),
        (gitlab.tokens["revoked"], "invalid_credentials", "token_revoked"),
        ("glrt-standin", "invalid_credentials", "wrong_token_type"),
        (gitlab.tokens["narrow"], "invalid_permissions", "invalid_permissions"),
        (token(gitlab, stranger), "no_resources", "no_resources"),
    ):
        assert refused(connection.create(value)) == (422, error, detail)
    assert connection.ids() == before


def test_trouble_at_gitlab_says_nothing_about_a_credential(connection: Connection) -> None:
    before = connection.ids()
    for kind, error in (("rate_limited", "rate_limited"), ("html_200", "gitlab_unavailable")):
        connection.gitlab.fault(kind, times=0, retry_after=60)
        assert refused(connection.create())[:2] == (422, error)
        connection.gitlab.control("DELETE", "faults")
    assert connection.ids() == before


def test_a_failed_update_changes_nothing(connection: Connection) -> None:
    [first] = connection.ids()
    before = connection.info(first)
    for body, error in (
        ({"secrets": {"api_token": "nonsense"}, "label": "x"}, "invalid_credentials"),
        ({"secrets": {"api_token": token(connection.gitlab, newcomer(connection.gitlab))}}, "invalid_credentials"),
        ({"settings": {"api_base_url": "https://other.example"}}, "invalid_json"),
        ({"label": ""}, "invalid_json"),
        ({"status": "valid"}, "invalid_json"),
    ):
        assert refused(connection.post("update", {"id": first, **body}))[:2] == (422, error)
    assert connection.info(first) == before


def test_an_update_may_bring_a_new_token(connection: Connection) -> None:
    [first] = connection.ids()
    revoke(connection.gitlab, connection.token)
    assert connection.hub.call("POST", f"{connection.one}/gitlab-token/check").body["status"] == "rejected"
    body = {"id": first, "secrets": {"api_token": token(connection.gitlab, connection.user_id)}}
    assert connection.post("update", body).status == 200
    assert connection.hub.get(connection.one)["integration"]["status"] == "active"


def test_another_credential_takes_over(connection: Connection) -> None:
    [first] = connection.ids()
    assert connection.create().status == 201
    assert connection.post("delete", {"id": first}).status == 200
    assert connection.hub.get(connection.one)["integration"]["status"] == "active"
    assert connection.hub.sync(connection.one, "access")["access"]["status"] == "idle"


def test_without_any_credential_nothing_works_until_there_is_one(connection: Connection) -> None:
    [first] = connection.ids()
    assert connection.post("delete", {"id": first}).status == 200
    assert connection.hub.get(connection.one)["integration"]["status"] == "error"
    assert connection.create().status == 201
    assert connection.hub.get(connection.one)["integration"]["status"] == "active"


def test_unknown_connections_and_credentials(connection: Connection) -> None:
    hub, unknown = connection.hub, "/api/connections/int_unknown/credentials"
    for method, path in (
        ("GET", ".list"),
        ("GET", ".info/x"),
        ("POST", ".create"),
        ("POST", ".update"),
        ("POST", ".delete"),
    ):
        assert refused(hub.call(method, unknown + path))[:2] == (422, "connection_not_found")
    assert refused(hub.call("GET", f"{connection.path}.info/cred_unknown"))[:2] == (422, "credential_not_found")
    assert refused(connection.post("delete", {"id": "cred_unknown"}))[:2] == (422, "credential_not_found")


@pytest.mark.parametrize(
    "body",
    [
        {}, {"secrets": {}}, {"secrets": {"api_token": ""}}, {"secrets": {"api_token": "two words"}},
        {"secrets": {"api_token": "x", "more": 1}}, {"secrets": {"api_token": "x"}, "fence": 1},
        {"secrets": {"api_token": "x"}, "expiration_date": "soon"}, [],
    ],
)  # fmt: skip
def test_a_body_of_another_shape_is_refused(hub: Hub, one: str, body: Any) -> None:
    path = f"/api/connections/{one.rpartition('/')[2]}/credentials.create"
    assert refused(hub.call("POST", path, body))[:2] == (422, "invalid_json")


def test_what_is_no_json_is_refused_in_this_convention_too(connection: Connection) -> None:
    assert refused(connection.post("create", raw="{")) == (422, "invalid_json", "invalid_json")


def test_callers_are_known_here_too(connection: Connection) -> None:
    assert refused(connection.hub.call("GET", f"{connection.path}.list", token=None))[:2] == (401, "not_authed")
    viewer = connection.hub.call("POST", "/v1/tokens", {"role": "viewer"}).body["token"]
    assert connection.hub.call("GET", f"{connection.path}.list", token=viewer).status == 200
    assert refused(connection.post("delete", {"id": "x"}, token=viewer))[:2] == (403, "not_authed")
