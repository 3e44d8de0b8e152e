"""Fine-grained tokens: each call wants a permission on its group or project, and says which."""

from typing import Any

import pytest

from stand_in_gitlab.app import StandIn
from stand_in_gitlab.rest.granular import needed

READ = ["User: Read", "Personal Access Token: Read", "Group: Read", "Project: Read", "Pipeline: Read"]


@pytest.fixture
def issue(control: Any, app: StandIn) -> Any:
    """Makes a token of the owner of group 1."""

    def make(name: str, *grants: dict[str, Any], user_id: int | None = None) -> str:
        owner = app.company.tokens[app.company.well_known["owner-read"]].user_id
        given = {"do": "add_token", "name": name, "user_id": user_id or owner, "scopes": ["granular"], "grants": grants}
        control("POST", "changes", given)
        return name

    return make


def everywhere(*permissions: str) -> list[dict[str, Any]]:
    return [{"access": access, "permissions": permissions} for access in ("user", "instance", "all_memberships")]


def lacks(got: Any, permission: str, of: str) -> bool:
    words = (
        "Access denied: This operation requires a fine-grained personal access token with the following "
        f"{of} permissions: [{permission}]."
    )
    return (got.status, got.json) == (403, {"error": "insufficient_granular_scope", "error_description": words})


def test_every_route_wants_a_permission(app: StandIn) -> None:
    for method, pattern, _ in (entry for table in app.rest.router._table.values() for entry in table):
        permission, boundary = needed(method, "/".join(pattern))
        assert ": " in permission
        assert boundary in {"user", "instance", "group", "project"}


@pytest.mark.parametrize(("method", "pattern", "permission", "of"), [
    ("GET", "projects/*/pipelines/*/jobs", "Pipeline: Read", "project"),
    ("GET", "projects/*/jobs", "Job: Read", "project"),
    ("GET", "groups/*/projects", "Project: Read", "group"),
    ("GET", "groups/*/members/all/*", "Member: Read", "group"),
    ("POST", "projects/*/hooks", "Webhook: Create", "project"),
    ("POST", "projects/*/hooks/*/test/*", "Webhook: Trigger", "project"),
    ("POST", "groups/*/hooks/*/events/*/resend", "Webhook: Trigger", "group"),
    ("GET", "groups/*/hooks/*/events", "Webhook: Read", "group"),
    ("DELETE", "hooks/*", "Webhook: Delete", "instance"),
    ("POST", "hooks/*", "Webhook: Trigger", "instance"),
    ("PUT", "projects/*/hooks/*/custom_headers/*", "Webhook: Update", "project"),
    ("DELETE", "projects/*/hooks/*/custom_headers/*", "Webhook: Update", "project"),
    ("POST", "projects/*/statuses/*", "Commit Status: Create", "project"),
    ("GET", "projects/*/repository/compare", "Repository: Read", "project"),
])  # fmt: skip
def test_it_is_the_one_that_gitlab_documents(method: str, pattern: str, permission: str, of: str) -> None:
    assert needed(method, pattern) == (permission, of)


def test_a_token_that_was_granted_nothing_can_do_nothing(ask: Any, issue: Any) -> None:
    token = issue("nothing")
    assert lacks(ask("/user", token), "User: Read", "user")
    assert lacks(ask("/personal_access_tokens/self", token), "Personal Access Token: Read", "user")
    assert lacks(ask("/version", token), "Metadata: Read", "instance")
    assert lacks(ask("/groups", token), "Group: Read", "user")
    assert lacks(ask("/projects", token), "Project: Read", "user")


def test_it_describes_itself(ask: Any, issue: Any) -> None:
    got = ask("/personal_access_tokens/self", issue("self", *everywhere(*READ))).json
    assert (got["scopes"], got["granular"], len(got["granular_scopes"])) == (["granular"], True, 3)
    assert got["granular_scopes"][0] == {
        "access": "user", "project_id": None, "group_id": None,
        "permissions": ["read_group", "read_personal_access_token", "read_pipeline", "read_project", "read_user"],
    }  # fmt: skip


def private(app: StandIn, *, inside: bool) -> int:
    """A private project of group 1's tree, or one elsewhere that its owner is a member of."""
    tree = {1, *(group.id for group in app.company.descendants(1))}
    found = (p for p in app.company.projects.values() if p.visibility == "private" and p.builds_enabled)
    return next(p.id for p in found if (p.group_id in tree) == inside)


