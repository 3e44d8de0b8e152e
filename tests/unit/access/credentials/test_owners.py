"""Who has left: told from accounts and memberships, and never from what was not read."""

import pytest

from gitlab_hub.access.credentials.owners import Owners
from gitlab_hub.access.credentials.risks import OwnerFacts
from gitlab_hub.access.model import Account, AccountStatus, Grant
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.inventory.model import ResourceType

MEMBER, BLOCKED, LONELY, ROOT, BOT, STRANGER = 1, 2, 3, 4, 5, 9
STAYS, LEFT, DISABLED = OwnerFacts(), OwnerFacts(has_left=True), OwnerFacts(is_disabled=True, has_left=True)


def grant(account_id: int, granted_by: int | None = None) -> Grant:
    return Grant(
        account_id=account_id, resource_type=ResourceType.PROJECT, resource_id=7, access_level=30, granted_by=granted_by
    )


def owners(*, is_whole: bool = True, made_by: int | None = MEMBER) -> Owners:
    found = Owners(is_whole)
    found.account(Account(id=MEMBER, status=AccountStatus.ACTIVE))
    found.account(Account(id=BLOCKED, status=AccountStatus.DISABLED))
    found.account(Account(id=LONELY, status=AccountStatus.ACTIVE))
    found.account(Account(id=ROOT, status=AccountStatus.ACTIVE, is_admin=True))
    found.account(Account(id=BOT, status=AccountStatus.ACTIVE, kind=AccountKind.PROJECT_BOT))
    for one in (grant(MEMBER), grant(BLOCKED), grant(BOT, made_by)):
        found.grant(one)
    return found


@pytest.mark.parametrize(
    ("account_id", "facts"),
    [(MEMBER, STAYS), (BLOCKED, DISABLED), (LONELY, LEFT), (ROOT, STAYS), (STRANGER, LEFT), (None, STAYS)],
)
def test_an_owner_has_left_who_is_gone_disabled_or_without_a_membership(
    account_id: int | None, facts: OwnerFacts
) -> None:
    assert owners().facts(account_id) == facts


def test_one_that_is_not_stored_is_only_gone_where_everybody_is_stored() -> None:
    assert owners(is_whole=False).facts(STRANGER) == STAYS


@pytest.mark.parametrize(
    ("maker", "facts"),
    [(MEMBER, STAYS), (ROOT, STAYS), (BLOCKED, LEFT), (LONELY, LEFT), (STRANGER, LEFT), (None, STAYS)],
)
def test_a_bot_has_left_with_whoever_made_it(maker: int | None, facts: OwnerFacts) -> None:
    assert owners(made_by=maker).facts(BOT) == facts
