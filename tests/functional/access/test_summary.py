"""The counts that an auditor asks for first, and that each equals the list it points to."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gitlab_hub.access.credentials.model import Credential
from gitlab_hub.access.model import Account, AccountStatus
from gitlab_hub.access.summary_row import OLD_SECONDS, SummaryRow
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.inventory.model import Resource, ResourceType, Share
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.store import RunStore
from tests.fakes.counting_table import CountedTable
from tests.functional.access.access_api import NOW, Client, grant

DAY = 86_400
SHARE = Share(group_id=3, full_path="ops", access_level=30, ends_at=None, member_role_id=None)


def person(number: int, **more: Any) -> Account:
    base: dict[str, Any] = {"kind": AccountKind.HUMAN, "status": AccountStatus.ACTIVE, "activity_source": "users"}
    return Account(id=number, username=f"user{number}", **{**base, "last_activity_on": "2026-02-20", **more})


@pytest.fixture
def company() -> Client:
    client = Client()
    client.store(
        person(1, is_admin=True, two_factor_enabled=True),
        person(2, two_factor_enabled=False, external=True),
        person(3, last_activity_on="2025-01-01", two_factor_enabled=False),
        person(4),
        person(5, status=AccountStatus.DISABLED, last_activity_on="2024-01-01", two_factor_enabled=False),
        person(6, kind=AccountKind.PROJECT_BOT, last_activity_on="2024-01-01"),
    )
    client.store(Resource(id=1, full_path="acme", name="Acme", shared_with=[SHARE]))
    client.store(
        Resource(id=8, full_path="acme/x", name="X", parent_id=1, shared_with=[SHARE]), kind=ResourceType.PROJECT
    )
    client.store(
        grant("group", 1, 1, 50),
        grant("group", 1, 2, 30, ends_at=NOW - DAY),
        grant("project", 8, 2, 40, ends_at=NOW + 3 * DAY),
        grant("project", 8, 3, 20, ends_at=NOW + 60 * DAY),
        grant("project", 8, 6, 50, ends_at=NOW),
    )
    client.store_credentials(
        Credential(kind=CredentialKind.PERSONAL_TOKEN, id=1, account_id=5, ends_at=NOW + DAY, scopes=["api"]),
        Credential(kind=CredentialKind.PERSONAL_TOKEN, id=2, account_id=4),
        Credential(kind=CredentialKind.PROJECT_TOKEN, id=3, account_id=6, ends_at=NOW + 90 * DAY, access_level=50),
        Credential(kind=CredentialKind.DEPLOY_KEY, id=4, can_push=True),
        Credential(kind=CredentialKind.DEPLOY_TOKEN, id=5, ends_at=NOW - DAY),
    )
    return client


def counts(client: Client) -> dict[str, int]:
    status, body = client.get("access-summary")
    assert status == 200
    return {one["name"]: one["count"] for one in body["figures"]}


def test_everything_is_counted(company: Client) -> None:
    assert counts(company) == {
        "accounts": 6,
        "accounts_human_active": 4,
        "accounts_human_disabled": 1,
        "accounts_project_bot_active": 1,
        "inactive": 1,
        "without_second_factor": 2,
        "second_factor_unknown": 1,
        "external": 1,
        "administrators": 1,
        "without_grants": 2,
        "grants": 5,
        "owners": 2,
        "overdue": 2,
        "expiring": 1,
        "shares": 2,
        "groups": 1,
        "projects": 1,
        "invitations": 0,
        "credentials": 5,
        "credentials_no_expiry": 2,
        "credentials_expires_soon": 1,
        "credentials_expired_not_revoked": 1,
        "credentials_unused_90_days": 0,
        "credentials_never_used": 0,
        "credentials_scope_api": 1,
        "credentials_owner_level": 1,
        "credentials_owner_blocked": 1,
        "credentials_owner_left": 2,
        "credentials_can_push": 1,
        "credentials_older_than_year": 0,
    }


def test_each_count_is_what_its_list_has(company: Client) -> None:
    _, body = company.get("access-summary")
    for one in body["figures"]:
        if one["url"] is None:
            continue
        link = urlsplit(one["url"])
        prefix, _, what = link.path.rpartition("/")
        assert prefix == "/v1/integrations/i1"
        query = {name: values[0] for name, values in parse_qs(link.query).items()}
        assert len(company.every(what, **query)) == one["count"], one


def test_it_is_complete_where_the_last_sync_read_everything(company: Client) -> None:
    def completeness() -> Any:
        told = company.get("access-summary")[1]["completeness"]
        assert told.pop("reading") == {key: {"read_at": None, "never_read": None} for key in ("groups", "projects")}
        return told

    runs = RunStore(company.notes)
    assert completeness()["complete"] is False
    runs.save(Run(integration_id="i1", kind=Kind.ACCESS, status=RunStatus.IDLE, finished_at=NOW))
    assert completeness() == {"complete": True, "status": "idle", "finished_at": NOW, "unread": {}}
    sk = "SCOPE#access#group_members#000000000001"
    company.notes.put({"pk": "INTEGRATION#i1", "sk": sk, "status": "forbidden", "code": "forbidden"})
    assert completeness() == {"complete": False, "status": "idle", "finished_at": NOW, "unread": {"forbidden": 1}}


def test_it_is_not_complete_after_a_reading_that_was_rejected(company: Client) -> None:
    ended = Run(integration_id="i1", kind=Kind.ACCESS, status=RunStatus.IDLE, finished_at=NOW)
    RunStore(company.notes).save(replace(ended, rejected={"grants": 40}))
    assert company.get("access-summary")[1]["completeness"]["complete"] is False


def test_memberships_outside_of_the_integration_are_no_grants_of_it(company: Client) -> None:
    far = Resource(id=77, full_path="far", name="Far")
    members = [grant("group", 77, 4, 30)]
    company.access_store().outside.put(far, members, is_whole=True, at=datetime.fromtimestamp(NOW, UTC))
    assert counts(company)["without_grants"] == 2
    assert [row["id"] for row in company.every("accounts", without_grants="true")] == [4, 5]
    assert company.every("grants", account_id=4) == []


def test_the_counts_are_those_of_the_last_sync(company: Client) -> None:
    summary = SummaryRow(company.table, "i1")
    assert company.get("access-summary")[1]["counted_at"] == NOW
    live = counts(company)
    summary.count("s1", NOW)
    company.store(person(7))
    assert (counts(company), summary.read(NOW + 60).counted_at) == (live, NOW)
    company.table.put({"pk": "i1#feed", "sk": "state", "number": 1})
    summary.count("s2", NOW + 30)
    assert (counts(company)["accounts"], summary.read(NOW).sync_id) == (live["accounts"] + 1, "s2")
    assert company.get("access-summary")[1]["counted_at"] == NOW + 30


def test_nothing_is_counted_anew_while_nothing_changes_and_no_day_passes(company: Client) -> None:
    summary = SummaryRow(company.table, "i1")
    company.table.put({"pk": "i1#feed", "sk": "state", "number": 1})
    found = []
    for sync_id, after, always in (
        ("s1", 0, False), ("s2", OLD_SECONDS - 1, False), ("s3", 5, True), ("s4", 4 + OLD_SECONDS, False),
        ("s5", 5 + OLD_SECONDS, False),
    ):  # fmt: skip
        summary.count(sync_id, NOW + after, always=always)
        found.append(summary.read(NOW).sync_id)
    assert found == ["s1", "s1", "s3", "s3", "s5"]


def test_reading_it_costs_one_read(company: Client) -> None:
    SummaryRow(company.table, "i1").count("s1", NOW)
    counting = CountedTable(company.table)
    assert len(SummaryRow(counting, "i1").read(NOW).figures) > 20
    assert counting.reads.total() == 1
