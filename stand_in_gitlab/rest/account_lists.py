"""GitLab's lists of accounts beside `/users` and the members, and of custom roles: who is shown them, and what.

Sources: ee/lib/ee/api/members.rb, ee/lib/api/group_enterprise_users.rb, ee/lib/ee/api/groups.rb (`saml_users`),
ee/lib/api/provider_identity.rb, lib/api/group_service_accounts.rb, lib/api/service_accounts.rb,
ee/lib/api/member_roles.rb; the rows: the entities of these names.
"""

from collections.abc import Callable, Iterator

from stand_in_gitlab.clock import iso, iso_or_none
from stand_in_gitlab.company.grants import ROLES
from stand_in_gitlab.company.model import (
    GUEST,
    MINIMAL,
    OWNER,
    CustomRole,
    Group,
    Membership,
    Project,
    SourceKind,
    User,
)
from stand_in_gitlab.company.people import group_of_service_account
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.company.subscription import tree_of
from stand_in_gitlab.rest.ask import Answer, Ask, Handler, reply
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.paging import numbered
from stand_in_gitlab.rest.refusals import Refusal, forbidden, no_such_route, not_found, refused
from stand_in_gitlab.rest.router import Route
from stand_in_gitlab.rest.shapes import Json, Shapes

Wanted = Callable[[User], bool]
Members = dict[int, Membership]

TOP_LEVEL = "Must be a top-level group"


