"""Grants as they are read: from an account, from a resource, and with the way to take them away."""

from typing import Any

import pytest

from gitlab_hub.inventory.model import Resource, ResourceType
from tests.functional.access.access_api import NOW, Client

PLACE = {"type": "project", "id": 8, "full_path": "acme/store"}


def test_a_grant_says_what_why_and_where_to_take_it_away(client: Client) -> None:
    (shown,) = client.every("grants", account_id=5, project_id=8)
    assert shown == {
        "account_id": 5,
        "resource": {"type": "project", "id": 8, "full_path": "acme/store"},
        "access_level": 30,
        "role": "Developer",
        "member_role": {"id": 12, "name": "Auditor"},
        "expires_at": NOW,
        "overdue": True,
        "since": None,
        "granted_by": None,
        "kind": "direct",
        "path": [{**PLACE, "level": 30, "cap": None, "expires_at": NOW, "invited": None}],
        "revoke_at": [{**PLACE, "level": 30}],
        "at_least": False,
        "membership_state": None,
    }


@pytest.mark.parametrize(
    ("query", "grants"),
    [
        ({}, [("group", 1, 5), ("group", 10, 5), ("project", 8, 5), ("project", 8, 6)]),
        ({"account_id": 5}, [("group", 1, 5), ("group", 10, 5), ("project", 8, 5)]),
        ({"account_id": 5, "limit": 1}, [("group", 1, 5), ("group", 10, 5), ("project", 8, 5)]),
        ({"group_id": 1}, [("group", 1, 5)]),
        ({"project_id": 8, "limit": 1}, [("project", 8, 5), ("project", 8, 6)]),
        ({"project_id": 1}, []),
        ({"account_id": 6, "group_id": 1}, []),
        ({"account_id": 6, "project_id": 8}, [("project", 8, 6)]),
        ({"account_id": 4}, []),
        ({"view": "direct", "account_id": 6}, [("project", 8, 6)]),
    ],
)
def test_grants_are_found_from_both_ends(client: Client, query: dict[str, Any], grants: list[Any]) -> None:
    found = [
        (one["resource"]["type"], one["resource"]["id"], one["account_id"]) for one in client.every("grants", **query)
    ]
    # What an account has is in order; all grants stand together by what they are about, in no order of their own.
    assert (found if query else sorted(found)) == grants


def test_a_grant_tells_an_unknown_level_and_an_unread_resource(client: Client) -> None:
    (unknown,), (unread,) = client.every("grants", account_id=6), client.every("grants", group_id=10)
    assert (unknown["role"], unknown["overdue"]) == ("Level 37", False)
    assert unread["resource"]["full_path"] is None


def test_a_renamed_project_is_renamed_in_its_grants(client: Client) -> None:
    client.store(Resource(id=8, full_path="acme/shop", name="Shop"), kind=ResourceType.PROJECT)
    (shown,) = client.every("grants", account_id=6)
    assert (shown["resource"]["full_path"], shown["path"][0]["full_path"]) == ("acme/shop", "acme/shop")


@pytest.mark.parametrize("query", [{"kind": "shared"}, {"view": "odd"}, {"group_id": 1, "project_id": 8}])
def test_grants_that_cannot_be_listed_so_are_refused(client: Client, query: dict[str, Any]) -> None:
    status, body = client.get("grants", **query)
    assert (status, body["code"]) == (422, "invalid_input")
