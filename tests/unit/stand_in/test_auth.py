"""Who gets in, and how GitLab says no."""

import json
from typing import Any

import pytest

from gitlab_hub.gitlab.error_mapping import raise_for
from gitlab_hub.gitlab.errors import Unauthorized
from gitlab_hub.gitlab.messages import RawResponse

EXPIRED = "Token is expired. You can either do re-authorization or token refresh."
REVOKED = "Token was revoked. You have to re-authorize from the user."


@pytest.mark.parametrize("token", [None, "glpat-unknown"])
def test_nobody_is_unauthorized(ask: Any, token: str | None) -> None:
    got = ask("/user", token)
    assert (got.status, got.json) == (401, {"message": "401 Unauthorized"})


@pytest.mark.parametrize(("token", "description"), [("expired", EXPIRED), ("revoked", REVOKED)])
def test_a_dead_token_says_why(ask: Any, token: str, description: str) -> None:
    got = ask("/user", token)
    assert (got.status, got.json) == (401, {"error": "invalid_token", "error_description": description})
    assert 'error="invalid_token"' in got.headers["WWW-Authenticate"]


def test_a_narrow_token_reads_users_only(ask: Any) -> None:
    assert ask("/user", "narrow").status == 200
    assert ask("/users", "narrow").status == 200
    got = ask("/projects", "narrow")
    assert got.status == 403
    assert got.json["error"] == "insufficient_scope"
    assert got.json["scope"] == "api read_api"


def test_every_token_may_ask_about_itself(ask: Any, app: Any) -> None:
    for name in set(app.company.well_known) - {"expired", "revoked"}:
        got = ask("/personal_access_tokens/self", name)
        assert got.status == 200
        assert got.json["active"] is True
        assert app.company.tokens[app.company.well_known[name]].value not in str(got.json)


def test_a_reading_token_may_not_write(ask: Any) -> None:
    got = ask("/projects/1/hooks", "admin-read", "POST", {"url": "https://hub.test"})
    assert (got.status, got.json["scope"]) == (403, "api")


@pytest.mark.parametrize("state", ["blocked", "deactivated", "banned"])
def test_the_token_of_a_stopped_account_is_forbidden(ask: Any, app: Any, control: Any, state: str) -> None:
    owner = app.company.tokens[app.company.well_known["owner-read"]].user_id
    control("POST", "changes", {"do": "update_user", "id": owner, "state": state})
    got = ask("/user", "owner-read")
    assert got.status == 403
    assert got.json["message"].startswith("403 Forbidden - Your account has been ")


def test_rotation_kills_the_old_token(ask: Any) -> None:
    got = ask("/personal_access_tokens/self/rotate", "admin", "POST")
    assert got.status == 200
    assert ask("/user", got.json["token"]).status == 200


def test_rotating_twice_kills_the_whole_family(ask: Any, app: Any) -> None:
    old = app.company.well_known["admin"]
    new = ask("/personal_access_tokens/self/rotate", old, "POST").json["token"]
    assert ask("/personal_access_tokens/self/rotate", old, "POST").json["error_description"] == REVOKED
    assert ask("/user", new).json["error_description"] == REVOKED


def test_unknown_paths_and_methods(ask: Any) -> None:
    assert (ask("/nothing").status, ask("/user", method="POST").status) == (404, 405)


def test_a_parameter_that_is_no_number_is_a_bad_request(ask: Any) -> None:
    got = ask("/users?per_page=many")
    assert (got.status, got.json) == (400, {"error": "per_page is invalid"})


def test_what_a_token_reaches(ask: Any, app: Any) -> None:
    reach = ask("/personal_access_tokens/self/associations?per_page=100", "group").json
    user = app.company.tokens[app.company.well_known["group"]].user_id
    first = min(app.company.groups)
    assert app.company.members["group", first][user].level == 50
    below = {first, *(group.id for group in app.company.descendants(first))}
    assert below <= {row["id"] for row in reach["groups"]}
    assert {each.id for each in app.company.projects_of(below)} <= {row["id"] for row in reach["projects"]}
    # Administrators see everything, but this list is about memberships.
    mine = ask("/personal_access_tokens/self/associations?per_page=100", "admin-read").json
    assert len(mine["projects"]) < len(app.company.projects)


def test_impersonation_tokens_are_refused_where_impersonation_is_off(ask: Any, control: Any) -> None:
    assert ask("/user", "impersonation").status == 200
    control("POST", "behaviour", {"impersonation_off": True})
    got = ask("/user", "impersonation")
    words = "Token is an impersonation token but impersonation was disabled."
    assert (got.status, got.json) == (401, {"error": "invalid_token", "error_description": words})
    assert ask("/user", "owner-read").status == 200


def test_people_with_dpop_have_to_prove_that_a_token_is_theirs_and_bots_do_not(ask: Any, control: Any) -> None:
    control("POST", "behaviour", {"dpop": True})
    got = ask("/user", "owner-read")
    assert (got.status, got.json) == (401, {"error": "dpop_error", "error_description": "DPoP header is missing"})
    assert 'error="dpop_error"' in got.headers["WWW-Authenticate"]
    assert ask("/user", "group").status == 200


@pytest.mark.parametrize(
    ("switch", "reason"), [("impersonation_off", "impersonation_disabled"), ("dpop", "dpop_required")]
)
def test_the_hub_knows_what_these_refusals_mean(ask: Any, control: Any, switch: str, reason: str) -> None:
    control("POST", "behaviour", {switch: True})
    got = ask("/user", "impersonation")
    with pytest.raises(Unauthorized) as refused:
        raise_for(RawResponse(status=got.status, headers=got.headers, body=json.dumps(got.json).encode()))
    assert refused.value.details["reason"] == reason
