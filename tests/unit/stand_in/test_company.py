"""The company follows from its seed, has everything a real one has, and keeps working."""

import re
from pathlib import Path
from typing import Any

from stand_in_gitlab.company.build import Sizes, build
from stand_in_gitlab.server import stand_in

ROOT = Path(__file__).parents[3]
EPOCH = 1_790_000_000.0
SIZES = Sizes(users=80, groups=20, projects=60, pipelines=4, jobs=6)


def facts(seed: int, seconds: float = 0) -> dict[str, Any]:
    app = stand_in("http://gitlab.test", seed=seed, sizes=SIZES, epoch=EPOCH, frozen=True)
    if seconds:
        app.control_api._advance(None, {"seconds": seconds})  # type: ignore[arg-type]  # the call itself is not read
    return {name: app.control_api._truth.rows(name) for name in app.control_api._truth.names()}


def test_the_same_seed_builds_the_same_company() -> None:
    assert facts(5, 9_000) == facts(5, 9_000)
    assert facts(5) != facts(6)


def test_the_document_lists_every_token_that_there_is() -> None:
    document = (ROOT / "docs" / "stand-in-gitlab.md").read_text()
    table = document[document.index("## Tokens") : document.index("## What it serves")]
    listed = [name for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for name in re.findall(r"`(.+?)`", row)]
    assert sorted(listed) == sorted(build(1, EPOCH, SIZES).well_known)


def test_a_company_has_every_kind_of_thing() -> None:
    company = build(1, EPOCH, Sizes(users=400, groups=60, projects=200, pipelines=5))
    assert {user.state for user in company.users.values()} >= {"active", "blocked", "deactivated"}
    assert any(user.bot and user.username.startswith("project_") for user in company.users.values())
    assert any(user.external for user in company.users.values())
    assert max(group.full_path.count("/") for group in company.groups.values()) >= 2
    members = [member for each in company.members.values() for member in each.values()]
    assert {member.level for member in members} >= {5, 10, 15, 20, 30, 40, 50}
    assert any(member.role for member in members)
    assert any(member.expires_at for member in members)
    assert any(group.shares for group in company.groups.values())
    assert any(project.shares for project in company.projects.values())
    assert any(project.archived for project in company.projects.values())
    assert any(project.forked_from for project in company.projects.values())
    assert any(project.group_id is None for project in company.projects.values())
    assert any(company.invitations.values())
    assert {pipeline.source for each in company.pipelines.values() for pipeline in each.values()} >= {
        "push",
        "parent_pipeline",
    }


def test_a_group_is_never_more_visible_than_its_parent() -> None:
    company = build(2, EPOCH, Sizes(users=40, groups=80, projects=80, pipelines=0))
    order = ["private", "internal", "public"]
    for group in company.groups.values():
        if group.parent_id:
            assert order.index(group.visibility) <= order.index(company.groups[group.parent_id].visibility)


def test_work_goes_on_while_time_moves(app: Any, control: Any) -> None:
    before = {row["id"]: row for row in control("GET", "ground-truth/pipelines")["rows"]}
    done = control("POST", "advance", {"seconds": 86_400})
    after = {row["id"]: row for row in control("GET", "ground-truth/pipelines")["rows"]}
    assert done["started"]["pipelines"] > 0
    assert set(before) < set(after)
    assert all(after[number]["updated_at"] >= row["updated_at"] for number, row in before.items())
    assert any(row["status"] == "running" for row in before.values())
    assert all(after[number]["status"] != "running" for number in before)
    assert app.clock.now() == EPOCH + 86_400


def test_new_ids_are_the_highest(control: Any) -> None:
    old = max(row["id"] for row in control("GET", "ground-truth/pipelines")["rows"])
    control("POST", "advance", {"seconds": 86_400})
    fresh = [
        row for row in control("GET", "ground-truth/pipelines")["rows"] if row["id"] > old and not row["parent_id"]
    ]
    assert [row["created_at"] for row in sorted(fresh, key=lambda row: row["id"])] == sorted(
        row["created_at"] for row in fresh
    )


def test_removing_a_group_takes_everything_below_it(app: Any, control: Any) -> None:
    top = next(group for group in app.company.groups.values() if app.company.descendants(group.id))
    gone = set(control("POST", "changes", {"do": "remove_group", "id": top.id})["ids"])
    assert not gone & set(app.company.groups)
    assert not any(project.group_id in gone for project in app.company.projects.values())
    assert not any(row["group_id"] in gone for row in control("GET", "ground-truth/shares")["rows"])


