"""A build in GitLab's words, and what GitLab's answers mean for it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.builds.runs.actions import REPORT, pending_actions
from gitlab_hub.builds.runs.commit_status import ReportOutcome, classify, status_of, with_report_outcome
from gitlab_hub.builds.runs.model import BuildStatus, with_status
from gitlab_hub.builds.runs.status_target import StatusTarget, default_target, last_or_default_target, left_targets
from gitlab_hub.gitlab.error_mapping import raise_for
from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    HostNotAllowed,
    HostUnreachable,
    InsufficientScope,
    MissingPermissions,
    NotGitLab,
    RateLimited,
    ReadOnly,
    ResourceNotFound,
    StatusUnchanged,
    TlsError,
    Unauthorized,
    Unavailable,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.messages import RawResponse
from tests.unit.builds.targets.test_steps import NOW, RUNNING


def test_texts_are_cut_to_what_gitlab_takes() -> None:
    told = status_of(replace(RUNNING, description="ä" * 300, report_name="n" * 300), HERE)
    assert (len(told["description"]), len(told["name"])) == (255, 255)


def test_what_is_not_known_is_left_out() -> None:
    bare = replace(RUNNING, ref=RUNNING.sha)
    assert status_of(bare, default_target(bare)) == {"state": "running", "name": "hub"}


def test_a_forks_branch_is_not_taken_for_the_projects_own_of_that_name() -> None:
    fork = replace(RUNNING, ref_kind="fork", source_project_id=99, merge_request_iid=3)
    assert default_target(fork) == StatusTarget(RUNNING.sha, "refs/merge-requests/3/head")
    assert default_target(RUNNING) == StatusTarget(RUNNING.sha, RUNNING.ref)


def test_a_reported_address_comes_before_the_console_of_aws() -> None:
    aws = replace(RUNNING, external_url="https://console.example")
    assert status_of(aws, HERE)["target_url"] == "https://console.example"
    assert status_of(replace(aws, target_url="https://ci.example"), HERE)["target_url"] == "https://ci.example"


HERE = StatusTarget(RUNNING.sha)
LATER = [
    HostUnreachable(""),
    TlsError(""),
    NotGitLab("", http_status=200),
    NotGitLab("", http_status=403),
    NotGitLab("", http_status=404),
    Unauthorized("", http_status=401),
    UnexpectedResponse("", http_status=409),
    UnexpectedResponse("", http_status=201),
    Unavailable("", http_status=503),
    ReadOnly("", http_status=403),
]
NEVER = [
    ResourceNotFound("", http_status=404),
    Forbidden("", http_status=403),
    HostNotAllowed(""),
    UnexpectedResponse("", http_status=400),
    UnexpectedResponse("", http_status=422),
]


@pytest.mark.parametrize("error", LATER)
def test_what_may_pass_is_tried_again(error: GitLabError) -> None:
    assert classify(error, draw=0.0) == ReportOutcome(error.code, again=True, wait=30)


@pytest.mark.parametrize("error", NEVER)
def test_what_stays_is_left(error: GitLabError) -> None:
    assert classify(error, draw=0.0) == ReportOutcome(error.code)


@pytest.mark.parametrize("kind", [InsufficientScope, MissingPermissions])
def test_what_the_token_lacks_is_kept_for_whoever_makes_a_new_one(kind: type[GitLabError]) -> None:
    assert classify(kind("a word", http_status=403), draw=0.0) == ReportOutcome("invalid_permissions", hint="a word")


def test_a_pause_is_as_long_as_gitlab_wants_with_some_jitter() -> None:
    limited = RateLimited("", http_status=429, retry_after=600)
    assert [classify(limited, draw=draw).wait for draw in (0.0, 1.0)] == [600, 615]


def test_what_was_posted_is_noted_of_what_was_posted_only() -> None:
    done = with_report_outcome(RUNNING, RUNNING, ReportOutcome(pipeline_id=9), now=NOW)
    assert (done.reported_status, done.status_pipeline_id, REPORT in pending_actions(done)) == ("running", 9, False)
    ahead = with_status(RUNNING, BuildStatus.SUCCESS, now=NOW)
    behind = with_report_outcome(ahead, RUNNING, ReportOutcome(pipeline_id=9), now=NOW)
    assert REPORT in pending_actions(behind), "the newer state is still to be shown"


def test_every_pipeline_that_was_left_is_remembered_with_its_commit() -> None:
    build, merged = RUNNING, "b" * 40
    for pipeline_id, sha in ((9, RUNNING.sha), (10, merged), (11, RUNNING.sha)):
        build = with_report_outcome(build, build, ReportOutcome(pipeline_id=pipeline_id, sha=sha), now=NOW)
    assert (build.status_pipeline_id, build.status_sha) == (11, RUNNING.sha)
    assert build.left_pipelines == {"9": RUNNING.sha, "10": merged}
    again = with_report_outcome(build, build, ReportOutcome(pipeline_id=11, sha=RUNNING.sha), now=NOW)
    assert again.left_pipelines == build.left_pipelines
    back = with_report_outcome(build, build, ReportOutcome(pipeline_id=10, sha=merged), now=NOW)
    assert (back.status_sha, back.left_pipelines) == (merged, {"9": RUNNING.sha, "11": RUNNING.sha})


def test_all_pipelines_but_the_one_of_the_status_are_left() -> None:
    shown = replace(RUNNING, status_pipeline_id=11, status_sha="b" * 40, left_pipelines={"9": RUNNING.sha})
    nine, eleven = StatusTarget(RUNNING.sha, pipeline_id=9), StatusTarget("b" * 40, pipeline_id=11)
    assert left_targets(shown, eleven) == [nine]
    assert left_targets(shown, StatusTarget(RUNNING.sha, pipeline_id=12)) == [nine, eleven]
    assert left_targets(RUNNING, HERE) == []


def test_no_ref_stands_beside_the_id_of_a_pipeline() -> None:
    shown = replace(RUNNING, status_pipeline_id=9, status_sha="b" * 40)
    assert last_or_default_target(RUNNING) == default_target(RUNNING)
    assert last_or_default_target(shown) == StatusTarget("b" * 40, pipeline_id=9)
    assert last_or_default_target(replace(shown, status_sha=None)) == StatusTarget(RUNNING.sha, pipeline_id=9)
    assert status_of(shown, last_or_default_target(shown)) == {"state": "running", "name": "hub", "pipeline_id": 9}


def test_a_pipeline_is_remembered_through_answers_that_name_none() -> None:
    known = replace(RUNNING, status_pipeline_id=9, status_sha="b" * 40)
    done = with_report_outcome(known, known, ReportOutcome(), now=NOW)
    assert (done.status_pipeline_id, done.status_sha, done.left_pipelines) == (9, "b" * 40, {})


def refusal(status: int, body: Any) -> RawResponse:
    return RawResponse(status=status, headers={"content-type": "application/json"}, body=json.dumps(body).encode())


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (
            'Cannot transition status via :run from :running (Reason(s): Status cannot transition via "run")',
            StatusUnchanged,
        ),
        ("400 Bad request - Cannot transition status via :enqueue from :success", StatusUnchanged),
        ("name is too long", UnexpectedResponse),
        ({"name": ["Cannot transition status"]}, UnexpectedResponse),
    ],
)
def test_gitlabs_word_for_a_status_it_has_is_a_decision_of_its_own(message: Any, kind: type[Exception]) -> None:
    with pytest.raises(GitLabError) as raised:
        raise_for(refusal(400, {"message": message}))
    assert type(raised.value) is kind
    assert "Reason(s)" not in str(raised.value)


def test_only_a_bad_request_says_so() -> None:
    with pytest.raises(Forbidden):
        raise_for(refusal(403, {"message": "Cannot transition status via :run from :running"}))
