"""Lists of accounts: who is shown them, in GitLab's words, and in the shapes of its documentation."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stand_in_gitlab.app import StandIn
from stand_in_gitlab.company.build import Sizes
from stand_in_gitlab.server import stand_in
from tests.unit.stand_in.conftest import EPOCH, Caller
from tests.unit.stand_in.test_schemas import assert_fits, without

RESPONSES = Path(__file__).parents[2] / "data" / "gitlab" / "responses"
BAD = {"message": "400 Bad request"}
LISTS = ("billable_members", "pending_members", "enterprise_users", "saml_users", "service_accounts")
TOP, BELOW = 1, 2


@pytest.fixture(scope="module")
def saas() -> StandIn:
    sizes = Sizes(users=24, groups=4, projects=6, pipelines=1, jobs=1)
    return stand_in("http://gitlab.test", seed=68, sizes=sizes, epoch=EPOCH, frozen=True, gitlab_com=True)


@pytest.fixture
def com(saas: StandIn) -> Caller:
    return Caller(saas)


def test_an_owner_is_shown_them_all(com: Caller) -> None:
    for name in LISTS:
        assert com.everything(f"/groups/{TOP}/{name}", "owner-read"), name
    for path in ("saml/identities", "scim/identities", "member_roles"):
        assert com(f"/groups/{TOP}/{path}", "owner-read").json, path


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("billable_members", 400),
        ("pending_members", 400),
        ("enterprise_users", 403),
        ("saml_users", 403),
        ("saml/identities", 403),
        ("scim/identities", 403),
        ("service_accounts", 403),
        ("member_roles", 403),
    ],
)
def test_a_member_is_refused_in_the_words_of_each(com: Caller, path: str, status: int) -> None:
    got = com(f"/groups/{TOP}/{path}", "member-read")
    assert (got.status, got.json) == (status, BAD if status == 400 else {"message": "403 Forbidden"})


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("billable_members", "400 Bad request"),
        ("pending_members", "400 Bad request"),
        ("enterprise_users", "400 Bad request - Must be a top-level group"),
        ("saml_users", "400 Bad request - Must be a top-level group"),
        ("saml/identities", "400 Bad request"),
    ],
)
def test_below_the_top_there_are_none(com: Caller, path: str, words: str) -> None:
    assert com(f"/groups/{BELOW}").json["parent_id"] == TOP
    got = com(f"/groups/{BELOW}/{path}", "owner-read")
    assert (got.status, got.json) == (400, {"message": words})


def test_a_community_edition_has_those_of_service_accounts_only(ask: Caller) -> None:
    assert ask("/service_accounts", "admin").status == ask(f"/groups/{TOP}/service_accounts", "admin").status == 200
    for path in (*(f"/groups/{TOP}/{name}" for name in LISTS if name != "service_accounts"), "/member_roles"):
        got = ask(path, "admin")
        assert (got.status, got.json) == (404, {"error": "404 Not Found"})


def test_the_instance_lists_to_administrators_only(ask: Caller, control: Callable[..., Any]) -> None:
    control("POST", "behaviour", {"account_lists": True})
    assert ask("/service_accounts", "owner-read").status == 403
    assert {row["name"] for row in ask("/service_accounts").json} == {"Sync robot"}
    assert ask("/member_roles", "owner-read").status == 403
    assert [row["id"] for row in ask("/member_roles").json] == [101, 102]
    assert ask(f"/groups/{TOP}/member_roles").status == 400


def test_on_gitlab_com_roles_are_those_of_groups(com: Caller) -> None:
    assert (com("/member_roles").status, com("/member_roles").json) == (400, BAD)


def test_managed_accounts_have_the_shape_of_the_own_one(com: Caller) -> None:
    more = {"shared_runners_minutes_limit", "extra_shared_runners_minutes_limit", "scim_identities"}
    for row in com.everything(f"/groups/{TOP}/enterprise_users", "owner-read"):
        assert more <= row.keys()
        identities = [{**each, "provider": "github"} for each in row["identities"]]
        assert_fits("user/public.json", {**without(row, more), "identities": identities})


def test_a_seat_has_the_shape_of_a_short_profile_and_tells_more(com: Caller) -> None:
    more = {
        "email", "last_activity_on", "membership_type", "removable", "created_at", "is_last_owner", "last_login_at",
    }  # fmt: skip
    for row in com.everything(f"/groups/{TOP}/billable_members", "owner-read"):
        assert more <= row.keys()
        assert_fits("user/basic.json", without(row, more))


def test_nobody_who_is_blocked_waits_or_is_a_machine_takes_a_seat(com: Caller) -> None:
    seats = com.everything(f"/groups/{TOP}/billable_members", "owner-read")
    pending = {
        row["username"] for row in com.everything(f"/groups/{TOP}/pending_members", "owner-read") if "name" in row
    }
    assert {row["state"] for row in seats} == {"active"}
    assert pending
    assert not pending & {row["username"] for row in seats}
    assert not any("bot" in row["username"] or row["username"] == "deployer" for row in seats)


def test_recorded_rows_have_the_same_fields(com: Caller) -> None:
    recorded = json.loads((RESPONSES / "get_serviceaccounts.json").read_text("utf-8"))
    [first, *_] = com.everything(f"/groups/{TOP}/service_accounts", "owner-read")
    assert first.keys() >= recorded[0].keys()
    roles = json.loads((RESPONSES / "list_member_roles.json").read_text("utf-8"))
    [role, *_] = com(f"/groups/{TOP}/member_roles", "owner-read").json
    assert role.keys() <= roles[0].keys()
