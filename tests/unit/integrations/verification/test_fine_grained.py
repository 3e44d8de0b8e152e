"""Verification of fine-grained tokens: what they may do is found out step by step, and what is missing is named."""

from typing import Any

import pytest

from gitlab_hub.integrations.model import Features
from gitlab_hub.integrations.permissions import need_of
from gitlab_hub.integrations.verification.checks import Step
from gitlab_hub.integrations.verification.refusals import refusal
from tests.fakes.gitlab import ScriptedGitLab, answer, lacking, project
from tests.unit.integrations.verifying import Run, at, run_over

SELF, USER, JOBS = "/personal_access_tokens/self", "/user", "/projects/3/pipelines/903/jobs"
PIPELINES = ("/projects/3/pipelines", "/projects/4/pipelines")


@pytest.fixture
def gitlab() -> ScriptedGitLab:
    gitlab = ScriptedGitLab()
    gitlab.token |= {"scopes": ["granular"], "granular": True, "granular_scopes": [grant()]}
    return gitlab


def grant(**more: Any) -> dict[str, Any]:
    return {"access": "all_memberships", "permissions": ["read_project"], "project_id": None, "group_id": None} | more


@pytest.fixture
def run(gitlab: ScriptedGitLab) -> Run:
    return run_over(gitlab)


def test_a_fine_grained_token_is_taken_for_what_it_shows(run: Run) -> None:
    verification = run()
    assert (verification.ok, verification.warnings) == (True, ())
    assert verification.facts.token.scopes == ("granular",)


@pytest.mark.parametrize(("path", "step", "permission", "of"), [
    (SELF, Step.TOKEN, "Personal Access Token: Read", "user"),
    ("/version", Step.VERSION, "Metadata: Read", "instance"),
    ("/groups", Step.GROUPS, "Group: Read", "user"),
])  # fmt: skip
def test_what_can_be_done_without_is_a_warning(
    run: Run, gitlab: ScriptedGitLab, path: str, step: Step, permission: str, of: str
) -> None:
    gitlab.script[path] = lacking(permission, of=of)
    verification = run()
    check = at(verification, step)
    assert (verification.ok, check.ok, check.code) == (True, True, "missing_permissions")
    assert (check.details["missing_permissions"], check.details["boundary"]) == ([permission], of)
    assert permission in (check.hint or "")
    assert permission in need_of("connect").better_with
    assert verification.facts.token.scopes == ("granular",)


@pytest.mark.parametrize(("paths", "step", "permission", "of"), [
    ((USER,), Step.ACCOUNT, "User: Read", "user"),
    (("/projects",), Step.PROJECTS, "Project: Read", "user"),
    (PIPELINES, Step.PIPELINES, "Pipeline: Read", "project"),
    ((JOBS,), Step.JOBS, "Pipeline: Read", "project"),
])  # fmt: skip
def test_what_cannot_be_done_without_is_named(
    run: Run, gitlab: ScriptedGitLab, paths: tuple[str, ...], step: Step, permission: str, of: str
) -> None:
    for path in paths:
        gitlab.script[path] = lacking(permission, of=of)
    verification = run()
    check = at(verification, step)
    assert (check.ok, check.code, verification.code) == (False, "invalid_permissions", "invalid_permissions")
    assert check.details["missing_permissions"] == [permission]
    assert permission in (check.hint or "")
    assert permission in need_of("connect").permissions
    assert not any(other.code == "account_blocked" for other in verification.checks)


def test_every_step_is_tried_and_all_that_is_missing_is_said_at_once(run: Run, gitlab: ScriptedGitLab) -> None:
    gitlab.script |= {
        SELF: lacking("Personal Access Token: Read", of="user"),
        USER: lacking("User: Read", of="user"),
        "/version": lacking("Metadata: Read", of="instance"),
        "/groups": lacking("Group: Read", of="user"),
        **dict.fromkeys(PIPELINES, lacking("Pipeline: Read")),
    }
    verification = run()
    error = refusal(verification)
    assert error is not None
    assert (error.code, error.details["missing_permissions"]) == (
        "invalid_permissions", ["User: Read", "Pipeline: Read"],
    )  # fmt: skip
    assert "User: Read" in str(error)
    assert {check["step"] for check in error.details["checks"]} == {str(step) for step in Step}


