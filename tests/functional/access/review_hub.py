"""Access reviews of a small company, over tables in memory."""

from collections.abc import Mapping, Sequence
from typing import Any

from gitlab_hub.access.model import Account, AccountStatus
from gitlab_hub.access.reader import AccessReader
from gitlab_hub.access.reviews.closing import ReviewClosing
from gitlab_hub.access.reviews.closing_routes import ReviewClosingRoutes
from gitlab_hub.access.reviews.remediation import Key, Remedy
from gitlab_hub.access.reviews.routes import ReviewRoutes
from gitlab_hub.access.reviews.service import ReviewService
from gitlab_hub.access.reviews.snapshot import FEW, MOST_ITEMS, Snapshots
from gitlab_hub.access.reviews.store import ReviewStore
from gitlab_hub.access.summary import AccessSummary
from gitlab_hub.audit.log import AuditLog
from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.inventory.model import Resource, ResourceType, Share
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.scope_list import ScopeList
from gitlab_hub.sync.store import RunStore
from gitlab_hub.web.api import Api
from gitlab_hub.web.idempotency import Idempotency
from gitlab_hub.web.pagination import Cursors
from gitlab_hub.web.principal import GitLabAccount, Principal, Role
from tests.fakes.events import Context, answered, http_event
from tests.fakes.faults import Plan, faulty
from tests.functional.access.access_api import NOW, Client, Guard, grant

ANA, BEN, BOT, ROOT = 1, 2, 3, 4
ACME, TEAM, OPS = 10, 11, 20
SHOP, LAB = 100, 101
DAY = 86_400

ADMIN = Principal("0123456789abcdef", Role.ADMIN)  # pragma: allowlist secret
VIEWER = Principal("t-viewer", Role.VIEWER)
REVIEWER = Principal("fedcba9876543210", Role.VIEWER)  # pragma: allowlist secret
ANAS = Principal("t-ana", Role.VIEWER, None, frozenset({GitLabAccount("i1", ANA)}))
KEEP: dict[str, Any] = {"decision": "keep"}


