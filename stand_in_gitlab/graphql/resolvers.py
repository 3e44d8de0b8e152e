"""What each field says: GitLab's app/graphql and the finders behind it.

What a caller may not read is null, with an error where a resolver refuses, and left out of a list. A fine-grained token
is treated so for all that lies outside of its grant (lib/gitlab/graphql/authz).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from stand_in_gitlab.ci.view import CiView
from stand_in_gitlab.company.model import (
    MAINTAINER,
    MINIMAL,
    OWNER,
    Group,
    Invitation,
    Membership,
    Project,
    SourceKind,
    Token,
    User,
)
from stand_in_gitlab.company.state import Company, Source
from stand_in_gitlab.company.visibility import Visibility
from stand_in_gitlab.graphql.connections import number_of, page_of, time_of
from stand_in_gitlab.graphql.pipelines import PipelineFields, PipelineRow
from stand_in_gitlab.rest.ci_shapes import CiShapes
from stand_in_gitlab.rest.granular import granted
from stand_in_gitlab.rest.shapes import Shapes

NOT_THERE = (
    "The resource that you are attempting to access does not exist or you don't have permission to perform this action"
)
LEVELS = {
    0: "NO_ACCESS", 5: "MINIMAL_ACCESS", 10: "GUEST", 15: "PLANNER", 20: "REPORTER", 30: "DEVELOPER", 40: "MAINTAINER",
    50: "OWNER",
}  # fmt: skip
"""What a query calls the levels (app/graphql/types/access_level_enum.rb)."""

Place = Group | Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and what the query costs."""

    token: Token
    user: User
    visibility: Visibility
    score: int
    limit: int
    now: float


@dataclass(frozen=True, slots=True)
class Member:
    """A membership, or an invitation by email, in its group or project."""

    place: Place
    row: Membership | Invitation

    @property
    def number(self) -> int:
        """An id that no other has, and that a membership which is given anew does not have again."""
        given = int(self.row.created * 1000) % 10**6
        who = self.row.user_id if isinstance(self.row, Membership) else 10**6 + self.row.id
        return (who * 10**6 + given) % 10**12 or 1


