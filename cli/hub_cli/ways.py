"""All ways to access, drawn as a tree, with the memberships to cut marked. Pure."""

import shlex
from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from hub_cli.answers import Row
from hub_cli.names import place, role_of, username
from hub_cli.output import label, text
from hub_cli.times import relative

CUT = " ✂ cut here"
_IMPLIED = "administers the whole GitLab"


def ways(found: Row, givers: Mapping[int, Row], *, now: float) -> RenderableType:
    """Draw an explanation (`GET …/explain`); `givers` are accounts that granted something."""
    account, resource = found["account"], found["resource"]
    top = label(f"{account['username']} → {place(resource)}: {found['role']}", "bold")
    if found["at_least"]:
        top.append(" or more", style="bold")
    tree = Tree(top, guide_style="dim")
    cuts = {_key(one) for one in found["revoke_at"]}
    for way in found["paths"]:
        branch = tree.add(_headline(way, givers, now))
        at = branch
        for step, is_cut in _steps(way, resource, cuts, now):
            at = at.add(step)
            if is_cut:
                step.append(CUT, style="bold red")
    parts: list[RenderableType] = [tree, text(found["sentence"])]
    if found["next_change_at"]:
        parts.append(text(f"It changes by itself {relative(found['next_change_at'], now=now)}."))
    return Group(*parts)


def commands_to_end(found: Row) -> list[str]:
    """What to type to plan the end of each membership that has to go; names are quoted for a shell."""
    person = shlex.quote(found["account"]["username"])
    return [f"hub plan revoke {person} {shlex.quote(str(place(one)))}" for one in found["revoke_at"]]


def _headline(way: Row, givers: Mapping[int, Row], now: float) -> Text:
    told = label(f"{way['role']}, {way['kind']}")
    if way["since"]:
        told.append(f", since {relative(way['since'], now=now)}")
    if way["granted_by"]:
        told.append_text(label(f", by {username(givers, way['granted_by'])}"))
    if way["overdue"]:
        told.append(", overdue", style="yellow")
    return told


def _steps(way: Row, resource: Row, cuts: set[tuple[str, int]], now: float) -> Iterator[tuple[Text, bool]]:
    """Each step of a way in the order in which access flows, and whether its membership is one to cut."""
    if not way["edges"]:
        yield label("owns it" if way["kind"] == "owner" else _IMPLIED), False
        return
    at: Row | None = None
    for number, edge in enumerate(way["edges"]):
        invited = edge.get("invited")
        if at is not None and invited and _key(invited) != _key(at):
            yield label(f"passes down to {place(invited)}"), False
        yield _step(edge, at or invited, now, is_first=number == 0), number == 0 and _key(edge) in cuts
        at = edge
    if at is not None and _key(at) != _key(resource):
        yield label(f"passes down to {place(resource)}"), False


def _step(edge: Row, before: Row | None, now: float, *, is_first: bool) -> Text:
    if is_first:
        told = f"{role_of(edge['level'])} in {place(edge)}"
    else:
        invited = place(edge.get("invited") or before)
        told = f"{invited} is invited into {place(edge)}: {role_of(edge['level'])}"
        if edge.get("cap") is not None:
            told += f", at most {role_of(edge['cap'])}"
    if edge.get("expires_at"):
        told += f", ends {relative(edge['expires_at'], now=now)}"
    return label(told)


def _key(one: Row) -> tuple[str, int]:
    return str(one["type"]), int(one["id"])