class KnownPlans:
    """Plans as reviews know them: what was asked for, and what became of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Sequence[Remedy], str, str]] = []
        self.refusal: HubError | None = None
        self.expired: set[str] = set()
        self.settled: dict[Key, int | None] = {}

    def make(self, integration_id: str, remedies: Sequence[Remedy], *, note: str, actor: str) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append((remedies, note, actor))
        return f"plan_{len(self.asked)}"

    def status(self, integration_id: str, plan_id: str) -> str | None:
        return None if plan_id in self.expired else "blocked"

    def done(self, integration_id: str, plan_id: str) -> Mapping[Key, int | None]:
        asked = self.asked[int(plan_id.rpartition("_")[2]) - 1][0]
        return {one.key: self.settled.get(one.key) for one in asked}


class ReviewHub:
    """The routes of reviews, and what is stored behind them."""

    def __init__(self, *, most: int = MOST_ITEMS, few: int = FEW) -> None:
        self.company = Client()
        self.table, self.notes = self.company.table, self.company.notes
        self.now, self.left = float(NOW), 29.0
        self._most, self._few = most, few
        self.plans = KnownPlans()
        _settle(self.company)
        self.company.access_store().note_administrators()

    def api(self, access: Table | None = None, notes: Table | None = None) -> Api:
        """The API, perhaps over other views of the tables."""
        table, others = access or self.table, notes or self.notes
        scopes = ScopeList(others)
        audit, store = AuditLog(others, self.clock), ReviewStore(table)
        service = ReviewService(
            store,
            Snapshots(table, scopes, now=self.clock, most=self._most, few=self._few),
            AccessReader(table, now=self.clock),
            AccessSummary(table, RunStore(others), scopes, now=self.clock),
            audit,
            now=self.clock,
            left=lambda: self.left,
        )
        closing = ReviewClosingRoutes(ReviewClosing(store, self.plans, audit, self.clock))
        routes = ReviewRoutes(service, self.plans, Cursors(lambda: b"key")).routes()
        return Api([*routes, *closing.routes()], guard=Guard(), idempotency=Idempotency(others), now=self.clock)

    def struck(self, plan: Plan) -> Api:
        """The API over tables that fail as planned."""
        return self.api(faulty(self.table, plan), faulty(self.notes, plan))

    def clock(self) -> float:
        return self.now

    def __call__(
        self,
        method: str,
        path: str = "",
        body: Any = None,
        *,
        who: Principal = ADMIN,
        api: Api | None = None,
        **how: Any,
    ) -> tuple[int, Any]:
        """Call once and read the answer."""
        event = http_event(method, f"/v1/integrations/i1/reviews{path}", body, principal=who, **how)
        return answered((api or self.api()).resolve(event, Context()))

    def make(self, *, reviewers: Sequence[str] = (), **scope: Any) -> str:
        """Make a review and give its id."""
        status, body = self("POST", "", {"title": "Q1", "scope": scope, "reviewers": list(reviewers)})
        assert status == 201, body
        return str(body["review"]["id"])

    def items(self, review_id: str, *, who: Principal = ADMIN, limit: int = 200, **query: Any) -> list[dict[str, Any]]:
        """All pages of the items."""
        found: list[dict[str, Any]] = []
        while True:
            status, body = self("GET", f"/{review_id}/items", who=who, query={"limit": limit, **query})
            assert status == 200, body
            found += body["items"]
            if body["next_cursor"] is None:
                return found
            query["cursor"] = body["next_cursor"]

    def decide(self, review_id: str, *decisions: dict[str, Any], **how: Any) -> tuple[int, Any]:
        """Send decisions."""
        return self("PATCH", f"/{review_id}/items", {"decisions": list(decisions)}, **how)

    def audited(self, action: str) -> list[dict[str, Any]]:
        """The lines of the log about an action."""
        return [row for row in self.notes.dump() if row.get("action") == action]


def share(group_id: int, level: int, ends_at: int | None = None) -> Share:
    return Share(group_id=group_id, full_path="", access_level=level, ends_at=ends_at, member_role_id=None)


def _settle(company: Client) -> None:
    """Acme with a team and its shop; ops is invited into acme, the team into Ana's lab."""
    email = {"value": "ana@example.com", "source": "account", "primary": True}
    people: dict[int, dict[str, Any]] = {
        ANA: {"username": "ana", "emails": [email], "two_factor_enabled": True, "last_activity_on": "2026-02-20"},
        BEN: {"username": "ben", "status": AccountStatus.DISABLED, "state": "blocked"},
        BOT: {"username": "acme_bot", "kind": AccountKind.GROUP_BOT},
        ROOT: {"username": "root", "is_admin": True},
    }
    usual: dict[str, Any] = {"kind": AccountKind.HUMAN, "status": AccountStatus.ACTIVE, "is_admin": False}
    company.store(*(Account(id=number, **usual | more) for number, more in people.items()))
    company.store(
        Resource(id=ACME, full_path="acme", name="Acme", shared_with=[share(OPS, 30, ends_at=NOW + 5 * DAY)]),
        Resource(id=TEAM, full_path="acme/team", name="Team", parent_id=ACME, visibility="private"),
        Resource(id=OPS, full_path="ops", name="Ops"),
    )
    company.store(
        Resource(id=SHOP, full_path="acme/team/shop", name="Shop", parent_id=TEAM, visibility="internal"),
        Resource(id=LAB, full_path="ana/lab", name="Lab", owner_id=ANA, shared_with=[share(TEAM, 30)]),
        kind=ResourceType.PROJECT,
    )
    company.store(
        grant("group", ACME, ANA, 40, granted_at=5, granted_by=ROOT),
        grant("group", TEAM, BOT, 30, member_role={"id": 7, "name": "Builder"}),
        grant("project", SHOP, ANA, 20, ends_at=NOW - DAY),
        grant("group", OPS, BEN, 50),
    )


def of(hub: ReviewHub, review_id: str, account_id: int) -> list[str]:
    """The items of a review about one account."""
    return [row["id"] for row in hub.items(review_id) if row["account_id"] == account_id]
