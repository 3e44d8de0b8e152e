"""How much may change at once: in one plan, and in any 24 hours. Pure.

Additions count as operations only: they harm nobody who is there. What a plan changes or removes of members counts per
group or project, each account once. A group of fewer than ten may still lose or change one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

WINDOW_SECONDS = 86_400
MOST_OPERATIONS = 25
ONE_IN = 10
"""Of so many members of a group or project one may change."""

MOST_COUNTED = 1_001
"""Accounts in one place: more than a tenth of the 10,000 up to which GitLab counts members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """What one operation changes: `accounts` are those among the members of `place` whose access it changes or ends."""

    index: int
    place: str
    member_count: int
    accounts: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one plan has taken of the limits, and when (unix seconds): operations, and accounts by place."""

    at: int
    plan_id: str
    operations: int
    members: Mapping[str, Sequence[int]] = field(default_factory=dict)


def in_window(spent: Iterable[Spent], now: float) -> list[Spent]:
    """What still counts."""
    return [one for one in spent if now - one.at < WINDOW_SECONDS]


def beyond(touches: Sequence[Touch], spent: Sequence[Spent]) -> set[int]:
    """The operations (by their numbers) that go beyond the limits: all of a plan, or all in one place."""
    if len(touches) + sum(one.operations for one in spent) > MOST_OPERATIONS:
        return {touch.index for touch in touches}
    found: set[int] = set()
    for place in {touch.place for touch in touches}:
        here = [touch for touch in touches if touch.place == place and touch.accounts]
        before = {account for one in spent for account in one.members.get(place, ())}
        changed = before.union(*(touch.accounts for touch in here))
        if here and len(changed) > max(1, max(touch.member_count for touch in here) // ONE_IN):
            found |= {touch.index for touch in here}
    return found


def spending(touches: Sequence[Touch], *, plan_id: str, at: int) -> Spent:
    """What a plan takes of the limits."""
    members: dict[str, set[int]] = {}
    for touch in touches:
        if touch.accounts:
            members.setdefault(touch.place, set()).update(touch.accounts)
    kept = {place: sorted(accounts)[:MOST_COUNTED] for place, accounts in members.items()}
    return Spent(at=at, plan_id=plan_id, operations=len(touches), members=kept)