def test_a_grant_reaches_as_far_as_it_says(ask: Any, issue: Any, app: StandIn, control: Any) -> None:
    owner = app.company.tokens[app.company.well_known["owner-read"]].user_id
    near, far = private(app, inside=True), private(app, inside=False)
    control(
        "POST", "changes", {"do": "add_member", "source": "project", "source_id": far, "user_id": owner, "level": 40}
    )
    selected = {"access": "selected_memberships", "permissions": ["Pipeline: Read"]}
    by_group = issue("by-group", {**selected, "group_id": 1})
    by_project = issue("by-project", {**selected, "project_id": far})
    by_membership = issue("by-membership", {"access": "all_memberships", "permissions": ["Pipeline: Read"]})
    assert ask(f"/projects/{near}/pipelines", by_group).status == 200
    assert lacks(ask(f"/projects/{far}/pipelines", by_group), "Pipeline: Read", "project")
    assert ask(f"/projects/{far}/pipelines", by_project).status == 200
    assert lacks(ask(f"/projects/{near}/pipelines", by_project), "Pipeline: Read", "project")
    assert (
        ask(f"/projects/{near}/pipelines", by_membership).status,
        ask(f"/projects/{far}/pipelines", by_membership).status,
    ) == (200, 200)
    assert lacks(ask(f"/projects/{near}/jobs", by_group), "Job: Read", "project")


def test_what_the_user_does_not_see_is_not_there(ask: Any, issue: Any, app: StandIn, control: Any) -> None:
    stranger = control("POST", "changes", {"do": "add_user", "username": "stranger"})["id"]
    token = issue("stranger", *everywhere(*READ), user_id=stranger)
    assert ask(f"/projects/{private(app, inside=True)}/pipelines", token).status == 404
    assert ask("/projects/999999", token).status == 404


def test_what_is_public_needs_no_permission(ask: Any, issue: Any, app: StandIn) -> None:
    project = app.company.projects[private(app, inside=True)]
    token = issue("nothing")
    assert ask(f"/projects/{project.id}", token).status == 403
    project.visibility = "public"
    assert ask(f"/projects/{project.id}", token).status == 200
    assert ask(f"/projects/{project.id}/pipelines", token).status == 200
    assert lacks(ask(f"/projects/{project.id}/jobs", token), "Job: Read", "project")


def test_writing_needs_its_permission_and_the_role(ask: Any, issue: Any, app: StandIn) -> None:
    near, hook = private(app, inside=True), {"url": "https://hub.test"}
    assert lacks(
        ask(f"/projects/{near}/hooks", issue("reads", *everywhere("Webhook: Read")), "POST", hook),
        "Webhook: Create",
        "project",
    )
    assert ask(f"/projects/{near}/hooks", issue("writes", *everywhere("Webhook: Create")), "POST", hook).status == 201


def test_a_rotated_token_keeps_its_grant(ask: Any, issue: Any) -> None:
    token = issue("turns", *everywhere("Personal Access Token: Rotate", "User: Read"))
    got = ask("/personal_access_tokens/self/rotate", token, "POST")
    assert (got.status, got.json["scopes"]) == (200, ["granular"])
    assert ask("/user", got.json["token"]).status == 200
    assert lacks(ask("/version", got.json["token"]), "Metadata: Read", "instance")


def test_a_group_can_refuse_classic_tokens_of_people(ask: Any, app: StandIn, control: Any) -> None:
    near = private(app, inside=True)
    assert ask(f"/projects/{near}", "owner-read").status == 200
    control("POST", "changes", {"do": "enforce_fine_grained", "group_id": 1})
    assert lacks(ask(f"/projects/{near}", "owner-read"), "Project: Read", "project")
    assert lacks(ask("/groups/1/members", "owner-read"), "Member: Read", "group")
    assert ask("/user", "owner-read").status == 200
    assert ask("/projects", "owner-read").status == 200
    for machine in ("group", "service"):
        assert ask("/groups/1", machine).status == 200
    assert ask(f"/projects/{near}", "fine-grained").status == 200
    control("POST", "changes", {"do": "enforce_fine_grained", "group_id": 1, "on": False})
    assert ask(f"/projects/{near}", "owner-read").status == 200


def test_what_everybody_may_read_of_a_public_group_nobody_may_write_without_a_grant(
    app: StandIn, ask: Any, control: Any, issue: Any
) -> None:
    owner = app.company.tokens[app.company.well_known["owner-read"]].user_id
    group = control("POST", "changes", {"do": "add_group", "path": "open", "visibility": "public"})["id"]
    owns = {"do": "add_member", "source": "group", "source_id": group, "user_id": owner, "level": 50}
    control("POST", "changes", owns)
    reader = issue("reader", *everywhere(*READ))
    assert ask(f"/groups/{group}/members", reader).status == 200
    body = {"user_id": 2, "access_level": 30}
    assert lacks(ask(f"/groups/{group}/members", reader, "POST", body), "Member: Create", "group")
    writer = issue("writer", *everywhere("Member: Create"))
    assert ask(f"/groups/{group}/members", writer, "POST", body).status == 201
