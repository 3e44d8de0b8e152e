"""A GitLab whose memberships can be changed, by GitLab's rules as far as plans meet them.

`writes` has every request that changed something, or was to, in order.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.fakes.gitlab_accounts import Accounts

_PATH = re.compile(r"/gitlab/api/v4/(?P<path>.*)")
_PLACE = re.compile(r"(groups|projects)/([^/]+)")
_MEMBERS = re.compile(r"(groups|projects)/(\d+)/members(/all)?")
_MEMBER = re.compile(r"(groups|projects)/(\d+)/members/(all/)?(\d+)")
_SHARE = re.compile(r"(groups|projects)/(\d+)/share(?:/(\d+))?")
_INVITATIONS = re.compile(r"(groups|projects)/(\d+)/invitations(?:/([^/]+))?")
_LINKS = re.compile(r"groups/(\d+)/saml_group_links")
_CREDENTIALS = re.compile(r"(access_tokens|impersonation_tokens|keys|deploy_tokens)$")
_CREDENTIAL = re.compile(f"{_CREDENTIALS.pattern[:-1]}/\\d+$")
_USER = re.compile(r"users/(\d+)")

Key = tuple[str, int]


@dataclass
class MemberGitLab(httpx.AsyncBaseTransport):
    """One GitLab. `members` is the truth: (kind, id of the place) → account → row."""

    users: dict[int, dict[str, Any]] = field(default_factory=dict)
    places: dict[Key, dict[str, Any]] = field(default_factory=dict)
    members: dict[Key, dict[int, dict[str, Any]]] = field(default_factory=dict)
    shares: dict[Key, dict[int, dict[str, Any]]] = field(default_factory=dict)
    """(kind, id of the place) → invited group → its row among `shared_with_groups`."""
    invitations: dict[Key, dict[str, dict[str, Any]]] = field(default_factory=dict)
    """(kind, id of the place) → address → its row."""
    effective: dict[Key, dict[int, int]] = field(default_factory=dict)
    """Levels that somebody has by other ways than memberships."""
    saml_links: set[int] = field(default_factory=set)
    hidden: set[Key] = field(default_factory=set)
    """Places that the token is not shown: all about them is 404, as if they were not there."""
    addresses: dict[str, int] = field(default_factory=dict)
    """Confirmed addresses of accounts that GitLab does not show: inviting one makes a member at once."""
    found_by: dict[str, int] = field(default_factory=dict)
    """Addresses by which an account is found, though its row does not show them."""
    credentials: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Tokens and keys by their paths: one of an access token is revoked, any other is gone with its row."""
    writes: list[tuple[str, str, Any]] = field(default_factory=list)
    step: Callable[[str, str], None] = lambda _method, _path: None
    """Called before each request with its method and path; may raise."""
    refuses: Callable[[], httpx.Response | None] = lambda: None
    """Answers any read in GitLab's place."""
    after_write: Callable[[], httpx.Response | None] = lambda: None
    """Called once a write has taken effect; may raise, or answer in GitLab's place."""
    instead_of_write: Callable[[], httpx.Response | None] = lambda: None
    """Called in place of a write; where it answers, nothing takes effect."""

    def __post_init__(self) -> None:
        self.accounts = Accounts(self.users)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = str((_PATH.fullmatch(request.url.path) or {"path": ""})["path"])
        self.step(request.method, path)
        if self._is_hidden(path):
            if request.method != "GET":
                self.writes.append((request.method, f"/{path}", None))
            return _answer(None)
        if request.method == "GET":
            self.accounts.look()
            told = self.refuses() or self.accounts.memberships(path, request.url.params, self.members)
            told = told or self.accounts.in_tree("GET", path, self.members)
            return told or self._list(path, request.url.params) or self._read(path)
        body = json.loads(request.content) if request.content else None
        self.writes.append((request.method, f"/{path}", body))
        answer = self.instead_of_write() or self._beside(request.method, path, body)
        if answer.status_code < 300:
            answer = self.after_write() or answer
        return answer

    def level(self, kind: str, place: int, account: int) -> int:
        """What an account has in a place itself."""
        return int(self.members.get((kind, place), {}).get(account, {}).get("access_level", 0))

    def invited(self) -> dict[Key, dict[int, tuple[Any, ...]]]:
        """All shares, to be compared."""
        names = ("group_access_level", "expires_at", "member_role_id")
        found = {key: {one: tuple(row[name] for name in names) for one, row in rows.items()}
                 for key, rows in self.shares.items()}  # fmt: skip
        return {key: rows for key, rows in found.items() if rows}

    def waiting(self) -> dict[Key, dict[str, tuple[Any, ...]]]:
        """All invitations, to be compared."""
        found = {key: {one: (row["access_level"], row["expires_at"]) for one, row in rows.items()}
                 for key, rows in self.invitations.items()}  # fmt: skip
        return {key: rows for key, rows in found.items() if rows}

    def state(self) -> dict[Key, dict[int, tuple[Any, ...]]]:
        """All memberships, to be compared."""
        return {
            key: {number: (row["access_level"], row.get("expires_at"), _role(row)) for number, row in rows.items()}
            for key, rows in self.members.items()
            if rows
        }

    def _is_hidden(self, path: str) -> bool:
        """Whether a request is about a hidden place (lib/api/helpers.rb, `find_group!`, `find_project!`)."""
        kind, _, rest = path.partition("/")
        name = rest.partition("/")[0]
        return name.isdigit() and (kind, int(name)) in self.hidden

    def _list(self, path: str, query: httpx.QueryParams) -> httpx.Response | None:
        """The token's user, and what is looked for by an address."""
        if path == "user":
            return _answer(self.users.get(1))
        if path == "users":
            address = query.get("search", "")
            found = self.accounts.listed(query)
            found += [self.users[self.found_by[address]]] if address in self.found_by else []
            return httpx.Response(200, json=found)
        if _CREDENTIALS.search(path):
            return httpx.Response(200, json=self._listed(path, query))
        if of := _INVITATIONS.fullmatch(path):
            rows = self.invitations.get((of[1], int(of[2])), {})
            return httpx.Response(200, json=[rows[one] for one in rows if one == query.get("query")])
        return None

    def _listed(self, path: str, query: httpx.QueryParams) -> list[dict[str, Any]]:
        """The tokens or keys below a path, by what narrows the list."""
        rows = [row for key, row in self.credentials.items() if path in _lists_with(key)]
        wanted = query.get("user_id")
        rows = [row for row in rows if wanted is None or str(row.get("user_id")) == wanted]
        return [row for row in rows if query.get("state") != "active" or not row["revoked"]]

    def _end(self, path: str) -> httpx.Response:
        if path not in self.credentials:
            return _answer(None)
        if "revoked" in self.credentials[path] and "deploy" not in path:
            self.credentials[path]["revoked"] = True
        else:
            del self.credentials[path]
        return httpx.Response(204, headers=_named(len(self.writes)))

    def _read(self, path: str) -> httpx.Response:
        if path in self.credentials or (found := _USER.fullmatch(path)):
            return _answer(self.credentials.get(path) or self.users.get(int(path.rpartition("/")[2])))
        if found := _LINKS.fullmatch(path):
            linked = int(found[1]) in self.saml_links
            return httpx.Response(200, json=[{"name": "devs", "access_level": 30}] if linked else [])
        if found := _MEMBER.fullmatch(path):
            key, account = (found[1], int(found[2])), int(found[4])
            return _answer(self._effective(key, account) if found[3] else self._row(key, account))
        if found := _MEMBERS.fullmatch(path):
            key = (found[1], int(found[2]))
            keys = self._parents(key) if found[3] else [key]
            rows = list({one: self._row(of, one) for of in keys for one in self._rows(*of)}.values())
            return httpx.Response(200, json=rows, headers={"x-total": str(len(rows))})
        if found := _PLACE.fullmatch(path):
            return _answer(self._place(found[1], found[2]))
        return _answer(None)

    def _place(self, kind: str, name: str) -> dict[str, Any] | None:
        if name.isdigit():
            row = self.places.get((kind, int(name)))
            # Groups that the token is not shown are left out (lib/api/entities/group_detail.rb).
            shares = self.shares.get((kind, int(name)), {})
            shown = [one for number, one in shares.items() if ("groups", number) not in self.hidden]
            return row and {**row, "shared_with_groups": shown}
        path = name.replace("%2F", "/")
        names = ("full_path", "path_with_namespace")
        return next((row for (of, _), row in self.places.items() if of == kind and path in map(row.get, names)), None)

    def _rows(self, kind: str, number: int) -> dict[int, dict[str, Any]]:
        return self.members.setdefault((kind, number), {})

    def _row(self, key: Key, account: int) -> dict[str, Any] | None:
        row = self._rows(*key).get(account)
        user = self.users.get(account, {})
        named = {name: user.get(name) for name in ("id", "username", "name", "state")}
        return None if row is None else {**named, **row}

    def _parents(self, key: Key) -> list[Key]:
        found, row = [key], self.places[key]
        while True:
            space = row.get("namespace") or {}
            parent = row.get("parent_id") or (space.get("id") if space.get("kind") == "group" else None)
            if parent is None:
                return found
            found.append(("groups", parent))
            row = self.places["groups", parent]

    def _effective(self, key: Key, account: int) -> dict[str, Any] | None:
        if account in self.effective.get(key, {}):
            return {"id": account, "access_level": self.effective[key][account]}
        rows = [row for one in self._parents(key) if (row := self._row(one, account)) is not None]
        return max(rows, key=lambda row: int(row["access_level"]), default=None)

    def _beside(self, method: str, path: str, body: Any) -> httpx.Response:
        """Writes about accounts, invitations and shares, and all others."""
        answer = self.accounts.write(method, path, body) or self.accounts.in_tree(method, path, self.members)
        if answer is not None:
            return answer
        if _CREDENTIAL.search(path):
            return self._end(path)
        if found := _INVITATIONS.fullmatch(path):
            return self._invite(method, (found[1], int(found[2])), found[3], body)
        if found := _SHARE.fullmatch(path):
            return self._share((found[1], int(found[2])), int(found[3] or 0) or None, body)
        return self._write(method, path, body)

    def _write(self, method: str, path: str, body: Any) -> httpx.Response:
        if (found := _MEMBERS.fullmatch(path)) and method == "POST":
            key, account = (found[1], int(found[2])), body["user_id"]
            if account in self._rows(*key):
                return httpx.Response(409, json={"message": "Member already exists"})
            self._rows(*key)[account] = _fields(body, {"access_level": 0, "expires_at": None, "member_role": None})
            return httpx.Response(201, json=self._row(key, account), headers=_named(len(self.writes)))
        found = _MEMBER.fullmatch(path)
        assert found is not None, path
        key, account = (found[1], int(found[2])), int(found[4])
        if account not in self._rows(*key):
            return httpx.Response(404, json={"message": "404 Not found"})
        if method == "DELETE":
            del self._rows(*key)[account]
            return httpx.Response(204, headers=_named(len(self.writes)))
        self._rows(*key)[account] = _fields(body, {**self._rows(*key)[account], "member_role": None})
        return httpx.Response(200, json=self._row(key, account), headers=_named(len(self.writes)))

    def _invite(self, method: str, key: Key, address: str | None, body: Any) -> httpx.Response:
        rows = self.invitations.setdefault(key, {})
        named = _named(len(self.writes))
        if method == "POST":
            if (account := self.addresses.get(body["email"])) is not None:
                # app/services/members/creator_service.rb, `member_attributes`: whatever was there before.
                old = {"member_role": None, **self._rows(*key).get(account, {})}
                state = {"access_level": body["access_level"], "expires_at": body.get("expires_at")}
                self._rows(*key)[account] = {**old, **state}
                return httpx.Response(201, json={"status": "success"}, headers=named)
            new = {"invite_email": body["email"], "access_level": body["access_level"]}
            rows[body["email"]] = {**new, "expires_at": body.get("expires_at")}
            return httpx.Response(201, json={"status": "success"}, headers=named)
        if address not in rows:
            return _answer(None)
        if method == "DELETE":
            del rows[address]
            return httpx.Response(204, headers=named)
        rows[address] |= body
        return httpx.Response(200, json=rows[address], headers=named)

    def _share(self, key: Key, ended: int | None, body: Any) -> httpx.Response:
        shares = self.shares.setdefault(key, {})
        if ended is not None:
            gone = shares.pop(ended, None)
            return _answer(None) if gone is None else httpx.Response(204, headers=_named(len(self.writes)))
        if body["group_id"] in shares:
            return httpx.Response(409, json={"message": "The group has already been shared with this group"})
        row = {name: body.get(name) for name in ("group_id", "expires_at", "member_role_id")}
        shares[body["group_id"]] = row | {"group_access_level": body["group_access"]}
        return httpx.Response(201, json=row, headers=_named(len(self.writes)))


def _fields(body: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    row = {**row, **{name: body[name] for name in ("access_level", "expires_at") if name in body}}
    return row | ({"member_role": {"id": body["member_role_id"]}} if "member_role_id" in body else {})


def _role(row: dict[str, Any]) -> Any:
    return (row.get("member_role") or {}).get("id")


def _lists_with(credential: str) -> tuple[str, ...]:
    """The lists that show a token or key.

    Administrators are shown impersonation tokens among the personal ones, too (lib/api/helpers/
    personal_access_tokens_helpers.rb, `finder_params`).
    """
    own = credential.rpartition("/")[0]
    return (own, "personal_access_tokens") if own.endswith("impersonation_tokens") else (own,)


def _named(number: int) -> dict[str, str]:
    return {"x-request-id": f"req-{number}"}


def _answer(row: dict[str, Any] | None) -> httpx.Response:
    return httpx.Response(404, json={"message": "404 Not found"}) if row is None else httpx.Response(200, json=row)
