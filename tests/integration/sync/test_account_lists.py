"""Accounts on every kind of GitLab equal the truth of what the token may see, and the rest is named."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from gitlab_hub.access.model import Account, AccountStatus
from gitlab_hub.access.reader import AccessReader
from gitlab_hub.access.wanted import AccountFilter
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.account_lists import GROUP_LISTS, READING
from gitlab_hub.integrations.permissions import need_of
from gitlab_hub.storage.rows import value_of
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import LEASE_SECONDS, RunStatus
from gitlab_hub.sync.scope_list import ScopeList
from stand_in_gitlab.process import Running, running
from tests.fakes.faults import Crash, Plan
from tests.fakes.sync_worker import ID, SyncHub
from tests.integration.sync.conftest import EPOCH
from tests.integration.sync.stored_rows import mirrored, truth

SIZES = ("--users", "24", "--groups", "4", "--projects", "6", "--pipelines", "1", "--jobs", "1", "--seed", "68")
DAY = 86_400
FULL = ("two_factor_enabled", "external", "last_sign_in_at", "last_activity_on")


@pytest.fixture(scope="module")
def gitlab_com() -> Iterator[Running]:
    with running("--frozen", "--epoch", EPOCH, "--gitlab-com", *SIZES) as stand_in:
        yield stand_in


@pytest.fixture
def saas(gitlab_com: Running) -> Iterator[Running]:
    yield gitlab_com
    gitlab_com.control("DELETE", "faults")


@pytest.fixture(scope="module")
def own() -> Iterator[Running]:
    """A self-managed Enterprise Edition."""
    with running("--frozen", "--epoch", EPOCH, *SIZES) as stand_in:
        stand_in.control("POST", "behaviour", {"account_lists": True})
        yield stand_in


def accounts(hub: SyncHub) -> dict[int, Account]:
    rows = [row for row in hub.rows[Kind.ACCESS].dump() if row["pk"] == f"{ID}#accounts"]
    return {row["id"]: value_of(Account, row) for row in rows}


def people(server: Running) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in server.truth("users")}


def listed(server: Running, *names: str) -> set[int]:
    return {row["user_id"] for row in server.truth("account_lists") if row["list"] in names or not names}


def unread(hub: SyncHub) -> dict[str, str]:
    notes = ScopeList(hub.state).of_stage(ID, Kind.ACCESS, READING)
    return {note.key: note.status for note in notes}


def synced(server: Running, token: str, **options: Any) -> SyncHub:
    hub = SyncHub(server, token, **options)
    run = hub.sync(Kind.ACCESS)
    assert (run.status, run.incomplete, run.last_error) == (RunStatus.IDLE, 0, None)
    return hub


def names(hub: SyncHub, **wanted: Any) -> set[int]:
    """The accounts that a filter gives."""
    reader = AccessReader(hub.rows[Kind.ACCESS], now=lambda: hub.now)
    return {account.id for account in reader.accounts(ID, AccountFilter(**wanted), after=None, limit=200).values}


def test_an_owner_on_gitlab_com_is_shown_everybody_and_everything(saas: Running) -> None:
    hub = synced(saas, "owner-read")
    stored, real = accounts(hub), people(saas)
    assert stored.keys() == truth(hub, Kind.ACCESS)["accounts"].keys() | listed(saas)
    assert unread(hub) == {}
    for number in listed(saas, "enterprise_users", "saml_users"):
        account, row = stored[number], real[number]
        assert {name: getattr(account, name) for name in FULL} == {name: row[name] for name in FULL}
        assert {"value": row["email"], "source": "account", "primary": True} in account.emails
        assert set(row["saml"]) <= {one["extern_uid"] for one in account.identities if one["provider"] == "group_saml"}
        assert set(row["scim"]) == {one["extern_uid"] for one in account.identities if one["provider"] == "group_scim"}
    for number in listed(saas, "billable_members"):
        assert (stored[number].last_sign_in_at, stored[number].last_activity_on) == (
            real[number]["last_sign_in_at"], real[number]["last_activity_on"],
        )  # fmt: skip
        assert stored[number].activity_source is not None
    assert {number for number, one in stored.items() if one.kind == "service_account"} == listed(
        saas, "service_accounts"
    )
    assert {number for number, one in stored.items() if one.status == "pending"} >= listed(saas, "pending_members")


def test_filters_hold_with_what_lists_tell(saas: Running) -> None:
    hub = synced(saas, "owner-read")
    real, full = people(saas), listed(saas, "enterprise_users", "saml_users")
    for on in (True, False):
        assert names(hub, two_factor_enabled=on) == {n for n in full if real[n]["two_factor_enabled"] is on}
        assert names(hub, external=on) == {n for n in full if real[n]["external"] is on}
    assert names(hub, is_admin=True) == names(hub, is_admin=False) == set()
    assert names(hub, status=AccountStatus.PENDING) >= listed(saas, "pending_members")
    assert names(hub, kind=AccountKind.SERVICE_ACCOUNT) == listed(saas, "service_accounts")
    quiet = names(hub, inactive_days=30)
    assert quiet
    assert all((real[n]["last_sign_in_at"] or 0) < hub.now - 30 * DAY for n in quiet)


def test_a_member_on_gitlab_com_is_told_what_an_owner_would_see(saas: Running) -> None:
    hub = synced(saas, "member-read")
    stored = accounts(hub)
    assert stored.keys() == truth(hub, Kind.ACCESS)["accounts"].keys()
    assert unread(hub) == {one.name: "forbidden" for one in GROUP_LISTS}
    assert {account.last_activity_on for account in stored.values()} == {None}


@pytest.mark.parametrize("token", ["owner-read", "member-read"])
def test_a_second_sync_writes_nothing(saas: Running, token: str) -> None:
    hub = synced(saas, token)
    before = mirrored(hub, Kind.ACCESS)
    again = hub.sync(Kind.ACCESS)
    assert (again.counts["rows_written"], mirrored(hub, Kind.ACCESS)) == (0, before)
    whole = hub.sync(Kind.ACCESS, full=True)
    readings = f"{ID}#readings"
    assert whole.counts["rows_written"] == 0
    assert [row for row in mirrored(hub, Kind.ACCESS) if row["pk"] != readings] == [
        row for row in before if row["pk"] != readings
    ]


def test_an_administrator_of_ones_own_gitlab_is_shown_all_without_any_list(own: Running) -> None:
    hub = synced(own, "admin-read")
    assert accounts(hub).keys() == people(own).keys()
    assert unread(hub) == {}
    assert {number for number, one in accounts(hub).items() if one.kind == "service_account"} == {
        number for number, row in people(own).items() if row["service_account"]
    }
    asked = {url.path.rpartition("/")[2] for url in hub.requests}
    assert not asked & {"billable_members", "enterprise_users", "saml_users", "identities", "pending_members"}


def test_an_owner_on_ones_own_gitlab_is_shown_activity(own: Running) -> None:
    hub = synced(own, "owner-read")
    stored, real = accounts(hub), people(own)
    assert stored.keys() == truth(hub, Kind.ACCESS)["accounts"].keys() | listed(own)
    seats = listed(own, "billable_members")
    assert {n: stored[n].last_activity_on for n in seats} == {n: real[n]["last_activity_on"] for n in seats}
    assert set(unread(hub).values()) <= {"forbidden", "disabled"}


def test_a_member_on_ones_own_gitlab_is_told_what_is_missing(own: Running) -> None:
    hub = synced(own, "service")
    assert accounts(hub).keys() == truth(hub, Kind.ACCESS)["accounts"].keys()
    assert unread(hub) == {one.name: "forbidden" for one in GROUP_LISTS}


def fine_grained(server: Running, hub: SyncHub, name: str, permissions: tuple[str, ...]) -> None:
    wanted = [{"access": access, "permissions": permissions} for access in ("user", "instance", "all_memberships")]
    server.change("add_token", name=name, user_id=hub.targets.only.user_id, scopes=["granular"], grants=wanted)
    hub.targets.token = server.control("GET", "tokens")[name]


def test_a_fine_grained_token_reads_the_lists_that_it_was_granted(saas: Running) -> None:
    need = need_of("access")
    hub = SyncHub(saas, "owner-read")
    fine_grained(saas, hub, "everything", (*need.permissions, *need.better_with))
    assert hub.sync(Kind.ACCESS).status is RunStatus.IDLE
    everything, stored = unread(hub), accounts(hub)
    assert everything == {}
    fine_grained(saas, hub, "least", need.permissions)
    run = hub.sync(Kind.ACCESS, full=True)
    assert (run.status, run.incomplete) == (RunStatus.IDLE, 0)
    refused = {"enterprise_users", "saml_users", "saml_identities", "scim_identities", "service_accounts"}
    assert unread(hub) == dict.fromkeys(refused, "forbidden")
    assert accounts(hub) == stored


LISTS = [one.path for one in GROUP_LISTS]
FAULTS: list[dict[str, Any]] = [
    {"kind": "status", "status": 403},
    {"kind": "status", "status": 404},
    {"kind": "status", "status": 500},
    {"kind": "rate_limited", "retry_after": 2, "times": 1},
    {"kind": "endpoint_limited", "times": 1},
    {"kind": "empty_list"},
    {"kind": "truncated"},
    {"kind": "broken_json"},
    {"kind": "html_502"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault['kind']}{fault.get('status', '')}")
def test_trouble_with_every_list_fails_no_run_and_loses_no_account(saas: Running, fault: dict[str, Any]) -> None:
    hub = synced(saas, "owner-read")
    before = accounts(hub)
    for path in LISTS:
        saas.control("POST", "faults", {"path": f"/{path}$", "times": 0, **fault})
    run = hub.sync(Kind.ACCESS, full=True)
    assert (run.status, run.incomplete) == (RunStatus.IDLE, 0)
    assert hub.targets.verdicts == ["accepted"] * 2
    if fault["kind"] != "empty_list":  # What GitLab answers twice is believed: people do leave.
        assert accounts(hub) == before
    saas.control("DELETE", "faults")
    hub.sync(Kind.ACCESS, full=True)
    assert accounts(hub) == before


def killed_at(server: Running, plan: Plan) -> SyncHub:
    """A hub whose first worker dies as planned, and whose next one goes on."""
    hub = SyncHub(server, "owner-read")
    hub.service.request(ID, [Kind.ACCESS])
    [message] = hub.queues[Kind.ACCESS].take()
    with hub.failing(plan), suppress(Crash):
        hub.engine(Kind.ACCESS).handle(message, remaining=hub.remaining)
    if plan.at:
        hub.now += LEASE_SECONDS
        hub.engine(Kind.ACCESS).handle(message, remaining=hub.remaining)
        hub.work(Kind.ACCESS)
    return hub


def test_a_worker_that_is_killed_among_the_lists_leaves_them_to_the_next(saas: Running) -> None:
    undisturbed = Plan()
    expected = accounts(killed_at(saas, undisturbed))
    first = next(number for number, call in enumerate(undisturbed.calls, 1) if "top_level_only" in call)
    for number, at in enumerate(range(first, len(undisturbed.calls), 11)):
        hub = killed_at(saas, Plan(at=at, applied=number % 2 == 0, repeat=True))
        assert (hub.run(Kind.ACCESS).status, accounts(hub)) == (RunStatus.IDLE, expected), at
