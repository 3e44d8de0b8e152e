"""What a revocation comes to, by what GitLab shows."""

from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.errors import NotInGitLab
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.facts import Hand, Place
from gitlab_hub.provisioning.listed import Listed, located, revocation_of
from gitlab_hub.provisioning.operation import Kind, Operation
from gitlab_hub.provisioning.operations.credential_rules import (
    REVOKED,
    CredentialFacts,
    decide,
    path_of,
    state_in,
    successor_in,
)
from gitlab_hub.provisioning.refusals import ADVICE, ON_CREDENTIAL, Code
from gitlab_hub.provisioning.states import CredentialState, CredentialStatus

NOW = 1_790_000_000  # 2026-09-21
HAND = Hand(account_id=1, is_admin=True, scopes=("api",), today="2026-09-21", now=NOW)
ACME = Place(type=ResourceType.GROUP, id=10, full_path="acme")
SHOP = Place(type=ResourceType.PROJECT, id=100, full_path="acme/shop", parent_id=10)
ACTIVE = CredentialState(status=CredentialStatus.ACTIVE)


def revoke(kind: CredentialKind, place: Place | None = None, account_id: int = 0) -> Operation:
    where: dict[str, Any] = {} if place is None else {"resource_type": place.type, "resource_id": place.id}
    plain = {"kind": Kind.REVOKE_CREDENTIAL, "credential_kind": str(kind), "credential_id": 7}
    return Operation(**{**plain, "account_id": account_id, **where})


@pytest.mark.parametrize(
    ("kind", "place", "account", "path"),
    [
        (CredentialKind.PERSONAL_TOKEN, None, 4, "/personal_access_tokens/7"),
        (CredentialKind.GROUP_TOKEN, ACME, 5, "/groups/10/access_tokens/7"),
        (CredentialKind.PROJECT_TOKEN, SHOP, 5, "/projects/100/access_tokens/7"),
        (CredentialKind.SERVICE_ACCOUNT_TOKEN, ACME, 6, "/groups/10/service_accounts/6/personal_access_tokens/7"),
        (CredentialKind.SERVICE_ACCOUNT_TOKEN, None, 6, "/personal_access_tokens/7"),
        (CredentialKind.SERVICE_ACCOUNT_TOKEN, SHOP, 6, "/personal_access_tokens/7"),
        (CredentialKind.DEPLOY_TOKEN, ACME, 0, "/groups/10/deploy_tokens/7"),
        (CredentialKind.DEPLOY_TOKEN, SHOP, 0, "/projects/100/deploy_tokens/7"),
        (CredentialKind.DEPLOY_KEY, SHOP, 0, "/projects/100/deploy_keys/7"),
        (CredentialKind.SSH_KEY, None, 4, "/users/4/keys/7"),
        (CredentialKind.IMPERSONATION_TOKEN, None, 4, "/users/4/impersonation_tokens/7"),
    ],
)
def test_each_kind_has_its_own_path(kind: CredentialKind, place: Place | None, account: int, path: str) -> None:
    assert path_of(revoke(kind, place, account)) == path


@pytest.mark.parametrize(
    ("kind", "row", "state"),
    [
        (CredentialKind.PERSONAL_TOKEN, {}, ACTIVE),
        (CredentialKind.PERSONAL_TOKEN, {"expires_at": "2026-09-22"}, ACTIVE),
        (CredentialKind.PERSONAL_TOKEN, {"expires_at": "2026-09-21"}, CredentialState(status=CredentialStatus.EXPIRED)),
        (CredentialKind.PERSONAL_TOKEN, {"revoked": True, "expires_at": "2020-01-01"}, REVOKED),
        (CredentialKind.DEPLOY_TOKEN, {"expires_at": "2026-09-21T23:00:00Z"}, ACTIVE),
        (CredentialKind.DEPLOY_TOKEN, {"revoked": True}, REVOKED),
        (CredentialKind.SSH_KEY, {"expires_at": "2026-09-20T00:00:00Z"},
         CredentialState(status=CredentialStatus.EXPIRED)),
        (CredentialKind.GROUP_TOKEN, None, REVOKED),
        (CredentialKind.DEPLOY_KEY, None, None),
    ],
)  # fmt: skip
def test_what_it_is_good_for(kind: CredentialKind, row: dict[str, Any] | None, state: CredentialState | None) -> None:
    assert state_in(row, kind, NOW) == state


@pytest.mark.parametrize(
    ("kind", "place", "enough"),
    [
        (CredentialKind.GROUP_TOKEN, ACME, 50),
        (CredentialKind.DEPLOY_TOKEN, ACME, 50),
        (CredentialKind.SERVICE_ACCOUNT_TOKEN, ACME, 50),
        (CredentialKind.PROJECT_TOKEN, SHOP, 40),
        (CredentialKind.DEPLOY_TOKEN, SHOP, 40),
        (CredentialKind.DEPLOY_KEY, SHOP, 40),
    ],
)
def test_who_may_by_the_role_there(kind: CredentialKind, place: Place, enough: int) -> None:
    hand, row = replace(HAND, is_admin=False), {"id": 7, "revoked": False, "user_id": 6}
    facts = CredentialFacts(place=place, row=row, own_token=99, own_level=enough)
    assert decide(revoke(kind, place), facts, hand).refusals == ()
    less = decide(revoke(kind, place), replace(facts, own_level=enough - 10), hand)
    assert (less.refusals, less.calls, less.refusals_first) == ((Code.NOT_OWNER,), (), True)


def test_the_successor_of_a_bots_token_is_its_other_token_and_of_a_persons_one_of_that_name() -> None:
    old = {"id": 7, "name": "ci", "user_id": 5, "created_at": "2026-01-01T00:00:00Z"}
    other = {**old, "id": 8, "name": "else", "created_at": "2026-02-01T00:00:00Z"}
    same, older = {**other, "id": 9, "name": "ci"}, {**old, "id": 6, "created_at": "2025-01-01T00:00:00Z"}
    assert successor_in([older, other], old, CredentialKind.GROUP_TOKEN) == 8
    assert successor_in([older, other], old, CredentialKind.PERSONAL_TOKEN) is None
    assert successor_in([older, other, same], old, CredentialKind.PERSONAL_TOKEN) == 9


def test_what_is_listed_becomes_an_operation_with_all_that_it_takes() -> None:
    ssh = Listed(kind=CredentialKind.SSH_KEY, id=7, account_id=4)
    assert revocation_of(ssh) == revoke(CredentialKind.SSH_KEY, account_id=4)
    ci = Listed(kind=CredentialKind.PROJECT_TOKEN, id=7, account_id=5, resource_type=SHOP.type, resource_id=SHOP.id)
    assert revocation_of(ci) == revoke(CredentialKind.PROJECT_TOKEN, SHOP, 5)
    bare = revoke(CredentialKind.PROJECT_TOKEN)
    assert located(bare, lambda _kind, _id: [ci]) == revocation_of(ci)
    with pytest.raises(NotInGitLab, match="resource"):
        located(bare, lambda _kind, _id: [])
    named = revoke(CredentialKind.DEPLOY_KEY, SHOP)
    assert located(named, lambda _kind, _id: [ci]) == named


def test_every_refusal_of_a_revocation_says_what_to_do() -> None:
    assert set(ON_CREDENTIAL) <= set(ADVICE)
    assert all(text.endswith(".") for text in ON_CREDENTIAL.values())
