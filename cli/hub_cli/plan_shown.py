"""A plan, drawn: each operation as a sentence, its state before and after, and the calls that it makes. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.tree import Tree

from hub_cli.answers import Row
from hub_cli.formats import Column, Kind, field
from hub_cli.names import place
from hub_cli.output import label, text
from hub_cli.times import iso

OPERATIONS = (
    Column("index", kind=Kind.NUMBER),
    Column("op"),
    Column("sentence"),
    Column("status"),
    Column("account_id"),
    Column("path", lambda row: place(row["resource"])),
    Column("before", lambda row: state(row["before"])),
    Column("after", lambda row: state(row["after"])),
    Column("refusals"),
    Column("error"),
    Column("gitlab_request_id", field("gitlab_request_id")),
)
_COLOURS = {"applied": "green", "failed": "red", "skipped": "yellow", "accepted": "yellow"}


def drawn(plan: Row) -> RenderableType:
    """Draw a plan as it stands."""
    tree = Tree(label(f"Plan {plan['id']}: {plan['status']}", "bold"), guide_style="dim")
    for operation in plan["operations"]:
        branch = tree.add(
            label(f"{operation['sentence']} [{operation['status']}]", _COLOURS.get(operation["status"], ""))
        )
        for told, style in _details(operation):
            branch.add(label(told, style))
    return Group(tree, text(f"{plan['summary']}\nhash {plan['hash']}"))


def state(value: Row | None) -> str:
    """A state of a membership, an account or a credential in words."""
    if value is None:
        return "nothing"
    return ", ".join(_words(name, one) for name, one in value.items() if one is not None and name != "access_level")


def _details(operation: Row) -> Iterator[tuple[str, str]]:
    yield f"before: {state(operation['before'])}; after: {state(operation['after'])}", ""
    for call in operation["calls"]:
        body = f" {json.dumps(call['body'], ensure_ascii=False)}" if call["body"] else ""
        yield f"{call['method']} {call['path']}{body}", "dim"
    for refusal in operation["explanations"]:
        yield f"refused, {refusal['code']}: {refusal['hint']}", "red"
    if operation["error"]:
        hint = f": {operation['hint']}" if operation["hint"] else ""
        yield f"{operation['error']}{hint}", "red"


def _words(name: str, value: Any) -> str:
    if name.endswith("_at") and isinstance(value, int):
        return f"{name[:-3].replace('_', ' ')} {iso(value)}"
    return str(value) if name in {"role", "state", "status"} else f"{name.replace('_', ' ')} {value}"
