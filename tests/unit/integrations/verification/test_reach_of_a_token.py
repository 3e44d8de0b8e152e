"""Verification of what a token reaches: groups, projects, sampled pipelines and jobs, and warnings at the end."""

from typing import Any

import httpx
import pytest

from gitlab_hub.integrations.model import Features
from gitlab_hub.integrations.verification.checks import Step
from gitlab_hub.integrations.verification.verifier import RESERVE_SECONDS
from tests.fakes.gitlab import ScriptedGitLab, answer, project
from tests.unit.integrations.verifying import Run, at, run_over

USER, JOBS = "/user", "/projects/3/pipelines/903/jobs"
UNAUTHORIZED = {"message": "401 Unauthorized"}


@pytest.fixture
def gitlab() -> ScriptedGitLab:
    return ScriptedGitLab()


@pytest.fixture
def run(gitlab: ScriptedGitLab) -> Run:
    return run_over(gitlab)


def test_a_named_group_is_looked_up_and_spelled_as_gitlab_does(run: Run, gitlab: ScriptedGitLab) -> None:
    verification = run(group="acme")
    assert (verification.ok, verification.facts.group, verification.facts.group_id) == (True, "Acme", 1)
    assert "/groups/1/projects" in gitlab.paths
    assert "/projects" not in gitlab.paths


def test_an_unknown_group_is_its_own_code(run: Run, gitlab: ScriptedGitLab) -> None:
    verification = run(group="acme/gone")
    assert "/groups/acme%2Fgone" in gitlab.paths
    assert (verification.code, at(verification, Step.GROUPS).code) == ("group_not_found", "group_not_found")


@pytest.mark.parametrize(("is_admin", "membership"), [(False, "true"), (True, None)])
def test_only_administrators_list_beyond_their_memberships(
    run: Run, gitlab: ScriptedGitLab, is_admin: bool, membership: str | None
) -> None:
    gitlab.script[USER] = answer(200, {"id": 7, "username": "root", "is_admin": is_admin})
    run()
    asked = next(request for request in gitlab.requests if request.url.path.endswith("/projects"))
    assert asked.url.params.get("membership") == membership


def test_archived_projects_do_not_hide_an_active_one(run: Run, gitlab: ScriptedGitLab) -> None:
    archived = [project(number, archived=True) for number in range(100, 120)]

    def listed(request: httpx.Request) -> httpx.Response:
        rows = [project(3)] if request.url.params.get("archived") == "false" else archived
        return answer(200, rows, x_next_page="")

    gitlab.script["/projects"] = listed
    assert run().ok


FORBIDDEN, MISSING = answer(403, {"message": "403 Forbidden"}), answer(404)


@pytest.mark.parametrize(("third", "fourth", "ok", "code"), [
    (FORBIDDEN, FORBIDDEN, False, "invalid_permissions"),
    (FORBIDDEN, MISSING, False, "invalid_permissions"),
    (MISSING, MISSING, False, "no_resources"),
    (FORBIDDEN, answer(200, [{"id": 904}]), True, "partial_access"),
    (MISSING, answer(200, []), True, "partial_access"),
    (answer(200, []), answer(200, []), True, "no_pipelines_yet"),
    (answer(500), answer(200, [{"id": 904}]), True, None),
    (answer(500), FORBIDDEN, False, "gitlab_unavailable"),
    (answer(401, UNAUTHORIZED), FORBIDDEN, False, "invalid_credentials"),
])  # fmt: skip
def test_sampled_projects_decide_together(
    run: Run, gitlab: ScriptedGitLab, third: httpx.Response, fourth: httpx.Response, ok: bool, code: str | None
) -> None:
    gitlab.script |= {"/projects/3/pipelines": third, "/projects/4/pipelines": fourth}
    verification = run()
    check = at(verification, Step.PIPELINES)
    assert (check.ok, check.code, verification.ok) == (ok, code, ok)
    assert verification.code == (None if ok else code)


def test_a_missing_role_is_named(run: Run, gitlab: ScriptedGitLab) -> None:
    gitlab.script |= {"/projects/3/pipelines": FORBIDDEN, "/projects/4/pipelines": FORBIDDEN}
    assert at(run(), Step.PIPELINES).details == {"role": "reporter"}


def test_at_most_five_projects_are_sampled_those_with_ci_first(run: Run, gitlab: ScriptedGitLab) -> None:
    projects = [project(3, jobs_enabled=False), *(project(number) for number in range(4, 10))]
    gitlab.script["/projects"] = answer(200, projects)
    run()
    sampled = [path for path in gitlab.paths if path.endswith("/pipelines")]
    assert sampled == [f"/projects/{number}/pipelines" for number in range(4, 9)]


OFF = {"builds_access_level": "disabled", "jobs_enabled": False}
NO_REPOSITORY = {"builds_access_level": "enabled", "repository_access_level": "disabled"}
MEMBERS_ONLY = {"builds_access_level": "private", "jobs_enabled": False}
"""What GitLab shows an outsider: `jobs_enabled` is about the user, not about the project."""


