"""Names that people type, and the ids that the API wants for them."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from hub_cli.answers import Row
from hub_cli.client import Hub, path
from hub_cli.problems import WrongUsage

_AT_ONCE = 100
"""How many things the API gives by their ids in one call."""
LEVELS = {
    "minimal-access": 5, "guest": 10, "planner": 15, "reporter": 20, "security-manager": 25, "developer": 30,
    "maintainer": 40, "owner": 50,
}  # fmt: skip
"""GitLab's access levels (docs.gitlab.com/api/access_requests, "Valid access levels")."""


def integration_named(hub: Hub, name: str | None) -> str:
    """Find an integration by id or display name; without a name the only one. Raises WrongUsage."""
    known = list(islice(hub.rows(path("integrations"), "integrations"), 1000))
    if not known:
        raise WrongUsage("No GitLab is connected yet.", hint="`hub connect https://gitlab.example.com` connects one.")
    if name is None:
        if len(known) == 1:
            return str(known[0]["id"])
        raise WrongUsage(
            f"There are several integrations: {_listed(known)}.", hint="Name one: -i NAME, or HUB_INTEGRATION."
        )
    found = [one for one in known if one["id"] == name] or [one for one in known if one["display_name"] == name]
    if not found:
        raise WrongUsage(f"There is no integration “{name}”.", hint=f"There are {_listed(known)}.")
    if len(found) > 1:
        ids = ", ".join(one["id"] for one in found)
        raise WrongUsage(f"Several integrations are called “{name}”.", hint=f"Name one by its id: {ids}.")
    return str(found[0]["id"])


def account_named(hub: Hub, base: str, name: str) -> Row:
    """Find an account by its username (with or without @), else by its id. Raises WrongUsage.

    GitLab tells apart no upper and lower case in usernames (`User.by_username`, app/models/user.rb).
    """
    username = name.removeprefix("@")
    for account in hub.rows(f"{base}/accounts", "accounts", q=username):
        if account["username"].casefold() == username.casefold():
            return account
    if username.isascii() and username.isdecimal():
        for account in hub.rows(f"{base}/accounts", "accounts", id=int(username)):
            return account
    raise WrongUsage(
        f"There is no account “{name}”.", hint=f"`hub people {username}` searches names and addresses too."
    )


def place_named(hub: Hub, base: str, full_path: str, *, kinds: Iterable[str] = ("project", "group")) -> Row:
    """Find a group or project by its full path: `{type, id, full_path}`. Raises WrongUsage."""
    wanted = full_path.strip("/")
    for kind in kinds:
        for resource in hub.rows(f"{base}/{kind}s", f"{kind}s", path=wanted):
            return {"type": kind, "id": resource["id"], "full_path": resource["full_path"]}
    raise WrongUsage(f"There is no {' or '.join(kinds)} “{full_path}”.", hint="Give its full path, such as acme/app.")


def access_named(hub: Hub, base: str, person: str, full_path: str) -> Row:
    """Whom and what a change of access is about: `{account_id, resource: {type, id}}`.

    An explanation knows both by their names, whether or not there is access.
    """
    found = hub.get(f"{base}/explain", username=person, path=full_path)
    resource = {"type": found["resource"]["type"], "id": found["resource"]["id"]}
    return {"account_id": found["account"]["id"], "resource": resource}


def level_named(name: str) -> int:
    """Give the access level of a role. Raises WrongUsage."""
    key = name.strip().lower().replace(" ", "-").replace("_", "-")
    if key in LEVELS:
        return LEVELS[key]
    raise WrongUsage(f"There is no role “{name}”.", hint=f"There are {', '.join(LEVELS)}.")


def role_of(level: int) -> str:
    """Name a level as GitLab does; levels of the future keep their number."""
    return next((name.replace("-", " ").title() for name, one in LEVELS.items() if one == level), f"level {level}")


def accounts_by_id(hub: Hub, base: str, ids: Iterable[int | None]) -> dict[int, Row]:
    """The accounts of these ids; what the hub does not know is left out."""
    return _by_id(hub, base, "accounts", ids)


def projects_by_id(hub: Hub, base: str, ids: Iterable[int | None]) -> dict[int, Row]:
    """The projects of these ids; what the hub does not know is left out."""
    return _by_id(hub, base, "projects", ids)


def in_parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """As many rows at a time as can be looked up in one call."""
    stream = iter(rows)
    while some := list(islice(stream, _AT_ONCE)):
        yield some


def username(accounts: Mapping[int, Row], account_id: int | None) -> str | None:
    """What to call an account: its username, or its number where the hub does not know it (any more)."""
    if account_id is None:
        return None
    return str(accounts[account_id]["username"]) if account_id in accounts else f"account {account_id}"


def place(resource: Mapping[str, Any] | None) -> str | None:
    """What to call a group or project: its path, or its number where the hub does not know it (any more)."""
    if resource is None:
        return None
    return str(resource.get("full_path") or f"{resource['type']} {resource['id']}")


def _by_id(hub: Hub, base: str, plural: str, ids: Iterable[int | None]) -> dict[int, Row]:
    wanted = sorted({one for one in ids if one is not None})
    found: dict[int, Row] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        found |= {one["id"]: one for one in hub.rows(f"{base}/{plural}", plural, id=some)}
    return found


def _listed(integrations: Iterable[Row]) -> str:
    return ", ".join(f"{one['display_name']} ({one['id']})" for one in integrations)
