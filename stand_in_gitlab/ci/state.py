"""What a pipeline looks like at a given moment."""

from stand_in_gitlab.ci.model import Attempt, State
from stand_in_gitlab.ci.plan import latest


def state_at(created: float, attempts: list[Attempt], now: float, touched: float | None = None) -> State:
    """Derive status and times from the attempts, as if GitLab had moved them one by one."""
    if not attempts:
        return State("skipped", created, None, None)
    phases = _phases(attempts, now)
    start, end, members = phases[-1]
    started = min((each.started for each in attempts if each.ran and each.started <= now), default=None)
    if now < end:
        status, updated = _moving(members, now, start, first=len(phases) == 1)
        return State(status, max(updated, touched or 0), started, None)
    status = _outcome(latest([attempt for attempt in attempts if attempt.created <= now]))
    finished = None if status in {"manual", "scheduled"} else end
    return State(status, max(end, touched or 0), started, finished)


def _phases(attempts: list[Attempt], now: float) -> list[tuple[float, float, list[Attempt]]]:
    """Stretches of activity: the first run, then every later retry that came after it had ended."""
    phases: list[tuple[float, float, list[Attempt]]] = []
    for attempt in sorted(attempts, key=lambda each: (each.created, each.id)):
        if attempt.created > now:
            break
        if phases and attempt.created <= phases[-1][1]:
            start, end, members = phases[-1]
            phases[-1] = (start, max(end, attempt.finished), [*members, attempt])
        else:
            phases.append((attempt.created, attempt.finished, [attempt]))
    return phases


def _moving(members: list[Attempt], now: float, start: float, *, first: bool) -> tuple[str, float]:
    if not first:
        return "running", start
    begun = [attempt.started for attempt in members if attempt.ran and attempt.started <= now]
    if begun:
        return "running", min(begun)
    queued = [attempt.queued for attempt in members if attempt.queued <= now]
    return ("pending", min(queued)) if queued else ("created", start)


def _outcome(attempts: list[Attempt]) -> str:
    outcomes = {attempt.outcome for attempt in attempts if not (attempt.allow_failure and attempt.outcome == "failed")}
    for status in ("canceled", "failed", "scheduled", "manual"):
        if status in outcomes:
            return status
    return "skipped" if outcomes == {"skipped"} else "success"
