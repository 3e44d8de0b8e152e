"""Who is shown which tokens and keys, with GitLab's own refusals; and that no list has one of them in it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stand_in_gitlab.app import StandIn
from stand_in_gitlab.company.people import source_of_bot

RECORDED = Path(__file__).parents[2] / "data" / "gitlab" / "responses"
SECRET = {"token", "value"}


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text("utf-8"))


@pytest.fixture
def place(app: StandIn) -> dict[str, int]:
    """A group whose Owner the owner is, a project in it, and both of a bot's."""
    company = app.company
    user = company.users[company.tokens[company.well_known["project"]].user_id]
    group = company.users[company.tokens[company.well_known["group"]].user_id]
    project_of, group_of = source_of_bot(user), source_of_bot(group)
    assert project_of is not None
    assert group_of is not None
    return {"project": project_of[1], "group": group_of[1]}


LISTS: list[tuple[str, dict[str | None, int]]] = [
    ("/deploy_tokens", {"admin-read": 200, "owner-read": 403, "project": 403}),
    ("/deploy_keys", {"admin-read": 200, "owner-read": 403}),
    ("/personal_access_tokens", {"admin-read": 200, "owner-read": 200, "project": 200, "narrow": 403}),
    ("/personal_access_tokens?user_id=1", {"admin-read": 200, "owner-read": 401}),
    ("/personal_access_tokens/1", {"admin-read": 200, "owner-read": 401}),
    ("/personal_access_tokens/99999", {"admin-read": 404, "owner-read": 401}),
    ("/users/1/impersonation_tokens", {"admin-read": 200, "owner-read": 403}),
    ("/users/1/keys", {"admin-read": 200, "owner-read": 200, "project": 200}),
    ("/users/99999/keys", {"admin-read": 404, "owner-read": 404}),
    ("/groups/{group}/access_tokens", {"admin-read": 200, "owner-read": 200, "group": 200, "service": 401}),
    ("/groups/{group}/deploy_tokens", {"admin-read": 200, "owner-read": 200, "service": 403}),
    ("/groups/{group}/service_accounts", {"admin-read": 200, "owner-read": 200, "service": 403}),
    ("/projects/{project}/access_tokens", {"admin-read": 200, "project": 200, "service": 401, None: 401}),
    ("/projects/{project}/deploy_tokens", {"admin-read": 200, "project": 200, "service": 403}),
    ("/projects/{project}/deploy_keys", {"admin-read": 200, "project": 200, "service": 403}),
    ("/projects/99999/access_tokens", {"admin-read": 404, "owner-read": 404}),
]


@pytest.mark.parametrize(("path", "statuses"), LISTS)
def test_who_may_read_what(ask: Any, place: dict[str, int], path: str, statuses: dict[str | None, int]) -> None:
    for holder, status in statuses.items():
        assert ask(path.format(**place), holder).status == status, holder


def test_an_administrators_list_has_everybodys_tokens_and_does_not_tell_impersonations_apart(
    ask: Any, app: StandIn
) -> None:
    rows = ask.everything("/personal_access_tokens")
    assert {row["id"] for row in rows} == {one.id for one in app.company.tokens.values() if one.kind != "oauth"}
    assert "impersonation" not in {name for row in rows for name in row}
    made = [one for one in app.company.tokens.values() if one.impersonation]
    shown = [row["id"] for user_id in sorted({one.user_id for one in made})
             for row in ask.everything(f"/users/{user_id}/impersonation_tokens")]  # fmt: skip
    assert sorted(shown) == sorted(one.id for one in made) != []


def test_others_see_their_own_without_impersonations(ask: Any, app: StandIn) -> None:
    own = app.company.tokens[app.company.well_known["owner-read"]].user_id
    expected = {one.id for one in app.company.tokens.values() if one.user_id == own and not one.impersonation}
    assert {row["id"] for row in ask.everything("/personal_access_tokens", "owner-read")} == expected


def test_a_token_of_a_group_is_shown_as_gitlab_shows_it(ask: Any, place: dict[str, int]) -> None:
    [row] = [one for one in ask.everything(f"/groups/{place['group']}/access_tokens") if one["name"] == "group"]
    assert row.keys() >= recorded("list_group_access_tokens")[0].keys()
    assert (row["access_level"], row["resource_type"], row["resource_id"]) == (50, "group", place["group"])
    assert ask(f"/groups/{place['group']}/access_tokens/{row['id']}").json == row


def test_a_personal_token_is_shown_as_gitlab_shows_it(ask: Any) -> None:
    row = ask("/personal_access_tokens/1").json
    assert row.keys() >= recorded("list_personal_access_tokens_single").keys()


def test_filters_and_order(ask: Any) -> None:
    rows = ask.everything("/personal_access_tokens?sort=created_asc")
    assert [row["created_at"] for row in rows] == sorted(row["created_at"] for row in rows)
    assert {row["revoked"] for row in ask.everything("/personal_access_tokens?revoked=true")} == {True}
    assert {row["active"] for row in ask.everything("/personal_access_tokens?state=inactive")} == {False}


def test_a_deploy_key_names_its_projects_in_the_list_of_all_and_its_right_in_a_project(ask: Any) -> None:
    key = next(one for one in ask.everything("/deploy_keys") if one["projects_with_write_access"])
    project = key["projects_with_write_access"][0]["id"]
    row = ask(f"/projects/{project}/deploy_keys/{key['id']}").json
    assert (row["can_push"], row["fingerprint_sha256"]) == (True, key["fingerprint_sha256"])


def _fields(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from _fields(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _fields(inner)


@pytest.mark.parametrize("path", [path for path, statuses in LISTS if statuses.get("admin-read") == 200])
def test_no_list_has_a_token_in_it(ask: Any, app: StandIn, place: dict[str, int], path: str) -> None:
    found = ask(path.format(**place)).json
    assert not SECRET & set(_fields(found))
    assert not [text for text in app.company.tokens if text in json.dumps(found)]


def test_every_sort_of_risk_is_in_the_company(control: Any) -> None:
    rows = control("GET", "ground-truth/credentials?per_page=1000")["rows"]
    assert {row["kind"] for row in rows} == {
        "personal_token", "impersonation_token", "group_token", "project_token", "service_account_token",
        "deploy_token", "deploy_key", "ssh_key",
    }  # fmt: skip
    assert {row["status"] for row in rows} == {"active", "expired", "revoked"}
    assert any(row["can_push"] for row in rows)
    assert any(row["expires_at"] is None and "api" in row["scopes"] for row in rows)
