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


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """What one operation changes: `account_id` is set where it changes or removes a member of `place`."""

    index: int
    place: str
    member_count: int
    account_id: int | None


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
        here = [touch for touch in touches if touch.place == place and touch.account_id is not None]
        before = {account for one in spent for account in one.members.get(place, ())}
        changed = before | {touch.account_id for touch in here}
        if here and len(changed) > max(1, max(touch.member_count for touch in here) // ONE_IN):
            found |= {touch.index for touch in here}
    return found


def spending(touches: Sequence[Touch], *, plan_id: str, at: int) -> Spent:
    """What a plan takes of the limits."""
    members: dict[str, list[int]] = {}
    for touch in touches:
        if touch.account_id is not None:
            members.setdefault(touch.place, []).append(touch.account_id)
    return Spent(at=at, plan_id=plan_id, operations=len(touches), members=members)
