"""What a closed review asks to be changed: its decisions as changes of memberships. Pure.

A decision is about access to one group or project; what can be changed is the membership that gives it, which may give
other access too. So a membership is left as it is where the review also says to keep what it gives.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from gitlab_hub.access.reviews.model import Decision, Item, Membership
from gitlab_hub.gitlab.roles import MINIMAL_ACCESS

Key = tuple[str, int, int]
"""A membership: type and id of its group or project, and the account's id."""


class WhyLeftOut(StrEnum):
    """Why a decision asks for no change. The texts are part of the API."""

    KEPT_ELSEWHERE = "kept_elsewhere"
    NO_MEMBERSHIP = "no_membership"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A membership to take away (`level` None) or to lower. `expected`: its level when the review was made."""

    key: Key
    expected: int
    level: int | None = None
    expires_on: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remediation:
    """What a review comes to: changes, and the decisions (by items) that ask for none, with the reason."""

    remedies: Sequence[Remedy]
    left_out: Mapping[str, WhyLeftOut]


class Plans(Protocol):
    """Makes plans of what reviews ask for, and knows what became of them."""

    def make(self, integration_id: str, remedies: Sequence[Remedy], *, note: str, actor: str) -> str:
        """Make a plan and give its id. Raises HubError where none can be made."""

    def status(self, integration_id: str, plan_id: str) -> str | None:
        """How a plan stands; None: it can no longer be applied, and never was."""

    def done(self, integration_id: str, plan_id: str) -> Mapping[Key, int | None]:
        """What a plan is about, and when it was done (unix seconds); None: it was not."""


def remediation(items: Iterable[Item]) -> Remediation:
    """What the decisions about some items come to; those that ask for nothing tell what is to stay."""
    wanted: dict[Key, list[Item]] = defaultdict(list)
    levels: dict[Key, int] = {}
    asking: dict[str, list[Key]] = {}
    left_out: dict[str, WhyLeftOut] = {}
    for item in items:
        if item.decision is None:
            continue
        for one in touched(item):
            key = _key(item, one)
            wanted[key].append(item)
            levels[key] = one["level"]
        if item.decision != Decision.KEEP:
            asking[item.id] = [_key(item, one) for one in touched(item)]
    found = {key: remedy for key in wanted if (remedy := _remedy(key, levels[key], wanted[key])) is not None}
    for item_id, keys in asking.items():
        if not keys:
            left_out[item_id] = WhyLeftOut.NO_MEMBERSHIP
        elif not all(key in found for key in keys):
            left_out[item_id] = WhyLeftOut.KEPT_ELSEWHERE
    return Remediation(remedies=list(found.values()), left_out=left_out)


def touched(item: Item) -> list[Membership]:
    """The memberships that a decision about an item is about.

    Access to be revoked without a membership is looked for where it is, so that the plan says why there is none.
    """
    if item.decision == Decision.CHANGE:
        return [one for one in item.revoke_at if one["level"] > (item.new_access_level or 0) and _takes(one, item)]
    here = Membership(type=item.resource_type, id=item.resource_id, full_path=item.full_path, level=item.access_level)
    return list(item.revoke_at) or ([here] if item.decision == Decision.REVOKE else [])


def remediated_at(item: Item, done: Mapping[Key, int | None]) -> int | None:
    """When all that the decision about an item asks for was done (unix seconds); None: not all of it was."""
    moments = [done.get(_key(item, one)) for one in touched(item)]
    known = [moment for moment in moments if moment is not None]
    return max(known) if known and len(known) == len(moments) else None


def is_planned(item: Item, done: Mapping[Key, int | None]) -> bool:
    """Whether a plan has something of what the decision about an item asks for."""
    asks = item.decision in {Decision.REVOKE, Decision.CHANGE}
    return asks and any(_key(item, one) in done for one in touched(item))


def _remedy(key: Key, level: int, items: Sequence[Item]) -> Remedy | None:
    """What is to become of one membership, by all decisions about what it gives: the most that any of them leaves."""
    if any(item.decision == Decision.KEEP for item in items):
        return None
    lowered = [item.new_access_level or 0 for item in items if item.decision == Decision.CHANGE]
    if not lowered:
        return Remedy(key=key, expected=level)
    # Access ends no later than the membership that gives it: the latest end is the membership's, or comes before it.
    ends = [item.ends_at for item in items]
    last = None if None in ends else max(end for end in ends if end is not None)
    day = None if last is None else datetime.fromtimestamp(last, UTC).date().isoformat()
    return Remedy(key=key, expected=level, level=max(lowered), expires_on=day)


def _takes(one: Membership, item: Item) -> bool:
    return one["type"] == "group" or item.new_access_level != MINIMAL_ACCESS


def _key(item: Item, one: Membership) -> Key:
    return one["type"], one["id"], item.account_id
