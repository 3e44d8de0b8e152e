"""Accounts, groups, projects and grants as the API shows them after a sync: GitLab's, field by field."""

from collections.abc import Mapping
from typing import Any

import pytest

from stand_in_gitlab.process import Running
from tests.end_to_end.companies import seconds, told
from tests.end_to_end.hub_client import Hub
from tests.end_to_end.truth import real_access, shown_access

ACCOUNT = {
    "id", "username", "name", "kind", "status", "state", "emails", "identities", "is_admin", "external",
    "two_factor_enabled", "last_sign_in_at", "last_activity_on", "activity_source", "created_at", "web_url",
}  # fmt: skip
RESOURCE = {"id", "full_path", "name", "parent_id", "visibility", "archived", "web_url"}
GRANT = {
    "account_id", "resource", "access_level", "role", "member_role", "expires_at", "overdue", "since", "granted_by",
    "kind", "path", "revoke_at", "at_least",
}  # fmt: skip
ROLES = {
    5: "Minimal Access", 10: "Guest", 15: "Planner", 20: "Reporter", 25: "Security Manager", 30: "Developer",
    40: "Maintainer", 50: "Owner",
}  # fmt: skip


def by_id(rows: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in rows}


def same(ours: Mapping[str, Any], theirs: Mapping[str, Any], *names: str) -> bool:
    return {name: ours[name] for name in names} == {name: theirs[name] for name in names}


def test_everything_is_there_and_nothing_else(hub: Hub, gitlab: Running, one: str) -> None:
    expected = real_access(gitlab)
    assert shown_access(hub, one) == expected
    assert all(expected.values())


def test_accounts_are_gitlabs(hub: Hub, gitlab: Running, one: str) -> None:
    theirs = by_id(told(gitlab, "/users"))
    for row in hub.rows(f"{one}/accounts"):
        user = theirs[row["id"]]
        assert row.keys() >= ACCOUNT
        assert same(row, user, "username", "name", "state", "is_admin", "external", "two_factor_enabled", "web_url")
        assert row["last_activity_on"] == user["last_activity_on"]
        assert (row["created_at"], row["last_sign_in_at"]) == (
            seconds(user["created_at"]), seconds(user["last_sign_in_at"])
        )  # fmt: skip
        assert (row["status"] == "active") == (user["state"] == "active")
        assert row["kind"] in {"human", "service_account", "project_bot", "group_bot", "internal", "unknown"}
        assert (row["kind"] == "human") == (not user["bot"] and "service_account" not in user["username"])
        assert [email["value"] for email in row["emails"] if email["primary"]] == [user["email"]]
        assert {each["extern_uid"] for each in row["identities"]} == {each["extern_uid"] for each in user["identities"]}


def test_one_account_is_what_the_list_has(hub: Hub, one: str) -> None:
    [listed] = hub.get(f"{one}/accounts", limit=1)["accounts"]
    assert hub.get(f"{one}/accounts/{listed['id']}") == {"account": listed}
    for unknown in ("99999", "0", "x", "-1", "9" * 30):
        assert hub.call("GET", f"{one}/accounts/{unknown}").refusal == (404, "not_found")


@pytest.mark.parametrize("name", ["groups", "projects"])
def test_groups_and_projects_are_gitlabs(hub: Hub, gitlab: Running, one: str, name: str) -> None:
    theirs = by_id(told(gitlab, f"/{name}"))
    for row in hub.rows(f"{one}/{name}"):
        source = theirs[row["id"]]
        assert row.keys() >= RESOURCE
        assert same(row, source, "name", "visibility", "web_url")
        assert row["full_path"] == source["full_path" if name == "groups" else "path_with_namespace"]
        assert row["archived"] is source.get("archived", False)
        parent = source.get("namespace", {})
        assert row["parent_id"] == (
            source["parent_id"] if name == "groups" else parent["id"] if parent["kind"] == "group" else None
        )


def test_grants_say_why_and_where_to_take_them_away(hub: Hub, one: str) -> None:
    paths = {
        (name[:-1], row["id"]): row["full_path"] for name in ("groups", "projects") for row in hub.rows(f"{one}/{name}")
    }
    for row in hub.rows(f"{one}/grants", view="direct"):
        assert row.keys() >= GRANT
        place = row["resource"]
        assert place == {"type": place["type"], "id": place["id"], "full_path": paths[place["type"], place["id"]]}
        assert (row["kind"], row["role"]) == ("direct", ROLES[row["access_level"]])
        assert [step["level"] for step in row["path"]] == [row["access_level"]]
        assert row["path"][0].items() >= place.items()
        assert row["revoke_at"] == [{**place, "level": row["access_level"]}]


