"""What the holder of a token sees, checked against the member lists by another way of computing."""

from typing import Any

import pytest

from stand_in_gitlab.clock import day
from stand_in_gitlab.company.visibility import Visibility


def test_levels_are_what_the_lists_of_all_members_say(ask: Any, app: Any) -> None:
    listed = {
        kind: {
            source: {row["id"]: row["access_level"] for row in ask.everything(f"/{kind}s/{source}/members/all")}
            for source in getattr(app.company, f"{kind}s")
        }
        for kind in ("group", "project")
    }
    for user in app.company.users.values():
        visibility = Visibility(app.company, user)
        for kind, levels in (("group", visibility.group_levels), ("project", visibility.project_levels)):
            assert levels == {source: rows[user.id] for source, rows in listed[kind].items() if user.id in rows}


def test_an_expired_membership_is_access_until_the_nightly_job_removes_it(app: Any, ask: Any, control: Any) -> None:
    group = control("POST", "changes", {"do": "add_group", "path": "vault"})["id"]
    owner = app.company.tokens[app.company.well_known["owner-read"]].user_id
    member = {"do": "add_member", "source": "group", "source_id": group, "user_id": owner, "level": 30}
    control("POST", "changes", {**member, "expires_at": day(app.clock.now())})
    assert ask(f"/groups/{group}", "owner-read").status == 200
    control("POST", "changes", {"do": "remove_expired"})
    assert ask(f"/groups/{group}", "owner-read").json == {"message": "404 Group Not Found"}


def test_a_membership_that_awaits_approval_opens_nothing(app: Any, ask: Any, control: Any) -> None:
    group = control("POST", "changes", {"do": "add_group", "path": "vault"})["id"]
    owner = app.company.tokens[app.company.well_known["owner-read"]].user_id
    member = {"do": "add_member", "source": "group", "source_id": group, "user_id": owner, "level": 30}
    control("POST", "changes", {**member, "awaiting": True})
    assert ask(f"/groups/{group}", "owner-read").json == {"message": "404 Group Not Found"}
    (row,) = ask(f"/groups/{group}/members").json
    assert row["membership_state"] == "awaiting"


@pytest.mark.parametrize("kind", ["groups", "projects"])
def test_what_one_may_not_see_is_not_there(ask: Any, control: Any, kind: str) -> None:
    visible = {int(number) for number in control("GET", "ground-truth/visibility?token=owner-read")[kind]}
    listed = {row["id"] for row in ask.everything(f"/{kind}", "owner-read")}
    assert listed == visible
    everything = {row["id"] for row in ask.everything(f"/{kind}")}
    assert visible < everything
    for number in everything:
        expected = 200 if number in visible else 404
        assert ask(f"/{kind}/{number}", "owner-read").status == expected
        assert ask(f"/{kind}/{number}/members", "owner-read").status == expected


def test_minimal_access_does_not_flow_down(app: Any, control: Any) -> None:
    top = control("POST", "changes", {"do": "add_group", "path": "lobby"})["id"]
    below = control("POST", "changes", {"do": "add_group", "path": "office", "parent_id": top})["id"]
    user = control("POST", "changes", {"do": "add_user", "username": "visitor"})["id"]
    grant = {"do": "add_member", "source": "group", "source_id": top, "user_id": user, "level": 5}
    control("POST", "changes", grant)
    visibility = Visibility(app.company, app.company.users[user])
    assert (visibility.group_level(top), visibility.group_level(below)) == (5, 0)


def test_only_owners_get_the_runners_token(ask: Any, app: Any) -> None:
    first = min(app.company.groups)
    assert "runners_token" in ask(f"/groups/{first}?with_projects=false", "group").json
    assert "runners_token" not in ask(f"/groups/{first}?with_projects=false", "service").json


def test_invitations_and_hooks_are_for_those_in_charge(ask: Any, app: Any) -> None:
    first = min(app.company.groups)
    assert ask(f"/groups/{first}/invitations", "group").status == 200
    assert ask(f"/groups/{first}/invitations", "service").json == {"message": "403 Forbidden"}
    project = app.company.tokens[app.company.well_known["project"]].name
    assert project == "project"
    mine = ask("/projects?membership=true", "project").json[0]["id"]
    assert ask(f"/projects/{mine}/hooks", "project").status == 200


def test_disabled_pipelines_are_forbidden_for_everyone(ask: Any, control: Any) -> None:
    control("POST", "changes", {"do": "update_project", "id": 1, "builds_enabled": False})
    assert ask("/projects/1", "admin-read").status == 200
    assert ask("/projects/1/pipelines", "admin-read").json == {"message": "403 Forbidden"}
    assert 1 in control("GET", "ground-truth")["projects_without_builds"]


