"""What goes to GitLab and what comes back, as plain values."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode

from gitlab_hub.gitlab.errors import ResourceNotFound

Query = tuple[tuple[str, str], ...]
Scalar = str | int | bool

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call. The token is not part of it: it joins at the very last moment."""

    method: str
    url: str
    """Absolute and without a query."""
    endpoint: str = "other"
    """The class of limits the call counts against."""
    query: Query = ()
    body: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"
    anonymous: bool = False
    """Goes out without the token."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What of the body no header of the answer may echo."""

    @property
    def target(self) -> str:
        """The absolute URL with its query."""
        return f"{self.url}?{urlencode(self.query)}" if self.query else self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class RawResponse:
    """One complete answer; header names are in lower case, the body is decompressed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def request_id(self) -> str | None:
        """GitLab's own name for the request, where it gave a sane one."""
        name = self.headers.get("x-request-id", "")
        return name if _REQUEST_ID.fullmatch(name) else None

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def merge_headers(
    headers: Iterable[tuple[bytes, bytes]], *, without: str, also: tuple[str, ...] = ()
) -> dict[str, str]:
    """Headers by lower-case name, repeated ones joined by commas; those that echo a secret named are dropped.

    One that a proxy has added to its like counts once: a doubled `Content-Type` or `X-Next-Page` would say nothing.
    """
    secrets = [secret for secret in (without, *also) if secret]
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if not any(secret in value for secret in secrets):
            joined[name] = value if joined.get(name, value) == value else f"{joined[name]}, {value}"
    return joined


def query_of(params: Mapping[str, Scalar] | None) -> Query:
    """Parameters as GitLab spells them: booleans in lower case."""
    return tuple((name, _spelled(value)) for name, value in (params or {}).items())


def query_from(text: str) -> Query:
    """Read the parameters of an encoded query; raises ValueError for one with absurdly many fields."""
    return tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=100))


def merged(base: Query, overriding: Query) -> Query:
    """Both queries in one; where both name a parameter, the second one's values count."""
    names = {name for name, _ in overriding}
    return (*(pair for pair in base if pair[0] not in names), *overriding)


def group_path(group: str, group_id: int | None) -> str:
    """A group in GitLab's API: by its id, which stays; by its full path only where no id is known yet.

    What is all digits is an id, anything else a full path, and a former path of a renamed group finds nothing
    (lib/api/helpers.rb, `find_group`: `find_by_full_path` without `follow_redirects`).
    """
    return f"/groups/{segment(group) if group_id is None else group_id}"


def segment(value: str | int) -> str:
    """Write a value as one segment of a path: a group's full path becomes `group%2Fsubgroup`.

    Raises ResourceNotFound for what no path, ref or name of GitLab's can be: with it a request could leave its place.
    """
    if {".", ".."} & set(str(value).split("/")):
        raise ResourceNotFound("Nothing in GitLab has a name or path with dot segments.")
    return quote(str(value), safe="")


def _spelled(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