class AccountListsApi:
    """The lists of a top-level group, for its Owners, and those of the instance, for administrators."""

    def __init__(self, company: Company, shapes: Shapes) -> None:
        self._company, self._shapes, self._find = company, shapes, Finder(company)
        self.facts = AccountLists(company)

    def routes(self) -> Iterator[Route]:
        """Give all routes; of these a Community Edition has those of service accounts only (lib/api)."""
        of_group = {
            "billable_members": self.billable,
            "pending_members": self.pending,
            "enterprise_users": self.enterprise,
            "saml_users": self.saml_users,
            "saml/identities": self.saml,
            "scim/identities": self.scim,
            "member_roles": self.group_roles,
        }
        for path, handler in of_group.items():
            yield "GET", f"/groups/*/{path}", self._licensed(handler)
        yield "GET", "/groups/*/billable_members/*/memberships", self._licensed(self.held)
        yield "GET", "/groups/*/service_accounts", self.service_accounts
        yield "GET", "/service_accounts", self.all_service_accounts
        yield "GET", "/member_roles", self._licensed(self.instance_roles)

    def _licensed(self, handler: Handler) -> Handler:
        def answer(ask: Ask) -> Answer:
            if not self._company.behaviour.account_lists:
                raise no_such_route()
            return handler(ask)

        return answer

    def billable(self, ask: Ask) -> Answer:
        """GET /groups/:id/billable_members."""
        group = self._of_owner(ask)
        return numbered(ask, self.facts.billable(group), lambda user: self._billable(user, group))

    def held(self, ask: Ask) -> Answer:
        """GET /groups/:id/billable_members/:user_id/memberships: what somebody with a seat is a direct member of."""
        group, user_id = self._of_owner(ask), ask.integer(ask.names[1], "user_id")
        if user_id not in {user.id for user in self.facts.billable(group)}:
            raise not_found("User")
        company = self._company
        rows = [
            {
                "id": (2 * number + (kind == "project")) * 100_000 + user_id,
                "source_id": number,
                "source_full_name": company.groups[number].full_name
                if kind == "group"
                else company.projects[number].name,
                "created_at": iso(members[user_id].created),
                "expires_at": members[user_id].expires_at,
                "access_level": {"string_value": "", "integer_value": members[user_id].level},
            }
            for (kind, number), members in self.facts.sources(group)
            if user_id in members
        ]
        return numbered(ask, rows, lambda row: row)

    def pending(self, ask: Ask) -> Answer:
        """GET /groups/:id/pending_members: also who was asked by email and has no account."""
        return numbered(ask, self._pending(self._of_owner(ask)), lambda row: row)

    def enterprise(self, ask: Ask) -> Answer:
        """GET /groups/:id/enterprise_users."""
        group = self._top_level(ask)
        return numbered(ask, self.facts.enterprise(group), self._user)

    def saml_users(self, ask: Ask) -> Answer:
        """GET /groups/:id/saml_users."""
        group = self._top_level(ask)
        return numbered(ask, self.facts.saml(group), self._user)

    def saml(self, ask: Ask) -> Answer:
        """GET /groups/:id/saml/identities, all at once."""
        group = self._find.owned_group(ask, OWNER)
        if not group.has_saml:
            raise _bad_request()
        rows = [(user.id, uid) for user in self.facts.saml(group) for at, uid in user.saml if at == group.id]
        return reply([{"extern_uid": uid, "user_id": number} for number, uid in rows])

    def scim(self, ask: Ask) -> Answer:
        """GET /groups/:id/scim/identities, all at once."""
        group = self._find.owned_group(ask, OWNER)
        rows = [(user.id, *one[1:]) for user in self._company.users.values() for one in user.scim if one[0] == group.id]
        return reply([{"extern_uid": uid, "user_id": number, "active": active} for number, uid, active in rows])

    def service_accounts(self, ask: Ask) -> Answer:
        """GET /groups/:id/service_accounts."""
        group = self._find.owned_group(ask, OWNER)
        return numbered(ask, self.facts.service_accounts(group), self._service_account)

    def all_service_accounts(self, ask: Ask) -> Answer:
        """GET /service_accounts."""
        ask.need_admin()
        users = [user for user in self._company.users.values() if user.service_account]
        return numbered(ask, sorted(users, key=_id, reverse=True), self._named)

    def group_roles(self, ask: Ask) -> Answer:
        """GET /groups/:id/member_roles: of groups on gitlab.com only."""
        if not self._company.behaviour.gitlab_com:
            raise _bad_request()
        group = self._find.owned_group(ask, OWNER)
        if group.plan != "ultimate":
            raise forbidden()
        return reply([_role(role, group.id) for role in ROLES])

    def instance_roles(self, ask: Ask) -> Answer:
        """GET /member_roles: everywhere else."""
        if self._company.behaviour.gitlab_com:
            raise _bad_request()
        ask.need_admin()
        return reply([_role(role, None) for role in ROLES])

    def _of_owner(self, ask: Ask) -> Group:
        """The group, if it is at the top and the caller owns it; else 400, in both cases."""
        group = self._find.group(ask)
        if group.parent_id is not None or ask.visibility.group_level(group.id) < OWNER:
            raise _bad_request()
        return group

    def _top_level(self, ask: Ask) -> Group:
        """The group, if it is at the top (else 400) and the caller owns it (else 403)."""
        group = self._find.group(ask)
        if group.parent_id is not None:
            raise _bad_request(TOP_LEVEL)
        return self._find.owned_group(ask, OWNER)

    def _billable(self, user: User, group: Group) -> Json:
        managed = user.enterprise_group == group.id
        return {
            **self._shapes.user_basic(user),
            "email": user.email if managed else user.public_email,
            "last_activity_on": user.last_activity_on,
            "membership_type": "group_member",
            "removable": True,
            "created_at": iso(user.created),
            "is_last_owner": False,
            "last_login_at": iso_or_none(user.last_sign_in),
        }

    def _pending(self, group: Group) -> list[Json]:
        """One row for each account and address, whatever it waits for; ids are those of memberships."""
        rows: dict[object, Json] = {}
        for number, user in enumerate(self.facts.awaiting(group), 1):
            named = {"name": user.name, "username": user.username, "web_url": self._shapes.user_basic(user)["web_url"]}
            row = {"id": 700_000 + number, **named, "email": user.email, "invited": False, "avatar_url": None}
            rows[user.id] = {**row, "approved": False}
        groups, projects = tree_of(self._company, group.id)
        for (kind, source_id), invitations in self._company.invitations.items():
            for each in invitations.values() if source_id in (groups if kind == "group" else projects) else ():
                row = {"id": 800_000 + each.id, "email": each.email, "invited": True, "avatar_url": None}
                rows[each.email] = {**row, "approved": True}
        return list(rows.values())

    def _user(self, user: User) -> Json:
        """An account as those who manage it see it (user_public.rb, and its part below ee/)."""
        row = self._shapes.user_self(user)
        own = [{"provider": "group_saml", "extern_uid": uid, "saml_provider_id": at} for at, uid in user.saml]
        scim = [{"extern_uid": uid, "group_id": at, "active": active} for at, uid, active in user.scim]
        limits = {"shared_runners_minutes_limit": None, "extra_shared_runners_minutes_limit": None}
        return {**row, "identities": [*row["identities"], *own], **limits, "scim_identities": scim}

    @staticmethod
    def _named(user: User) -> Json:
        return {"id": user.id, "username": user.username, "name": user.name}

    def _service_account(self, user: User) -> Json:
        return {**self._named(user), "email": user.email}