@pytest.mark.parametrize(("rows", "answers", "ok", "code"), [
    ((OFF, OFF), (FORBIDDEN, FORBIDDEN), True, "ci_disabled"),
    ((OFF, NO_REPOSITORY), (FORBIDDEN, FORBIDDEN), True, "ci_disabled"),
    (({"jobs_enabled": False}, {"jobs_enabled": False}), (FORBIDDEN, FORBIDDEN), True, "ci_disabled"),
    ((OFF, OFF), (answer(200, []), answer(200, [])), True, "ci_disabled"),
    ((OFF, OFF), (FORBIDDEN, answer(200, [])), True, "ci_disabled"),
    ((OFF, {}), (FORBIDDEN, answer(200, [{"id": 904}])), True, None),
    ((OFF, {}), (FORBIDDEN, answer(200, [])), True, "no_pipelines_yet"),
    ((OFF, {}), (FORBIDDEN, FORBIDDEN), False, "invalid_permissions"),
    ((MEMBERS_ONLY, MEMBERS_ONLY), (FORBIDDEN, FORBIDDEN), False, "invalid_permissions"),
    ((OFF, OFF), (FORBIDDEN, answer(500)), False, "gitlab_unavailable"),
    ((OFF, OFF), (answer(404), answer(404)), False, "no_resources"),
    ((OFF, OFF), (FORBIDDEN, answer(403, {"error": "insufficient_scope"})), False, "invalid_permissions"),
])  # fmt: skip
def test_switched_off_ci_says_nothing_about_the_token(
    run: Run,
    gitlab: ScriptedGitLab,
    rows: tuple[dict[str, Any], dict[str, Any]],
    answers: tuple[httpx.Response, httpx.Response],
    ok: bool,
    code: str | None,
) -> None:
    gitlab.script["/projects"] = answer(200, [project(3, **rows[0]), project(4, **rows[1])])
    gitlab.script |= {"/projects/3/pipelines": answers[0], "/projects/4/pipelines": answers[1]}
    verification = run()
    check = at(verification, Step.PIPELINES)
    assert (check.ok, check.code, verification.ok, verification.code) == (ok, code, ok, None if ok else code)


def test_jobs_of_a_project_without_ci_are_not_asked_for(run: Run, gitlab: ScriptedGitLab) -> None:
    """External CI can leave pipelines there; their jobs are refused to everybody."""
    gitlab.script |= {"/projects": answer(200, [project(3, **OFF)]), JOBS: FORBIDDEN}
    verification = run()
    assert (verification.ok, verification.warnings) == (True, ("ci_disabled",))
    assert JOBS not in gitlab.paths


def test_a_pipeline_that_went_away_is_no_obstacle(run: Run, gitlab: ScriptedGitLab) -> None:
    gitlab.script[JOBS] = answer(404)
    assert run().ok


def test_what_could_be_better_is_said_at_the_end(run: Run, gitlab: ScriptedGitLab) -> None:
    gitlab.token["scopes"] = ["api"]
    assert run(shared=True).warnings == ("shared_rate_limit", "overprivileged_token")
    assert run(features=Features(manage_webhooks=True)).warnings == ()


def test_the_worst_code_wins_over_trouble_that_may_pass(run: Run, gitlab: ScriptedGitLab) -> None:
    gitlab.script |= {"/version": answer(500), JOBS: answer(403), "/groups": answer(500)}
    assert run().code == "jobs_forbidden"


def test_a_hanging_gitlab_is_given_up_in_time_with_what_was_found(gitlab: ScriptedGitLab) -> None:
    gitlab.hanging.add("/groups")
    verification = run_over(gitlab, deadline=0.2)()
    assert (verification.code, at(verification, Step.GROUPS).code) == ("host_unreachable", "host_unreachable")
    assert at(verification, Step.VERSION).ok
    assert [check.step for check in verification.checks] == list(Step)


@pytest.mark.parametrize("left", [4.2, 4.0, 1.0])
def test_the_time_that_is_left_to_the_function_is_a_limit_too(gitlab: ScriptedGitLab, left: float) -> None:
    gitlab.hanging.add("/groups" if left > RESERVE_SECONDS else "/user")
    verification = run_over(gitlab, deadline=50.0, left=lambda: left)()
    assert verification.code == "host_unreachable"
    assert [check.step for check in verification.checks] == list(Step)


@pytest.mark.parametrize("group", [None, "acme"])
def test_one_page_of_the_projects_is_followed_wherever_its_link_leads(
    run: Run, gitlab: ScriptedGitLab, group: str | None
) -> None:
    path = "/projects" if group is None else "/groups/1/projects"

    def linked(request: httpx.Request) -> httpx.Response:
        if "id_before" in request.url.params:
            return answer(200, [])
        return answer(200, [project(3)], link='<http://internal:443/api/v4/projects?id_before=3>; rel="next"')

    gitlab.script[path] = linked
    assert run(group=group).ok
    assert gitlab.paths.count(path) == 2
    assert {request.url.host for request in gitlab.requests} == {"gitlab.example.com"}


@pytest.mark.parametrize("link", ["http://internal:443/api/v4/projects", "https://gitlab.example.com/x?"])
def test_a_list_that_cannot_be_followed_is_not_fine(run: Run, gitlab: ScriptedGitLab, link: str) -> None:
    gitlab.script["/projects"] = answer(200, [project(3)], link=f'<{link}>; rel="next"')
    verification = run()
    assert (verification.code, at(verification, Step.PROJECTS).ok) == ("unexpected_response", False)


def test_a_gitlab_without_keyset_pages_is_fine(run: Run, gitlab: ScriptedGitLab) -> None:
    def old(request: httpx.Request) -> httpx.Response:
        return answer(405) if "pagination" in request.url.params else answer(200, [project(3)])

    gitlab.script["/projects"] = old
    assert run().ok
