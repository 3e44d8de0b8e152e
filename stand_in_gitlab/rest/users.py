"""/users and /user."""

from collections.abc import Callable
from typing import Any

from stand_in_gitlab.company.model import MINIMAL, User
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.paging import keyset_by_cursor, numbered
from stand_in_gitlab.rest.refusals import not_allowed, not_found
from stand_in_gitlab.rest.shapes import Shapes

HIDDEN = frozenset({"blocked", "banned", "blocked_pending_approval"})
ORDERS = frozenset({"id", "name", "username", "created_at", "updated_at"})
SOURCES = {"group": "Namespace", "project": "Project"}
SORTS = frozenset({"asc", "desc"})


class UsersApi:
    """Lists accounts: everything for administrators, names for the rest."""

    def __init__(self, company: Company, shapes: Shapes) -> None:
        self._company, self._shapes = company, shapes

    def me(self, ask: Ask) -> Answer:
        """GET /user."""
        admin = {"is_admin": True} if ask.user.is_admin else {}
        return reply({**self._shapes.user_self(ask.user), **admin})

    def one(self, ask: Ask) -> Answer:
        """GET /users/:id."""
        user = self._company.users.get(ask.integer(ask.names[0], "id"))
        if user is None or (user.state in HIDDEN and not ask.user.is_admin):
            raise not_found("User")
        return reply(self._shapes.user_for_admin(user) if ask.user.is_admin else self._shapes.user(user))

    def memberships(self, ask: Ask) -> Answer:
        """GET /users/:id/memberships, for administrators (lib/api/users.rb): of groups those from Guest on."""
        ask.need_admin()
        user_id, kind = ask.integer(ask.names[0], "id"), ask.params.get("type")
        if user_id not in self._company.users:
            raise not_found("User")
        rows = [
            {
                "source_id": number,
                "source_name": self._name(of, number),
                "source_type": SOURCES[of],
                "access_level": level,
            }
            for (of, number), members in self._company.members.items()
            if user_id in members
            and kind in {None, SOURCES[of]}
            and ((level := members[user_id].level) > MINIMAL or kind is None)
        ]
        return numbered(ask, rows, lambda row: row)

    def _name(self, kind: str, number: int) -> str:
        found = self._company.groups[number] if kind == "group" else self._company.projects[number]
        return found.name

    def many(self, ask: Ask) -> Answer:
        """GET /users."""
        order, sort = ask.choice("order_by", ORDERS, "id"), ask.choice("sort", SORTS, "desc")
        if not ask.user.is_admin:
            order, sort = "id", "desc"
        users = [user for user in self._company.users.values() if self._wanted(ask, user)]
        shape = self._shapes.user_for_admin if ask.user.is_admin else self._shapes.user_basic
        if ask.params.get("pagination") == "keyset":
            if order != "id":
                message = "Keyset pagination is not yet available for this type of request"
                raise not_allowed(message)
            return keyset_by_cursor(ask, users, shape, descending=sort == "desc")
        users.sort(key=_KEYS[order], reverse=sort == "desc")
        return numbered(ask, users, shape, keyset_type="User")

    def _wanted(self, ask: Ask, user: User) -> bool:
        if ask.flag("blocked"):
            return user.state == "blocked"
        if not ask.user.is_admin and user.state in HIDDEN:
            return False
        return (
            self._named(ask, user)
            and self._flagged(ask, user)
            and (not ask.user.is_admin or ask.between("created", user.created))
        )

    @staticmethod
    def _named(ask: Ask, user: User) -> bool:
        username, search = ask.params.get("username"), ask.params.get("search")
        if username and username.lower() != user.username.lower():
            return False
        # An address is found as a whole only, and only administrators find private ones (app/models/user.rb, `search`).
        address = user.email if ask.user.is_admin else user.public_email
        is_named = not search or search.lower() in f"{user.name} {user.username}".lower()
        return is_named or (search or "").lower() == address.lower()

    @staticmethod
    def _flagged(ask: Ask, user: User) -> bool:
        tests = {
            "active": user.state == "active" and not user.bot,
            "external": user.external,
            "exclude_external": not user.external,
            "without_project_bots": not user.bot,
            "exclude_internal": True,
            "admins": user.is_admin or not ask.user.is_admin,
        }
        return all(passed for name, passed in tests.items() if ask.flag(name))


_KEYS: dict[str, Callable[[User], Any]] = {
    "id": lambda user: user.id,
    "name": lambda user: (user.name, user.id),
    "username": lambda user: (user.username, user.id),
    "created_at": lambda user: (user.created, user.id),
    "updated_at": lambda user: (user.created, user.id),
}
