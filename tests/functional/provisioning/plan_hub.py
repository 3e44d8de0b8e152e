"""Plans of a small company, over tables in memory and a GitLab whose memberships can be changed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gitlab_hub.access.addresses import AccountAddresses
from gitlab_hub.access.changes.own_changes import OwnChanges
from gitlab_hub.access.hints import AccessHints
from gitlab_hub.audit.log import AuditLog
from gitlab_hub.composition.adapters import ListedCredentials
from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.clients import GitLabConnection
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.provisioning.feature import ProvisioningFeature
from gitlab_hub.provisioning.routes import PlanRoutes
from gitlab_hub.provisioning.timed.routes import AccessRequestRoutes
from gitlab_hub.storage.ports import Check, Condition, Function, Table
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.store import RunStore
from gitlab_hub.web.api import Api
from gitlab_hub.web.idempotency import Idempotency
from gitlab_hub.web.pagination import Cursors
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.events import OWNER, Context, answered, http_event
from tests.fakes.gitlab_client import client
from tests.fakes.gitlab_members import MemberGitLab
from tests.fakes.queue import MemoryFunction, MemoryQueue
from tests.fakes.table import MemoryTable

INTEGRATION, OTHER = "int_0a1b", "int_0c2d"
START = 1_790_000_000  # 2026-09-21
ADMIN = Principal("t-admin", Role.ADMIN)
HUB, ANA, BEN, CAT, BOT, ROOT = 1, 2, 3, 4, 5, 6
ACME, TEAM, GUESTS, SHOP, CRAFT = 10, 11, 12, 100, 101
GROUP = {"type": "group", "id": ACME}
PROJECT = {"type": "project", "id": SHOP}


class GitLabs:
    """The one GitLab, as each integration sees it."""

    def __init__(self, gitlab: MemberGitLab) -> None:
        self.gitlab = gitlab
        self.known: dict[str, GitLabConnection] = {one: _connection(one) for one in (INTEGRATION, OTHER)}

    def connection(self, integration_id: str) -> GitLabConnection | None:
        return self.known.get(integration_id)

    def open(self, connection: GitLabConnection) -> GitLab:
        return client(self.gitlab)  # type: ignore[arg-type]  # any transport will do

    def places(self) -> list[tuple[str, int]]:
        """All groups and projects."""
        return list(self.gitlab.places)

    def set(self, integration_id: str = INTEGRATION, **changes: Any) -> None:
        self.known[integration_id] = replace(self.known[integration_id], **changes)


def is_live(integration_id: str) -> Check:
    """Nothing is removed here."""
    return Check(("INTEGRATIONS", integration_id), Condition())


class Guard:
    """Both integrations exist."""

    def exists(self, integration_id: str) -> bool:
        return integration_id in {INTEGRATION, OTHER}


class PlanHub:
    """The routes of plans and the provisioner, and what is stored behind them."""

    def __init__(self, gitlabs: GitLabs | None = None) -> None:
        self.access, self.notes = MemoryTable(), MemoryTable()
        self.provisioner, self.hints = MemoryFunction(), MemoryQueue()
        self.gitlabs = gitlabs or GitLabs(company())
        self.gitlab = self.gitlabs.gitlab
        self.now = float(START)
        self.revoked: set[str] = set()
        self.workers = 0
        self.other_users: frozenset[int] = frozenset()
        for one in (INTEGRATION, OTHER):
            self.synced(one)

    def feature(
        self, access: Table | None = None, notes: Table | None = None, provisioner: Function | None = None
    ) -> Any:
        """Provisioning, perhaps over other views of what is stored."""
        return ProvisioningFeature(
            table=access or self.access,
            runs=RunStore(notes or self.notes),
            provisioner=provisioner or self.provisioner,
            gitlabs=self.gitlabs,
            addresses=AccountAddresses(access or self.access),
            users=self,
            inventory=ListedCredentials(access or self.access),
            audit=AuditLog(notes or self.notes, self.clock),
            incidents=IncidentStore(notes or self.notes, self.clock, is_live),
            is_revoked=lambda token_id: token_id in self.revoked,
            now=self.clock,
        )

    def besides(self, _connection: GitLabConnection) -> frozenset[int]:
        """The users of the hub's other tokens for this GitLab."""
        return self.other_users

    def api(self, feature: ProvisioningFeature | None = None) -> Api:
        part, cursors = feature or self.feature(), Cursors(lambda: b"key")
        routes = PlanRoutes(part.service, cursors, self.clock).routes()
        routes += AccessRequestRoutes(part.asking, part.deciding, part.policies, cursors, self.clock).routes()
        return Api(routes, guard=Guard(), idempotency=Idempotency(self.notes), now=self.clock)

    def worker(
        self,
        feature: ProvisioningFeature | None = None,
        sleep: Callable[[float], None] = lambda _: None,
        access: Table | None = None,
    ) -> Any:
        self.workers += 1
        name = f"worker-{self.workers}"
        return (feature or self.feature()).worker(
            AccessHints(self.access, self.hints, self.clock),
            OwnChanges(access or self.access, self.clock),
            lambda: name,
            sleep,
        )

    def clock(self) -> float:
        return self.now

    def __call__(
        self,
        method: str,
        path: str = "",
        body: Any = None,
        *,
        who: Principal = OWNER,
        api: Api | None = None,
        **how: Any,
    ) -> tuple[int, Any]:
        """Call once and read the answer."""
        of = how.pop("of", INTEGRATION)
        room = how.pop("room", "plans")
        event = http_event(method, f"/v1/integrations/{of}/{room}{path}", body, principal=who, **how)
        return answered((api or self.api()).resolve(event, Context()))

    def plan(self, *operations: dict[str, Any], **how: Any) -> dict[str, Any]:
        """Make a plan and give it."""
        status, body = self("POST", "", {"operations": list(operations)}, who=ADMIN, **how)
        assert status == 201, body
        made: dict[str, Any] = body["plan"]
        return made

    def apply(self, plan: dict[str, Any], reason: str | None = None, **how: Any) -> tuple[int, Any]:
        """Apply a plan as it was shown."""
        body = {"hash": plan["hash"]} | ({"override": {"reason": reason}} if reason else {})
        return self("POST", f"/{plan['id']}/apply", body, **how)

    def work(self) -> None:
        """Let the provisioner be called as often as it was started."""
        while self.provisioner.started:
            self.provisioner.started -= 1
            self.tick()

    def tick(self, worker: Any = None) -> None:
        """Let the provisioner be called once."""
        (worker or self.worker()).tick(lambda: 290.0)

    def later(self, seconds: float = 60) -> None:
        """Let time pass, and the schedule run once."""
        self.now += seconds
        self.tick()

    def done(self, *operations: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        """Plan, apply, work, and read the plan again."""
        made = self.plan(*operations)
        status, body = self.apply(made, reason)
        assert status == 202, body
        self.work()
        return self.read(made["id"])

    def read(self, plan_id: str) -> dict[str, Any]:
        status, body = self("GET", f"/{plan_id}")
        assert status == 200, body
        found: dict[str, Any] = body["plan"]
        return found

    def audited(self, action: str) -> list[dict[str, Any]]:
        """The lines of the log about an action."""
        return sorted((row for row in self.notes.dump() if row.get("action") == action), key=lambda row: row["sk"])

    def synced(self, integration_id: str, *, ago: int = 60, status: RunStatus = RunStatus.IDLE) -> None:
        """Let the last accounts sync have succeeded a while ago."""
        for kind, number in self.gitlabs.places():
            self.access.put({"pk": f"{integration_id}#{kind}", "sk": padded(number), "id": number})
        runs = RunStore(self.notes)
        before = runs.load(integration_id, Kind.ACCESS)
        run = Run(integration_id=integration_id, kind=Kind.ACCESS, sync_id="s1", version=before.version)
        runs.save(replace(run, status=status, succeeded_at=int(self.now) - ago))


def grant(account_id: int, level: int, resource: dict[str, Any] = PROJECT, **more: Any) -> dict[str, Any]:
    return {"op": "grant", "account_id": account_id, "resource": resource, "access_level": level, **more}


def revoke(account_id: int, level: int | None, resource: dict[str, Any] = PROJECT) -> dict[str, Any]:
    expected = {} if level is None else {"expected_level": level}
    return {"op": "revoke", "account_id": account_id, "resource": resource, **expected}


def share(group_id: int, level: int, resource: dict[str, Any] = PROJECT, **more: Any) -> dict[str, Any]:
    return {"op": "share", "group_id": group_id, "resource": resource, "access_level": level, **more}


def unshare(group_id: int, resource: dict[str, Any] = PROJECT, **more: Any) -> dict[str, Any]:
    return {"op": "unshare", "group_id": group_id, "resource": resource, **more}


def invite(email: str, level: int, resource: dict[str, Any] = PROJECT, **more: Any) -> dict[str, Any]:
    return {"op": "invite", "email": email, "resource": resource, "access_level": level, **more}


def revoke_credential(kind: str, number: int, **more: Any) -> dict[str, Any]:
    return {"op": "revoke_credential", "kind": kind, "id": number, **more}


def user(number: int, username: str, name: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "username": username, "name": name, "state": "active", "bot": False, **more}


def member(level: int, **more: Any) -> dict[str, Any]:
    return {"access_level": level, "expires_at": None, "member_role": None, **more}


def company() -> MemberGitLab:
    """Acme with a team and its shop, and twenty developers in a project; of its owners only Ana is an active person.

    Beside it lies a group of guests.
    """
    people = {
        HUB: user(HUB, "hub", "Hub", bot=True),
        ANA: user(ANA, "ana", "Ana Lima"),
        BEN: user(BEN, "ben", "Ben Roth"),
        CAT: user(CAT, "cat", "Cat Wu", state="blocked"),
        BOT: user(BOT, "group_10_bot_0a1b", "deploy", bot=True),
        ROOT: user(ROOT, "root", "Root", is_admin=True),
        **{number: user(number, f"dev{number}", f"Dev {number}") for number in range(20, 60)},
    }
    acme = {"id": ACME, "full_path": "acme", "parent_id": None}
    team = {"id": TEAM, "full_path": "acme/team", "parent_id": ACME}
    guests = {"id": GUESTS, "full_path": "guests", "parent_id": None}
    shop = {"id": SHOP, "path_with_namespace": "acme/team/shop", "namespace": {"id": TEAM, "kind": "group"}}
    craft = {"id": CRAFT, "path_with_namespace": "acme/craft", "namespace": {"id": ACME, "kind": "group"}}
    return MemberGitLab(
        users=people,
        places={
            ("groups", ACME): acme, ("groups", TEAM): team, ("groups", GUESTS): guests,
            ("projects", SHOP): shop, ("projects", CRAFT): craft,
        },
        members={
            ("groups", ACME): {HUB: member(50), ANA: member(50), CAT: member(50), BOT: member(50)},
            ("groups", TEAM): {BEN: member(20)},
            ("groups", GUESTS): {HUB: member(10), 41: member(30)},
            ("projects", SHOP): {BEN: member(30)},
            ("projects", CRAFT): {number: member(30) for number in range(20, 40)},
        },
        credentials={
            "personal_access_tokens/self": {"id": 1, "user_id": HUB, "revoked": False},
            "personal_access_tokens/7": {"id": 7, "name": "old", "user_id": HUB, "revoked": False},
        },
    )  # fmt: skip


def _connection(integration_id: str) -> GitLabConnection:
    return GitLabConnection(
        integration_id=integration_id,
        credential_id="cred_1",
        base_url="https://gitlab.example/gitlab",
        user_id=HUB,
        is_admin=False,
        group=None,
        gitlab_version="18.3.0",
        paused=False,
        credential_works=True,
        manage_webhooks=False,
        report_statuses=False,
        provisioning=True,
        scopes=("api",),
    )
