"""Invitations as they are read back."""

from typing import Any

import pytest

from gitlab_hub.access.keys import grants_scope
from gitlab_hub.access.model import Invitation
from gitlab_hub.access.pages import MAX_READ
from gitlab_hub.access.rounds import Round
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.web.auth import Principal, Role
from tests.functional.access.access_api import NOW, Client, put


def invited(client: Client, kind: str, number: int, *emails: str, **more: Any) -> None:
    store = client.access_store()
    made = [
        Invitation(email=email, resource_type=ResourceType(kind), resource_id=number, access_level=30, **more)
        for email in emails
    ]
    put(store.invitations, grants_scope(ResourceType(kind), f"{number:012d}"), map(store.invitation_row, made))


@pytest.fixture
def waiting(client: Client) -> Client:
    invited(client, "group", 1, "ann@example.com", ends_at=NOW, created_at=NOW - 60, created_by="Jane Doe")
    invited(client, "group", 10, "bob@example.com")
    invited(client, "project", 8, "Ann@Example.com")
    return client


def test_an_invitation_is_shown_with_the_contracts_fields(waiting: Client) -> None:
    assert waiting.every("invitations", group_id=1) == [
        {
            "email": "ann@example.com",
            "resource": {"type": "group", "id": 1, "full_path": "acme"},
            "access_level": 30,
            "role": "Developer",
            "expires_at": NOW,
            "created_at": NOW - 60,
            "created_by": "Jane Doe",
            "status": "pending",
        }
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [("group", 1), ("group", 10), ("project", 8)]),
        ({"limit": 1}, [("group", 1), ("group", 10), ("project", 8)]),
        ({"group_id": 1}, [("group", 1)]),
        ({"group_id": 8}, []),
        ({"project_id": 8}, [("project", 8)]),
        ({"q": "ANN@"}, [("group", 1), ("project", 8)]),
        ({"q": "ann@", "project_id": 8}, [("project", 8)]),
        ({"q": "carl"}, []),
    ],
)
def test_invitations_are_filtered_and_paged(waiting: Client, query: dict[str, Any], found: list[Any]) -> None:
    shown = waiting.every("invitations", **query)
    assert sorted((one["resource"]["type"], one["resource"]["id"]) for one in shown) == found


def test_a_resource_that_was_not_read_has_no_path(waiting: Client) -> None:
    (shown,) = waiting.every("invitations", group_id=10)
    assert shown["resource"] == {"type": "group", "id": 10, "full_path": None}


def test_when_they_were_read_is_told(client: Client) -> None:
    unknown = {"read_at": None, "never_read": None}
    reading = {"groups": unknown, "projects": unknown}
    assert client.get("invitations")[1] == {
        "invitations": [], "next_cursor": None, "read_at": None, "reading": reading,
    }  # fmt: skip
    readings = client.access_store().readings
    readings.note("project_invitations", sync_id="s2", at=NOW)
    assert client.get("invitations")[1]["read_at"] == NOW
    readings.note("group_invitations", sync_id="s1", at=NOW - 5)
    assert client.get("invitations")[1]["read_at"] == NOW - 5


def test_what_was_not_read_yet_is_not_shown_as_empty(client: Client) -> None:
    readings = client.access_store().readings
    readings.note_round("group_invitations", Round(begun_at=NOW - 60, is_over=True), sync_id="s1")
    first = Round(begun_at=NOW - 60, until=padded(8), left=812)
    readings.note_round("project_invitations", first, sync_id="s1")
    body = client.get("invitations")[1]
    assert body["read_at"] is None
    assert body["reading"] == {
        "groups": {"read_at": NOW - 60, "never_read": 0}, "projects": {"read_at": None, "never_read": 812},
    }  # fmt: skip
    assert client.get("invitations", group_id=1)[1]["read_at"] == NOW - 60
    assert [client.get("invitations", project_id=one)[1]["read_at"] for one in (8, 9)] == [NOW - 60, None]
    readings.note_round("project_invitations", Round(begun_at=NOW, is_over=True), sync_id="s2")
    readings.note_round("project_invitations", Round(begun_at=NOW + 90, until=padded(8), left=1), sync_id="s3")
    assert [client.get("invitations", project_id=one)[1]["read_at"] for one in (8, 9)] == [NOW + 90, NOW]
    assert client.get("invitations")[1]["read_at"] == NOW - 60


def test_a_list_that_gitlab_refuses_is_not_shown_as_empty(client: Client) -> None:
    client.access_store().readings.note_round("group_invitations", Round(begun_at=NOW, is_over=True), sync_id="s1")
    key = {"pk": "INTEGRATION#i1", "sk": f"SCOPE#access#group_invitations#{padded(1)}"}
    client.notes.put({**key, "status": "forbidden", "code": "forbidden", "hint": ""})
    assert [client.get("invitations", group_id=one)[1]["read_at"] for one in (1, 10)] == [None, NOW]


def test_a_round_that_gitlab_only_refused_has_read_nothing(client: Client) -> None:
    readings = client.access_store().readings
    refused = Round(begun_at=NOW, until=padded(8), is_over=True, answers={"rightful": 0, "others": 10})
    readings.note_round("group_invitations", refused, sync_id="s1")
    body = client.get("invitations", group_id=1)[1]
    assert (body["read_at"], body["reading"]["groups"]) == (None, {"read_at": None, "never_read": None})
    assert client.get("invitations")[1]["read_at"] is None
    readings.note("group_invitations", sync_id="s0", at=NOW - 60)
    readings.note_round("group_invitations", refused, sync_id="s2")
    assert client.get("invitations", group_id=1)[1]["read_at"] == NOW - 60, "an earlier round has shown it"
    told = Round(begun_at=NOW, is_over=True, answers={"rightful": 0, "others": 10, "told": -1})
    readings.note_round("group_invitations", told, sync_id="s3")
    assert client.get("invitations", group_id=1)[1]["read_at"] == NOW


def test_one_request_reads_a_bounded_number_of_rows(client: Client) -> None:
    invited(client, "group", 1, *(f"u{number}@example.com" for number in range(MAX_READ + 2)))
    status, body = client.get("invitations", q="nobody")
    assert (status, body["invitations"]) == (200, [])
    assert body["next_cursor"] is not None
    assert client.every("invitations", q="nobody") == []


@pytest.mark.parametrize(
    "query", [{"group_id": 1, "project_id": 8}, {"group_id": "acme"}, {"q": ""}, {"status": "pending"}, {"limit": 0}]
)
def test_what_cannot_be_asked_is_refused(waiting: Client, query: dict[str, Any]) -> None:
    status, body = waiting.get("invitations", **query)
    assert (status, body["code"]) == (422, "invalid_input")


def test_a_cursor_belongs_to_its_list(waiting: Client) -> None:
    cursor = waiting.get("invitations", limit=1)[1]["next_cursor"]
    for query in ({"group_id": 1}, {"q": "ann"}):
        status, body = waiting.get("invitations", cursor=cursor, **query)
        assert (status, body["code"]) == (400, "invalid_cursor")


def test_other_integrations_and_nobody_see_none(waiting: Client) -> None:
    assert waiting.get("invitations", integration="i2")[1]["invitations"] == []
    assert waiting.get("invitations", integration="i3")[0] == 404
    assert waiting.get("invitations", who=None)[0] == 401
    assert waiting.get("invitations", who=Principal("t", Role.VIEWER, frozenset({"i2"})))[0] == 404
