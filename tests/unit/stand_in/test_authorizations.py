"""What users of the stand-in may see is what GitLab's SQL says they have access to."""

import pytest

from stand_in_gitlab.app import StandIn
from stand_in_gitlab.company.authorizations import Database, Link, Member
from stand_in_gitlab.company.visibility import Visibility

GROUP, PROJECT = "group", "project"
ANA, BEN = 1, 2


def test_everybody_reaches_what_the_definition_says(app: StandIn) -> None:
    database = Database.of(app.company)
    people = list(app.company.users.values())
    for user in people:
        visibility = Visibility(app.company, user)
        groups = {(GROUP, number): level for number, level in visibility.group_levels.items()}
        projects = {(PROJECT, number): level for number, level in visibility.project_levels.items()}
        assert groups | projects == database.levels(user.id), user.id
    assert len(people) > 10


# The examples of "Sharing projects and groups" (doc/user/project/members/sharing_projects_groups.md), and of the SQL.


def company(*rows: Member | Link, locked: frozenset[int] = frozenset()) -> Database:
    """Group 1 holds 2, which holds project 9; group 3 holds 4; group 5 stands alone."""
    return Database(
        groups={1: None, 2: 1, 3: None, 4: 3, 5: None},
        projects={9: 2, 10: None},
        owners={10: ANA},
        locked=set(locked),
        members=[row for row in rows if isinstance(row, Member)],
        links=[row for row in rows if isinstance(row, Link)],
    )


@pytest.mark.parametrize(
    ("rows", "groups", "projects"),
    [
        pytest.param([Member((GROUP, 1), BEN, 30)], {1: 30, 2: 30}, {9: 30}, id="inherited"),
        pytest.param([Member((GROUP, 1), BEN, 30), Member((GROUP, 2), BEN, 20)], {1: 30, 2: 30}, {9: 30}, id="highest"),
        pytest.param([Member((GROUP, 1), BEN, 5)], {1: 5}, {}, id="minimal access is not inherited"),
        pytest.param([Member((GROUP, 1), BEN, 30, awaiting=True)], {}, {}, id="awaiting approval"),
        pytest.param(
            [Member((GROUP, 3), BEN, 50), Link((GROUP, 1), 3, 20)],
            {1: 20, 2: 20, 3: 50, 4: 50},
            {9: 20},
            id="at most the invitation's level",
        ),
        pytest.param(
            [Member((GROUP, 3), BEN, 50), Link((GROUP, 1), 4, 30)],
            {3: 50, 4: 50},
            {},
            id="a group invites direct members only",
        ),
        pytest.param(
            [Member((GROUP, 3), BEN, 50), Link((PROJECT, 9), 4, 30)],
            {3: 50, 4: 50},
            {9: 30},
            id="a project invites inherited members, too",
        ),
        pytest.param(
            [Member((GROUP, 5), BEN, 40), Link((GROUP, 3), 5, 30), Link((PROJECT, 9), 4, 50)],
            {3: 30, 4: 30, 5: 40},
            {9: 30},
            id="and those invited into that group",
        ),
        pytest.param(
            [Member((GROUP, 5), BEN, 40), Link((GROUP, 3), 5, 5)], {5: 40}, {}, id="an invitation of minimal access"
        ),
    ],
)
def test_levels_are_gitlabs(rows: list[Member | Link], groups: dict[int, int], projects: dict[int, int]) -> None:
    wanted = {(GROUP, number): level for number, level in groups.items()}
    assert company(*rows).levels(BEN) == wanted | {(PROJECT, number): level for number, level in projects.items()}


def test_a_lock_of_the_projects_own_group_voids_its_invitations() -> None:
    rows = Member((GROUP, 3), BEN, 50), Link((PROJECT, 9), 3, 30)
    assert (PROJECT, 9) in company(*rows, locked=frozenset({1})).levels(BEN)
    assert (PROJECT, 9) not in company(*rows, locked=frozenset({2})).levels(BEN)


def test_a_personal_project_is_its_owners() -> None:
    assert company().levels(ANA) == {(PROJECT, 10): 50}