def test_changes_by_name(ask: Any, app: Any, control: Any) -> None:
    user = control(
        "POST", "changes", {"do": "add_user", "username": "new.hire", "two_factor": True, "is_auditor": True}
    )["id"]
    assert {"two_factor_enabled": True, "is_auditor": True}.items() <= ask(f"/users/{user}").json.items()
    assert "is_auditor" not in ask(f"/users/{user}", "owner-read").json
    control("POST", "changes", {"do": "add_member", "source": "project", "source_id": 1, "user_id": user, "level": 30})
    assert ask(f"/projects/1/members/{user}").json["access_level"] == 30
    control("POST", "changes", {"do": "remove_member", "source": "project", "source_id": 1, "user_id": user})
    assert ask(f"/projects/1/members/{user}").status == 404
    control("POST", "changes", {"do": "add_share", "source": "group", "source_id": 1, "group_id": 2, "level": 20})
    shared = ask("/groups/1?with_projects=false").json["shared_with_groups"]
    assert {"group_id": 2, "group_access_level": 20}.items() <= shared[-1].items()
    control("POST", "changes", {"do": "remove_user", "id": user})
    assert ask(f"/users/{user}").status == 404
    token = control("POST", "changes", {"do": "add_token", "name": "extra", "user_id": 1, "scopes": ["api"]})
    assert ask("/user", token["value"]).status == 200
    control("POST", "changes", {"do": "revoke_token", "name": "extra"})
    assert ask("/user", "extra").status == 401


def test_locks_and_marks_are_where_gitlab_has_them(ask: Any, control: Any) -> None:
    marks = {"share_with_group_lock": True, "membership_lock": True, "marked_for_deletion_on": "2026-11-30"}
    control("POST", "changes", {"do": "update_group", "id": 1, **marks})
    listed = next(row for row in ask.everything("/groups") if row["id"] == 1)
    assert {name: listed.get(name, "absent") for name in marks} == {**marks, "membership_lock": "absent"}
    assert marks.items() <= ask("/groups/1?with_projects=false").json.items()
    control("POST", "changes", {"do": "update_project", "id": 1, "marked_for_deletion_on": "2026-11-30"})
    assert ask("/projects/1").json["marked_for_deletion_on"] == "2026-11-30"
    assert "marked_for_deletion_on" not in ask("/projects?simple=true").json[0]
    [group] = [row for row in control("GET", "ground-truth/groups")["rows"] if row["id"] == 1]
    assert marks.items() <= group.items()


def test_a_full_row_of_a_personal_project_names_its_owner(ask: Any, control: Any) -> None:
    personal = control("POST", "changes", {"do": "add_project", "path": "dotfiles", "creator_id": 2})["id"]
    assert ask(f"/projects/{personal}").json["owner"]["id"] == 2
    listed = {row["id"]: row for row in ask.everything("/projects")}
    assert listed[personal]["owner"]["id"] == 2
    assert all(("owner" in row) == (row["namespace"]["kind"] == "user") for row in listed.values())
    assert all("owner" not in row for row in ask.everything("/projects?simple=true"))


def test_a_share_may_carry_a_custom_role(ask: Any, control: Any) -> None:
    share = {"do": "add_share", "source": "group", "source_id": 1, "group_id": 2, "level": 20, "role_id": 102}
    control("POST", "changes", share)
    assert ask("/groups/1?with_projects=false").json["shared_with_groups"][-1]["member_role_id"] == 102


def test_invitations_have_no_id_and_are_wanted_by_a_whole_address(ask: Any, control: Any) -> None:
    for email in ("ann@example.com", "joann@example.com"):
        asked = {"do": "invite", "source": "group", "source_id": 1, "email": email, "level": 30}
        control("POST", "changes", {**asked, "expires_at": "2026-12-24"})
    [row] = ask("/groups/1/invitations?query=ann@example.com").json
    assert row.keys() == {
        "access_level", "created_at", "expires_at", "invite_email", "invite_token", "created_by_name",
    }  # fmt: skip
    assert (row["invite_email"], row["access_level"], row["expires_at"]) == ("ann@example.com", 30, "2026-12-24")
    ended = {"do": "end_invitation", "source": "group", "source_id": 1, "email": "ann@example.com"}
    control("POST", "changes", ended)
    left = [each["invite_email"] for each in ask.everything("/groups/1/invitations")]
    assert "ann@example.com" not in left
    assert "joann@example.com" in left
