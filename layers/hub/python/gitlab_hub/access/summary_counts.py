"""The counts that an auditor asks for first: filled row by row, each with the list of what is counted."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from gitlab_hub.access.credentials.model import Credential
from gitlab_hub.access.credentials.owners import OwnerReader, Owners
from gitlab_hub.access.credentials.risks import Risk, risks_of
from gitlab_hub.access.credentials.store import CredentialStore
from gitlab_hub.access.keys import ACCOUNTS, GRANTS, INVITATIONS, OUTSIDE_GRANTS
from gitlab_hub.access.model import Account, AccountStatus, Grant
from gitlab_hub.access.shards import ShardReader, Shards
from gitlab_hub.access.wanted import Ending, is_inactive
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.roles import OWNER
from gitlab_hub.inventory.model import ResourceType, partition
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import query_all, value_of

INACTIVE_DAYS, EXPIRING_DAYS = 90, 30


@dataclass(slots=True)
class Tally:
    """The counts of one integration, filled row by row: accounts, then grants, then credentials.

    Memory grows with the number of accounts only.
    """

    now: float
    owners: Owners = field(default_factory=lambda: Owners(is_whole=False))
    credentials: Counter[Risk] = field(default_factory=Counter)
    accounts: Counter[tuple[str, str]] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    ids: set[int] = field(default_factory=set)
    granted: set[int] = field(default_factory=set)
    overdue: Ending = field(init=False)
    expiring: Ending = field(init=False)

    def __post_init__(self) -> None:
        """Judge ends as the lists do."""
        self.overdue = Ending.of(within_days=None, overdue=True, now=self.now)
        self.expiring = Ending.of(within_days=EXPIRING_DAYS, overdue=False, now=self.now)

    def account(self, account: Account) -> None:
        """Count an account. What the token is not shown is not counted as if it were so."""
        self.ids.add(account.id)
        self.owners.account(account)
        self.accounts[str(account.kind), str(account.status)] += 1
        self.counts["administrators"] += account.is_admin is True
        self.counts["external"] += account.external is True
        if account.status == AccountStatus.ACTIVE and account.kind == AccountKind.HUMAN:
            self.counts["inactive"] += is_inactive(account, days=INACTIVE_DAYS, now=self.now)
            self.counts["without_second_factor"] += account.two_factor_enabled is False
            self.counts["second_factor_unknown"] += account.two_factor_enabled is None

    def grant(self, grant: Grant) -> None:
        """Count a direct grant."""
        self.granted.add(grant.account_id)
        self.owners.grant(grant)
        self.counts["grants"] += 1
        self.counts["owners"] += grant.access_level >= OWNER
        if grant.ends_at is not None:
            self.counts["overdue"] += self.overdue.keeps(grant.ends_at)
            self.counts["expiring"] += self.expiring.keeps(grant.ends_at)

    def credential(self, credential: Credential) -> None:
        """Count a token or key, and its risks."""
        self.counts["credentials"] += 1
        self.credentials.update(risks_of(credential, self.owners.facts(credential.account_id), now=self.now))

    def resource(self, kind: ResourceType, item: Mapping[str, object]) -> None:
        """Count a group or project, and the groups invited into it."""
        shares = item.get("shared_with") or ()
        self.counts[kind.collection] += 1
        self.counts["shares"] += len(shares) if isinstance(shares, list) else 0

    @property
    def without_grants(self) -> int:
        """How many accounts were given nothing directly."""
        return len(self.ids - self.granted)


@dataclass(frozen=True, slots=True)
class Figure:
    """One count, and where what is counted is listed (None: nowhere)."""

    name: str
    count: int
    url: str | None


def counted(table: Table, integration_id: str, now: float) -> list[Figure]:
    """Count everything that is stored, page by page (blocking): 5 seconds of a processor for 50,000 grants."""

    def rows(collection: str, *attributes: str) -> Iterator[Item]:
        return query_all(table, partition(integration_id, collection), attributes=attributes)

    shards, tally = ShardReader(table), Tally(now, Owners(OwnerReader(table, integration_id).is_whole()))
    for item in rows(ACCOUNTS):
        tally.account(value_of(Account, item))
    for page in shards.pages(Shards(integration_id, GRANTS)):
        for item in page:
            tally.grant(value_of(Grant, item))
    for item in rows(OUTSIDE_GRANTS):
        tally.owners.grant(value_of(Grant, item))
    for kind in ResourceType:
        for item in rows(kind.collection, "shared_with"):
            tally.resource(kind, item)
    for credential in CredentialStore(table, integration_id).all():
        tally.credential(credential)
    tally.counts["invitations"] = sum(len(page) for page in shards.pages(Shards(integration_id, INVITATIONS), "sk"))
    return list(figures(tally, f"/v1/integrations/{integration_id}"))


def figures(tally: Tally, base: str) -> Iterator[Figure]:
    """The counts with the list behind each; pure."""

    def listed(name: str, count: int, what: str, **filters: object) -> Figure:
        query = f"?{urlencode(filters)}" if filters else ""
        return Figure(name, count, f"{base}/{what}{query}")

    yield listed("accounts", len(tally.ids), "accounts")
    for (kind, status), count in sorted(tally.accounts.items()):
        yield listed(f"accounts_{kind}_{status}", count, "accounts", kind=kind, status=status)
    active_humans = {"kind": "human", "status": "active"}
    counts = tally.counts
    yield listed("inactive", counts["inactive"], "accounts", inactive_days=INACTIVE_DAYS, **active_humans)
    yield listed(
        "without_second_factor",
        counts["without_second_factor"],
        "accounts",
        two_factor_enabled="false",
        **active_humans,
    )
    yield Figure("second_factor_unknown", counts["second_factor_unknown"], None)
    yield listed("external", counts["external"], "accounts", external="true")
    yield listed("administrators", counts["administrators"], "accounts", is_admin="true")
    yield listed("without_grants", tally.without_grants, "accounts", without_grants="true")
    yield listed("grants", counts["grants"], "grants")
    yield listed("owners", counts["owners"], "grants", min_access_level=OWNER)
    yield listed("overdue", counts["overdue"], "grants", overdue="true")
    yield listed("expiring", counts["expiring"], "grants", overdue="false", expiring_within_days=EXPIRING_DAYS)
    yield Figure("shares", counts["shares"], None)
    yield listed("groups", counts["groups"], "groups")
    yield listed("projects", counts["projects"], "projects")
    yield listed("invitations", counts["invitations"], "invitations")
    yield listed("credentials", counts["credentials"], "gitlab-credentials")
    for risk in Risk:
        yield listed(f"credentials_{risk}", tally.credentials[risk], "gitlab-credentials", risk=risk)
