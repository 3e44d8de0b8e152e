"""A request as the answering code sees it, and what it gives back."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from stand_in_gitlab.clock import parse
from stand_in_gitlab.company.model import Token, User
from stand_in_gitlab.company.visibility import Visibility
from stand_in_gitlab.rest.refusals import bad_request, forbidden, scope_missing

JSON = "application/json"


@dataclass(slots=True)
class Answer:
    """One HTTP answer, whole."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON
    later: "Callable[[], Answer] | None" = None
    """What has to wait for somebody else, and must not hold up the others meanwhile."""

    def settled(self) -> "Answer":
        """The answer itself, waited for if need be."""
        return self.later() if self.later else self


@dataclass(kw_only=True)
class Ask:
    """One authenticated request below /api/v4."""

    method: str
    path: str
    segments: tuple[str, ...]
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base: str
    now: float
    token: Token
    user: User
    visibility: Visibility
    names: tuple[str, ...] = ()

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean parameter in any of the spellings GitLab takes."""
        value = self.params.get(name)
        return default if value in {None, ""} else str(value).lower() in {"true", "1", "t", "yes", "on"}

    def number(self, name: str, default: int) -> int:
        """An integer parameter; 400 if it is none."""
        value = self.params.get(name)
        if value in {None, ""}:
            return default
        return self.integer(str(value), name)

    @staticmethod
    def integer(value: str, name: str) -> int:
        """Read an id out of the path or a parameter; 400 in GitLab's words if it is none."""
        try:
            return int(value)
        except ValueError:
            raise bad_request(f"{name} is invalid") from None

    def moment(self, name: str) -> float | None:
        """A time parameter; 400 if it does not parse."""
        text = self.params.get(name)
        try:
            return parse(text) if text else None
        except ValueError:
            raise bad_request(f"{name} is invalid") from None

    def between(self, column: str, moment: float) -> bool:
        """Whether a time satisfies `<column>_after` and `<column>_before`, both inclusive."""
        after, before = self.moment(f"{column}_after"), self.moment(f"{column}_before")
        return (after is None or moment >= after) and (before is None or moment <= before)

    def choice(self, name: str, allowed: frozenset[str], default: str) -> str:
        """A parameter with a closed set of values."""
        value = self.params.get(name) or default
        if value not in allowed:
            raise bad_request(f"{name} does not have a valid value")
        return value

    @cached_property
    def sent(self) -> dict[str, Any]:
        """The JSON object or the form in the body, over the parameters of the query."""
        return {**self.params, **fields_of(self.headers, self.body)}

    def need_scope(self, *scopes: str) -> None:
        """403 unless the token has one of these scopes."""
        if not set(scopes) & set(self.token.scopes):
            raise scope_missing(scopes)

    def need_admin(self) -> None:
        """403 unless the caller is an administrator."""
        if not self.user.is_admin:
            raise forbidden()


Handler = Callable[[Ask], Answer]


def fields_of(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """What a body carries, as JSON or as a form; 400 in GitLab's words if it does not parse."""
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        raise bad_request("There was a problem in the JSON you submitted") from None
    return data if isinstance(data, dict) else {}


def reply(value: object, status: int = 200) -> Answer:
    """Any value as JSON."""
    return Answer(status, dump(value))


def dump(value: object) -> bytes:
    """Compact JSON, as GitLab sends it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
