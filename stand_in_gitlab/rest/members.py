"""Direct members, all members and invitations of groups and projects."""

from dataclasses import replace

from stand_in_gitlab.company.model import MAINTAINER, MINIMAL, OWNER, Membership, Share
from stand_in_gitlab.company.state import Company, Source
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.paging import numbered
from stand_in_gitlab.rest.refusals import not_found
from stand_in_gitlab.rest.shapes import Shapes


class MembersApi:
    """Reads memberships of one kind of source; there is one of these for groups and one for projects."""

    def __init__(self, company: Company, shapes: Shapes, *, of_groups: bool) -> None:
        self._company, self._shapes, self._of_groups = company, shapes, of_groups
        self._find = Finder(company)

    def _source(self, ask: Ask) -> Source:
        return ("group", self._find.group(ask).id) if self._of_groups else ("project", self._find.project(ask).id)

    def direct(self, ask: Ask) -> Answer:
        """GET …/members."""
        return self._page(ask, self._company.members[self._source(ask)])

    def everyone(self, ask: Ask) -> Answer:
        """GET …/members/all: direct, inherited and invited with a group; not those further down."""
        return self._page(ask, self._all(self._source(ask)))

    def _page(self, ask: Ask, members: dict[int, Membership]) -> Answer:
        wanted = {
            part for part in (ask.params.get("user_ids[]") or ask.params.get("user_ids") or "").split(",") if part
        }
        query = (ask.params.get("query") or "").lower()
        rows = [members[user_id] for user_id in sorted(members) if not wanted or str(user_id) in wanted]
        rows = [row for row in rows if query in self._label(row)]
        return numbered(ask, rows, self._shapes.member)

    def _label(self, member: Membership) -> str:
        user = self._company.users[member.user_id]
        return f"{user.name} {user.username} {user.email}".lower()

    def one(self, ask: Ask) -> Answer:
        """GET …/members/:user_id."""
        return self._single(ask, self._company.members[self._source(ask)])

    def one_of_everyone(self, ask: Ask) -> Answer:
        """GET …/members/all/:user_id."""
        return self._single(ask, self._all(self._source(ask)))

    def _single(self, ask: Ask, members: dict[int, Membership]) -> Answer:
        member = members.get(ask.integer(ask.names[1], "user_id"))
        if member is None:
            raise not_found()
        return reply(self._shapes.member(member))

    def invitations(self, ask: Ask) -> Answer:
        """GET …/invitations, for those who may invite."""
        kind, source_id = self._source(ask)
        if kind == "group":
            self._find.owned_group(ask, OWNER)
        else:
            self._find.kept_project(ask, MAINTAINER)
        rows = list(self._company.invitations[kind, source_id].values())
        # An address is wanted as a whole (`retrieve_member_invitations` in lib/api/helpers/members_helpers.rb).
        wanted = ask.params.get("query")
        return numbered(ask, [row for row in rows if not wanted or row.email == wanted], self._shapes.invitation)

    def _all(self, source: Source) -> dict[int, Membership]:
        kind, source_id = source
        if kind == "group":
            return self._of_group(source_id)
        project = self._company.projects[source_id]
        inherited = self._of_group(project.group_id) if project.group_id else {}
        # Behind the lock of the project's group they are still listed, with no access (app/finders/members_finder.rb).
        home = self._company.groups.get(project.group_id or 0)
        locked = home is not None and home.share_with_group_lock
        shares = [replace(share, level=0) for share in project.shares] if locked else project.shares
        return _strongest([self._company.members[source], inherited, *map(self._invited, shares)])

    def _of_group(self, group_id: int) -> dict[int, Membership]:
        line = self._company.ancestors(group_id)
        # Of a group that is invited into a group, only the direct members (app/finders/group_members_finder.rb).
        shares = [self._direct_of(share) for group in line for share in group.shares]
        above = [_inheritable(self._company.members["group", group.id]) for group in line[1:]]
        return _strongest([self._company.members["group", group_id], *above, *shares])

    def _direct_of(self, share: Share) -> dict[int, Membership]:
        members = _inheritable(self._company.members["group", share.group_id])
        return {user_id: _capped(member, share) for user_id, member in members.items()}

    def _invited(self, share: Share) -> dict[int, Membership]:
        line = self._company.ancestors(share.group_id)
        members = _strongest([_inheritable(self._company.members["group", group.id]) for group in line])
        return {user_id: _capped(member, share) for user_id, member in members.items()}


def _inheritable(members: dict[int, Membership]) -> dict[int, Membership]:
    return {user_id: member for user_id, member in members.items() if member.level > MINIMAL}


def _capped(member: Membership, share: Share) -> Membership:
    expires = share.expires_at or member.expires_at
    level = min(member.level, share.level)
    return Membership(
        user_id=member.user_id, level=level, created=member.created, created_by=member.created_by, expires_at=expires
    )


def _strongest(sources: list[dict[int, Membership]]) -> dict[int, Membership]:
    """One row per user, with the highest level; among equals the first source wins."""
    best: dict[int, Membership] = {}
    for members in sources:
        for user_id, member in members.items():
            if user_id not in best or member.level > best[user_id].level:
                best[user_id] = member
    return best
