"""Changes memberships and tells hooks of it, as saving and destroying a member does in GitLab."""

from dataclasses import replace

from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.member_rules import below, differs, is_last_owner, is_project_bot
from stand_in_gitlab.company.model import Membership, User
from stand_in_gitlab.company.state import Company, Source
from stand_in_gitlab.company.user_rules import solo_owned
from stand_in_gitlab.webhooks.member_events import account_event, member_events
from stand_in_gitlab.webhooks.sender import Sender


class MembershipChanges:
    """The only place that saves and removes memberships on behalf of a caller or of a nightly job."""

    def __init__(self, company: Company, clock: Clock, sender: Sender) -> None:
        self._company, self._clock, self._sender = company, clock, sender

    def save(self, source: Source, member: Membership) -> Membership:
        """Keep a membership, new or changed; what is as it was is not told."""
        rows, now = self._company.members[source], self._clock.now()
        old = rows.get(member.user_id)
        if not differs(old, member):
            return member
        kept = replace(member, created=round(now, 6)) if old is None else member
        rows[member.user_id] = kept
        self._company.generation += 1
        what = "add" if old is None else "update"
        self._sender.publish(member_events(self._company, what, source, kept, now))
        return kept

    def approve_queued(self) -> list[int]:
        """Save the memberships that wait for an administrator; returns whose they are."""
        waiting, self._company.queued_members = self._company.queued_members, []
        for each in waiting:
            source: Source = (each.kind, each.source_id)
            fresh = Membership(
                user_id=each.user_id, level=each.level, created=self._clock.now(), created_by=each.asked_by
            )
            member = self._company.members[source].get(each.user_id, fresh)
            self.save(source, replace(member, level=each.level, expires_at=each.expires_at))
        return [each.user_id for each in waiting]

    def remove(self, source: Source, user_id: int) -> None:
        """End one membership; those below it stay."""
        now, member = self._clock.now(), self._company.members[source][user_id]
        events = list(member_events(self._company, "remove", source, member, now))
        del self._company.members[source][user_id]
        self._company.generation += 1
        self._sender.publish(events)

    def remove_invitations(self, source: Source, user_id: int) -> None:
        """Take back the invitations that a user sent and nobody answered (`delete_invited_members`)."""
        waiting = self._company.invitations.get(source, {})
        for number in [number for number, each in waiting.items() if each.created_by_id == user_id]:
            del waiting[number]

    def sources_below(self, group_id: int, user_id: int) -> list[Source]:
        """Where memberships go along with one of a group."""
        return below(self._company, group_id, user_id)

    def in_tree(self, group_id: int, user_id: int) -> list[Source]:
        """Where a user has a membership in a group and below it."""
        own: Source = ("group", group_id)
        here = [own] if user_id in self._company.members[own] else []
        return [*here, *below(self._company, group_id, user_id)]

    def remove_from_tree(self, group_id: int, user_id: int) -> None:
        """End every membership in a tree of groups, but for what is protected."""
        for source in self.in_tree(group_id, user_id) if group_id in self._company.groups else []:
            if not (source[0] == "group" and is_last_owner(self._company, source[1], user_id)):
                self.remove(source, user_id)

    def tell_account(self, name: str, user: User, *, old_username: str | None = None) -> None:
        """Tell system hooks of an account."""
        self._sender.publish([account_event(name, user, self._clock.now(), old_username=old_username)])

    def delete_user(self, user_id: int, *, hard: bool = False) -> None:
        """Delete an account that is still there; `hard` takes groups along that nobody else owns."""
        if user_id not in self._company.users:
            return
        for group_id in solo_owned(self._company, user_id) if hard else []:
            if group_id in self._company.groups:
                self._company.remove_group(group_id)
        self.remove_user(user_id)

    def remove_user(self, user_id: int) -> None:
        """Delete an account with its memberships, its tokens and the projects of its own namespace."""
        company = self._company
        for project in [each for each in company.projects.values() if each.group_id is None]:
            if project.creator_id == user_id:
                company.remove_project(project.id)
        for source in [source for source, rows in company.members.items() if user_id in rows]:
            self.remove(source, user_id)
        for token in company.tokens.values():
            token.revoked |= token.user_id == user_id
        self.tell_account("user_destroy", company.users[user_id])
        del company.users[user_id]
        company.generation += 1

    def remove_expired(self, today: str) -> int:
        """End the memberships whose day has come, and return how many.

        app/workers/remove_expired_members_worker.rb: those that end last go first; memberships below stay, and so does
        the only owner of a group. The account of a group or project access token goes with its membership.
        """
        over = [
            (member.expires_at, member.created, source, user_id)
            for source, rows in self._company.members.items()
            for user_id, member in rows.items()
            if member.expires_at is not None and member.expires_at <= today
        ]
        ended = 0
        for _, _, source, user_id in sorted(over, reverse=True):
            kind, source_id = source
            if kind == "group" and is_last_owner(self._company, source_id, user_id):
                continue
            ended += 1
            self.remove(source, user_id)
            if is_project_bot(self._company.users[user_id]):
                self.remove_user(user_id)
        return ended
