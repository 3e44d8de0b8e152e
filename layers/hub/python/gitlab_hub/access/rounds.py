"""Rounds: what costs a request for each group or project, and may be a day old, is read bit by bit. Pure.

A round goes through all groups, or all projects, in order of their ids, and each run reads the next part of it. What is
known to have changed is read before that. Where there are few, one run a day reads all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gitlab_hub.sync.asides import SHOWN

EVERY_SECONDS = 86_400
"""How often everything is read: so long after a round began the next one does."""

NOTED_SECONDS = 3_600
"""Where all is known in every run, that is noted so often: a sync that finds nothing new writes nothing else."""

AT_ONCE = 100
"""So many groups, or projects, are read in one run: they make none long."""

PARTS = 48
"""Of more, a run reads this part: a day's, with a sync every half an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """How far a round is.

    `until`: the key (an id, padded) that the next run goes on behind. `left`: how many are still to be read, as of the
    last run. `answers`: how GitLab has answered in this round (`Attempts.answers`), by sorts of groups or projects.
    """

    begun_at: int
    until: str = ""
    left: int = 0
    is_over: bool = False
    answers: dict[str, int] = field(default_factory=dict)

    @property
    def is_refused(self) -> bool:
        """Whether GitLab was asked, and has only refused."""
        return any(self.answers.values()) and SHOWN not in self.answers.values()


def going_on(before: Round | None, *, now: int, full: bool) -> Round | None:
    """The round that a run goes on with; None where the last one is over, and the next one not due."""
    if full or before is None or (before.is_over and before.begun_at + EVERY_SECONDS <= now):
        return Round(begun_at=now)
    return None if before.is_over else before


def most_at_once(count: int, *, is_first: bool, full: bool) -> int:
    """How many of so many groups or projects a run reads; of many the first run none, as it is long enough."""
    if full or count <= AT_ONCE:
        return count
    return 0 if is_first else -(-count // PARTS)


@dataclass(frozen=True, slots=True)
class Part:
    """What a run reads (keys), and the round as it is after that; None where it stays as it was."""

    keys: frozenset[str] = frozenset()
    after: Round | None = None


def part_of(
    before: Round | None, changed: Sequence[str], others: Sequence[str], *, most: int, now: int, full: bool = False
) -> Part:
    """Choose what a run reads, behind the round as the run before has left it.

    `changed`: keys of what is known to have changed, or was never read: read first, and in every run. `others`: those
    of which nothing is known in this run, in order. Of the rest it is known that nothing has changed.
    """
    first, current = changed[:most], going_on(before, now=now, full=full)
    if len(first) == len(changed) and not others:
        is_news = current is not None or before is None or before.begun_at + NOTED_SECONDS <= now
        return Part(frozenset(first), Round(begun_at=now, is_over=True) if is_news else None)
    if current is None:
        return Part(frozenset(first))
    ahead = [key for key in others if key > current.until]
    then = ahead[: most - len(first)]
    left = len(ahead) - len(then) + len(changed) - len(first)
    until = then[-1] if then else current.until
    return Part(frozenset([*first, *then]), replace(current, until=until, left=left, is_over=left == 0))
