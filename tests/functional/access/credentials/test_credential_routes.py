"""Tokens and keys as they are read back."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gitlab_hub.access.credentials.model import Credential
from gitlab_hub.access.credentials.risks import DAY, Risk
from gitlab_hub.access.credentials.store import OWN_TOKEN, READ
from gitlab_hub.access.keys import ADMINISTRATORS, READINGS
from gitlab_hub.access.model import Account, AccountStatus
from gitlab_hub.access.outside.store import OutsideStore
from gitlab_hub.access.reader import MOST_ASKED
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.inventory.model import Resource, ResourceType
from gitlab_hub.storage.ports import Rows
from gitlab_hub.web.auth import Principal, Role
from tests.fakes.table import MemoryTable
from tests.functional.access.access_api import NOW, STORE, Client, grant

GROUP, PROJECT = ResourceType.GROUP, ResourceType.PROJECT
KINDS = CredentialKind
PATH = "gitlab-credentials"

PERSONAL = Credential(
    kind=KINDS.PERSONAL_TOKEN, id=21, name="laptop", account_id=5, scopes=["api"], created_at=NOW - 400 * DAY,
    last_used_at=NOW - DAY, tells_use=True,
)  # fmt: skip
OF_BLOCKED = Credential(
    kind=KINDS.PERSONAL_TOKEN, id=22, name="old", account_id=6, scopes=["read_api"], ends_at=NOW + 10 * DAY
)
PROJECTS = Credential(
    kind=KINDS.PROJECT_TOKEN, id=23, name="ci", account_id=700, resource_type=PROJECT, resource_id=8, access_level=50,
    scopes=["read_api"], tells_use=True, ends_at=NOW + 60 * DAY,
)  # fmt: skip
EXPIRED = Credential(kind=KINDS.DEPLOY_TOKEN, id=1, name="pull", resource_type=GROUP, resource_id=1, ends_at=NOW - 1)
KEY = Credential(
    kind=KINDS.DEPLOY_KEY, id=2, name="push", resource_type=PROJECT, resource_id=8, can_push=True,
    fingerprint="SHA256:ab",
)  # fmt: skip
REVOKED = Credential(kind=KINDS.IMPERSONATION_TOKEN, id=24, name="support", account_id=5, revoked=True)
EVERYTHING = (PERSONAL, OF_BLOCKED, PROJECTS, EXPIRED, KEY, REVOKED)
IN_ORDER = [2, 1, 24, 21, 22, 23]


@pytest.fixture
def stocked(client: Client) -> Client:
    client.store(replace(STORE, web_url="https://gitlab.example.com/acme/store"), kind=PROJECT)
    client.store(grant("project", 8, 700, 50, granted_by=5))
    store = client.store_credentials(*EVERYTHING)
    store.note(OWN_TOKEN, 21)
    return client


def note(client: Client, stage: str, key: str, reason: str, path: str | None = None) -> None:
    resource = None if path is None else {"type": "project", "id": 8, "full_path": path}
    client.notes.put({
        "pk": "INTEGRATION#i1", "sk": f"SCOPE#credentials#{stage}#{key}", "status": "forbidden", "code": "not_found",
        "hint": reason, "sync_id": "s1", "at": NOW, "resource": resource,
    })  # fmt: skip


def test_a_credential_is_shown_with_the_contracts_fields(stocked: Client) -> None:
    assert stocked.every(PATH, kind="project_token") == [
        {
            "kind": "project_token",
            "id": 23,
            "name": "ci",
            "account_id": 700,
            "username": "project_8_bot_ab12",
            "resource": {"type": "project", "id": 8, "full_path": "acme/store"},
            "scopes": ["read_api"],
            "granular": False,
            "access_level": 50,
            "role": "Owner",
            "can_push": None,
            "created_at": None,
            "last_used_at": None,
            "expires_at": NOW + 60 * DAY,
            "status": "active",
            "risks": ["never_used", "owner_level"],
            "is_hub": False,
            "fingerprint": None,
            "web_url": "https://gitlab.example.com/acme/store/-/settings/access_tokens",
        }
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, IN_ORDER),
        ({"limit": 1}, IN_ORDER),
        ({"kind": "personal_token"}, [21, 22]),
        ({"kind": "ssh_key"}, []),
        ({"account_id": 5}, [24, 21]),
        ({"account_id": 5, "kind": "personal_token", "limit": 1}, [21]),
        ({"account_id": 700}, [23]),
        ({"resource": "project:8"}, [2, 23]),
        ({"resource": "project:8", "limit": 1}, [2, 23]),
        ({"resource": "ACME/store", "kind": "deploy_key"}, [2]),
        ({"resource": "group:1"}, [1]),
        ({"resource": "group:1", "account_id": 5}, []),
        ({"expiring_within_days": 30}, [22]),
        ({"expiring_within_days": 61}, [22, 23]),
        ({"risk": "no_expiry"}, [2, 21]),
        ({"risk": "no_expiry", "limit": 1}, [2, 21]),
        ({"risk": "expires_soon"}, [22]),
        ({"risk": "expired_not_revoked"}, [1]),
        ({"risk": "never_used"}, [23]),
        ({"risk": "unused_90_days"}, []),
        ({"risk": "scope_api"}, [21]),
        ({"risk": "owner_level"}, [23]),
        ({"risk": "can_push"}, [2]),
        ({"risk": "older_than_year"}, [21]),
        ({"risk": "owner_blocked"}, [22]),
        ({"risk": "owner_left", "kind": "personal_token"}, [22]),
    ],
)
def test_credentials_are_filtered_and_paged(stocked: Client, query: dict[str, Any], found: list[int]) -> None:
    assert [one["id"] for one in stocked.every(PATH, **query)] == found


def test_every_risk_can_be_asked_for(stocked: Client) -> None:
    for risk in Risk:
        assert all(str(risk) in one["risks"] for one in stocked.every(PATH, risk=risk))


@pytest.mark.parametrize(
    ("query", "field", "allowed"),
    [
        ({"kind": "personal"}, "query.kind", "impersonation_token"),
        ({"risk": "no_expire"}, "query.risk", "older_than_year"),
        ({"account_id": "jane"}, "query.account_id", ""),
        ({"expiring_within_days": 0}, "query.expiring_within_days", ""),
        ({"scope": "api"}, "query.scope", "expiring_within_days"),
    ],
)
def test_misspelt_values_are_refused_with_what_is_allowed(
    stocked: Client, query: dict[str, Any], field: str, allowed: str
) -> None:
    status, body = stocked.get(PATH, **query)
    assert (status, body["code"], body["retryable"]) == (422, "invalid_input", False)
    assert field.partition(".")[2] in str(body)
    assert allowed in str(body)


def test_a_path_where_there_is_nothing_is_not_an_empty_list(stocked: Client) -> None:
    assert stocked.get(PATH, resource="acme/unknown")[0] == 404


def test_the_hubs_own_token_is_marked(stocked: Client) -> None:
    assert [one["id"] for one in stocked.every(PATH) if one["is_hub"]] == [21]


def test_an_owner_who_is_not_stored_has_left_where_everybody_is(stocked: Client) -> None:
    stranger = Credential(kind=KINDS.SSH_KEY, id=9, account_id=99)
    stocked.store_credentials(stranger)
    assert stocked.every(PATH, kind="ssh_key", risk="owner_left") == []
    stocked.table.put({"pk": f"i1#{READINGS}", "sk": ADMINISTRATORS, "ids": []})
    assert [one["id"] for one in stocked.every(PATH, kind="ssh_key", risk="owner_left")] == [9]


def test_a_request_asks_for_a_bounded_number_of_owners(client: Client) -> None:
    client.store_credentials(*(
        Credential(kind=KINDS.SSH_KEY, id=number, account_id=1000 + number) for number in range(MOST_ASKED + 5)
    ))  # fmt: skip
    counted = Counting(client.table)
    counted.watch()
    status, body = client.get(PATH, risk="owner_left", limit=10)
    assert (status, body["gitlab_credentials"]) == (200, [])
    assert body["next_cursor"] is not None
    assert counted.queries <= 3
    assert client.every(PATH, risk="owner_left") == []


class Counting:
    """Counts the queries to a table."""

    def __init__(self, table: MemoryTable) -> None:
        self._table, self.queries = table, 0

    def watch(self) -> None:
        inner = self._table.query

        def query(*args: Any, **more: Any) -> Rows:
            self.queries += 1
            return inner(*args, **more)

        self._table.query = query  # type: ignore[method-assign]  # the reader holds this very table


def test_what_the_token_is_not_shown_is_named_once_for_a_kind(stocked: Client) -> None:
    note(stocked, "impersonation_token", "others", "Administrators only.")
    note(stocked, "project_deploy_token", "others", "Maintainers only.")
    note(stocked, "group_deploy_token", "others", "Maintainers only.")
    note(stocked, "project_token", "000000000008", "Refused.", "acme/app")
    note(stocked, "project_token", "000000000009", "Refused.", "acme/api")
    note(stocked, "ssh_key", "000000000005", "Gone.")
    note(stocked, "sweep", "all", "Nothing that anybody reads.")
    assert stocked.get(PATH)[1]["unseen"] == [
        {"kind": "impersonation_token", "reason": "Administrators only."},
        {
            "kind": "project_token",
            "reason": "Not read: acme/app (Refused.), and 1 more; GET …/scopes?kind=credentials lists them.",
        },
        {"kind": "deploy_token", "reason": "Maintainers only."},
        {"kind": "ssh_key", "reason": "Not read: account 5 (Gone.); GET …/scopes?kind=credentials lists them."},
    ]


def test_when_they_were_read_is_told(client: Client) -> None:
    assert (client.get(PATH)[1]["read_at"], client.every(PATH)) == (None, [])
    client.store_credentials().note(READ, NOW - 60)
    assert client.get(PATH)[1]["read_at"] == NOW - 60


def test_another_integration_and_another_caller_see_nothing(stocked: Client) -> None:
    assert stocked.every(PATH, integration="i2") == []
    assert stocked.get(PATH, who=None)[0] == 401
    assert stocked.get(PATH, who=Principal("t2", Role.OWNER, frozenset({"i2"})))[0] == 404


def test_whoever_comes_in_through_a_group_outside_has_not_left(stocked: Client) -> None:
    stocked.store(Account(id=9, username="pia", status=AccountStatus.ACTIVE))
    stocked.store_credentials(Credential(kind=KINDS.SSH_KEY, id=31, account_id=9))

    def left() -> tuple[list[int], list[int]]:
        figures = stocked.get("access-summary")[1]["figures"]
        counts = [one["count"] for one in figures if one["name"] == "credentials_owner_left"]
        return [one["id"] for one in stocked.every(PATH, risk="owner_left")], counts

    before = left()
    top, at = Resource(id=90, full_path="top", name="Top"), datetime.fromtimestamp(NOW, UTC)
    OutsideStore(stocked.table, "i1").put(top, [grant("group", 90, 9, 30)], is_whole=True, at=at)
    assert 31 in before[0]
    assert left() == ([one for one in before[0] if one != 31], [before[1][0] - 1])
