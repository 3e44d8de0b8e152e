"""The routes of access over a table in memory: two integrations, three accounts, and what these were given."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from gitlab_hub.access.changes.feed import ChangeFeed
from gitlab_hub.access.credentials.model import Credential, scope_of
from gitlab_hub.access.credentials.reader import CredentialReader
from gitlab_hub.access.credentials.routes import GitLabCredentialRoutes
from gitlab_hub.access.credentials.store import CredentialStore
from gitlab_hub.access.effective.loading import GraphReader
from gitlab_hub.access.effective.reader import EffectiveReader
from gitlab_hub.access.grant_routes import GrantRoutes
from gitlab_hub.access.invitation_routes import InvitationRoutes
from gitlab_hub.access.keys import grants_scope
from gitlab_hub.access.model import Account, AccountStatus, Grant
from gitlab_hub.access.reader import AccessReader
from gitlab_hub.access.routes import AccessRoutes
from gitlab_hub.access.store import AccessStore
from gitlab_hub.access.summary import AccessSummary
from gitlab_hub.access.summary_routes import SummaryRoutes
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.inventory.model import ALL, Resource, ResourceType
from gitlab_hub.sync.ports import Row, RowStore
from gitlab_hub.sync.scope_list import ScopeList
from gitlab_hub.sync.store import RunStore
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

    def __init__(self, table: MemoryTable | None = None, integration: str = "i1") -> None:
        self.table, self.integration = table or MemoryTable(), integration
        self.notes = MemoryTable()
        reader, cursors = AccessReader(self.table, now=lambda: NOW), Cursors(lambda: b"key")
        effective = EffectiveReader(GraphReader(self.table, ScopeList(self.notes)), now=lambda: NOW)
        rooms = (
            AccessRoutes(reader, cursors),
            GrantRoutes(reader, effective, cursors),
            InvitationRoutes(reader, ScopeList(self.notes), cursors),
            GitLabCredentialRoutes(
                CredentialReader(self.table, ScopeList(self.notes), now=lambda: NOW), reader, cursors
            ),
            SummaryRoutes(AccessSummary(self.table, RunStore(self.notes), ScopeList(self.notes), now=lambda: NOW)),
        )
        routes = [route for room in rooms for route in room.routes()]
        self._api = Api(routes, guard=Guard(), idempotency=None, now=lambda: NOW)

    def get(
        self, path: str, /, *, integration: str = "i1", who: Principal | None = VIEWER, **query: Any
    ) -> tuple[int, dict[str, Any]]:
        event = {
            "version": "2.0",
            "rawPath": f"/v1/integrations/{integration}/{path}",
            "rawQueryString": urlencode(query, doseq=True),
            "queryStringParameters": {
                name: ",".join(map(str, value)) if isinstance(value, list) else str(value)
                for name, value in query.items()
            },
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

    def every(self, path: str, /, **query: Any) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        while True:
            status, body = self.get(path, **query)
            assert status == 200, body
            found += body[path.replace("-", "_")]
            if body["next_cursor"] is None:
                return found
            query["cursor"] = body["next_cursor"]

    def access_store(self) -> AccessStore:
        """The rows of the integration as a sync writes them."""
        feed = ChangeFeed(self.table, self.integration, sync_id="s1", now=lambda: NOW, beside_runs=False)
        return AccessStore(self.table, self.integration, feed)

    def store_credentials(self, *credentials: Credential) -> CredentialStore:
        """Put tokens and keys where a sync would."""
        store = CredentialStore(self.table, "i1")
        for one in credentials:
            put(store.rows, scope_of(one.kind), [store.row(one)])
        return store

    def store(self, *values: Account | Resource | Grant, kind: ResourceType | None = None) -> None:
        """Put values where a sync would."""
        store = self.access_store()
        for value in values:
            if isinstance(value, Account):
                put(store.accounts, ALL, [store.account_row(value)])
            elif isinstance(value, Resource):
                place = kind or ResourceType.GROUP
                put(store.inventory.resources[place], ALL, [store.inventory.row(place, value)])
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
    is_admin=True,
    external=True,
    two_factor_enabled=False,
    last_activity_on="2025-01-01",
)
BOT = Account(id=700, username="project_8_bot_ab12", kind=AccountKind.PROJECT_BOT, status=AccountStatus.ACTIVE)
ACME = Resource(
    id=1, full_path="acme", name="Acme Inc", share_with_group_lock=True, marked_for_deletion_on="2026-02-28"
)
STORE = Resource(
    id=8,
    full_path="acme/store",
    name="Store",
    parent_id=1,
    visibility="private",
    archived=True,
    default_branch="main",
    shared_with=[{"group_id": 3, "full_path": "ops", "access_level": 20, "ends_at": NOW, "member_role_id": 12}],
)


def grant(kind: str, resource: int, account: int, level: int, **more: Any) -> Grant:
    return Grant(resource_type=ResourceType(kind), resource_id=resource, account_id=account, access_level=level, **more)


GRANTS = [
    grant("group", 1, 5, 50),
    grant("group", 10, 5, 10),
    grant("project", 8, 5, 30, ends_at=NOW, member_role={"id": 12, "name": "Auditor"}),
    grant("project", 8, 6, 37, ends_at=NOW + 1),
]
