"""Accounts of a GitLab in memory, as its administrators see and change them (lib/api/users.rb)."""

import re
from dataclasses import dataclass, field
from typing import Any

import httpx

_STATE = re.compile(r"users/(\d+)/(block|unblock|deactivate|activate)")
_USER = re.compile(r"users/(\d+)")
_MEMBERSHIPS = re.compile(r"users/(\d+)/memberships")
_IN_TREE = re.compile(r"groups/(\d+)/billable_members/(\d+)(?:/memberships)?")
_BECOMES = {"block": "blocked", "unblock": "active", "deactivate": "deactivated", "activate": "active"}
_CLOSED = frozenset({"blocked", "banned", "ldap_blocked", "blocked_pending_approval"})

Rows = dict[int, dict[str, Any]]


@dataclass
class Accounts:
    """What becomes of the rows of users. `lasting`: how often one that is deleted is still shown."""

    users: Rows
    lasting: int = 0
    going: dict[int, int] = field(default_factory=dict)

    def look(self) -> None:
        """Let time pass for whoever is being deleted."""
        for account, left in list(self.going.items()):
            self.going[account] = left - 1
            if left <= 0:
                self.users.pop(account, None)
                del self.going[account]

    def listed(self, query: httpx.QueryParams) -> list[dict[str, Any]]:
        """GET /users by a username or an address."""
        username, address = query.get("username", "").lower(), query.get("search")
        named = [row for row in self.users.values() if row["username"].lower() == username]
        with_address = [
            row for row in self.users.values() if address and address in {row.get("public_email"), row.get("email")}
        ]
        return named or with_address

    def memberships(
        self, path: str, query: httpx.QueryParams, members: dict[tuple[str, int], Rows]
    ) -> httpx.Response | None:
        """GET /users/:id/memberships."""
        found = _MEMBERSHIPS.fullmatch(path)
        if found is None:
            return None
        kinds = {"groups": "Namespace", "projects": "Project"}
        rows = [
            {"source_id": number, "source_type": kinds[kind], "access_level": here[int(found[1])]["access_level"]}
            for (kind, number), here in members.items()
            if int(found[1]) in here and query.get("type") in {None, kinds[kind]}
        ]
        return httpx.Response(200, json=rows)

    def in_tree(self, method: str, path: str, members: dict[tuple[str, int], Rows]) -> httpx.Response | None:
        """What a person has in a top-level group, here in all groups and projects; and its removal."""
        found = _IN_TREE.fullmatch(path)
        if found is None:
            return None
        account = int(found[2])
        held = [(key, rows[account]) for key, rows in members.items() if account in rows]
        if method == "DELETE":
            for key, _ in held:
                del members[key][account]
            return httpx.Response(204)
        rows = [
            {"source_full_name": f"{key[0]} {key[1]}", "access_level": {"integer_value": row["access_level"]}}
            for key, row in held
        ]
        return httpx.Response(200, json=rows) if rows else httpx.Response(404, json={"message": "404 User Not Found"})

    def write(self, method: str, path: str, body: Any) -> httpx.Response | None:
        """What changes an account; None for anything else."""
        if found := _STATE.fullmatch(path):
            return self._become(int(found[1]), found[2])
        if method == "POST" and path == "users":
            return self._create(body)
        if method == "DELETE" and (found := _USER.fullmatch(path)):
            if int(found[1]) not in self.users:
                return httpx.Response(404, json={"message": "404 User Not Found"})
            self.going.setdefault(int(found[1]), self.lasting)
            return httpx.Response(204)
        return None

    def _become(self, account: int, verb: str) -> httpx.Response:
        row = self.users.get(account)
        if row is None:
            return httpx.Response(404, json={"message": "404 User Not Found"})
        if row["state"] in _CLOSED and verb != "unblock":
            return httpx.Response(201, json=None) if verb == "block" else httpx.Response(403, json={"message": "no"})
        row["state"] = _BECOMES[verb]
        return httpx.Response(201, json=True)

    def _create(self, body: dict[str, Any]) -> httpx.Response:
        if any(body["username"] == row["username"] or body["email"] == row.get("email") for row in self.users.values()):
            return httpx.Response(409, json={"message": "Username has already been taken"})
        account = max(self.users) + 1
        named = {name: body[name] for name in ("username", "name", "email")}
        self.users[account] = {"id": account, **named, "state": "active", "bot": False, "is_admin": False}
        return httpx.Response(201, json=self.users[account])
