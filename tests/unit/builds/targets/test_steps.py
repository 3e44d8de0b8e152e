"""The steps of a build, and the actions they leave."""

from dataclasses import replace

import pytest

from gitlab_hub.builds.runs.actions import (
    FIRST_WAIT,
    LONGEST_WAIT,
    MOST_SENDS,
    MOST_STARTS,
    REPORT,
    START,
    STOP,
    count_retry,
    new_actions,
    pending_actions,
    report_fingerprint,
    retry_delay,
    schedule_retry,
)
from gitlab_hub.builds.runs.claims import dedupe_id, manual_id
from gitlab_hub.builds.runs.model import Build, BuildStatus, approved, canceled, failed, with_status
from gitlab_hub.builds.runs.starter import with_started
from gitlab_hub.builds.targets.base import Started
from gitlab_hub.builds.triggers.model import BuildRequest
from gitlab_hub.ids import owner_of

NOW = 1_000
PENDING = Build(
    id="bld_0a1b_1",
    integration_id="int_0a1b",
    trigger_id="trg_0a1b_1",
    project_id=7,
    event="push",
    ref="main",
    sha="a" * 40,
    target={"type": "sqs"},
    created_at=0,
    updated_at=0,
    created_ms=0,
    report_name="hub",
)
RUNNING = replace(PENDING, status=BuildStatus.RUNNING, started_at=5, starting_at=4)
REQUEST = BuildRequest(
    trigger_id="trg_0a1b_1",
    integration_id="int_0a1b",
    project_id=7,
    project_path=None,
    event="push",
    ref="main",
    sha="a" * 40,
    actor=None,
    delivery_id=None,
)
ENDS = [status for status in BuildStatus if status.finished]


@pytest.mark.parametrize("to", BuildStatus)
@pytest.mark.parametrize("end", ENDS)
def test_what_has_ended_stays_wholly_as_it_is(end: BuildStatus, to: BuildStatus) -> None:
    ended = with_status(RUNNING, end, now=NOW)
    assert with_status(ended, to, now=NOW + 1, description="late", target_url="https://x") is ended
    assert canceled(ended, now=NOW + 1) is ended
    assert failed(ended, now=NOW + 1, code="c", hint="h") is ended


@pytest.mark.parametrize("end", ENDS)
def test_an_end_has_its_time_and_keeps_the_start(end: BuildStatus) -> None:
    ended = with_status(RUNNING, end, now=NOW)
    assert (ended.status, ended.started_at, ended.finished_at, ended.updated_at) == (end, 5, NOW, NOW)


def test_a_running_build_does_not_wait_again() -> None:
    assert with_status(RUNNING, BuildStatus.PENDING, now=NOW) is RUNNING
    assert with_status(RUNNING, BuildStatus.RUNNING, now=NOW) is RUNNING
    assert with_status(RUNNING, BuildStatus.RUNNING, now=NOW, description="half").started_at == 5


def test_a_start_is_counted_from_the_first_word_of_it() -> None:
    assert with_status(PENDING, BuildStatus.RUNNING, now=NOW).started_at == NOW


def test_only_what_may_be_at_its_target_has_to_be_stopped_there() -> None:
    assert canceled(PENDING, now=NOW).stop_pending is False
    assert canceled(RUNNING, now=NOW).stop_pending is True
    assert canceled(replace(PENDING, starting_at=NOW), now=NOW).stop_pending is True


def test_approving_counts_only_while_a_build_waits() -> None:
    waiting = replace(PENDING, needs_approval=True)
    assert approved(waiting, now=NOW).needs_approval is False
    ended = canceled(waiting, now=NOW)
    assert approved(ended, now=NOW) is ended


def test_a_hand_over_never_moves_an_end_and_has_what_was_canceled_stopped() -> None:
    started = Started("ext", "https://x")
    assert with_started(PENDING, started, now=NOW).status is BuildStatus.RUNNING
    ended = with_status(RUNNING, BuildStatus.SUCCESS, now=NOW)
    assert with_started(ended, started, now=NOW).status is BuildStatus.SUCCESS
    gone = canceled(PENDING, now=NOW)
    stopping = with_started(gone, started, now=NOW)
    assert (stopping.status, stopping.stop_pending, stopping.external_id) == (BuildStatus.CANCELED, True, "ext")


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, sha="b" * 40),
        replace(REQUEST, project_id=8),
        replace(REQUEST, trigger_id="trg_0a1b_2"),
        replace(REQUEST, integration_id="int_0c2d"),
        replace(REQUEST, event="tag_push", ref_kind="tag"),
        replace(REQUEST, event="tag_push", ref_kind="tag", ref="v2"),
        replace(REQUEST, event="merge_request", ref_kind="fork", source_project_id=9),
        replace(REQUEST, event="merge_request", ref_kind="fork", source_project_id=None, merge_request_iid=3),
        replace(REQUEST, deletes_ref=True),
        replace(REQUEST, ref="feature"),  # A merge may move a branch forward to a commit that was built on another.
    ],
)
def test_another_commit_branch_trigger_tag_or_fork_is_another_claim(other: BuildRequest) -> None:
    assert dedupe_id(other) != dedupe_id(REQUEST)


