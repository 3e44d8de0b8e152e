"""GitLabs for the tests to connect, and tokens that can be recognised wherever they turn up."""

import json
import time
import urllib.request
from datetime import datetime
from itertools import count
from typing import Any

from stand_in_gitlab.process import Running

CANARY = "canary-7Wm3xKq9"
"""Part of every token that tests issue. Nothing else about it looks like a secret, so no redactor knows it."""

STAND_IN = "glpat-standin-"
"""How the stand-in's well-known tokens begin."""

NOW = str(int(time.time()))
COMPANY = (
    "--frozen",
    "--epoch",
    NOW,
    "--users",
    "24",
    "--groups",
    "4",
    "--projects",
    "6",
    "--pipelines",
    "3",
    "--jobs",
    "4",
    "--seed",
    "11",
)
REPORTER, DEVELOPER, OWNER = 20, 30, 50

_numbers = count(1)


def token(gitlab: Running, user_id: int = 1, scopes: tuple[str, ...] = ("read_api",), **more: str) -> str:
    """Issue a token of a user (1 is the administrator)."""
    number = next(_numbers)
    issued = gitlab.change(
        "add_token", name=f"test-{number}", user_id=user_id, scopes=list(scopes), value=f"{CANARY}-{number}", **more
    )
    return str(issued["value"])


def revoke(gitlab: Running, value: str) -> None:
    """Revoke a token that was issued here."""
    gitlab.change("revoke_token", name=f"test-{value.rpartition('-')[2]}")


def newcomer(gitlab: Running, *, level: int = DEVELOPER) -> int:
    """Hire somebody and give them a role in the first group; returns the user's id."""
    user_id = int(gitlab.change("add_user", username=f"newcomer-{next(_numbers)}")["id"])
    gitlab.change("add_member", source="group", source_id=first_group(gitlab)["id"], user_id=user_id, level=level)
    return user_id


def first_group(gitlab: Running) -> dict[str, object]:
    """The group that the company began with."""
    return min(gitlab.truth("groups"), key=lambda row: int(row["id"]))


def told(gitlab: Running, path: str) -> Any:
    """What GitLab's own API tells an administrator; of a list the first hundred rows."""
    separator = "&" if "?" in path else "?"
    return asked(gitlab, "GET", f"{path}{separator}per_page=100")


def asked(gitlab: Running, method: str, path: str, body: object = None) -> Any:
    """What GitLab's own API answers to an administrator who asks for something."""
    headers = {"Authorization": f"Bearer {gitlab.tokens['admin']}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{gitlab.base}/api/v4{path}", data, headers, method=method)  # noqa: S310 - http on loopback
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - http on loopback
        return json.loads(answer.read() or b"null")


def seconds(moment: str | None) -> int | None:
    """A time of GitLab as the hub shows it."""
    return (
        None
        if moment is None
        else int(datetime.fromisoformat(f"{moment}T00:00Z" if "T" not in moment else moment).timestamp())
    )
