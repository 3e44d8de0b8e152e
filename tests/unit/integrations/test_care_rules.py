"""The rules of keeping tokens: when to renew and to warn, who holds a lease, what a secret holds."""

import asyncio
import time
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import Unavailable
from gitlab_hub.gitlab.grants import Application
from gitlab_hub.integrations.care.held import Held
from gitlab_hub.integrations.care.lease import KEPT_SECONDS, LEASE_SECONDS, LeaseLost, Leases
from gitlab_hub.integrations.care.refresh import Wanted
from gitlab_hub.integrations.care.time_left import TimeLeft
from gitlab_hub.integrations.care.tokens import CredentialTokens
from gitlab_hub.integrations.care.warnings import DAY, due_warning, rotation_due
from gitlab_hub.integrations.vault import Contents, TokenSet, Vault, successor_version
from tests.fakes.events import Context
from tests.fakes.secrets import MemorySecrets
from tests.fakes.table import MemoryTable


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def leases(clock: Clock) -> Leases:
    return Leases(MemoryTable(), clock)


def test_one_holds_it_at_a_time(leases: Leases, clock: Clock) -> None:
    first = leases.take("int_1", "cred_1")
    assert first is not None
    assert leases.take("int_1", "cred_1") is None
    assert leases.take("int_1", "cred_2") is not None
    clock.now += LEASE_SECONDS
    assert leases.take("int_1", "cred_1") is not None
    with pytest.raises(LeaseLost):
        leases.sent(first, 0)
    leases.end(first)
    assert leases.is_held("int_1", "cred_1")


def test_calls_are_remembered_for_their_generation(leases: Leases) -> None:
    lease = leases.take("int_1", "cred_1")
    assert lease is not None
    lease = leases.sent(lease, 3)
    leases.end(lease)
    again = leases.take("int_1", "cred_1")
    assert again is not None
    assert (again.calls_of(3), again.calls_of(4)) == (1, 0)
    assert leases.sent(again, 4).calls_of(4) == 1


def test_an_end_may_take_a_call_back_and_ask_for_a_pause(leases: Leases, clock: Clock) -> None:
    lease = leases.take("int_1", "cred_1")
    assert lease is not None
    leases.end(leases.sent(lease, 0), calls=0, pause=10_000)
    assert leases.take("int_1", "cred_1") is None
    clock.now += 301
    again = leases.take("int_1", "cred_1")
    assert again is not None
    assert again.calls_of(0) == 0


def test_a_clock_far_ahead_does_not_hold_it_for_ever(leases: Leases, clock: Clock) -> None:
    clock.now += 10**6
    assert leases.take("int_1", "cred_1") is not None
    clock.now -= 10**6
    assert leases.take("int_1", "cred_1") is not None


def test_what_was_sent_outlives_the_lease_by_far(clock: Clock) -> None:
    table = MemoryTable()
    leases = Leases(table, clock)
    lease = leases.take("int_1", "cred_1")
    assert lease is not None
    leases.sent(lease, 0)
    assert table.dump()[0]["expires_at"] == int(clock.now) + KEPT_SECONDS


def test_a_row_of_another_release_is_read(clock: Clock) -> None:
    table = MemoryTable()
    leases = Leases(table, clock)
    lease = leases.take("int_1", "cred_1")
    assert lease is not None
    table.put(table.dump()[0] | {"more": 1, "until": 0})
    assert leases.take("int_1", "cred_1") is not None


@pytest.mark.parametrize(("days", "told", "due"), [
    (31, None, None), (30, None, 30), (29, 30, None), (14, 30, 14), (8, 14, None), (6.5, 14, 7), (1, 7, 1),
    (0, 1, None), (-5, 1, None), (-5, None, 1), (3, None, 7), (20, 7, None),
])  # fmt: skip
def test_what_is_to_be_told_of_an_expiry(days: float, told: int | None, due: int | None) -> None:
    assert due_warning(int(1_000_000 + days * DAY), 1_000_000, told=told) == due


def test_what_never_expires_is_never_told_of_nor_rotated() -> None:
    assert due_warning(None, 1, told=None) is None
    assert not rotation_due(None, 1)


def test_the_time_left_is_that_of_the_invocation_seen_last(clock: Clock) -> None:
    left = TimeLeft(clock)
    assert left() == float("inf")
    left.see(Context(left_ms=30_000))
    clock.now += 12
    assert left() == 18
    left.see(Context(left_ms=30_000))
    assert left() == 30


class Counting:
    """A source that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def fresh(self, integration_id: str, credential_id: str, wanted: Wanted | None = None) -> Held:
        self.asked += 1
        time.sleep(0.02)
        raise Unavailable("later")

    def stale(self, held: Held) -> bool:
        return False


async def test_requests_of_one_client_ask_one_after_the_other() -> None:
    source = Counting()
    tokens = CredentialTokens(source, "int_1", "cred_1")
    began = time.monotonic()
    asked = await asyncio.gather(*(tokens.current() for _ in range(4)), return_exceptions=True)
    assert [type(error) for error in asked] == [Unavailable] * 4
    assert (source.asked, time.monotonic() - began >= 0.08) == (4, True)


@pytest.mark.parametrize(("days", "due"), [(7.1, False), (7, True), (0.1, True), (0, False), (-1, False)])
def test_when_to_rotate(days: float, due: bool) -> None:
    assert rotation_due(int(1_000_000 + days * DAY), 1_000_000) is due


def test_successors_have_names_of_their_own() -> None:
    names = {successor_version(i, c, g) for i in ("int_1", "int_2") for c in ("cred_1", "cred_2") for g in (0, 1)}
    assert len(names) == 8
    assert successor_version("int_1", "cred_1", 0) == successor_version("int_1", "cred_1", 0)


def test_a_secret_keeps_what_it_was_given_and_shows_nothing() -> None:
    secrets = MemorySecrets()
    vault = Vault(secrets)
    pair = TokenSet(access_token="a-canary", refresh_token="r-canary", issued_at=1, expires_at=2)
    contents = Contents(tokens={"c1": pair}, application=Application(client_id="id", client_secret="s-canary"))
    version = vault.create("int_1", contents)
    assert vault.read("int_1", version) == contents
    later = vault.change("int_1", version, {"c1": None, "c2": "t-canary"})
    assert vault.read("int_1", later) == Contents(
        tokens={"c2": TokenSet(access_token="t-canary")}, application=contents.application
    )
    assert "canary" not in f"{contents!r} {pair!r} {contents.application!r}"


@pytest.mark.parametrize("value", [
    {"credentials": {"c1": {"access_token": "t"}}},
    {"credentials": {"c1": {"access_token": "t", "color": "blue"}}, "application": None, "more": {}},
])  # fmt: skip
def test_a_secret_of_another_release_is_read(value: dict[str, Any]) -> None:
    secrets = MemorySecrets()
    secrets.create("integration/int_1", value, version="v" * 36)
    assert Vault(secrets).read("int_1", "v" * 36) == Contents(tokens={"c1": TokenSet(access_token="t")})
