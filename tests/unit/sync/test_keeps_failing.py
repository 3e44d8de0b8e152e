"""When a sync that fails is an alarm: whatever its interval, and not for a GitLab that was away for a moment."""

from dataclasses import replace

import pytest

from gitlab_hub.sync.incidents import keeps_failing
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import PAUSED, Run, finish, request

MINUTE, HOUR, DAY = 60, 3_600, 86_400
DOWN = {"code": "gitlab_unavailable", "hint": "GitLab answered 502."}


def after(run: Run, now: int, error: dict[str, str] | None) -> Run:
    """The next run of the sync, at its end."""
    return finish(request(run, sync_id=str(now), now=now), now=now, error=error)


def alarms(every: int, *errors: dict[str, str] | None) -> list[bool]:
    """Of runs that end every so many seconds, the first of them well, whether each is an alarm."""
    run, found = after(Run(integration_id="i1", kind=Kind.ACCESS), 0, None), []
    for number, error in enumerate(errors, 1):
        run = after(run, number * every, error)
        found.append(keeps_failing(run))
    return found


@pytest.mark.parametrize("every", [30 * MINUTE, HOUR, DAY, 30 * DAY])
def test_a_sync_of_a_single_integration_is_an_alarm_when_it_fails_again(every: int) -> None:
    assert alarms(every, DOWN, DOWN, DOWN) == [False, True, True]


def test_a_sync_that_runs_often_is_one_once_it_has_not_succeeded_for_half_an_hour() -> None:
    assert alarms(5 * MINUTE, *[DOWN] * 7) == [False] * 5 + [True] * 2


def test_a_success_in_between_ends_it() -> None:
    assert alarms(HOUR, DOWN, None, DOWN, DOWN, None) == [False, False, False, True, False]


def test_a_first_sync_that_never_succeeds_is_one() -> None:
    run = Run(integration_id="i1", kind=Kind.ACCESS)
    for number in (1, 2):
        run = after(run, number, DOWN)
    assert keeps_failing(run)


def test_a_pause_is_wanted_and_changes_nothing() -> None:
    assert alarms(HOUR, PAUSED, PAUSED) == [False, False]
    assert alarms(HOUR, DOWN, PAUSED, DOWN, PAUSED) == [False, False, True, False]


def test_a_run_of_the_release_before_has_not_failed_yet() -> None:
    run = replace(after(Run(integration_id="i1", kind=Kind.ACCESS), 1, DOWN), failures=0)
    assert not keeps_failing(after(run, HOUR, DOWN))
