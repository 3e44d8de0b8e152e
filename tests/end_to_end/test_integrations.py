"""Looking at an integration, changing it, looking after its token."""

from datetime import UTC, datetime
from typing import Any

import pytest

from stand_in_gitlab.process import Running
from tests.end_to_end.companies import first_group, newcomer, revoke, token, told
from tests.end_to_end.hub_client import Hub
from tests.end_to_end.stores import secrets
from tests.end_to_end.test_start import FIELDS

REPOSITORY = {
    "id", "external_id", "full_name", "default_branch", "is_private", "visibility", "archived", "web_url",
    "http_url_to_repo", "access_level",
}  # fmt: skip


class Mine:
    """An integration of a test's own, and the person whose token it has."""

    def __init__(self, hub: Hub, gitlab: Running, scopes: tuple[str, ...] = ("read_api",)) -> None:
        self.user_id = newcomer(gitlab)
        self.token = token(gitlab, self.user_id, scopes)
        self.path = hub.connect(gitlab.base, self.token)
        self.id = self.path.rpartition("/")[2]


@pytest.fixture
def mine(hub: Hub, lively: Running) -> Mine:
    return Mine(hub, lively)


def status(hub: Hub, mine: Mine) -> tuple[str, str]:
    shown = hub.get(mine.path)["integration"]
    return shown["status"], shown["credential_status"]


def stored_token(hub: Hub, mine: Mine) -> str:
    [text] = [value for name, value in secrets(hub.stack).items() if mine.id in name]
    return text


def test_one_integration_has_its_syncs_and_hooks(hub: Hub, one: str) -> None:
    shown = hub.get(one)["integration"]
    assert shown.keys() >= FIELDS | {"hooks", "sync", "last_delivery_at"}
    listed = next(row for row in hub.rows("/v1/integrations") if row["id"] == shown["id"])
    assert listed.keys() >= FIELDS
    assert shown.items() >= listed.items()
    assert set(shown["sync"]) == {"access", "pipelines", "credentials"}


def test_unknown_integrations_are_not_found(hub: Hub) -> None:
    for method, path in (
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/verify"), ("GET", "/repositories"), ("GET", "/accounts"),
        ("POST", "/gitlab-token/check"), ("PUT", "/gitlab-token"), ("POST", "/sync"), ("GET", "/sync"),
        ("GET", "/grants"), ("GET", "/pipelines"),
    ):  # fmt: skip
        answer = hub.call(method, f"/v1/integrations/int_unknown{path}")
        assert answer.refusal == (404, "not_found"), path


def test_a_patch_changes_what_it_names(hub: Hub, lively: Running, mine: Mine) -> None:
    group = first_group(lively)["full_path"]
    for body, expected in (
        ({"display_name": "New"}, {"display_name": "New", "status": "active", "group": None}),
        ({"paused": True}, {"display_name": "New", "status": "paused"}),
        ({"paused": False, "group": group}, {"status": "active", "group": group}),
        ({"group": None}, {"display_name": "New", "group": None}),
        ({}, {"display_name": "New", "group": None}),
    ):
        answer = hub.call("PATCH", mine.path, body)
        assert answer.status == 200
        assert answer.body["integration"].items() >= expected.items()
        assert hub.get(mine.path) == answer.body


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"group": "no/such"}, (409, "group_not_found")),
        ({"features": {"manage_webhooks": True}}, (403, "invalid_permissions")),
        ({"features": {"provisioning": True}}, (403, "invalid_permissions")),
        ({"status": "active"}, (422, "invalid_input")),
        ({"fence": 1}, (422, "invalid_input")),
        ({"secret_arn": "x"}, (422, "invalid_input")),
        ({"host_url": "https://other.example"}, (422, "invalid_input")),
        ({"paused": "yes"}, (422, "invalid_input")),
    ],
)
def test_a_patch_that_is_refused_changes_nothing(
    hub: Hub, mine: Mine, body: dict[str, Any], refusal: tuple[int, str]
) -> None:
    before = hub.get(mine.path)
    assert hub.call("PATCH", mine.path, body).refusal == refusal
    assert hub.get(mine.path) == before


def test_verifying_tells_every_step(hub: Hub, mine: Mine) -> None:
    answer = hub.call("POST", f"{mine.path}/verify").body
    assert (answer["ok"], answer["code"]) == (True, None)
    assert {"token", "account", "version", "groups", "projects", "pipelines"} <= {
        check["step"] for check in answer["checks"]
    }


