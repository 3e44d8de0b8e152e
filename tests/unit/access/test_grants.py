"""What is kept of GitLab's rows of members."""

from typing import Any

import pytest

from gitlab_hub.access.model import Grant
from gitlab_hub.access.transform import grant_of
from gitlab_hub.gitlab.roles import role_name
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.storage.rows import item_of

MEMBER_ROW: dict[str, Any] = {"id": 5, "username": "jane", "access_level": 30, "expires_at": None}


def test_a_plain_membership() -> None:
    assert grant_of(MEMBER_ROW, ResourceType.GROUP, 4) == Grant(
        account_id=5, resource_type=ResourceType.GROUP, resource_id=4, access_level=30
    )


def test_a_membership_with_everything() -> None:
    row = MEMBER_ROW | {
        "expires_at": "2024-01-26",
        "created_at": "2020-01-15T12:36:29Z",
        "created_by": {"id": 1, "username": "root"},
        "member_role": {"id": 12, "name": "Auditor", "base_access_level": 20},
        "membership_state": "awaiting",
        "access_level": 37,
    }
    grant = grant_of(row, ResourceType.PROJECT, 8)
    assert (grant.access_level, grant.ends_at, grant.granted_at, grant.granted_by) == (37, 1706227200, 1579091789, 1)
    assert (grant.member_role, grant.membership_state) == ({"id": 12, "name": "Auditor"}, "awaiting")


def test_the_end_of_a_membership_is_not_the_tables_time_to_live() -> None:
    assert "expires_at" not in item_of(grant_of(MEMBER_ROW | {"expires_at": "2024-01-26"}, ResourceType.GROUP, 4))


@pytest.mark.parametrize(
    ("level", "role"),
    [
        (5, "Minimal Access"),
        (10, "Guest"),
        (15, "Planner"),
        (20, "Reporter"),
        (25, "Security Manager"),
        (30, "Developer"),
        (40, "Maintainer"),
        (50, "Owner"),
        (37, "Level 37"),
    ],
)
def test_levels_have_gitlabs_names(level: int, role: str) -> None:
    assert role_name(level) == role
