"""What every operation gives: what it comes to as GitLab is now, what is so, and what takes it back."""

from dataclasses import dataclass
from typing import Protocol

from gitlab_hub.gitlab.roles import OWNER
from gitlab_hub.provisioning.facts import Hand
from gitlab_hub.provisioning.model import Call, Step
from gitlab_hub.provisioning.operation import CLOSING, Kind, Mode, Operation, Resource
from gitlab_hub.provisioning.reading import LiveReader
from gitlab_hub.provisioning.refusals import Code
from gitlab_hub.provisioning.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What an operation comes to. Without calls there is nothing to do; with refusals nothing is done."""

    before: State | None
    after: State | None
    calls: tuple[Call, ...] = ()
    refusals: tuple[Code, ...] = ()
    refusals_first: bool = False
    """Whether its refusals count even where what is there looks as planned: it is not seen, or lives on elsewhere."""

    @property
    def changes_member(self) -> bool:
        """Whether it changes or removes somebody who is a member already."""
        return bool(self.calls) and self.before is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the rest of a plan, and the hub's own copy, mean for one operation.

    `is_fresh`: whether the mirror is fit to decide by, and covers the place. `counts`: whether it is to be counted how
    many members there are. `ahead`: the operations of the same plan that are done before it. `holder`: the account that
    an address belongs to, by the hub's own copy.
    """

    hand: Hand
    is_fresh: bool = True
    counts: bool = False
    ahead: tuple[Operation, ...] = ()
    holder: str | None = None

    def gone(self, resource: Resource) -> frozenset[int]:
        """Who may stop being an Owner of a group or project by what is done before."""
        return frozenset(
            one.account_id
            for one in self.ahead
            if one.kind in CLOSING
            or (
                one.where == resource
                and (
                    one.kind in {Kind.REVOKE, Kind.OFFBOARD} or (one.mode == Mode.EXACTLY and one.access_level != OWNER)
                )
            )
        )

    def coming(self, resource: Resource) -> frozenset[int]:
        """Who becomes an Owner of a group or project by what is done before."""
        return frozenset(
            one.account_id
            for one in self.ahead
            if one.where == resource and one.kind is Kind.GRANT and one.access_level == OWNER
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An operation as GitLab is now.

    `subject`: whom it is about, as people call it. `full_path` is empty where there is no such place.
    `members`: how many the place has; `touched`: the accounts among them whose access it changes or ends.
    """

    decision: Decision
    sentence: str
    subject: str
    full_path: str
    members: int = 0
    touched: frozenset[int] = frozenset()


class OperationType(Protocol):
    """One kind of operation, or a few about the same thing; it holds nothing. To read may raise GitLabError."""

    waits_for: str | None
    """What GitLab still waits for once all is sent, where it does: the operation is `accepted` then."""

    makes_members: bool
    """Whether GitLab may change somebody's membership in the place of what is planned."""

    async def look(self, reader: LiveReader, operation: Operation, around: Around) -> Finding:
        """Read what decides about an operation, and decide."""

    async def state(self, reader: LiveReader, operation: Operation) -> State | None:
        """What an operation would change, as it is now: what its `before` and `after` are compared with.

        None says that it is not there. Raises OutOfSight where GitLab would not show it to the token if it were.
        """

    def back(self, step: Step) -> Operation | None:
        """What takes a step back that was carried out; None where nothing does."""
