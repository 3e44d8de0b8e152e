"""The rules of keeping tokens: when to renew and to warn, who holds a lease, what a secret holds."""

from typing import Any

import pytest

from gitlab_hub.gitlab.oauth import Application
from gitlab_hub.integrations.tokens.due import DAY, due_warning, rotation_due
from gitlab_hub.integrations.tokens.lease import KEPT_SECONDS, LEASE_SECONDS, LeaseLost, Leases, pause_after
from gitlab_hub.integrations.tokens.vault import Contents, TokenSet, Vault, successor_version
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


def test_an_end_may_take_a_call_back(leases: Leases) -> None:
    lease = leases.take("int_1", "cred_1")
    assert lease is not None
    leases.end(leases.sent(lease, 0), calls=0)
    again = leases.take("int_1", "cred_1")
    assert again is not None
    assert again.calls_of(0) == 0


@pytest.mark.parametrize(("failures", "asked", "pause"), [
    (1, None, 5), (2, None, 10), (3, None, 20), (6, None, 160), (7, None, 300), (400, None, 300),
    (1, 17, 17), (4, 17, 40), (1, 3600, 300),
])  # fmt: skip
def test_pauses_grow_up_to_a_bound(failures: int, asked: int | None, pause: int) -> None:
    assert pause_after(failures, asked) == pause


def test_a_pause_is_for_one_token_and_the_secrets_it_failed_with(leases: Leases, clock: Clock) -> None:
    lease = leases.take("int_1", "cred_1")
    assert lease is not None
    assert leases.schedule_retry(leases.sent(lease, 3), "not_gitlab", "v1", calls=0, asked=40) == 40
    noted = leases.get("int_1", "cred_1")
    assert noted is not None
    assert noted.trouble == "not_gitlab"
    assert noted.pause_left(3, "v1", clock.now) == 40
    assert (noted.pause_left(4, "v1", clock.now), noted.pause_left(3, "v2", clock.now)) == (0, 0)
    assert (noted.pause_left(3, "v1", clock.now + 40), noted.pause_left(3, "v1", clock.now - 10**7)) == (0, 0)
    again = leases.take("int_1", "cred_1")
    assert again is not None
    assert leases.sent(again, 3).failures == 1
    assert leases.sent(leases.take("int_1", "cred_2") or again, 4).failures == 0


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
    token_pair = TokenSet(access_token="a-canary", refresh_token="r-canary", issued_at=1, expires_at=2)
    contents = Contents(tokens={"c1": token_pair}, application=Application(client_id="id", client_secret="s-canary"))
    version = vault.create("int_1", contents)
    assert vault.read("int_1", version) == contents
    later = vault.change("int_1", version, {"c1": None, "c2": "t-canary"})
    assert vault.read("int_1", later) == Contents(
        tokens={"c2": TokenSet(access_token="t-canary")}, application=contents.application
    )
    assert "canary" not in f"{contents!r} {token_pair!r} {contents.application!r}"


@pytest.mark.parametrize("value", [
    {"credentials": {"c1": {"access_token": "t"}}},
    {"credentials": {"c1": {"access_token": "t", "color": "blue"}}, "application": None, "more": {}},
])  # fmt: skip
def test_a_secret_of_another_release_is_read(value: dict[str, Any]) -> None:
    secrets = MemorySecrets()
    secrets.create("integration/int_1", value, version="v" * 36)
    assert Vault(secrets).read("int_1", "v" * 36) == Contents(tokens={"c1": TokenSet(access_token="t")})
