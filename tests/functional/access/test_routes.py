import json
from collections.abc import Iterable
from typing import Any

import pytest

from gitlab_hub.access.keys import grants_scope
from gitlab_hub.access.model import Account, AccountStatus, Grant
from gitlab_hub.access.reader import MAX_READ, AccessReader
from gitlab_hub.access.routes import AccessRoutes
from gitlab_hub.access.store import AccessStore, account_row
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.inventory.model import ALL, Resource, ResourceType
from gitlab_hub.inventory.store import resource_row
from gitlab_hub.sync.ports import Row, RowStore
from gitlab_hub.web.api import Api
from gitlab_hub.web.auth import Principal, Role
from gitlab_hub.web.pagination import Cursors
from tests.fakes.table import MemoryTable

NOW = 1_772_323_200
VIEWER = Principal("t1", Role.VIEWER)


class Guard:
    """Two integrations."""

    def exists(self, integration_id: str) -> bool:
        return integration_id in {"i1", "i2"}


class Client:
    """Calls the API as the gateway does."""

    def __init__(self) -> None:
        self.table = MemoryTable()
        routes = AccessRoutes(AccessReader(self.table, now=lambda: NOW), Cursors(lambda: b"key"))
        self._api = Api(routes.routes(), guard=Guard(), idempotency=None, now=lambda: NOW)

    def get(
        self, path: str, *, integration: str = "i1", who: Principal | None = VIEWER, **query: Any
    ) -> tuple[int, dict[str, Any]]:
        event = {
            "version": "2.0",
            "rawPath": f"/v1/integrations/{integration}/{path}",
            "rawQueryString": "",
            "queryStringParameters": {name: str(value) for name, value in query.items()},
            "headers": {},
            "requestContext": {
                "requestId": "r1",
                "stage": "$default",
                "http": {"method": "GET", "path": f"/v1/integrations/{integration}/{path}"},
                "authorizer": {"lambda": who.to_context() if who else {}},
            },
            "isBase64Encoded": False,
        }
        answer = self._api.resolve(event, None)
        return answer["statusCode"], json.loads(answer["body"])

    def every(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        while True:
            status, body = self.get(path, **query)
            assert status == 200, body
            found += body[path]
            if body["next_cursor"] is None:
                return found
            query["cursor"] = body["next_cursor"]

    def store(self, *values: Account | Resource | Grant, kind: ResourceType | None = None) -> None:
        """Put values where a sync would."""
        store = AccessStore(self.table, "i1")
        for value in values:
            if isinstance(value, Account):
                put(store.accounts, ALL, [account_row(value)])
            elif isinstance(value, Resource):
                put(store.inventory.resources[kind or ResourceType.GROUP], ALL, [resource_row(value)])
            else:
                scope = grants_scope(value.resource_type, f"{value.resource_id:012d}")
                put(store.grants, scope, [store.grant_row(value)])


def put(rows: RowStore, scope: str, new: Iterable[Row]) -> None:
    wanted = list(new)
    stored = rows.stored_of(scope, [row.key for row in wanted])
    rows.put(scope, wanted, {row.key: "hash" for row in wanted}, stored)


JANE = Account(
    id=5,
    username="jane",
    name="Jane Doe",
    kind=AccountKind.HUMAN,
    status=AccountStatus.ACTIVE,
    state="active",
    emails=[{"value": "JD@example.com", "source": "account", "primary": True}],
    identities=[{"provider": "saml", "extern_uid": "u5"}],
    is_admin=False,
    last_activity_on="2026-02-20",
    activity_source="users",
    created_at=1337760058,
)
OLE = Account(
    id=6,
    username="ole",
    name="Ole",
    kind=AccountKind.HUMAN,
    status=AccountStatus.DISABLED,
    state="blocked",
    last_activity_on="2025-01-01",
)
BOT = Account(id=700, username="project_8_bot_ab12", kind=AccountKind.PROJECT_BOT, status=AccountStatus.ACTIVE)
ACME = Resource(id=1, full_path="acme", name="Acme Inc")
STORE = Resource(
    id=8,
    full_path="acme/store",
    name="Store",
    parent_id=1,
    visibility="private",
    archived=True,
    default_branch="main",
    shared_with=[{"group_id": 3, "full_path": "ops", "access_level": 20, "ends_at": NOW, "member_role_id": None}],
)


def grant(kind: str, resource: int, account: int, level: int, **more: Any) -> Grant:
    return Grant(resource_type=ResourceType(kind), resource_id=resource, account_id=account, access_level=level, **more)


GRANTS = [
    grant("group", 1, 5, 50),
    grant("group", 10, 5, 10),
    grant("project", 8, 5, 30, ends_at=NOW, member_role={"id": 12, "name": "Auditor"}),
    grant("project", 8, 6, 37, ends_at=NOW + 1),
]


@pytest.fixture
def client() -> Client:
    client = Client()
    client.store(JANE, OLE, BOT, ACME, *GRANTS)
    client.store(STORE, kind=ResourceType.PROJECT)
    return client


def test_an_account_is_shown_with_the_contracts_fields(client: Client) -> None:
    assert client.get("accounts/5") == (
        200,
        {
            "account": {
                "id": 5,
                "username": "jane",
                "name": "Jane Doe",
                "kind": "human",
                "status": "active",
                "state": "active",
                "emails": [{"value": "JD@example.com", "source": "account", "primary": True}],
                "identities": [{"provider": "saml", "extern_uid": "u5"}],
                "is_admin": False,
                "external": None,
                "two_factor_enabled": None,
                "last_sign_in_at": None,
                "current_sign_in_at": None,
                "last_activity_on": "2026-02-20",
                "activity_source": "users",
                "created_at": 1337760058,
                "web_url": None,
            }
        },
    )


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, [5, 6, 700]),
        ({"q": "JANE"}, [5]),
        ({"q": "doe"}, [5]),
        ({"q": "jd@EXAMPLE"}, [5]),
        ({"q": "nobody"}, []),
        ({"kind": "project_bot"}, [700]),
        ({"status": "disabled"}, [6]),
        ({"status": "active", "kind": "human"}, [5]),
        ({"inactive_days": 90}, [6]),
        ({"inactive_days": 3650}, []),
        ({"limit": 1}, [5, 6, 700]),
        ({"limit": 1, "kind": "human"}, [5, 6]),
    ],
)
def test_accounts_are_filtered_and_paged(client: Client, query: dict[str, Any], ids: list[int]) -> None:
    assert [account["id"] for account in client.every("accounts", **query)] == ids


