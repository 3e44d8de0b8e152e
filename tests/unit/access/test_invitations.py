"""What is kept of an invitation, and where a token's user surely may read them."""

from typing import Any

import pytest

from gitlab_hub.access.invitation_rights import InvitationRights
from gitlab_hub.access.model import Grant, Invitation
from gitlab_hub.access.transform import invitation_of
from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.storage.rows import item_of

GROUP, PROJECT = ResourceType.GROUP, ResourceType.PROJECT
ROW: dict[str, Any] = {
    "access_level": 30,
    "created_at": "2020-10-22T14:13:35Z",
    "expires_at": "2020-11-22",
    "invite_email": "new@example.com",
    "invite_token": "canary-of-a-token",
    "created_by_name": "Jane Doe",
}


def test_an_invitation_is_read() -> None:
    assert invitation_of(ROW, GROUP, 4) == Invitation(
        email="new@example.com",
        resource_type=GROUP,
        resource_id=4,
        access_level=30,
        ends_at=1606003200,
        created_at=1603376015,
        created_by="Jane Doe",
    )


def test_what_opens_the_membership_is_not_kept() -> None:
    assert "canary" not in repr(item_of(invitation_of(ROW | {"user_name": "canary"}, GROUP, 4)))


def test_what_releases_before_did_not_tell_is_unknown() -> None:
    row = {"invite_email": "new@example.com", "access_level": 45, "requested_at": None, "user_id": None}
    read = invitation_of(row, PROJECT, 8)
    assert (read.access_level, read.ends_at, read.created_at, read.created_by) == (45, None, None, None)


@pytest.mark.parametrize("change", [{"invite_email": None}, {"invite_email": ""}, {"access_level": "30"}])
def test_a_row_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedResponse):
        invitation_of(ROW | change, GROUP, 4)


def grant(kind: ResourceType, number: int, level: int) -> Grant:
    return Grant(account_id=1, resource_type=kind, resource_id=number, access_level=level)


PATHS = {1: "acme", 2: "acme/teams", 3: "other"}


@pytest.mark.parametrize(
    ("grants", "kind", "place", "covered"),
    [
        ([grant(GROUP, 1, 50)], GROUP, (1, "acme"), True),
        ([grant(GROUP, 1, 50)], GROUP, (2, "Acme/Teams"), True),
        ([grant(GROUP, 1, 50)], GROUP, (3, "acme-two"), False),
        ([grant(GROUP, 2, 50)], GROUP, (1, "acme"), False),
        ([grant(GROUP, 1, 40)], GROUP, (1, "acme"), False),
        ([grant(GROUP, 1, 40)], PROJECT, (8, "acme/teams/wiki"), True),
        ([grant(GROUP, 1, 30)], PROJECT, (8, "acme/wiki"), False),
        ([grant(PROJECT, 8, 40)], PROJECT, (8, "acme/wiki"), True),
        ([grant(PROJECT, 8, 40)], PROJECT, (9, "acme/shop"), False),
        ([grant(PROJECT, 8, 50)], GROUP, (8, "acme"), False),
        ([grant(GROUP, 77, 50)], GROUP, (1, "acme"), False),
        ([], GROUP, (1, "acme"), False),
    ],
)
def test_owners_of_groups_and_maintainers_of_projects_may_read_them(
    grants: list[Grant], kind: ResourceType, place: tuple[int, str], covered: bool
) -> None:
    assert InvitationRights.of(kind, grants, PATHS).cover(kind, *place) is covered


def test_an_administrator_may_read_all_of_them() -> None:
    assert InvitationRights(is_admin=True).cover(GROUP, 1, "acme")