def test_statuses_are_taken_where_ci_is_off(ask: Any, app: Any, control: Any) -> None:
    sha = control("POST", "changes", {"do": "push", "project_id": 1, "branch": "main", "files": ["a.py"]})["sha"]
    control("POST", "changes", {"do": "update_project", "id": 1, "builds_enabled": False})
    said = {"state": "success", "name": "hub"}
    assert ask(f"/projects/1/statuses/{sha}", "admin", "POST", said).status == 201
    control("POST", "changes", {"do": "update_project", "id": 1, "has_repository": False})
    assert ask(f"/projects/1/statuses/{sha}", "admin", "POST", said).status == 403


def test_without_a_repository_there_are_no_pipelines(ask: Any, control: Any) -> None:
    control("POST", "changes", {"do": "update_project", "id": 1, "builds_enabled": True, "has_repository": False})
    assert ask("/projects/1/pipelines", "admin-read").status == 403
    assert ask("/projects/1").json["repository_access_level"] == "disabled"


def test_ci_for_members_only_is_there_and_looks_off_to_others(ask: Any, app: Any, control: Any) -> None:
    owner = app.company.tokens[app.company.well_known["owner-read"]].user_id
    stranger = control("POST", "changes", {"do": "add_user", "username": "stranger"})["id"]
    control("POST", "changes", {"do": "add_token", "name": "stranger", "user_id": stranger, "scopes": ["read_api"]})
    control("POST", "changes", {"do": "add_member", "source": "project", "source_id": 1, "user_id": owner, "level": 30})
    given = {"visibility": "public", "builds_enabled": True, "builds_members_only": True}
    control("POST", "changes", {"do": "update_project", "id": 1, **given})
    shown = {name: ask("/projects/1", name).json for name in ("owner-read", "stranger")}
    assert {name: (row["builds_access_level"], row["jobs_enabled"]) for name, row in shown.items()} == {
        "owner-read": ("private", True), "stranger": ("private", False),
    }  # fmt: skip
    assert ask("/projects/1/pipelines", "owner-read").status == 200
    assert ask("/projects/1/pipelines", "stranger").status == 403


def test_others_do_not_see_blocked_accounts(ask: Any, app: Any, control: Any) -> None:
    user = control("POST", "changes", {"do": "add_user", "username": "leaver", "state": "blocked"})["id"]
    assert ask(f"/users/{user}", "owner-read").status == 404
    assert ask(f"/users/{user}").json["state"] == "blocked"
    assert user not in {row["id"] for row in ask.everything("/users", "owner-read")}


def test_a_group_is_found_by_its_path(ask: Any, app: Any) -> None:
    nested = next(group for group in app.company.groups.values() if group.parent_id)
    assert ask(f"/groups/{nested.full_path.replace('/', '%2F')}").json["id"] == nested.id


def test_lists_of_groups(ask: Any, app: Any) -> None:
    groups = app.company.groups
    tops = {group.id for group in groups.values() if group.parent_id is None}
    assert {row["id"] for row in ask.everything("/groups?top_level_only=true")} == tops
    assert {row["id"] for row in ask.everything("/groups?min_access_level=50", "group")} >= {min(groups)}
    for top in tops:
        below = {
            group.id for group in groups.values() if any(each.id == top for each in app.company.ancestors(group.id)[1:])
        }
        assert {row["id"] for row in ask.everything(f"/groups/{top}/descendant_groups")} == below
        projects = {project.id for project in app.company.projects.values() if project.group_id in below | {top}}
        path = f"/groups/{top}/projects?include_subgroups=true&with_shared=false"
        assert {row["id"] for row in ask.everything(path)} == projects


def test_behind_a_group_with_a_lock_the_shares_of_projects_stand_still(ask: Any, app: Any, control: Any) -> None:
    home, guests = (control("POST", "changes", {"do": "add_group", "path": path})["id"] for path in ("home", "guests"))
    project = control("POST", "changes", {"do": "add_project", "path": "shared", "group_id": home})["id"]
    user = control("POST", "changes", {"do": "add_user", "username": "guest.of.all"})["id"]
    member = {"do": "add_member", "source": "group", "source_id": guests, "user_id": user, "level": 40}
    control("POST", "changes", member)
    control(
        "POST",
        "changes",
        {"do": "add_share", "source": "project", "source_id": project, "group_id": guests, "level": 30},
    )
    levels = []
    for locked in (False, True):
        control("POST", "changes", {"do": "update_group", "id": home, "share_with_group_lock": locked})
        visibility = Visibility(app.company, app.company.users[user])
        listed = ask(f"/projects/{project}/members/all/{user}").json["access_level"]
        levels.append((visibility.project_level(project), listed))
    assert levels == [(30, 30), (0, 0)]