def test_a_page_that_ends_the_list_has_no_cursor(client: Client) -> None:
    assert client.get("accounts", limit=3)[1]["next_cursor"] is None
    assert client.get("accounts", limit=2)[1]["next_cursor"] is not None


@pytest.mark.parametrize("path", ["accounts/4", "accounts/7", "accounts/999999999999", "accounts/jane", "accounts/-5"])
def test_an_unknown_account_is_not_found(client: Client, path: str) -> None:
    status, body = client.get(path)
    assert (status, body["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "alien"},
        {"status": "asleep"},
        {"inactive_days": 0},
        {"inactive_days": 10**9},
        {"limit": 201},
        {"q": ""},
        {"q": "x" * 201},
    ],
)
def test_filters_out_of_range_are_refused(client: Client, query: dict[str, Any]) -> None:
    status, body = client.get("accounts", **query)
    assert (status, body["code"]) == (422, "invalid_input")


def test_groups_and_projects_are_shown(client: Client) -> None:
    assert client.every("groups") == [
        {
            "id": 1,
            "full_path": "acme",
            "name": "Acme Inc",
            "parent_id": None,
            "visibility": None,
            "archived": False,
            "web_url": None,
            "created_at": None,
            "shared_with": [],
        }
    ]
    (store,) = client.every("projects")
    assert (store["full_path"], store["parent_id"], store["archived"], store["default_branch"]) == (
        "acme/store",
        1,
        True,
        "main",
    )
    assert store["shared_with"] == [
        {
            "group_id": 3,
            "full_path": "ops",
            "access_level": 20,
            "role": "Reporter",
            "member_role_id": None,
            "expires_at": NOW,
        }
    ]


@pytest.mark.parametrize("kind", ["group", "project"])
def test_a_group_or_project_is_read_by_its_id_as_its_list_shows_it(client: Client, kind: str) -> None:
    (row,) = client.every(f"{kind}s")
    assert client.get(f"{kind}s/{row['id']}") == (200, {kind: row})
    for unknown in (999_999, 3, "acme"):
        status, body = client.get(f"{kind}s/{unknown}")
        assert (status, body["code"]) == (404, "not_found")


@pytest.mark.parametrize(("q", "ids"), [("ACME", [1]), ("inc", [1]), ("store", [])])
def test_groups_are_searched_by_path_and_name(client: Client, q: str, ids: list[int]) -> None:
    assert [group["id"] for group in client.every("groups", q=q)] == ids


