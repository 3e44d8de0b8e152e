"""What is left to do about a build, and when its messages are sent again; pure.

Messages do the work, and a schedule sends them again: a message was lost, or a target or a GitLab was away.
"""

import hashlib
from dataclasses import replace

from gitlab_hub.builds.runs.model import Build, BuildStatus, failed

START, STOP, REPORT, POLL = "start", "stop", "report", "look"

FIRST_WAIT = 60
LONGEST_WAIT = 900
MOST_STARTS = 10
"""Retries of a start or a stop, about two hours: each that fails ends in the dead-letter queue."""
MOST_SENDS = 100
"""Retries of anything else, about a day."""
POLL_SECONDS = 900
"""How often a running build is polled at its target: its state change may have been lost on the way."""
POLLED = frozenset({"codebuild", "stepfunctions"})
UNAVAILABLE = "target_unavailable"
MAY_STILL_RUN = "The target did not answer, so the build may still run there."


def pending_actions(build: Build) -> tuple[str, ...]:
    """Name what is to be done, in the order of doing it."""
    wanted = {
        STOP: build.stop_pending,
        START: build.status is BuildStatus.PENDING and not build.needs_approval,
        REPORT: build.report_name is not None and build.reported != report_fingerprint(build),
        POLL: build.status is BuildStatus.RUNNING
        and build.external_id is not None
        and build.target.get("type") in POLLED,
    }
    return tuple(action for action, is_due in wanted.items() if is_due)


def new_actions(before: Build, after: Build) -> tuple[str, ...]:
    """Name the actions that a change makes necessary: those to send a message for."""
    old = {*pending_actions(before), POLL}  # Polling is never urgent.
    if report_fingerprint(before) != report_fingerprint(after):
        old.discard(REPORT)
    return tuple(action for action in pending_actions(after) if action not in old)


def report_fingerprint(build: Build) -> str:
    """A short name for what GitLab is to show of a build: it differs where GitLab has to be told again."""
    parts = (build.status, build.awaits_approval, build.description, build.target_url, build.external_url)
    return hashlib.sha256(repr([str(part) for part in parts]).encode()).hexdigest()[:16]


def retry_delay(sends: int) -> int:
    """Seconds until the next retry: a minute at first, a quarter of an hour in the end."""
    return int(min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(sends, 10)))


def schedule_retry(before: Build, after: Build, *, now: int) -> Build:
    """Write down when to send again for what a change leaves to do; a step forward starts the count anew."""
    sends = after.sends if after.status is before.status and after.needs_approval is before.needs_approval else 0
    left, due = pending_actions(after), now + retry_delay(sends)
    if left == (REPORT,):
        due = max(due, after.report_after)
    elif left == (POLL,):
        due = now + POLL_SECONDS
    return replace(after, sends=sends, due_at=due if left else None)


def count_retry(build: Build, *, now: int) -> Build:
    """Count one more retry; what was retried too often is given up, visibly."""
    left = pending_actions(build)
    if START in left and build.sends >= MOST_STARTS:
        return failed(build, now=now, code=UNAVAILABLE, hint="The target did not answer for two hours.")
    if STOP in left and build.sends >= MOST_STARTS:
        return replace(build, stop_pending=False, error=UNAVAILABLE, error_hint=MAY_STILL_RUN)
    if build.sends >= MOST_SENDS and REPORT in left:
        return replace(build, reported=report_fingerprint(build))
    return replace(build, sends=build.sends + 1)
