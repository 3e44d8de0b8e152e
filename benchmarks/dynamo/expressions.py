"""The few expressions that the hub's storage adapter writes; anything else is refused loudly."""

import re
from collections.abc import Mapping
from typing import Any

from benchmarks.dynamo.units import Wire

Request = Mapping[str, Any]

_KEYS = re.compile(r"(#\w+) = (:\w+)(?: AND (#\w+) (?:BETWEEN (:\w+) AND (:\w+)|(>=|<=) (:\w+)))?")
_EQUALS = re.compile(r"(#\w+) = (:\w+)")
_EXISTS = re.compile(r"attribute_(not_)?exists\((#\w+)\)")


class Unsupported(Exception):
    """The stand-in does not know this; nothing of the hub needed it so far."""


def bounds(request: Request) -> tuple[str, str | None, str | None]:
    """The partition of a query, and the first and last sort key that it wants."""
    found = _KEYS.fullmatch(request["KeyConditionExpression"])
    if found is None:
        raise Unsupported(request["KeyConditionExpression"])
    _, pk, _, low, high, operator, bound = found.groups()
    values = {name: value["S"] for name, value in request["ExpressionAttributeValues"].items()}
    if operator:
        low, high = (bound, None) if operator == ">=" else (None, bound)
    return values[pk], values.get(low), values.get(high)


def holds(request: Request, stored: Wire | None) -> bool:
    """Decide the condition of a write."""
    expression = request.get("ConditionExpression")
    return expression is None or all(_holds(term, request, stored) for term in expression.split(" AND "))


def picked(request: Request, wire: Wire) -> Wire:
    """The attributes of a stored item that a read wants."""
    expression = request.get("ProjectionExpression")
    if expression is None:
        return wire
    names = [request["ExpressionAttributeNames"][placeholder] for placeholder in expression.split(", ")]
    return {name: wire[name] for name in names if name in wire}


def _holds(term: str, request: Request, stored: Wire | None) -> bool:
    if found := _EQUALS.fullmatch(term):
        name = request["ExpressionAttributeNames"][found[1]]
        return stored is not None and stored.get(name) == request["ExpressionAttributeValues"][found[2]]
    if found := _EXISTS.fullmatch(term):
        return (stored is None) == bool(found[1])
    raise Unsupported(term)
