"""Answers of GraphQL that say 200 and are not whole: what time, rights and releases make of them.

A fault is about the node `row` of the one list that was asked for, or about all from there on.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from stand_in_gitlab.control.faults import Fault
from stand_in_gitlab.rest.ask import Answer, dump

Body = dict[str, Any]


def _nodes(body: Body) -> tuple[str, list[Body]]:
    for name, value in (body.get("data") or {}).items():
        if isinstance(value, dict) and isinstance(value.get("nodes"), list):
            return name, value["nodes"]
    return "", []


def _connections(node: Body) -> Iterator[tuple[str, Body]]:
    for name, value in node.items():
        if isinstance(value, dict) and isinstance(value.get("nodes"), list):
            yield name, value


def timed_out(body: Body, fault: Fault) -> None:
    """Time was up: from a node on, lists are null, each with an error (graphql-ruby's schema/timeout.rb)."""
    root, nodes = _nodes(body)
    for place, node in list(enumerate(nodes))[fault.row :]:
        for name, _ in list(_connections(node)):
            node[name] = None
            kind = root.removesuffix("s").title()
            error = {"message": f"Timeout on {kind}.{name}", "path": [root, "nodes", place, name]}
            body.setdefault("errors", []).append(error)


def nulled(body: Body, fault: Fault) -> None:
    """One node's lists are null, with an error that names it."""
    root, nodes = _nodes(body)
    for name, _ in list(_connections(nodes[fault.row])) if len(nodes) > fault.row else ():
        nodes[fault.row][name] = None
        error = {"message": "Internal server error", "path": [root, "nodes", fault.row, name]}
        body.setdefault("errors", []).append(error)


def shortened(body: Body, _fault: Fault) -> None:
    """The second half of every list is missing, silently."""
    for node in _nodes(body)[1]:
        for _, connection in _connections(node):
            del connection["nodes"][len(connection["nodes"]) // 2 :]


def left_out(body: Body, fault: Fault) -> None:
    """One group or project is not among the nodes."""
    del _nodes(body)[1][fault.row : fault.row + 1]


def stripped_users(body: Body, _fault: Fault) -> None:
    """Nobody's account is shown, as if all were invited by email."""
    for node in _nodes(body)[1]:
        for _, connection in _connections(node):
            for member in connection["nodes"]:
                if "user" in member:
                    member["user"] = None


def failed(body: Body, _fault: Fault) -> None:
    """Nothing could be read, and nobody says why."""
    body.clear()
    body.update({"data": None, "errors": [{"message": "Internal server error"}]})


_KINDS: dict[str, Callable[[Body, Fault], None]] = {
    "graphql_timeout": timed_out,
    "graphql_null": nulled,
    "graphql_short": shortened,
    "graphql_left_out": left_out,
    "graphql_no_users": stripped_users,
    "graphql_failed": failed,
}


def _of(make: Callable[[Body, Fault], None]) -> Callable[[Answer, Fault], Answer]:
    def shape(answer: Answer, fault: Fault) -> Answer:
        body = json.loads(answer.body)
        make(body, fault)
        content = dump(body)
        headers = {**answer.headers, "Content-Length": str(len(content))}
        return Answer(answer.status, content, headers, answer.content_type)

    return shape


GRAPHQL_SHAPED = {name: _of(make) for name, make in _KINDS.items()}
