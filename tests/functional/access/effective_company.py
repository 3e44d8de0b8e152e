"""A company with invitations, a locked group and a namespace, and what everybody has access to in it."""

from typing import Any

import pytest

from gitlab_hub.access.model import Account, AccountStatus
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.inventory.model import Resource, ResourceType, Share
from tests.functional.access.access_api import NOW, Client, grant

DAY = 86_400
ANA, BEN, CY, ROOT, DEE = 1, 2, 3, 4, 5
ACME, API_TEAM, OPS, LOCKED = 10, 11, 20, 30
SHOP, LAB, VAULT = 100, 101, 102


def share(group_id: int, level: int, ends_at: int | None = None) -> Share:
    return Share(group_id=group_id, full_path="", access_level=level, ends_at=ends_at, member_role_id=None)


def account(number: int, username: str, **more: Any) -> Account:
    base: dict[str, Any] = {"kind": AccountKind.HUMAN, "status": AccountStatus.ACTIVE, "is_admin": number == ROOT}
    return Account(id=number, username=username, name=username.title(), **base | more)


@pytest.fixture
def company() -> Client:
    """Acme with a team below it; ops is invited into acme, the team into the lab; a locked group with a vault."""
    client = Client()
    client.store(
        account(ANA, "Ana"),
        account(BEN, "ben"),
        account(CY, "cy", status=AccountStatus.DISABLED, state="blocked"),
        account(ROOT, "root"),
        account(DEE, "dee"),
    )
    client.store(
        Resource(id=ACME, full_path="acme", name="Acme", shared_with=[share(OPS, 30, ends_at=NOW + 5 * DAY)]),
        Resource(id=API_TEAM, full_path="acme/api", name="API", parent_id=ACME),
        Resource(id=OPS, full_path="ops", name="Ops"),
        Resource(id=LOCKED, full_path="locked", name="Locked", share_with_group_lock=True),
    )
    client.store(
        Resource(id=SHOP, full_path="acme/api/shop", name="Shop", parent_id=API_TEAM),
        Resource(id=LAB, full_path="ana/lab", name="Lab", owner_id=ANA, shared_with=[share(API_TEAM, 30)]),
        Resource(id=VAULT, full_path="locked/vault", name="Vault", parent_id=LOCKED, shared_with=[share(OPS, 40)]),
        kind=ResourceType.PROJECT,
    )
    client.store(
        grant("group", ACME, ANA, 40, granted_at=5, granted_by=ROOT),
        grant("project", SHOP, ANA, 20, ends_at=NOW - DAY),
        grant("group", OPS, BEN, 50),
        grant("group", OPS, CY, 10),
        grant("group", LOCKED, CY, 5),
        grant("group", LOCKED, DEE, 30, membership_state="awaiting"),
    )
    client.access_store().note_administrators()
    return client


def levels(client: Client, **query: Any) -> dict[tuple[str, int, int], tuple[int, str]]:
    rows = client.every("grants", view="effective", **query)
    found = {
        (row["resource"]["type"], row["resource"]["id"], row["account_id"]): (row["access_level"], row["kind"])
        for row in rows
    }
    assert len(found) == len(rows)
    return found


EVERYTHING = {
    ("group", ACME, ANA): (40, "direct"),
    ("group", ACME, BEN): (30, "shared"),
    ("group", ACME, CY): (10, "shared"),
    ("group", API_TEAM, ANA): (40, "inherited"),
    ("group", API_TEAM, BEN): (30, "shared"),
    ("group", API_TEAM, CY): (10, "shared"),
    ("group", OPS, BEN): (50, "direct"),
    ("group", OPS, CY): (10, "direct"),
    ("group", LOCKED, CY): (5, "direct"),
    ("project", SHOP, ANA): (40, "inherited"),
    ("project", SHOP, BEN): (30, "shared"),
    ("project", SHOP, CY): (10, "shared"),
    ("project", LAB, ANA): (50, "owner"),
    ("project", LAB, BEN): (30, "shared"),
    ("project", LAB, CY): (10, "shared"),
}
IMPLIED = {
    (kind, number, ROOT): (50, "implied")
    for kind, numbers in {"group": (ACME, API_TEAM, OPS, LOCKED), "project": (SHOP, LAB, VAULT)}.items()
    for number in numbers
}
