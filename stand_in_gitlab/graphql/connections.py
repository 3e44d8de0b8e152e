"""Pages of connections, Global IDs and times: GitLab's lib/gitlab/graphql/pagination/keyset and app/graphql/types."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from graphql import GraphQLError

from stand_in_gitlab.clock import iso
from stand_in_gitlab.graphql.limits import PAGE


def page_of(rows: Sequence[Any], key: Callable[[Any], int], args: Mapping[str, Any]) -> dict[str, Any]:
    """A page of a connection: at most a hundred nodes, behind the row that a cursor names.

    `count` is of all rows, as in app/graphql/types/countable_connection_type.rb.
    """
    size = min(args["first"], PAGE) if isinstance(args.get("first"), int) else PAGE
    start = 0
    if args.get("after"):
        try:
            place = int(json.loads(base64.b64decode(args["after"]))["id"])
        except (ValueError, KeyError, TypeError):
            raise GraphQLError("Please provide a valid cursor") from None
        start = _behind(rows, key, place)
    page = list(rows[start : start + size])
    more = start + size < len(rows)
    return {"count": len(rows), "nodes": page, "pageInfo": {
        "hasNextPage": more, "hasPreviousPage": start > 0,
        "startCursor": _cursor(key(page[0])) if page else None,
        "endCursor": _cursor(key(page[-1])) if page else None,
    }}  # fmt: skip


def _behind(rows: Iterable[Any], key: Callable[[Any], int], place: int) -> int:
    """Where a list goes on behind a key, whether its row is still there or not."""
    keys = [key(row) for row in rows]
    if place in keys:
        return keys.index(place) + 1
    return next((number for number, one in enumerate(keys) if one < place), len(keys))


def _cursor(number: int) -> str:
    return base64.b64encode(json.dumps({"id": str(number)}).encode()).decode()


def number_of(gid: str, kind: str) -> int:
    """The id in a Global ID of this kind."""
    prefix = f"gid://gitlab/{kind}/"
    if not gid.startswith(prefix) or not gid.removeprefix(prefix).isdecimal():
        raise GraphQLError(f'"{gid}" does not represent an instance of {kind}')
    return int(gid.removeprefix(prefix))


def time_of(moment: float) -> str:
    """GraphQL's `Time` has no fractions of a second (app/graphql/types/time_type.rb)."""
    return iso(moment)[:19] + "Z"
