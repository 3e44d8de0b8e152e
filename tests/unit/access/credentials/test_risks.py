"""Every risk at its edge, and none where GitLab does not tell."""

from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.access.credentials.model import Credential, CredentialStatus
from gitlab_hub.access.credentials.risks import DAY, UNKNOWN, OwnerFacts, Risk, risks_of
from gitlab_hub.gitlab.credential_kinds import CredentialKind

NOW = 1_790_000_000
HARMLESS = Credential(
    kind=CredentialKind.PROJECT_TOKEN, id=1, account_id=4, scopes=["read_api"], access_level=40, tells_use=True,
    created_at=NOW - 10 * DAY, last_used_at=NOW - DAY, ends_at=NOW + 100 * DAY,
)  # fmt: skip


def risks(owner: OwnerFacts = UNKNOWN, **changes: Any) -> list[str]:
    return [str(risk) for risk in risks_of(replace(HARMLESS, **changes), owner, now=NOW)]


def test_a_harmless_one_has_none() -> None:
    assert risks() == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"ends_at": None}, ["no_expiry"]),
        ({"ends_at": NOW + 30 * DAY}, []),
        ({"ends_at": NOW + 30 * DAY - 1}, ["expires_soon"]),
        ({"ends_at": NOW + 1}, ["expires_soon"]),
        ({"ends_at": NOW}, ["expired_not_revoked"]),
        ({"last_used_at": NOW - 90 * DAY}, []),
        ({"last_used_at": NOW - 90 * DAY - 1}, ["unused_90_days"]),
        ({"last_used_at": None}, ["never_used"]),
        ({"last_used_at": None, "tells_use": False}, []),
        ({"scopes": ["read_repository", "api"]}, ["scope_api"]),
        ({"scopes": ["granular"], "granular": True}, []),
        ({"access_level": 50}, ["owner_level"]),
        ({"access_level": 49}, []),
        ({"access_level": None}, []),
        ({"created_at": NOW - 365 * DAY}, []),
        ({"created_at": NOW - 365 * DAY - 1}, ["older_than_year"]),
        ({"created_at": None}, []),
        ({"kind": CredentialKind.DEPLOY_KEY, "can_push": True}, ["can_push"]),
        ({"kind": CredentialKind.DEPLOY_KEY, "can_push": False}, []),
        ({"kind": CredentialKind.DEPLOY_KEY, "can_push": None}, []),
    ],
)
def test_each_risk_begins_where_it_is_defined(changes: dict[str, Any], found: list[str]) -> None:
    assert risks(**changes) == found


def test_its_owner_may_be_one_too() -> None:
    assert risks(OwnerFacts(is_disabled=True, has_left=True)) == ["owner_blocked", "owner_left"]
    assert risks(OwnerFacts(has_left=True)) == ["owner_left"]


@pytest.mark.parametrize(
    ("changes", "status", "found"),
    [
        ({"revoked": True, "ends_at": None, "scopes": ["api"]}, CredentialStatus.REVOKED, []),
        ({"revoked": True, "ends_at": NOW - DAY}, CredentialStatus.REVOKED, []),
        ({"ends_at": NOW - DAY, "scopes": ["api"]}, CredentialStatus.EXPIRED, [Risk.EXPIRED_NOT_REVOKED]),
    ],
)
def test_what_opens_nothing_does_no_harm(changes: dict[str, Any], status: CredentialStatus, found: list[str]) -> None:
    gone = OwnerFacts(is_disabled=True, has_left=True)
    assert (replace(HARMLESS, **changes).status(NOW), risks(gone, **changes)) == (status, found)


def test_they_come_in_the_order_of_the_enum_and_all_can_be_had() -> None:
    worst = risks(
        OwnerFacts(is_disabled=True, has_left=True), kind=CredentialKind.DEPLOY_KEY, can_push=True, ends_at=None,
        access_level=50, scopes=["api"], created_at=NOW - 400 * DAY, last_used_at=NOW - 100 * DAY,
    )  # fmt: skip
    left_out = {"expires_soon", "expired_not_revoked", "never_used"}
    assert worst == [str(risk) for risk in Risk if str(risk) not in left_out]