@pytest.mark.parametrize(
    "same",
    [
        replace(REQUEST, event="merge_request", merge_request_iid=3, source_project_id=7),
        replace(REQUEST, delivery_id="dlv_0a1b_2", actor="somebody"),
        replace(REQUEST, needs_approval=True),
    ],
)
def test_the_same_commit_is_one_claim_however_it_came(same: BuildRequest) -> None:
    assert dedupe_id(same) == dedupe_id(REQUEST)


def test_two_forks_that_gitlab_no_longer_knows_are_two() -> None:
    gone = replace(REQUEST, event="merge_request", ref_kind="fork", source_project_id=None, merge_request_iid=3)
    assert dedupe_id(gone) != dedupe_id(replace(gone, merge_request_iid=4))


def test_a_claim_has_the_id_that_the_release_before_gave_it() -> None:
    # Its builds are found by it, so that no commit is built anew by an upgrade.
    assert dedupe_id(REQUEST) == "bld_0a1b_873519332f11d952754cba84"


def test_ids_name_their_integration() -> None:
    assert owner_of(dedupe_id(REQUEST)) == "int_0a1b"
    assert owner_of(manual_id("int_0a1b", "seed")) == "int_0a1b"
    assert manual_id("int_0a1b", "seed") != manual_id("int_0a1b", "other")


def test_actions_are_what_is_left_to_do() -> None:
    shown = replace(PENDING, reported=report_fingerprint(PENDING))
    assert pending_actions(PENDING) == (START, REPORT)
    assert pending_actions(shown) == (START,)
    assert pending_actions(replace(shown, needs_approval=True)) == (REPORT,), "that it waits is told"
    assert pending_actions(replace(PENDING, report_name=None)) == (START,)
    running = replace(RUNNING, reported=report_fingerprint(RUNNING))
    assert pending_actions(running) == ()
    assert pending_actions(canceled(running, now=NOW)) == (STOP, REPORT)


def test_news_is_what_a_change_brought_about() -> None:
    told = replace(PENDING, reported=report_fingerprint(PENDING))
    assert new_actions(PENDING, replace(PENDING, starting_at=NOW)) == ()
    assert new_actions(PENDING, with_status(PENDING, BuildStatus.RUNNING, now=NOW)) == (REPORT,)
    assert new_actions(told, with_status(told, BuildStatus.RUNNING, now=NOW)) == (REPORT,)
    waiting = replace(told, needs_approval=True)
    assert START in new_actions(waiting, approved(waiting, now=NOW))


def test_the_schedule_waits_longer_each_time_and_never_for_ever() -> None:
    waits = [retry_delay(sends) for sends in range(MOST_SENDS)]
    assert waits[:5] == [FIRST_WAIT, 120, 240, 480, LONGEST_WAIT]
    assert max(waits) == LONGEST_WAIT
    # A GitLab that was away for an hour is told within the next quarter of one.
    assert sum(waits) > 24 * 3600 - LONGEST_WAIT


def test_a_plan_counts_from_the_last_step_forward() -> None:
    often = replace(PENDING, sends=4)
    assert schedule_retry(often, often, now=NOW).due_at == NOW + LONGEST_WAIT
    assert schedule_retry(often, with_status(often, BuildStatus.RUNNING, now=NOW), now=NOW).due_at == NOW + FIRST_WAIT
    done = replace(RUNNING, reported=report_fingerprint(RUNNING), due_at=NOW)
    assert schedule_retry(done, done, now=NOW).due_at is None


def test_a_plan_leaves_gitlab_the_pause_it_wants_and_does_not_hold_up_a_start_for_it() -> None:
    assert schedule_retry(RUNNING, replace(RUNNING, report_after=NOW + 5_000), now=NOW).due_at == NOW + 5_000
    assert schedule_retry(PENDING, replace(PENDING, report_after=NOW + 5_000), now=NOW).due_at == NOW + FIRST_WAIT


def test_what_was_pushed_too_often_is_given_up_visibly() -> None:
    assert count_retry(PENDING, now=NOW).sends == 1
    lost = count_retry(replace(PENDING, sends=MOST_STARTS), now=NOW)
    assert (lost.status, lost.error) == (BuildStatus.FAILED, "target_unavailable")
    running_on = count_retry(replace(canceled(RUNNING, now=NOW), sends=MOST_STARTS), now=NOW)
    assert (running_on.stop_pending, running_on.error) == (False, "target_unavailable")
    assert pending_actions(running_on) == (REPORT,)
    stuck = replace(running_on, sends=MOST_SENDS, reported_error="host_unreachable")
    given_up = count_retry(stuck, now=NOW)
    assert (pending_actions(given_up), given_up.reported_error) == ((), "host_unreachable")