def test_only_definite_answers_change_the_status(hub: Hub, lively: Running, mine: Mine) -> None:
    for kind, code in (("rate_limited", "rate_limited"), ("html_200", "not_gitlab"), ("redirect", "not_gitlab")):
        lively.fault(kind, times=0, retry_after=60)
        answer = hub.call("POST", f"{mine.path}/verify")
        assert (answer.status, answer.body["ok"], answer.body["code"]) == (200, False, code)
        assert hub.call("POST", f"{mine.path}/gitlab-token/check").body["status"] == "unknown"
        assert status(hub, mine) == ("active", "valid")
        lively.control("DELETE", "faults")
    revoke(lively, mine.token)
    answer = hub.call("POST", f"{mine.path}/verify")
    assert (answer.status, answer.body["ok"], answer.body["code"]) == (200, False, "invalid_credentials")
    assert status(hub, mine) == ("error", "rejected")


def test_a_refused_token_is_noticed_and_replaced(hub: Hub, lively: Running, mine: Mine) -> None:
    check, put = f"{mine.path}/gitlab-token/check", f"{mine.path}/gitlab-token"
    good = hub.call("POST", check).body
    assert good["status"] == "valid"
    assert type(good["expires_at"]) is type(good["checked_at"]) is int
    revoke(lively, mine.token)
    assert hub.call("POST", check).body["status"] == "rejected"
    assert status(hub, mine) == ("error", "rejected")
    replaced = hub.call("PUT", put, {"access_token": token(lively, mine.user_id)})
    assert (replaced.status, replaced.body["status"]) == (200, "valid")
    assert status(hub, mine) == ("active", "valid")
    assert mine.token not in stored_token(hub, mine)


def test_a_sync_notices_a_refused_token(hub: Hub, lively: Running, mine: Mine) -> None:
    revoke(lively, mine.token)
    state = hub.sync(mine.path, "access")["access"]
    assert (state["status"], state["last_error"]["code"]) == ("failed", "invalid_credentials")
    assert state["last_error"]["hint"]
    assert status(hub, mine)[0] == "error"


def test_a_token_that_will_not_do_is_not_taken(hub: Hub, lively: Running, mine: Mine) -> None:
    before = hub.get(mine.path), stored_token(hub, mine)
    for other, refusal in (
        (token(lively, newcomer(lively)), (409, "gitlab_account_mismatch")),
        (token(lively, mine.user_id, ("read_user",)), (403, "invalid_permissions")),
        ("nonsense", (400, "invalid_credentials")),
    ):
        answer = hub.call("PUT", f"{mine.path}/gitlab-token", {"access_token": other})
        assert answer.refusal == refusal
    assert (hub.get(mine.path), stored_token(hub, mine)) == before
    for body in ({}, {"access_token": None}, {"access_token": "x", "role": "owner"}):
        assert hub.call("PUT", f"{mine.path}/gitlab-token", body).refusal == (422, "invalid_input")


def test_a_token_about_to_expire_says_so(hub: Hub, lively: Running) -> None:
    today = lively.control("GET", "clock")["now"]
    soon = token(lively, newcomer(lively), expires_at=day(today + 5 * 86_400))
    answer = hub.start(lively.base, soon)
    assert (answer.status, answer.body["verification"]["warnings"]) == (201, ["expiring_soon"])
    one = f"/v1/integrations/{answer.body['integration']['id']}"
    assert answer.body["integration"]["credential_status"] == "expiring"
    assert hub.call("POST", f"{one}/gitlab-token/check").body["status"] == "expiring"


def day(moment: float) -> str:
    return str(datetime.fromtimestamp(moment, UTC).date())


def test_repositories_are_what_the_token_reaches(hub: Hub, gitlab: Running, one: str) -> None:
    theirs = {row["id"]: row for row in told(gitlab, "/projects")}
    rows = hub.rows(f"{one}/repositories")
    assert {row["id"] for row in rows} == set(theirs)
    for row in rows:
        source = theirs[row["id"]]
        assert row.keys() >= REPOSITORY
        assert (row["external_id"], row["full_name"]) == (str(source["id"]), source["path_with_namespace"])
        assert row["is_private"] is (source["visibility"] != "public")
        for name in ("default_branch", "visibility", "archived", "web_url", "http_url_to_repo"):
            assert row[name] == source[name]


def test_repositories_can_be_filtered(hub: Hub, one: str) -> None:
    rows = hub.rows(f"{one}/repositories")
    word = rows[0]["full_name"].rpartition("/")[2]
    found = hub.rows(f"{one}/repositories", q=word)
    assert rows[0] in found
    assert len(found) < len(rows)
    for visibility in ("private", "internal", "public"):
        expected = [row for row in rows if row["visibility"] == visibility]
        assert hub.rows(f"{one}/repositories", visibility=visibility) == expected
    assert hub.rows(f"{one}/repositories", archived="true") == [row for row in rows if row["archived"]]
    assert hub.rows(f"{one}/repositories", archived="false") == [row for row in rows if not row["archived"]]
    for query in ("visibility=secret", "archived=perhaps", "q="):
        assert hub.call("GET", f"{one}/repositories?{query}").refusal == (422, "invalid_input")
