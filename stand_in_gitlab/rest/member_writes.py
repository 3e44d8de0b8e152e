"""Adding, changing and removing members of groups and projects (lib/api/members.rb, ee/lib/ee/api/members.rb)."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from stand_in_gitlab.company.model import OWNER, Membership, User
from stand_in_gitlab.company.state import Company, Source
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.member_checks import invalid, problems_of, sentence
from stand_in_gitlab.rest.member_params import Wanted, said, wanted_member, who
from stand_in_gitlab.rest.member_rights import MemberRights
from stand_in_gitlab.rest.member_service import QUEUED, MemberService
from stand_in_gitlab.rest.membership_changes import MembershipChanges
from stand_in_gitlab.rest.refusals import conflict, forbidden, not_found, refused, too_many
from stand_in_gitlab.rest.router import Route
from stand_in_gitlab.rest.shapes import Shapes

MINUTE = 60.0
ALREADY = "Member already exists"


class MemberWritesApi:
    """Changes memberships of one kind of source; there is one of these for groups and one for projects."""

    def __init__(
        self,
        company: Company,
        shapes: Shapes,
        changes: MembershipChanges,
        *,
        of_groups: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._company, self._shapes, self._changes, self._of_groups = company, shapes, changes, of_groups
        self._find, self._rights = Finder(company), MemberRights(company)
        self._service = MemberService(company, changes, self._rights)
        self._monotonic = monotonic
        self._deletions: defaultdict[tuple[Source, int], deque[float]] = defaultdict(deque)

    def routes(self) -> Iterator[Route]:
        """Where these are."""
        path = f"/{'groups' if self._of_groups else 'projects'}/*/members"
        yield "POST", path, self.add
        yield "PUT", f"{path}/*", self.update
        yield "DELETE", f"{path}/*", self.remove
        if self._of_groups:
            yield "POST", f"{path}/*/override", self.set_override
            yield "DELETE", f"{path}/*/override", self.take_override

    def _source(self, ask: Ask) -> Source:
        return ("group", self._find.group(ask).id) if self._of_groups else ("project", self._find.project(ask).id)

    def add(self, ask: Ask) -> Answer:
        """POST …/members: one person, or several, of whom the answer says in one sentence what is wrong."""
        ids, names = who(ask)
        wanted, source = wanted_member(ask), self._source(ask)
        users = self._users(ids, names)
        return (
            self._several(ask, source, users, wanted)
            if len(ids or names) > 1
            else self._one(ask, source, users, wanted)
        )

    def _users(self, ids: list[str], names: list[str]) -> list[User]:
        """Those of them that there are: ids and names of nobody are passed over in silence."""
        users = self._company.users
        lowered = {name.lower() for name in names}
        found = [users[int(each)] for each in ids if each.isdecimal() and int(each) in users]
        return [*found, *(user for user in users.values() if user.username.lower() in lowered)]

    def _one(self, ask: Ask, source: Source, users: list[User], wanted: Wanted) -> Answer:
        if not users:
            raise not_found("User")
        # Asked before anything about rights: `check_existing_membership` in lib/api/helpers/members_helpers.rb.
        if self._service.is_member(source, users[0].id):
            raise conflict(ALREADY)
        self._service.check_owners(ask, source, wanted.level)
        if self._service.hindrance(source, 1):
            raise refused("405 Method Not Allowed", 405)
        added = self._service.add(ask, source, users[0], wanted)
        if added.refused:
            raise forbidden()
        if added.problems:
            raise invalid(added.problems)
        if added.queued:
            return _queued(users[0])
        return reply(self._shapes.member(added.member), 201)

    def _several(self, ask: Ask, source: Source, users: list[User], wanted: Wanted) -> Answer:
        """201 whatever became of it; who is a member already is not refused but gets the new level."""
        self._service.check_owners(ask, source, wanted.level)
        if problem := self._service.hindrance(source, len(users)):
            return reply({"message": problem, "status": "error"}, 201)
        done = [self._service.add(ask, source, user, wanted) for user in users]
        body: dict[str, object] = {}
        if queued := {each.user.username: QUEUED for each in done if each.queued}:
            body["queued_users"] = queued
        if wrong := [f"{each.user.username}: {each.sentence}" for each in done if each.sentence]:
            body |= {"message": sentence(wrong), "status": "error"}
            body |= {"http_status": "unauthorized"} if any(each.refused for each in done) else {}
        return reply({**body, "status": body.get("status", "success")}, 201)

    def update(self, ask: Ask) -> Answer:
        """PUT …/members/:user_id. What is not said of a custom role takes it away; an expiry stays unless spoken of."""
        wanted = wanted_member(ask)
        source = self._source(ask)
        old = self._member(ask, source)
        allowed = self._rights.may_update(ask, source, old)
        if OWNER in {old.level, wanted.level} and not self._rights.may_manage_owners(ask, source):
            allowed = False
        if not allowed:
            raise forbidden()
        new = wanted.over(old)
        if new == old:
            return reply(self._shapes.member(old))
        # The whole row is checked: one that is past its date takes no other level either, unless it gets a new date.
        if problems := problems_of(self._company, source, new, ask.now):
            raise invalid(problems)
        if self._service.queues(ask, new):
            self._service.queue(ask, source, new)
            return _queued(self._company.users[new.user_id])
        return reply(self._shapes.member(self._changes.save(source, new)))

    def remove(self, ask: Ask) -> Answer:
        """DELETE …/members/:user_id: of a group, with every membership below unless `skip_subresources` is said.

        Issues and merge requests have no assignees here, so `unassign_issuables` is taken and changes nothing.
        """
        source = self._source(ask)
        member = self._member(ask, source)
        self._limit(source, ask.user.id)
        self._end(ask, source, member)
        if not said(ask, "skip_subresources"):
            self._end_below(ask, source, member.user_id)
        return Answer(204)

    def _end(self, ask: Ask, source: Source, member: Membership) -> None:
        if not self._rights.may_remove(ask, source, member):
            raise forbidden()
        self._changes.remove(source, member.user_id)

    def _end_below(self, ask: Ask, source: Source, user_id: int) -> None:
        """Each one is asked for again; one that is protected ends the call with 403, with what went before it done."""
        kind, source_id = source
        if kind == "project":
            self._changes.remove_invitations(source, user_id)
            return
        for place in self._changes.sources_below(source_id, user_id):
            self._end(ask, place, self._company.members[place][user_id])
        groups = {source_id, *(group.id for group in self._company.descendants(source_id))}
        for group_id in groups:
            self._changes.remove_invitations(("group", group_id), user_id)
        for project in self._company.projects_of(groups):
            self._changes.remove_invitations(("project", project.id), user_id)

    def _limit(self, source: Source, caller: int) -> None:
        """So many a minute for one caller and one group or project, in real seconds (`members_delete_limit`)."""
        calls, now = self._deletions[source, caller], self._monotonic()
        while calls and calls[0] <= now - MINUTE:
            calls.popleft()
        if len(calls) >= self._company.behaviour.member_deletions_per_minute:
            raise too_many()
        calls.append(now)

    def set_override(self, ask: Ask) -> Answer:
        """POST …/members/:user_id/override: from now on people set the level of what LDAP made."""
        return reply(self._override(ask, on=True), 201)

    def take_override(self, ask: Ask) -> Answer:
        """DELETE the same."""
        return reply(self._override(ask, on=False))

    def _override(self, ask: Ask, *, on: bool) -> dict[str, object]:
        source = self._source(ask)
        member = self._member(ask, source)
        if not self._rights.may_override(ask, source, member):
            raise forbidden()
        return self._shapes.member(self._changes.save(source, replace(member, override=on)))

    def _member(self, ask: Ask, source: Source) -> Membership:
        """The direct membership in the path, or 404; Minimal Access is one."""
        member = self._company.members[source].get(ask.integer(ask.names[1], "user_id"))
        if member is None:
            raise not_found()
        return member


def _queued(user: User) -> Answer:
    """Neither done nor refused (doc/api/group_members.md; 202 is `accepted!` of lib/api/helpers.rb)."""
    return reply({"message": {user.username: QUEUED}}, 202)
