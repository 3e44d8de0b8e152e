"""`GET …/changes`: the feed as callers read it."""

from typing import Any

import pytest

from gitlab_hub.access.changes.feed import ChangeFeed, Step
from gitlab_hub.access.changes.model import Change, ChangeKind, Place
from gitlab_hub.access.changes.reader import MAX_READ, ChangeReader
from gitlab_hub.access.changes.routes import ChangeRoutes
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.storage.ports import Put
from gitlab_hub.web.api import Api
from gitlab_hub.web.auth import Principal, Role
from gitlab_hub.web.pagination import Cursors
from tests.fakes.events import answered, http_event
from tests.fakes.table import MemoryTable

NOW = 1_790_000_000
STORE = Place(type=ResourceType.PROJECT, id=8, full_path="acme/store")
ACME = Place(type=ResourceType.GROUP, id=8, full_path="acme")
LEVEL = {"access_level": 30}


class Guard:
    """Two integrations."""

    def exists(self, integration_id: str) -> bool:
        return integration_id in {"i1", "i2"}


class Client:
    """A hub whose feed a test writes."""

    def __init__(self) -> None:
        self.table, self.now, self.rows = MemoryTable(), NOW, 0
        feed = ChangeFeed(self.table, "i1", sync_id="s1", now=lambda: self.now, beside_runs=False)
        feed.begin([])
        self.feed = feed
        routes = ChangeRoutes(ChangeReader(self.table), Cursors(lambda: b"key")).routes()
        self._api = Api(routes, guard=Guard(), idempotency=None, now=lambda: NOW)

    def tell(self, *changes: Change, later: int = 0) -> None:
        """Tell changes together, some seconds after the ones before."""
        self.now, self.rows = self.now + later, self.rows + 1
        self.feed.write([Step(Put({"pk": "i1#accounts", "sk": str(self.rows)}), changes)])

    def get(self, integration: str = "i1", who: Principal | None = None, **query: Any) -> tuple[int, Any]:
        """Ask for one page."""
        given = {name: str(value) for name, value in query.items()}
        path = f"/v1/integrations/{integration}/changes"
        principal = who or Principal("t1", Role.VIEWER)
        event = http_event("GET", path, principal=principal, query=given)
        return answered(self._api.resolve(event, None))

    def pages(self, **query: Any) -> list[list[str]]:
        """The ids on each page, to the end."""
        found = []
        while True:
            status, body = self.get(**query)
            assert status == 200, body
            found.append([change["id"] for change in body["changes"]])
            if body["next_cursor"] is None:
                return found
            query["cursor"] = body["next_cursor"]


def account(number: int, kind: ChangeKind = ChangeKind.ACCOUNT_ADDED) -> Change:
    return Change(kind=kind, account_id=number, after={"username": f"u{number}"})


def grant(number: int, place: Place, kind: ChangeKind = ChangeKind.GRANT_ADDED, at: int | None = None) -> Change:
    return Change(kind=kind, account_id=number, resource=place, after=LEVEL, at=at)


@pytest.fixture
def client() -> Client:
    client = Client()
    client.tell(account(5), account(6))
    client.tell(grant(5, STORE, at=NOW - 100), later=60)
    client.tell(grant(6, ACME), grant(6, STORE, ChangeKind.GRANT_REMOVED), later=60)
    client.tell(Change(kind=ChangeKind.RESOURCE_MOVED, resource=ACME, before={"name": "a"}, after={"name": "b"}))
    client.tell(account(5, ChangeKind.ACCOUNT_REMOVED), later=60)
    return client


