"""GitLab's GraphQL protocol without I/O: queries that can only read, and what an answer says.

`POST /api/graphql` takes the same token as REST; `read_api` is enough for a query (docs.gitlab.com/api/graphql, "Token
scopes"). An answer is 200 also where something is missing: what could not be read is null, and `errors` says why.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from gitlab_hub.gitlab.fields import mapping, rows_in, text

PATH = "/api/graphql"
"""Relative to the installation."""

ENDPOINT = "graphql"
"""The class of limits that queries count against."""

PAGE = 100
"""Nodes of a page at most: `default_max_page_size` in GitLab's app/graphql/gitlab_schema.rb."""

MAX_QUERY = 10_000
"""Characters of a query, its variables aside: `MAX_QUERY_SIZE` in GitLab's app/controllers/graphql_controller.rb."""

MOST_ERRORS = 1_000

_NAME = re.compile(r"[A-Za-z]\w{0,60}", re.ASCII)
# No strings, no comments and no directives: nothing that a brace could hide in.
_PLAIN = re.compile(r"[\w\s{}()\[\]:,$!=.]*", re.ASCII)
_GLOBAL_ID = re.compile(r"gid://gitlab/(?P<type>[A-Za-z]+(?:::[A-Za-z]+)*)/(?P<id>[1-9]\d{0,11})", re.ASCII)


@dataclass(frozen=True, slots=True)
class GraphQLQuery:
    """One operation, and never one that changes anything.

    It is made of its parts, so its text begins with `query`; the braces of the selection are even, so no second
    operation can follow; and GitLab is told the name of the one to run. ValueError for anything else.
    """

    name: str
    selection: str
    variables: str = ""
    """Their declarations, as `$ids: [ID!], $first: Int`."""

    def __post_init__(self) -> None:
        parts = (self.selection, self.variables)
        if not _NAME.fullmatch(self.name) or not all(map(_PLAIN.fullmatch, parts)) or set("{}") & set(self.variables):
            raise ValueError("A query is made of names, variables and braces.")
        if not self.selection.strip() or not _is_even(self.selection) or len(self.text) > MAX_QUERY:
            raise ValueError("A query selects something, with even braces, in at most 10,000 characters.")

    @property
    def text(self) -> str:
        """The document that is sent."""
        declared = f"({self.variables})" if self.variables else ""
        return f"query {self.name}{declared} {{ {' '.join(self.selection.split())} }}"

    def body(self, values: Mapping[str, Any]) -> bytes:
        """The body of the request, with values for the variables."""
        return json.dumps({"query": self.text, "operationName": self.name, "variables": dict(values)}).encode()


class Cause(StrEnum):
    """Why something is missing in an answer, as far as it makes a difference to whoever asked."""

    TOO_MUCH = "too_much"
    """Complexity, depth or time: less at once may work."""
    NOT_KNOWN = "not_known"
    """This GitLab has no such field or argument."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class GraphQLError:
    """One of the `errors` of an answer; its words stay here. An empty `path` concerns all of it."""

    cause: Cause
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class GraphQLReply:
    """What a query was answered with: the data, which may have nulls, and why."""

    data: Mapping[str, Any] = field(repr=False)
    errors: tuple[GraphQLError, ...] = ()
    server_time: datetime | None = None
    """GitLab's clock when it answered, where it said so."""

    def failed(self, *path: str | int) -> bool:
        """Whether an error lies on this path, above it or below it. One that names no path lies on all of them."""
        return any(all(one == other for one, other in zip(error.path, path, strict=False)) for error in self.errors)

    @property
    def is_too_much(self) -> bool:
        """Whether GitLab says that less at once may work."""
        return any(error.cause is Cause.TOO_MUCH for error in self.errors)


def read_reply(body: Any) -> GraphQLReply | None:
    """Read an answer's body; None where it is none of GraphQL's (section 7 of its specification, "Response")."""
    answer = mapping(body)
    data, errors = answer.get("data"), answer.get("errors")
    if not isinstance(errors, list | None) or (not isinstance(data, Mapping) and not errors):
        return None
    told = rows_in(errors)
    found = [_error(one) for one in told[:MOST_ERRORS]]
    if len(found) < len(errors or ()):
        found.append(GraphQLError(Cause.OTHER))  # What was left out, or is no error, may concern anything.
    return GraphQLReply(mapping(data), tuple(found))


def global_id(kind: str, number: int) -> str:
    """Name a thing as GraphQL does: docs.gitlab.com/api/graphql, "Global IDs"."""
    return f"gid://gitlab/{kind}/{number}"


def number_of(value: Any, kind: str) -> int | None:
    """The id in a Global ID of this kind; None for anything else."""
    found = _GLOBAL_ID.fullmatch(value) if isinstance(value, str) else None
    return int(found["id"]) if found and found["type"] == kind else None


# graphql-ruby's words for too complex and too deep queries (its analysis/max_query_complexity.rb and
# max_query_depth.rb), for fields that time ran out for (schema/timeout.rb), and GitLab's for a statement that did.
_TOO_MUCH = re.compile(r"\bQuery has (?:complexity|depth) of \d+|\bTimeout on \w+\.\w+|\bRequest timed out\b")
_NOT_KNOWN = frozenset({"undefinedField", "argumentNotAccepted", "undefinedType"})


def _error(row: Mapping[str, Any]) -> GraphQLError:
    path = row.get("path")
    steps = path if isinstance(path, list) and all(isinstance(step, str | int) for step in path) else []
    if _TOO_MUCH.search(text(row.get("message")) or ""):
        return GraphQLError(Cause.TOO_MUCH, tuple(steps))
    if mapping(row.get("extensions")).get("code") in _NOT_KNOWN:
        return GraphQLError(Cause.NOT_KNOWN)  # The path leads through the query there, not through the data.
    return GraphQLError(Cause.OTHER, tuple(steps))


def _is_even(selection: Sequence[str]) -> bool:
    depth = 0
    for character in selection:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return False
    return depth == 0
