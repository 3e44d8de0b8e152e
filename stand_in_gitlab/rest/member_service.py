"""Adds people, one by one, to one group or project: what `POST members` and `POST invitations` have in common."""

from dataclasses import dataclass, field, replace

from stand_in_gitlab.company.member_rules import is_locked, takes_a_seat
from stand_in_gitlab.company.model import GUEST, MINIMAL, OWNER, Membership, QueuedMember, User
from stand_in_gitlab.company.state import Company, Source
from stand_in_gitlab.rest.ask import Ask
from stand_in_gitlab.rest.member_checks import Problems, full_messages, problems_of, sentence
from stand_in_gitlab.rest.member_params import Wanted
from stand_in_gitlab.rest.member_rights import MemberRights
from stand_in_gitlab.rest.membership_changes import MembershipChanges
from stand_in_gitlab.rest.refusals import forbidden

QUEUED = "Request queued for administrator approval."
LOCKED = "Members::CreateService::MembershipLockedError"
"""What several additions are told of a lock: the error has no message, so Ruby names its class."""
MOST = 100
TOO_MANY = f"Too many users specified (limit is {MOST})"


@dataclass(slots=True, kw_only=True)
class Added:
    """What became of one person; `refused` says that the caller may not do it."""

    user: User
    member: Membership
    problems: Problems = field(default_factory=dict)
    refused: str | None = None
    queued: bool = False

    @property
    def sentence(self) -> str:
        """Everything that is wrong, in a row."""
        return sentence([*([self.refused] if self.refused else []), *full_messages(self.problems)])


class MemberService:
    """app/services/members/create_service.rb and creator_service.rb, with what ee/ adds to them."""

    def __init__(self, company: Company, changes: MembershipChanges, rights: MemberRights) -> None:
        self._company, self._changes, self._rights = company, changes, rights

    def check_owners(self, ask: Ask, source: Source, level: int) -> None:
        """403 for a Maintainer who would make an Owner of a project; this is looked at before anything else."""
        if level == OWNER and not self._rights.may_manage_owners(ask, source):
            raise forbidden()

    def hindrance(self, source: Source, count: int) -> str | None:
        """What stops the whole call: too many people at once, or the lock of a project's group."""
        if count > MOST:
            return TOO_MANY
        return LOCKED if is_locked(self._company, source) else None

    def add(self, ask: Ask, source: Source, user: User, wanted: Wanted) -> Added:
        """Add a user. One who is a member already gets the level, as from several additions or from Minimal Access."""
        old = self._company.members[source].get(user.id)
        fresh = Membership(user_id=user.id, level=wanted.level, created=ask.now, created_by=ask.user.id)
        member = replace(
            old or fresh, level=wanted.level, expires_at=wanted.expires_at, role=wanted.role,
            created_by=(old.created_by if old else None) or ask.user.id,
        )  # fmt: skip
        added = Added(user=user, member=member)
        if old is None and not self._rights.may_administer(ask, source):
            added.refused = "not authorized to create member"
        elif old is not None and not self._may_change(ask, source, old):
            added.refused = "not authorized to update member"
        added.problems = problems_of(self._company, source, member, ask.now)
        if added.refused or added.problems:
            return added
        if self.queues(ask, member):
            self.queue(ask, source, member)
            added.queued = True
        else:
            added.member = self._changes.save(source, member)
        return added

    def queues(self, ask: Ask, member: Membership) -> bool:
        """Whether an administrator has to approve it first.

        ee/app/services/gitlab_subscriptions/member_management/queue_non_billable_to_billable_service.rb: what an
        administrator does, roles without a seat, and people who have a seat do not wait.
        """
        if not self._company.behaviour.seat_approval or ask.user.is_admin:
            return False
        return member.level > GUEST and not takes_a_seat(self._company, member.user_id)

    def queue(self, ask: Ask, source: Source, member: Membership) -> None:
        """Have it wait; nobody gets access before the approval."""
        kind, source_id = source
        asked = QueuedMember(
            kind=kind, source_id=source_id, user_id=member.user_id, level=member.level, asked_by=ask.user.id,
            expires_at=member.expires_at,
        )  # fmt: skip
        waiting = self._company.queued_members
        self._company.queued_members = [each for each in waiting if _place(each) != _place(asked)] + [asked]

    def _may_change(self, ask: Ask, source: Source, old: Membership) -> bool:
        if old.level == OWNER and not self._rights.may_manage_owners(ask, source):
            return False
        return self._rights.may_update(ask, source, old)

    def is_member(self, source: Source, user_id: int) -> bool:
        """Whether a membership is in the way of `POST members`; Minimal Access of a group is not."""
        old = self._company.members[source].get(user_id)
        return old is not None and not (source[0] == "group" and old.level == MINIMAL)


def _place(each: QueuedMember) -> tuple[str, int, int]:
    return each.kind, each.source_id, each.user_id
