"""What is left to do about a build, and when it is worth another push; pure.

Messages do the work, and a schedule pushes what they left: a message that was lost, a target or a GitLab that was away.
"""

import hashlib
from dataclasses import replace

from gitlab_hub.builds.runs.model import Build, Status, failed

START, STOP, REPORT, LOOK = "start", "stop", "report", "look"

FIRST_WAIT = 60
LONGEST_WAIT = 900
MOST_STARTS = 10
"""Pushes of a start or a stop, about two hours: each that fails ends in the dead-letter queue."""
MOST_SENDS = 100
"""Pushes of anything else, about a day."""
LOOK_SECONDS = 900
"""How often a running build is looked up at its target: its state change may have been lost on the way."""
LOOKED_UP = frozenset({"codebuild", "stepfunctions"})
UNAVAILABLE = "target_unavailable"
MAY_STILL_RUN = "The target did not answer, so the build may still run there."


def pending_actions(build: Build) -> tuple[str, ...]:
    """Name what is to be done, in the order of doing it."""
    wanted = {
        STOP: build.stop_pending,
        START: build.status is Status.PENDING and not build.needs_approval,
        REPORT: build.report_name is not None and build.reported != report_fingerprint(build),
        LOOK: build.status is Status.RUNNING
        and build.external_id is not None
        and build.target.get("type") in LOOKED_UP,
    }
    return tuple(chore for chore, is_due in wanted.items() if is_due)


def new_actions(before: Build, after: Build) -> tuple[str, ...]:
    """Name the chores that a change brought about: those to send a message for."""
    old = {*pending_actions(before), LOOK}  # Nobody is in a hurry to look.
    if report_fingerprint(before) != report_fingerprint(after):
        old.discard(REPORT)
    return tuple(chore for chore in pending_actions(after) if chore not in old)


def report_fingerprint(build: Build) -> str:
    """A short name for what GitLab is to show of a build: it differs where GitLab has to be told again."""
    parts = (build.status, build.awaits_approval, build.description, build.target_url, build.external_url)
    return hashlib.sha256(repr([str(part) for part in parts]).encode()).hexdigest()[:16]


def wait_of(sends: int) -> int:
    """Seconds until the next push: a minute at first, a quarter of an hour in the end."""
    return int(min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(sends, 10)))


def schedule_retry(before: Build, after: Build, *, now: int) -> Build:
    """Write down when to push what a change leaves to do; a step forward starts the count anew."""
    sends = after.sends if after.status is before.status and after.needs_approval is before.needs_approval else 0
    left, due = pending_actions(after), now + wait_of(sends)
    if left == (REPORT,):
        due = max(due, after.report_after)
    elif left == (LOOK,):
        due = now + LOOK_SECONDS
    return replace(after, sends=sends, due_at=due if left else None)


def count_retry(build: Build, *, now: int) -> Build:
    """Count one more push; what was pushed too often is given up, visibly."""
    left = pending_actions(build)
    if START in left and build.sends >= MOST_STARTS:
        return failed(build, now=now, code=UNAVAILABLE, hint="The target did not answer for two hours.")
    if STOP in left and build.sends >= MOST_STARTS:
        return replace(build, stop_pending=False, error=UNAVAILABLE, error_hint=MAY_STILL_RUN)
    if build.sends >= MOST_SENDS and REPORT in left:
        return replace(build, reported=report_fingerprint(build))
    return replace(build, sends=build.sends + 1)