def test_a_change_is_shown_with_both_sides(client: Client) -> None:
    _, body = client.get(limit=3)
    assert body["changes"][2] == {
        "id": "chg_3",
        "at": NOW - 100,
        "noticed_at": NOW + 60,
        "kind": "grant_added",
        "account_id": 5,
        "resource": {"type": "project", "id": 8, "full_path": "acme/store"},
        "before": None,
        "after": {"access_level": 30},
        "sync_id": "s1",
        "by": "gitlab",
        "audit_id": None,
    }
    assert (body["changes"][0]["at"], body["changes"][0]["resource"]) == (NOW, None)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"account_id": 5}, [1, 3, 7]),
        ({"project_id": 8}, [3, 5]),
        ({"group_id": 8}, [4, 6]),
        ({"group_id": 9}, []),
        ({"kind": "grant_removed"}, [5]),
        ({"account_id": 6, "group_id": 8}, [4]),
        ({"since": NOW}, [1, 2, 3, 4, 5, 6, 7]),
        ({"since": NOW + 1}, [3, 4, 5, 6, 7]),
        ({"since": NOW + 120}, [4, 5, 6, 7]),
        ({"since": NOW + 181}, []),
        ({"until": NOW}, [1, 2]),
        ({"until": NOW - 1}, []),
        ({"since": NOW + 60, "until": NOW + 120}, [3, 4, 5, 6]),
        ({"since": NOW + 60, "until": NOW + 60, "kind": "account_added"}, []),
    ],
)
def test_filters_in_pages_of_any_size(client: Client, query: dict[str, Any], numbers: list[int]) -> None:
    for limit in (1, 2, 3, 50):
        pages = client.pages(limit=limit, **query)
        assert [number for page in pages for number in page] == [f"chg_{number}" for number in numbers]
        assert all(len(page) <= limit for page in pages)


def test_whoever_has_read_all_goes_on_later_where_he_was(client: Client) -> None:
    _, body = client.get(kind="account_added")
    assert ([one["id"] for one in body["changes"]], body["next_cursor"]) == (["chg_1", "chg_2"], None)
    client.tell(grant(7, STORE), account(9))
    for expected in (["chg_9"], []):
        _, body = client.get(kind="account_added", cursor=body["follow_cursor"])
        assert [one["id"] for one in body["changes"]] == expected


def test_a_feed_that_is_empty_can_be_followed() -> None:
    client = Client()
    _, body = client.get()
    assert (body["changes"], body["next_cursor"]) == ([], None)
    client.tell(account(5))
    _, body = client.get(cursor=body["follow_cursor"])
    assert [one["id"] for one in body["changes"]] == ["chg_1"]


def test_one_request_looks_at_a_bounded_number_of_entries() -> None:
    client = Client()
    for _ in range(21):
        client.tell(*(account(number) for number in range(100)))
    client.tell(account(700))
    status, body = client.get(account_id=700)
    assert (status, body["changes"]) == (200, [])
    assert MAX_READ == 2_000
    assert client.pages(account_id=700) == [[], ["chg_2101"]]


def test_the_beginning_of_a_time_is_found_without_reading_what_was_before() -> None:
    client = Client()
    for _ in range(400):
        client.tell(account(5), later=60)
    client.table.bill.clear()
    _, body = client.get(since=NOW + 60 * 399)
    assert [one["id"] for one in body["changes"]] == ["chg_399", "chg_400"]
    assert client.table.bill["items"] < 20


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"group_id": 1, "project_id": 8}, "project_id"),
        ({"since": NOW, "until": NOW - 1}, "until"),
        ({"kind": "renamed"}, "kind"),
        ({"username": "jane"}, "username"),
        ({"since": "yesterday"}, "since"),
        ({"until": -1}, "until"),
        ({"account_id": "jane"}, "account_id"),
        ({"limit": 201}, "limit"),
    ],
)
def test_what_cannot_be_asked_so_is_refused(client: Client, query: dict[str, Any], field: str) -> None:
    status, body = client.get(**query)
    assert (status, body["code"]) == (422, "invalid_input")
    assert body["details"]["fields"][0]["field"] == f"query.{field}"


def test_a_cursor_goes_with_its_filters_and_its_integration(client: Client) -> None:
    _, body = client.get(limit=1, account_id=5)
    cursor = body["next_cursor"]
    for query in ({"account_id": 6}, {}, {"account_id": 5, "since": 1}, {"account_id": 5, "integration": "i2"}):
        status, answer = client.get(cursor=cursor, **query)
        assert (status, answer["code"]) == (400, "invalid_cursor")


def test_each_integration_has_a_feed_of_its_own(client: Client) -> None:
    assert client.get(integration="i2")[1]["changes"] == []
    assert client.get(integration="i3")[0] == 404
    assert client.get(who=Principal("t2", Role.VIEWER, frozenset({"i2"})))[0] == 404
