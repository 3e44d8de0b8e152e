"""Inviting groups into groups and projects (`share` in lib/api/groups.rb and lib/api/projects.rb)."""

from collections.abc import Iterator

from stand_in_gitlab.company.member_rules import LEVELS
from stand_in_gitlab.company.model import MAINTAINER, OWNER, CustomRole, Group, Project, Share
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.member_checks import WRONG_BASE, role_at
from stand_in_gitlab.rest.member_params import wanted_day
from stand_in_gitlab.rest.member_rights import MemberRights
from stand_in_gitlab.rest.refusals import Refusal, bad_request, conflict, forbidden, not_found, refused
from stand_in_gitlab.rest.router import Route
from stand_in_gitlab.rest.shapes import Shapes

NOT_FOR_GROUPS = "The project sharing with group is disabled"
GROUP_TWICE = "Shared group The group has already been shared with this group"
PROJECT_TWICE = "Project already shared with this group"
OWN_LINE = "Project cannot be shared with the group it is in or one of its ancestors."


class SharesApi:
    """Makes and ends invitations of groups. A last day in the past is taken: no model checks it."""

    def __init__(self, company: Company, shapes: Shapes) -> None:
        self._company, self._shapes = company, shapes
        self._find, self._rights = Finder(company), MemberRights(company)

    def routes(self) -> Iterator[Route]:
        """Where these are."""
        yield "POST", "/groups/*/share", self.share_group
        yield "DELETE", "/groups/*/share/*", self.unshare_group
        yield "POST", "/projects/*/share", self.share_project
        yield "DELETE", "/projects/*/share/*", self.unshare_project

    def share_group(self, ask: Ask) -> Answer:
        """POST /groups/:id/share; who may not is told of nothing (app/services/concerns/group_linkable.rb)."""
        wanted, role = self._wanted(ask), _role(ask)
        group, guest = self._find.group(ask), self._company.groups.get(wanted.group_id)
        if guest is None or not ask.visibility.sees_group(guest.id):
            raise not_found("Group")
        if not self._rights.may_administer(ask, ("group", group.id)) or not self._may_leave(group.id, guest):
            raise _hidden()
        if any(share.group_id == guest.id for share in group.shares):
            raise conflict(GROUP_TWICE)
        if role is not None and role.base_level != wanted.level:
            raise conflict(f"Member role {WRONG_BASE}")
        wanted.role_id = role.id if role else None
        self._keep(group, [*group.shares, wanted])
        return reply(self._shapes.group_detail(group, ask.visibility), 201)

    def unshare_group(self, ask: Ask) -> Answer:
        """DELETE /groups/:id/share/:group_id: 204 also where nothing was done, because the caller may not do it.

        The service gives an error that the route does not look at (app/services/groups/group_links/destroy_service.rb).
        """
        group = self._find.group(ask)
        left = self._without(ask, group)
        if self._rights.may_administer(ask, ("group", group.id)):
            self._keep(group, left)
        return Answer(204)

    def share_project(self, ask: Ask) -> Answer:
        """POST /projects/:id/share, which the lock of the project's group refuses to everybody."""
        wanted, project = self._wanted(ask), self._find.kept_project(ask, MAINTAINER)
        if not self._takes_groups(project):
            raise refused(NOT_FOR_GROUPS, 400)
        if wanted.level == OWNER and ask.visibility.project_level(project.id) < OWNER:
            raise forbidden()
        guest = self._company.groups.get(wanted.group_id)
        # `read_namespace_via_membership`: that a group is public is not enough.
        if guest is None or not ask.visibility.group_level(guest.id) or not self._may_leave(project.group_id, guest):
            raise _hidden()
        if any(share.group_id == guest.id for share in project.shares):
            raise conflict(PROJECT_TWICE)
        if guest.id in {group.id for group in self._company.ancestors(project.group_id)}:
            raise conflict(OWN_LINE)
        self._keep(project, [*project.shares, wanted])
        row: dict[str, object] = {"id": self._company.next_id("link"), "project_id": project.id}
        row |= {"group_id": guest.id, "group_access": wanted.level, "expires_at": wanted.expires_at}
        return reply(row, 201)

    def unshare_project(self, ask: Ask) -> Answer:
        """DELETE /projects/:id/share/:group_id; a link of Owners is for Owners of the project or of the group."""
        project = self._find.kept_project(ask, MAINTAINER)
        left = self._without(ask, project)
        number = int(ask.names[1])
        link = next(share for share in project.shares if share.group_id == number)
        owns = OWNER in {ask.visibility.project_level(project.id), ask.visibility.group_level(number)}
        if link.level == OWNER and not owns:
            raise refused("Forbidden", 403)
        self._keep(project, left)
        return Answer(204)

    def _wanted(self, ask: Ask) -> Share:
        """The link that is asked for; 400 in Grape's words if it makes no sense."""
        if missing := [name for name in ("group_id", "group_access") if ask.sent.get(name) in {None, ""}]:
            raise bad_request(", ".join(f"{name} is missing" for name in missing))
        level = ask.integer(str(ask.sent["group_access"]), "group_access")
        if level not in LEVELS:
            raise bad_request("group_access does not have a valid value")
        return Share(
            group_id=ask.integer(str(ask.sent["group_id"]), "group_id"), level=level, expires_at=wanted_day(ask)
        )

    def _takes_groups(self, project: Project) -> bool:
        """`allowed_to_share_with_group?` of app/models/project.rb and its EE counterpart."""
        group = self._company.groups.get(project.group_id or 0)
        behaviour = self._company.behaviour
        locked = behaviour.lock_memberships_to_ldap or behaviour.lock_memberships_to_saml
        return group is None or not (group.share_with_group_lock or locked)

    def _may_leave(self, group_id: int | None, guest: Group) -> bool:
        """Whether the top-level group lets its tree be shared with a group outside of it."""
        line = self._company.ancestors(group_id)
        if not line or not line[-1].sharing_only_within:
            return True
        return line[-1].id in {group.id for group in self._company.ancestors(guest.id)}

    def _without(self, ask: Ask, source: Group | Project) -> list[Share]:
        number = ask.integer(ask.names[1], "group_id")
        left = [share for share in source.shares if share.group_id != number]
        if len(left) == len(source.shares):
            raise not_found("Group Link")
        return left

    def _keep(self, source: Group | Project, shares: list[Share]) -> None:
        source.shares = shares
        self._company.generation += 1


def _role(ask: Ask) -> CustomRole | None:
    number = ask.sent.get("member_role_id")
    return role_at(None if number in {None, ""} else ask.integer(str(number), "member_role_id"))


def _hidden() -> Refusal:
    return refused("Not Found", 404)