def test_a_named_group_outside_of_the_grant_is_no_unknown_group(run: Run, gitlab: ScriptedGitLab) -> None:
    gitlab.script["/groups/acme"] = lacking("Group: Read", of="group")
    check = at(run(group="acme"), Step.GROUPS)
    assert (check.ok, check.code, check.details["missing_permissions"]) == (
        False, "invalid_permissions", ["Group: Read"],
    )  # fmt: skip


def test_some_projects_outside_of_the_grant_are_no_obstacle(run: Run, gitlab: ScriptedGitLab) -> None:
    gitlab.script[PIPELINES[0]] = lacking("Pipeline: Read")
    check = at(run(), Step.PIPELINES)
    assert (check.ok, check.code, check.details["missing_permissions"]) == (True, "partial_access", ["Pipeline: Read"])


def listing(gitlab: ScriptedGitLab, granted: int) -> None:
    """Nine projects are listed, and the pipelines of one can be read."""
    gitlab.script["/projects"] = answer(200, [project(number) for number in range(3, 12)])
    for number in range(3, 12):
        gitlab.script[f"/projects/{number}/pipelines"] = lacking("Pipeline: Read")
    gitlab.script[f"/projects/{granted}/pipelines"] = answer(200, [])
    gitlab.script[f"/projects/{granted}"] = answer(200, project(granted))


def test_more_projects_are_sampled_as_lists_show_what_is_outside_of_the_grant(run: Run, gitlab: ScriptedGitLab) -> None:
    listing(gitlab, 11)
    assert run().ok


@pytest.mark.parametrize("where", [{"project_id": 77}, {"group_id": 5}])
def test_what_the_grant_names_is_sampled_first(run: Run, gitlab: ScriptedGitLab, where: dict[str, int]) -> None:
    listing(gitlab, 77)
    gitlab.script["/groups/5/projects"] = answer(200, [project(77)])
    gitlab.token["granular_scopes"] = [grant(access="selected_memberships", **where), "odd", {"project_id": "x"}]
    assert run().ok
    assert next(path for path in gitlab.paths if path.endswith("/pipelines")) == "/projects/77/pipelines"


def test_a_granted_project_outside_of_the_named_group_proves_nothing(run: Run, gitlab: ScriptedGitLab) -> None:
    gitlab.token["granular_scopes"] = [grant(access="selected_memberships", project_id=77)]
    gitlab.script |= {
        "/projects/77": answer(200, project(77, path_with_namespace="other/p77")),
        "/projects/77/pipelines": answer(200, []),
        "/projects/3/pipelines": lacking("Pipeline: Read"),
    }
    assert run(group="acme").code == "invalid_permissions"


def test_a_classic_token_under_a_group_that_takes_no_such_is_told_so(run: Run, gitlab: ScriptedGitLab) -> None:
    gitlab.token |= {"scopes": ["read_api"], "granular": False, "granular_scopes": None}
    for path in PIPELINES:
        gitlab.script[path] = lacking("Pipeline: Read")
    check = at(run(), Step.PIPELINES)
    assert (check.code, check.details["missing_permissions"]) == ("invalid_permissions", ["Pipeline: Read"])
    assert "fine-grained tokens only" in (check.hint or "")


def test_where_such_tokens_are_switched_off_that_is_said(run: Run, gitlab: ScriptedGitLab) -> None:
    words = "Access denied: Fine-grained personal access tokens are not yet supported."
    gitlab.script[SELF] = answer(403, {"error": "insufficient_granular_scope", "error_description": words})
    check = at(run(), Step.TOKEN)
    assert (check.ok, check.code, check.details["reason"]) == (False, "invalid_permissions", "not_enabled")
    assert "switched off" in (check.hint or "")


def test_features_that_write_are_allowed_and_what_they_need_is_said(run: Run) -> None:
    verification = run(features=Features(report_statuses=True))
    assert (verification.ok, verification.warnings) == (True, ("unproven_permissions",))
    assert at(verification, Step.AFTER).details == {"needed_permissions": ["Commit Status: Create"]}


def test_the_word_beside_other_scopes_counts_for_nothing(run: Run, gitlab: ScriptedGitLab) -> None:
    gitlab.token |= {"scopes": ["granular", "read_user"], "granular": False}
    assert at(run(), Step.TOKEN).details == {"missing_scopes": ["read_api"]}