class AccountLists:
    """Who is on these lists."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def billable(self, group: Group) -> list[User]:
        """Whoever takes a seat: no machine, nobody who is blocked or waits; and on Ultimate no Guest."""
        least = GUEST if group.plan == "ultimate" else MINIMAL
        ids = {number for number, level in self._levels(group) if level > least}
        users = (self._company.users[number] for number in sorted(ids))
        return [user for user in users if user.state == "active" and not user.bot]

    def awaiting(self, group: Group) -> list[User]:
        """Whoever has a membership that waits for a seat or an approval."""
        ids = {member.user_id for _, members in self.sources(group) for member in members.values() if member.awaiting}
        return [self._company.users[number] for number in sorted(ids)]

    def enterprise(self, group: Group) -> list[User]:
        """The group's enterprise users, newest first."""
        return self._newest(lambda user: user.enterprise_group == group.id)

    def saml(self, group: Group) -> list[User]:
        """Whoever has signed in by the group's SAML, newest first."""
        return self._newest(lambda user: any(at == group.id for at, _ in user.saml))

    def service_accounts(self, group: Group) -> list[User]:
        """The group's service accounts, newest first."""
        return self._newest(lambda user: group_of_service_account(user) == group.id)

    def rows(self) -> Iterator[dict[str, object]]:
        """Everybody on any of them, for the ground truth."""
        lists = {
            "billable_members": self.billable,
            "pending_members": self.awaiting,
            "enterprise_users": self.enterprise,
            "saml_users": self.saml,
            "service_accounts": self.service_accounts,
        }
        for group in self._company.groups.values():
            for name, listed in lists.items() if group.parent_id is None else ():
                yield from ({"list": name, "group_id": group.id, "user_id": user.id} for user in listed(group))

    def _newest(self, wanted: Wanted) -> list[User]:
        return sorted((user for user in self._company.users.values() if wanted(user)), key=_id, reverse=True)

    def sources(self, group: Group) -> Iterator[tuple[tuple[SourceKind, int], Members]]:
        """The groups and projects of a tree, each with its direct members."""
        groups, projects = tree_of(self._company, group.id)
        for source, members in self._company.members.items():
            if source[1] in (groups if source[0] == "group" else projects):
                yield source, members

    def _levels(self, group: Group) -> Iterator[tuple[int, int]]:
        for _, members in self.sources(group):
            yield from ((member.user_id, member.level) for member in members.values() if not member.awaiting)
        groups, projects = tree_of(self._company, group.id)
        inside: list[Group | Project] = [
            *(self._company.groups[one] for one in groups),
            *(self._company.projects[one] for one in projects),
        ]
        for share in (share for source in inside for share in source.shares):
            for member in self._company.members["group", share.group_id].values():
                if not member.awaiting:
                    yield member.user_id, min(member.level, share.level)


def _id(user: User) -> int:
    return user.id


def _role(role: CustomRole, group_id: int | None) -> Json:
    row = {"id": role.id, "name": role.name, "description": None, "group_id": group_id}
    return {**row, "base_access_level": role.base_level, "read_code": True}


def _bad_request(why: str = "") -> Refusal:
    return refused(f"400 Bad request - {why}" if why else "400 Bad request", 400)
