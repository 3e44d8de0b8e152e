"""Where an account's direct memberships may lead, found from above: pure, and never too little.

What the ways there really give is for `paths` to say; here nothing counts but that there is one. So a question about
one account looks into what its memberships reach, and not into every group and project.
"""

from collections import defaultdict
from collections.abc import Iterable

from gitlab_hub.access.effective.graph import Graph, Node, Place
from gitlab_hub.inventory.model import ResourceType


def reached(graph: Graph, memberships: Iterable[Place], account_id: int) -> list[Place]:
    """The groups, then the projects, that some of these memberships may give access to, in order of ids.

    A membership in a group reaches the groups that this was invited into, what is below any of these, and the projects
    that one of all these groups was invited into.
    """
    given = set(memberships)
    groups = {place.id for place in given if place.type is ResourceType.GROUP}
    below, invites, projects = defaultdict[int, list[int]](list), set[int](), list[Node]()
    for place, node in graph.nodes.items():
        if place.type is ResourceType.PROJECT:
            projects.append(node)
            continue
        if node.parent_id is not None:
            below[node.parent_id].append(place.id)
        if _names_any(node, groups):
            invites.add(place.id)
    reach = _with_descendants(groups | invites, below)
    found = [Place(ResourceType.GROUP, number) for number in sorted(reach)]
    found += sorted(
        node.place
        for node in projects
        if node.parent_id in reach or node.place in given or node.owner_id == account_id or _names_any(node, reach)
    )
    return found


def _names_any(node: Node, groups: set[int]) -> bool:
    return bool(node.shares) and any(share["group_id"] in groups for share in node.shares)


def _with_descendants(groups: set[int], below: dict[int, list[int]]) -> set[int]:
    found, ahead = set[int](), list(groups)
    while ahead:
        number = ahead.pop()
        if number not in found:
            found.add(number)
            ahead += below.get(number, ())
    return found
