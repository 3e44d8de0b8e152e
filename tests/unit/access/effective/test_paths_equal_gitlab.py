"""Effective access equals GitLab's own computation over random hierarchies, and what it says to remove ends it."""

from dataclasses import replace
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from gitlab_hub.access.effective.answer import EffectiveAccess
from gitlab_hub.access.effective.graph import Graph, Node, Place
from gitlab_hub.access.effective.paths import paths, places
from gitlab_hub.access.effective.reach import reached
from gitlab_hub.access.model import Grant
from gitlab_hub.inventory.model import ResourceType, Share
from stand_in_gitlab.company.authorizations import Database, Link, Member

GROUPS, PROJECTS, USERS = range(1, 8), range(101, 106), range(1001, 1004)
LEVELS = st.sampled_from([5, 10, 15, 20, 25, 30, 35, 40, 50])


@st.composite
def databases(draw: st.DrawFn) -> Database:
    groups = {number: draw(st.sampled_from([None, *range(1, number)])) for number in GROUPS}
    projects = {number: draw(st.sampled_from([None, *GROUPS])) for number in PROJECTS}
    sources = [*(("group", number) for number in GROUPS), *(("project", number) for number in PROJECTS)]
    members = draw(
        st.lists(
            st.builds(
                Member, st.sampled_from(sources), st.sampled_from(USERS), LEVELS, st.sampled_from([False] * 4 + [True])
            ),
            max_size=14,
            unique_by=lambda row: (row.source, row.user),
        )
    )
    links = draw(
        st.lists(
            st.builds(Link, st.sampled_from(sources), st.sampled_from(GROUPS), LEVELS),
            max_size=10,
            unique_by=lambda row: (row.source, row.group),
        )
    )
    return Database(
        groups=groups,
        projects=projects,
        owners={number: draw(st.sampled_from(USERS)) for number, home in projects.items() if home is None},
        locked=set(draw(st.lists(st.sampled_from(GROUPS), max_size=2))),
        members=[row for row in members if row.source[0] == "group" or row.level > 5],
        links=[row for row in links if row.source != ("group", row.group)],
    )


def graph_of(database: Database) -> Graph:
    homes = {("group", number): home for number, home in database.groups.items()}
    homes |= {("project", number): home for number, home in database.projects.items()}
    nodes = [
        Node(
            place=Place(ResourceType(kind), number),
            full_path=f"{kind}-{number}",
            parent_id=home,
            shares=tuple(
                Share(group_id=link.group, full_path="", access_level=link.level, ends_at=None, member_role_id=None)
                for link in database.links
                if link.source == (kind, number)
            ),
            share_lock=kind == "group" and number in database.locked,
            owner_id=database.owners.get(number) if kind == "project" else None,
        )
        for (kind, number), home in homes.items()
    ]
    return Graph({node.place: node for node in nodes})


def memberships_of(database: Database, user: int) -> dict[Place, Grant]:
    found = {}
    for row in database.members:
        if row.user == user:
            kind = ResourceType(row.source[0])
            found[Place(kind, row.source[1])] = Grant(
                account_id=user,
                resource_type=kind,
                resource_id=row.source[1],
                access_level=row.level,
                membership_state="awaiting" if row.awaiting else None,
            )
    return found


def level_in(database: Database, user: int, place: Place) -> int:
    is_group = place.type is ResourceType.GROUP
    return database.group_level(user, place.id) if is_group else database.project_level(user, place.id)


@settings(max_examples=300)
@given(databases())
def test_every_level_is_gitlabs(database: Database) -> None:
    graph = graph_of(database)
    for user in USERS:
        memberships = memberships_of(database, user)
        for node in graph.nodes.values():
            access = EffectiveAccess(paths(graph, node, memberships, user))
            assert access.level == level_in(database, user, node.place), (node, user)


@settings(max_examples=150)
@given(databases())
def test_removing_what_it_says_ends_the_access_and_removing_less_does_not(database: Database) -> None:
    graph = graph_of(database)
    for user in USERS:
        memberships = memberships_of(database, user)
        for node in graph.nodes.values():
            access = EffectiveAccess(paths(graph, node, memberships, user))
            if not access.level or database.owners.get(node.place.id) == user:
                assert access.revoke_at == []
                continue
            edges = access.revoke_at
            assert edges
            assert level_in(without(database, user, {edge.place for edge in edges}), user, node.place) == 0
            for kept in combinations(edges, len(edges) - 1):
                left = without(database, user, {edge.place for edge in kept})
                assert level_in(left, user, node.place) > 0


@settings(max_examples=150)
@given(databases())
def test_the_places_named_are_enough_to_know_everything(database: Database) -> None:
    graph = graph_of(database)
    for user in USERS:
        memberships = memberships_of(database, user)
        for node in graph.nodes.values():
            some = {place: memberships[place] for place in places(graph, node) if place in memberships}
            assert paths(graph, node, some, user) == paths(graph, node, memberships, user)


@settings(max_examples=100)
@given(databases())
def test_nobody_has_access_to_what_their_memberships_do_not_reach(database: Database) -> None:
    graph = graph_of(database)
    for user in USERS:
        memberships = memberships_of(database, user)
        found = reached(graph, memberships, user)
        assert found == sorted(set(found))
        having = {node.place for node in graph.nodes.values() if paths(graph, node, memberships, user)}
        assert having <= set(found)


def without(database: Database, user: int, removed: set[Place]) -> Database:
    members = [
        row
        for row in database.members
        if row.user != user or Place(ResourceType(row.source[0]), row.source[1]) not in removed
    ]
    return replace(database, members=members)