class Resolvers:
    """Reads the company for one caller after the other."""

    def __init__(self, company: Company, shapes: Shapes, view: CiView) -> None:
        self._company, self._shapes = company, shapes
        self._pipelines = pipelines = PipelineFields(company, CiShapes(company, shapes.base, shapes), view)
        self._fields: Mapping[tuple[str, str], Callable[..., Any]] = {
            ("Query", "currentUser"): lambda _, info: info.context.user,
            ("Query", "queryComplexity"): lambda _, info: {"score": info.context.score, "limit": info.context.limit},
            ("Query", "group"): self._group,
            ("Query", "groups"): self._groups,
            ("Query", "project"): self._project,
            ("Query", "projects"): self._projects,
            ("Group", "groupMembers"): self._members,
            ("Group", "groupMembersCount"): lambda group, _info: len(self._company.members["group", group.id]),
            ("Group", "sharedGroups"): self._shared,
            ("Group", "pendingMembers"): self._pending,
            ("Project", "projectMembers"): self._members,
            ("Project", "jobsEnabled"): lambda project, info: pipelines.are_shown(project, info.context),
            ("Project", "pipelines"): lambda project, info, **args: pipelines.of(
                project, info.context, args, granted=self._grants(info.context, "Pipeline: Read", project)
            ),
            ("Pipeline", "jobs"): lambda row, info, **args: pipelines.jobs(row, info.context, args),
        }

    def resolve(self, source: Any, info: GraphQLResolveInfo, /, **args: Any) -> Any:
        """The value of one field."""
        found = self._fields.get((info.parent_type.name, info.field_name))
        if found is not None:
            return found(source, info, **args)
        return self._plain(source, info.field_name, info.context)

    def is_type_of(self, member: Member) -> str:
        """The type of a member."""
        return "GroupMember" if isinstance(member.place, Group) else "ProjectMember"

    def _plain(self, source: Any, name: str, caller: Caller) -> Any:
        match source:
            case PipelineRow():
                return self._pipelines.field(source, name)
            case Member():
                return self._of_member(source, name, caller)
            case User():
                return self._of_user(source, name)
            case Group() | Project():
                return self._of_place(source, name)
        return source.get(name)

    def _of_member(self, member: Member, name: str, _caller: Caller) -> Any:
        row, users = member.row, self._company.users
        if name == "user":
            return users.get(row.user_id) if isinstance(row, Membership) else None
        if name == "createdBy":
            return users.get(row.created_by or 0) if isinstance(row, Membership) else users.get(1)
        role = row.role if isinstance(row, Membership) else None
        return {
            "id": f"gid://gitlab/{self.is_type_of(member)}/{member.number}",
            "accessLevel": {"integerValue": row.level, "stringValue": None},
            "createdAt": time_of(row.created),
            "updatedAt": time_of(row.created),
            "expiresAt": row.expires_at,
            "memberRole": None if role is None else {"id": f"gid://gitlab/MemberRole/{role.id}", "name": role.name},
            "group": member.place,
            "project": member.place,
        }[name]

    def _of_user(self, user: User, name: str) -> Any:
        told = self._shapes.user_basic(user)
        return {
            "id": f"gid://gitlab/User/{user.id}",
            "webUrl": told["web_url"],
            "publicEmail": told["public_email"],
            "bot": user.bot,
        }.get(name, told.get(name))

    def _of_place(self, place: Place, name: str) -> Any:
        kind = "Group" if isinstance(place, Group) else "Project"
        return {
            "id": f"gid://gitlab/{kind}/{place.id}",
            "fullPath": place.full_path,
            "webUrl": f"{self._shapes.base}/{'groups/' if kind == 'Group' else ''}{place.full_path}",
        }.get(name, getattr(place, name, None))

    def _group(self, _: Any, info: GraphQLResolveInfo, *, fullPath: str) -> Group | None:  # noqa: N803 - GitLab's name
        group = next((one for one in self._company.groups.values() if one.full_path == fullPath), None)
        return group if group is not None and self._sees(info.context, group) else None

    def _project(self, _: Any, info: GraphQLResolveInfo, *, fullPath: str) -> Project | None:  # noqa: N803
        project = self._company.project_at(fullPath)
        return project if project is not None and self._sees(info.context, project) else None

    def _groups(self, _: Any, info: GraphQLResolveInfo, **args: Any) -> Any:
        rows = sorted(self._named(self._company.groups, "Group", args), key=lambda one: (one.name, one.id))
        return page_of([one for one in rows if self._sees(info.context, one)], lambda one: one.id, args)

    def _projects(self, _: Any, info: GraphQLResolveInfo, **args: Any) -> Any:
        rows = sorted(self._named(self._company.projects, "Project", args), key=lambda one: -one.id)
        return page_of([one for one in rows if self._sees(info.context, one)], lambda one: one.id, args)

    @staticmethod
    def _named(rows: Mapping[int, Any], kind: str, args: Mapping[str, Any]) -> list[Any]:
        if (ids := args.get("ids")) is None:
            return list(rows.values())
        numbers = [number_of(one, kind) for one in ids]
        return [rows[number] for number in dict.fromkeys(numbers) if number in rows]

    def _members(self, place: Place, info: GraphQLResolveInfo, **args: Any) -> Any:
        """The members in it, those invited by email too; of a project only for who may administer it."""
        caller: Caller = info.context
        if not self._grants(caller, "Member: Read", place):
            return None
        kind: SourceKind = "group" if isinstance(place, Group) else "project"
        if set(args.get("relations") or ()) != {"DIRECT"}:
            raise GraphQLError("The stand-in knows direct members only.")
        members = [Member(place, row) for row in self._company.members[kind, place.id].values()]
        if isinstance(place, Group) or caller.visibility.project_level(place.id) >= MAINTAINER:
            members += [Member(place, row) for row in self._company.invitations[kind, place.id].values()]
        if self._company.behaviour.graphql_hides_minimal and isinstance(place, Group) and place.parent_id is None:
            members = [member for member in members if member.row.level != MINIMAL]
        if (levels := args.get("accessLevels")) is not None:
            members = [member for member in members if LEVELS.get(member.row.level) in levels]
        # Keyset pages go by id, the newest first (lib/gitlab/graphql/pagination/keyset).
        return page_of(sorted(members, key=lambda one: -one.number), lambda one: one.number, args)

    def _shared(self, group: Group, info: GraphQLResolveInfo, **args: Any) -> Any:
        """The groups that this one was invited into (app/finders/namespaces/groups/shared_groups_finder.rb)."""
        rows = [
            one for one in self._company.groups.values()
            if any(share.group_id == group.id for share in one.shares) and self._sees(info.context, one)
        ]  # fmt: skip
        return page_of(rows, lambda one: one.id, args)

    def _pending(self, group: Group, info: GraphQLResolveInfo, **args: Any) -> Any:
        """Who waits for approval, or for the answer to an email, in a group at the top or below it; for its Owners."""
        if group.parent_id is not None or info.context.visibility.group_level(group.id) < OWNER:
            return None
        inside = {group.id, *(one.id for one in self._company.descendants(group.id))}
        sources: list[Source] = [("group", number) for number in inside]
        sources += [("project", one.id) for one in self._company.projects_of(inside)]
        rows: list[dict[str, Any]] = []
        for source in sources:
            waiting = [member for member in self._company.members[source].values() if member.awaiting]
            rows += [{"id": "gid://gitlab/Member/1", "approved": False, "invited": False} for _ in waiting]
            invited = self._company.invitations[source]
            rows += [{"id": f"gid://gitlab/Member/{one}", "approved": True, "invited": True} for one in invited]
        return page_of(rows, id, args)

    def _sees(self, caller: Caller, place: Place) -> bool:
        if isinstance(place, Group):
            return caller.visibility.sees_group(place.id) and self._grants(caller, "Group: Read", place)
        return caller.visibility.sees_project(place.id) and self._grants(caller, "Project: Read", place)

    def _grants(self, caller: Caller, permission: str, place: Place) -> bool:
        return granted(self._company, caller.token, caller.user, caller.visibility, permission, place)
