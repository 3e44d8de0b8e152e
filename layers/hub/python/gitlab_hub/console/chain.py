"""A way to access, as a chain of boxes and arrows: from the person to the group or project. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

Row = Mapping[str, Any]
Place = tuple[str, int]


class Arrow(StrEnum):
    """What carries access on from one box to the next."""

    MEMBER = "member"
    INVITED = "invited"
    BELOW = "below"
    OWNS = "owns"
    ADMINISTERS = "administers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An arrow and the box that it leads to.

    `level` is what gets through, `cap` the most that an invitation lets through. `is_cut`: this membership is one of
    those whose removal ends the access. `is_end`: the box is the group or project in question.
    """

    arrow: Arrow
    place: Row
    level: int
    cap: int | None = None
    expires_at: int | None = None
    is_cut: bool = False
    is_end: bool = False


def chain(path: Row, resource: Row, revoke_at: Sequence[Row]) -> list[Link]:
    """The links of one way, in the order in which access flows.

    `path`, `resource` and `revoke_at` are those of an explanation (`GET …/explain`). Each step of a way leads into its
    own group or project; where the step after it begins elsewhere, or the way ends further down, access has passed
    from a group to what lies below it.
    """
    cuts = {_key(one) for one in revoke_at}
    links = list(_links(path, resource, cuts))
    last = links[-1]
    return [*links[:-1], replace(last, is_end=True)]


def _links(path: Row, resource: Row, cuts: set[Place]) -> Iterator[Link]:
    level = path["level"]
    if not path["edges"]:
        yield Link(arrow=Arrow.OWNS if path["kind"] == "owner" else Arrow.ADMINISTERS, place=resource, level=level)
        return
    at: Row | None = None
    for number, edge in enumerate(path["edges"]):
        invited = edge["invited"]
        if at is not None and invited is not None and _key(invited) != _key(at):
            yield Link(arrow=Arrow.BELOW, place=invited, level=at["level"])
        yield Link(
            arrow=Arrow.MEMBER if number == 0 else Arrow.INVITED,
            place=edge,
            level=edge["level"],
            cap=edge["cap"],
            expires_at=edge["expires_at"],
            is_cut=number == 0 and _key(edge) in cuts,
        )
        at = edge
    if at is not None and _key(at) != _key(resource):
        yield Link(arrow=Arrow.BELOW, place=resource, level=level)


def _key(place: Row) -> Place:
    return str(place["type"]), int(place["id"])