def test_what_access_adds_up_to_is_gitlabs_and_is_explained(hub: Hub, gitlab: Running, one: str) -> None:
    """Administrators may do everything anyway: what they have as members is compared where they are explained."""
    admins = {row["id"] for row in gitlab.truth("users") if row["is_admin"]}
    real = {
        (row["source"], row["source_id"], row["user_id"]): row["access_level"]
        for row in gitlab.truth("access")
        if row["user_id"] not in admins
    }
    rows = [row for row in hub.rows(f"{one}/grants", view="effective") if row["account_id"] not in admins]
    shown = {(row["resource"]["type"], row["resource"]["id"], row["account_id"]): row for row in rows}
    assert {key: row["access_level"] for key, row in shown.items()} == real
    assert {row["kind"] for row in rows} >= {"direct", "inherited"}
    (kind, number, account), row = max(shown.items(), key=lambda one: len(one[1]["path"]))
    answer = hub.get(f"{one}/explain", account_id=account, path=row["resource"]["full_path"].upper())
    assert (answer["resource"], answer["access_level"]) == ({**row["resource"]}, real[kind, number, account])
    assert answer["paths"][0]["edges"] == row["path"]
    assert answer["revoke_at"] == row["revoke_at"]


def test_what_one_account_has_in_all_is_what_everybody_has(hub: Hub, one: str) -> None:
    every = hub.rows(f"{one}/grants", view="effective")
    account = every[-1]["account_id"]
    assert hub.rows(f"{one}/grants", view="effective", account_id=account) == [
        row for row in every if row["account_id"] == account
    ]


def test_the_summary_counts_what_the_lists_have(hub: Hub, one: str) -> None:
    summary = hub.get(f"{one}/access-summary")
    counts = {figure["name"]: figure["count"] for figure in summary["figures"]}
    for name in ("accounts", "groups", "projects", "grants", "invitations"):
        assert counts[name] == len(hub.rows(f"{one}/{name}")), name
    assert summary["completeness"]["complete"] is True


def test_grants_of_one_account_or_place(hub: Hub, one: str) -> None:
    every = hub.rows(f"{one}/grants")
    for filters in ({"account_id": every[0]["account_id"]}, {"group_id": 1}, {"project_id": 1}):
        [(name, number)] = filters.items()
        kind = name.removesuffix("_id")
        expected = [
            row for row in every
            if number == (row["account_id"] if kind == "account" else row["resource"]["id"])
            and kind in {"account", row["resource"]["type"]}
        ]  # fmt: skip
        found = hub.rows(f"{one}/grants", **filters)
        assert sorted(map(repr, found)) == sorted(map(repr, expected)), filters
        assert found
    both = every[0]
    name = f"{both['resource']['type']}_id"
    assert hub.rows(f"{one}/grants", account_id=both["account_id"], **{name: both["resource"]["id"]}) == [both]


def test_accounts_can_be_filtered(hub: Hub, one: str) -> None:
    every = hub.rows(f"{one}/accounts")
    wanted = every[3]["username"][1:6].lower()
    names = [(row["username"], row["name"], *(email["value"] for email in row["emails"])) for row in every]
    matching = [row for row, texts in zip(every, names, strict=True) if any(wanted in text.lower() for text in texts)]
    assert hub.rows(f"{one}/accounts", q=wanted.upper()) == matching
    for name in ("kind", "status"):
        values = {row[name] for row in every}
        assert len(values) > 1
        for value in values:
            assert hub.rows(f"{one}/accounts", **{name: value}) == [row for row in every if row[name] == value]
    idle = hub.rows(f"{one}/accounts", inactive_days=60)
    assert 0 < len(idle) < len(every)
    assert hub.rows(f"{one}/groups", q="no such group") == []


@pytest.mark.parametrize(
    "query",
    [
        "accounts?kind=robot", "accounts?status=gone", "accounts?inactive_days=0", "accounts?inactive_days=x",
        "grants?account_id=x", "grants?view=sideways", "grants?group_id=1&project_id=1", "accounts?q=",
    ],
)  # fmt: skip
def test_filters_that_make_no_sense_are_refused(hub: Hub, one: str, query: str) -> None:
    assert hub.call("GET", f"{one}/{query}").refusal == (422, "invalid_input")