def test_a_grant_says_what_why_and_where_to_take_it_away(client: Client) -> None:
    (shown,) = client.every("grants", account_id=5, project_id=8)
    assert shown == {
        "account_id": 5,
        "resource": {"type": "project", "id": 8, "full_path": "acme/store"},
        "access_level": 30,
        "role": "Developer",
        "member_role": {"id": 12, "name": "Auditor"},
        "expires_at": NOW,
        "expired": True,
        "kind": "direct",
        "path": [{"type": "project", "id": 8, "full_path": "acme/store", "level": 30, "cap": None}],
        "revoke_at": [{"type": "project", "id": 8}],
        "granted_at": None,
        "granted_by": None,
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
    assert found == grants


def test_a_grant_tells_an_unknown_level_and_an_unread_resource(client: Client) -> None:
    shown = client.every("grants")
    assert (shown[3]["role"], shown[3]["expired"]) == ("Level 37", False)
    assert shown[1]["resource"]["full_path"] is None


def test_a_renamed_project_is_renamed_in_its_grants(client: Client) -> None:
    client.store(Resource(id=8, full_path="acme/shop", name="Shop"), kind=ResourceType.PROJECT)
    (shown,) = client.every("grants", account_id=6)
    assert (shown["resource"]["full_path"], shown["path"][0]["full_path"]) == ("acme/shop", "acme/shop")


@pytest.mark.parametrize("query", [{"view": "effective"}, {"view": "odd"}, {"group_id": 1, "project_id": 8}])
def test_grants_that_cannot_be_listed_so_are_refused(client: Client, query: dict[str, Any]) -> None:
    status, body = client.get("grants", **query)
    assert (status, body["code"]) == (422, "invalid_input")


@pytest.mark.parametrize(
    ("path", "integration", "query"),
    [
        ("groups", "i1", {}),
        ("accounts", "i2", {"limit": 1}),
        ("accounts", "i1", {"limit": 1, "kind": "human"}),
        ("accounts", "i1", {"limit": 1, "q": "jane"}),
        ("grants", "i1", {}),
    ],
)
def test_a_cursor_of_another_list_is_refused(
    client: Client, path: str, integration: str, query: dict[str, Any]
) -> None:
    cursor = client.get("accounts", limit=1)[1]["next_cursor"]
    assert client.get("accounts", cursor=cursor)[0] == 200
    status, body = client.get(path, integration=integration, cursor=cursor, **query)
    assert (status, body["code"]) == (400, "invalid_cursor")


def test_a_cursor_of_groups_does_not_continue_projects(client: Client) -> None:
    client.store(Resource(id=2, full_path="beta", name="Beta"))
    cursor = client.get("groups", limit=1)[1]["next_cursor"]
    assert client.get("groups", cursor=cursor)[0] == 200
    assert client.get("projects", cursor=cursor)[0] == 400


@pytest.mark.parametrize("path", ["accounts", "groups", "projects", "grants"])
def test_a_tampered_cursor_is_refused(client: Client, path: str) -> None:
    status, body = client.get(path, cursor="AAAA")
    assert (status, body["code"]) == (400, "invalid_cursor")


def test_another_integration_has_none_of_these_rows(client: Client) -> None:
    for path in ("accounts", "groups", "projects", "grants"):
        assert client.every(path, integration="i2") == []
    assert client.every("grants", integration="i2", account_id=5) == []
    assert client.get("accounts/5", integration="i2")[0] == 404


@pytest.mark.parametrize("path", ["accounts", "accounts/5", "groups", "projects", "grants"])
def test_nobody_reads_without_a_token_for_the_integration(client: Client, path: str) -> None:
    limited = Principal("t2", Role.OWNER, frozenset({"i2"}))
    assert client.get(path, who=None)[0] == 401
    assert client.get(path, who=limited)[0] == 404


def test_one_request_reads_a_bounded_number_of_rows() -> None:
    client = Client()
    client.store(*(Account(id=number, username=f"u{number}") for number in range(1, MAX_READ + 3)))
    status, body = client.get("accounts", q=f"u{MAX_READ + 1}")
    assert (status, body["accounts"]) == (200, [])
    assert body["next_cursor"] is not None
    assert [account["id"] for account in client.every("accounts", q=f"u{MAX_READ + 1}")] == [MAX_READ + 1]
