"""Switching features on where an OAuth pair lacks their scope: somebody authorizes again, and the wider pair counts."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gitlab_hub.storage.codec import decode, encode
from tests.fakes.gitlab import answer
from tests.functional.integrations.oauth.flow import AUTHORIZE, CALLBACK
from tests.functional.integrations.oauth_hub import OAuthHub

WRITES = {"manage_webhooks": True}
NONE_ON = {"manage_webhooks": False, "report_statuses": False, "provisioning": False}


@pytest.fixture
def one(hub: OAuthHub) -> str:
    return hub.connected()


def asked(url: str) -> str:
    return parse_qs(urlsplit(url).query)["scope"][0]


def widen(hub: OAuthHub, one: str, *, user: int = 7, features: Any = WRITES) -> tuple[int, Any]:
    code, state = hub.gitlab.approve(hub.begin(one, features=features)["authorize_url"], user=user)
    return hub("POST", AUTHORIZE, {"integration_id": one, "code": code, "state": state})


def only_the_stored_pair_lives(hub: OAuthHub, one: str) -> None:
    assert [token_pair.refresh for token_pair in hub.gitlab.living] == [hub.loaded(one).tokens.refresh_token]


def test_a_patch_says_that_and_how_to_authorize_again(hub: OAuthHub, one: str) -> None:
    status, body = hub("PATCH", f"/v1/integrations/{one}", {"features": WRITES})
    assert (status, body["code"], body["details"]["missing_scopes"]) == (403, "invalid_permissions", ["api"])
    assert "authorize again" in body["error"]
    assert AUTHORIZE in body["error"]
    assert "new token" not in body["error"]
    assert hub.integration(one)["features"] == NONE_ON


def test_authorizing_again_with_features_switches_them_on(hub: OAuthHub, one: str) -> None:
    before = hub.loaded(one)
    started = hub.begin(one, features=WRITES)
    assert asked(started["authorize_url"]) == "api"
    assert hub.integration(one)["features"] == NONE_ON
    status, body = widen(hub, one)
    assert (status, body["integration"]["features"]) == (200, NONE_ON | WRITES)
    assert hub.integration(one)["scopes"] == ["api"]
    after = hub.loaded(one)
    assert (after.credential.id, after.credential.generation) == (
        before.credential.id, before.credential.generation + 1,
    )  # fmt: skip
    only_the_stored_pair_lives(hub, one)
    assert hub("PATCH", f"/v1/integrations/{one}", {"features": {"report_statuses": True}})[0] == 200


def test_a_browser_widens_through_the_connect_link(hub: OAuthHub, one: str) -> None:
    gone = hub.browse(hub.begin(one, features=WRITES)["connect_url"])
    assert asked(gone["headers"]["location"]) == "api"
    code, state = hub.gitlab.approve(gone["headers"]["location"])
    cookie = gone["cookies"][0].partition(";")[0]
    assert hub.browse(CALLBACK, cookies=[cookie], code=code, state=state)["statusCode"] == 200
    assert hub.integration(one)["features"] == NONE_ON | WRITES
    only_the_stored_pair_lives(hub, one)


def test_what_is_not_named_stays_and_what_is_can_be_switched_off(hub: OAuthHub) -> None:
    one = hub.connected(features={"report_statuses": True})
    assert widen(hub, one, features={"manage_webhooks": True, "report_statuses": False})[0] == 200
    assert hub.integration(one)["features"] == NONE_ON | WRITES
    assert hub.finish(one)[0] == 200
    assert hub.integration(one)["features"] == NONE_ON | WRITES


def test_features_that_were_patched_meanwhile_stay(hub: OAuthHub) -> None:
    one = hub.connected(features={"report_statuses": True})
    code, state = hub.gitlab.approve(hub.begin(one, features=WRITES)["authorize_url"])
    assert hub("PATCH", f"/v1/integrations/{one}", {"features": {"report_statuses": False}})[0] == 200
    assert hub("POST", AUTHORIZE, {"integration_id": one, "code": code, "state": state})[0] == 200
    assert hub.integration(one)["features"] == NONE_ON | WRITES


@pytest.mark.parametrize(("fault", "status", "code"), [
    ("less is granted", 403, "invalid_permissions"),
    ("another user", 409, "gitlab_account_mismatch"),
    ("nothing is reached", 409, "no_resources"),
])  # fmt: skip
def test_where_widening_is_refused_all_stays_as_it_was(
    hub: OAuthHub, one: str, fault: str, status: int, code: str
) -> None:
    before = hub.loaded(one)
    if fault == "less is granted":
        hub.gitlab.grants = ["read_api"]
    if fault == "nothing is reached":
        hub.gitlab.script["/projects"] = answer(body=[])
    answered, body = widen(hub, one, user=8 if fault == "another user" else 7)
    assert (answered, body["code"]) == (status, code)
    assert (hub.loaded(one), hub.integration(one)["features"]) == (before, NONE_ON)
    only_the_stored_pair_lives(hub, one)


@pytest.mark.parametrize("more", [
    {"features": {"everything": True}},
    {"features": WRITES, "code": "c", "state": "s"},
])  # fmt: skip
def test_what_makes_no_sense_is_refused(hub: OAuthHub, one: str, more: dict[str, Any]) -> None:
    status, body = hub("POST", AUTHORIZE, {"integration_id": one, **more})
    assert (status, body["code"]) == (422, "invalid_input")


def test_the_audit_log_says_what_was_wanted_and_what_became_of_it(hub: OAuthHub, one: str) -> None:
    widen(hub, one)
    lines = {row["action"]: row["details"] for row in hub.stored_rows.dump() if row.get("details", {}).get("after")}
    assert lines == {
        "oauth.begin": {"after": {"features": WRITES}},
        "oauth.finish": {"before": {"features": NONE_ON}, "after": {"features": NONE_ON | WRITES}},
    }


def test_what_is_kept_of_the_request_fits_into_the_table(hub: OAuthHub, one: str) -> None:
    hub.begin(one, features=WRITES)
    rows = [row for row in hub.stored_rows.dump() if row.get("features") == WRITES]
    assert len(rows) == 2
    assert all(decode(encode(row)) == row for row in rows)


def test_a_pair_that_lost_its_scope_is_told_to_be_authorized_again(hub: OAuthHub) -> None:
    one = hub.connected(features=WRITES)
    hub.gitlab.pairs[-1].scopes = ["read_api"]
    token = next(each for each in hub("POST", f"/v1/integrations/{one}/verify")[1]["checks"] if each["step"] == "token")
    assert (token["code"], "authorize again" in token["hint"]) == ("invalid_permissions", True)


def test_features_that_were_switched_off_again_ask_for_no_scope_any_more(hub: OAuthHub) -> None:
    one = hub.connected(features={"manage_webhooks": True})
    assert asked(hub.begin(one)["authorize_url"]) == "api"
    assert hub("PATCH", f"/v1/integrations/{one}", {"features": {"manage_webhooks": False}})[0] == 200
    assert asked(hub.begin(one)["authorize_url"]) == "read_api"
    assert hub.finish(one)[0] == 200
    assert hub.integration(one)["scopes"] == ["read_api"]


def test_whoever_is_shown_no_pipelines_any_more_can_authorize_again(hub: OAuthHub) -> None:
    one = hub.connected()
    hub.gitlab.script |= dict.fromkeys(("/projects/3/pipelines", "/projects/4/pipelines"), answer(403))
    assert hub.finish(one)[0] == 200
    other = hub.start(group="acme")
    assert hub.finish(other)[0] == 403
