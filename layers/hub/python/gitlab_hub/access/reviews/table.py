"""Who has what as a table for auditors, as CSV. Pure."""

import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from gitlab_hub.access.reviews.model import Item, Membership, Review
from gitlab_hub.access.reviews.remediation import Key, is_planned, remediated_at
from gitlab_hub.csv_lines import csv_line, time
from gitlab_hub.gitlab.roles import role_name
from gitlab_hub.web.errors import Unprocessable
from gitlab_hub.web.responses import MAX_ANSWER_BYTES

_ROOM = 10_000
"""Left for the headers and the frame of the answer."""
SOURCE_SYSTEM = "gitlab"


class Frozen(Protocol):
    """What rows were taken from, and when: a review, or the state of a day."""

    @property
    def id(self) -> str:
        """The review; empty where there is none."""

    @property
    def snapshot_at(self) -> int:
        """When it was frozen (unix seconds)."""

    @property
    def complete(self) -> bool:
        """Whether the sync before could read everything."""


Column = Callable[[Frozen, Item], Any]


def completeness(review: Frozen, item: Item) -> str:
    """How sure the row is: a sync that could not read everything, or a hidden group, may leave out some access."""
    if item.at_least:
        return "at_least"
    return "complete" if review.complete else "incomplete"


def _decision(item: Item) -> str | None:
    if item.new_access_level is None:
        return item.decision
    return f"{item.decision} to {role_name(item.new_access_level)} ({item.new_access_level})"


def _place(one: Membership) -> str:
    return one["full_path"] or f"{one['type']} {one['id']}"


COLUMNS: dict[str, Column] = {
    "review_id": lambda review, _: review.id,
    "snapshot_at": lambda review, _: time(review.snapshot_at),
    "source_system": lambda _review, _item: SOURCE_SYSTEM,
    "completeness": completeness,
    "account_id": lambda _, item: item.account_id,
    "username": lambda _, item: item.username,
    "name": lambda _, item: item.name,
    "email": lambda _, item: item.email,
    "email_source": lambda _, item: item.email_source,
    "account_kind": lambda _, item: item.account_kind,
    "account_status": lambda _, item: item.account_status,
    "two_factor": lambda _, item: item.two_factor_enabled,
    "external": lambda _, item: item.external,
    "resource_type": lambda _, item: item.resource_type,
    "resource_id": lambda _, item: item.resource_id,
    "resource_path": lambda _, item: item.full_path,
    "visibility": lambda _, item: item.visibility,
    "role": lambda _, item: role_name(item.access_level),
    "access_level": lambda _, item: item.access_level,
    "custom_role": lambda _, item: item.custom_role,
    "membership_type": lambda _, item: item.kind,
    "membership_source": lambda _, item: item.source,
    "cap": lambda _, item: item.cap,
    "granted_at": lambda _, item: time(item.granted_at),
    "granted_by": lambda _, item: item.granted_by,
    "expires_at": lambda _, item: time(item.ends_at),
    "overdue": lambda _, item: item.overdue,
    "last_sign_in_at": lambda _, item: time(item.last_sign_in_at),
    "last_activity_on": lambda _, item: item.last_activity_on,
    "activity_source": lambda _, item: item.activity_source,
    "privileged": lambda _, item: item.privileged,
    "revoke_at": lambda _, item: "; ".join(map(_place, item.revoke_at)),
    "reviewer": lambda _, item: item.decided_by,
    "decision": lambda _, item: _decision(item),
    "decision_at": lambda _, item: time(item.decided_at),
    "comment": lambda _, item: item.comment,
    "remediation_plan_id": lambda _review, _item: None,
    "remediated_at": lambda _review, _item: None,
}
"""The columns in their order. What became of decisions only a review has: `_remedied`."""


def _remedied(review: Review, done: Mapping[Key, int | None]) -> dict[str, Column]:
    """The columns with those filled that tell which plan carries a decision out, and when that was done."""
    return {
        **COLUMNS,
        "remediation_plan_id": lambda _, item: review.plan_id if is_planned(item, done) else None,
        "remediated_at": lambda _, item: time(remediated_at(item, done)) if is_planned(item, done) else None,
    }


def csv_of(
    review: Review,
    items: Iterable[Item],
    *,
    done: Mapping[Key, int | None] = MappingProxyType({}),
    most: int = MAX_ANSWER_BYTES - _ROOM,
) -> str:
    """Write a review row by row as its items come. Raises Unprocessable as soon as it outgrows an answer.

    `done`: what its plan is about, and when each of that was done. `most` is in bytes of the answer as Lambda sends it,
    which is JSON (`web/responses.py`).
    """
    columns = _remedied(review, done)
    parts, left = [csv_line(columns)], most
    for item in items:
        parts.append(csv_line([column(review, item) for column in columns.values()]))
        left -= len(json.dumps(parts[-1])) - 2
        if left < 0:
            raise Unprocessable(
                "The review is larger than the 6 MB of an answer; page through GET …/reviews/{review_id}/items instead."
            )
    return "".join(parts)
