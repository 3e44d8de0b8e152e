"""Ways to access as chains of boxes and arrows."""

from typing import Any

import pytest

from gitlab_hub.console.chain import chain

ACME = {"type": "group", "id": 10, "full_path": "acme"}
TEAM = {"type": "group", "id": 11, "full_path": "acme/team"}
CREW = {"type": "group", "id": 12, "full_path": "acme/team/crew"}
SHOP = {"type": "project", "id": 10, "full_path": "shop"}


def edge(place: dict[str, Any], level: int, **more: Any) -> dict[str, Any]:
    return {**place, "level": level, "cap": None, "expires_at": None, "invited": None, **more}


def way(kind: str, level: int, *edges: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "level": level, "edges": list(edges)}


WAYS = {
    "direct": (way("direct", 30, edge(SHOP, 30)), [("member", 10, 30, True)]),
    "inherited": (way("inherited", 40, edge(ACME, 40)), [("member", 10, 40, True), ("below", 10, 40, False)]),
    "a share": (
        way("shared", 20, edge(TEAM, 40), edge(SHOP, 20, cap=20, invited=TEAM)),
        [("member", 11, 40, True), ("invited", 10, 20, False)],
    ),
    "a share of what lies below, and a project below that": (
        way("shared", 20, edge(TEAM, 40), edge(ACME, 20, cap=20, invited=CREW)),
        [("member", 11, 40, True), ("below", 12, 40, False), ("invited", 10, 20, False), ("below", 10, 20, False)],
    ),
    "an own namespace": (way("owner", 50), [("owns", 10, 50, False)]),
    "an administrator": (way("implied", 50), [("administers", 10, 50, False)]),
}


@pytest.mark.parametrize("name", WAYS)
def test_a_way_leads_from_membership_to_resource(name: str) -> None:
    path, expected = WAYS[name]
    cuts = [{"type": one["type"], "id": one["id"], "level": 1} for one in path["edges"][:1]]
    links = chain(path, SHOP, cuts)
    assert [(one.arrow, one.place["id"], one.level, one.is_cut) for one in links] == expected
    assert [one.is_end for one in links] == [False] * (len(links) - 1) + [True]
    assert links[-1].place["type"] == "project"


def test_only_the_memberships_that_are_to_go_are_marked() -> None:
    [link, *_] = chain(way("inherited", 40, edge(ACME, 40)), SHOP, [SHOP])
    assert not link.is_cut  # a group and a project may have the same number


def test_what_limits_a_step_stays_with_it() -> None:
    path = way("shared", 20, edge(TEAM, 40, expires_at=5), edge(SHOP, 20, cap=20, expires_at=7, invited=TEAM))
    assert [(one.cap, one.expires_at) for one in chain(path, SHOP, [])] == [(None, 5), (20, 7)]
