"""Signatures that any receiver of Standard Webhooks can check, and secrets that belong to one trigger each."""

import base64
import hashlib
import hmac

import pytest

from gitlab_hub.builds.targets.signing import GRACE_SECONDS, REMEMBERED, SecretVersions, TargetSecrets
from gitlab_hub.storage.ports import ConditionFailed
from tests.fakes.faults import Plan, faulty
from tests.fakes.table import MemoryTable

NOW = 1_700_000_000
ONE, TWO = "trg_0a1b_1", "trg_0a1b_2"


def secrets(key: bytes = b"k" * 32) -> TargetSecrets:
    return TargetSecrets(lambda: key)


def test_the_algorithm_is_that_of_the_published_example(monkeypatch: pytest.MonkeyPatch) -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    monkeypatch.setattr(TargetSecrets, "_derived", lambda *_: key)
    headers = secrets().sign(
        ONE, [1], message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", at=1614265330, body=b'{"test": 2432232314}'
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_whoever_was_shown_the_secret_can_check_a_signature() -> None:
    shown = secrets().secret(ONE, 3)
    key = base64.b64decode(shown.removeprefix("whsec_"))
    headers = secrets().sign(ONE, [3], message_id="m", at=NOW, body=b"{}")
    expected = base64.b64encode(hmac.digest(key, f"m.{NOW}.{{}}".encode(), hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert len(key) == 32


def test_every_trigger_version_and_hub_has_a_secret_of_its_own() -> None:
    made = {
        secrets().secret(ONE, 1),
        secrets().secret(ONE, 2),
        secrets().secret(TWO, 1),
        secrets(b"x" * 32).secret(ONE, 1),
    }
    assert len(made) == 4


def test_versions_go_on_one_by_one_and_the_one_before_counts_for_a_day() -> None:
    versions = SecretVersions(MemoryTable())
    assert versions.of("int_0a1b", ONE).signing(now=NOW) == (1,)
    assert versions.rotate("int_0a1b", ONE, seed="a", now=NOW).version == 2
    assert versions.rotate("int_0a1b", ONE, seed="a", now=NOW + 5).version == 2, "the same call"
    third = versions.rotate("int_0a1b", ONE, seed="b", now=NOW + 10)
    assert third.signing(now=NOW + 10) == (3, 2)
    assert third.signing(now=NOW + 10 + GRACE_SECONDS) == (3,)
    assert versions.of("int_0a1b", TWO).version == 1


def test_a_call_that_is_repeated_after_others_makes_no_further_version() -> None:
    versions = SecretVersions(MemoryTable())
    for number, seed in enumerate("abc"):
        versions.rotate("int_0a1b", ONE, seed=seed, now=NOW + number)
    repeated = versions.rotate("int_0a1b", ONE, seed="a", now=NOW + 5)
    assert (repeated.version, repeated.previous_until) == (2, NOW + GRACE_SECONDS)
    assert versions.of("int_0a1b", ONE).version == 4


def test_calls_that_a_release_before_noted_are_known_and_not_all_of_them_are_kept() -> None:
    table = MemoryTable()
    key = {"pk": "INTEGRATION#int_0a1b", "sk": f"SIGNING#{ONE}"}
    seed = hashlib.sha256(b"old").hexdigest()
    table.put({**key, "schema_version": 1, "version": 5, "previous_until": NOW, "seed": seed})
    versions = SecretVersions(table)
    assert versions.rotate("int_0a1b", ONE, seed="old", now=NOW).version == 5
    for number in range(2 * REMEMBERED):
        versions.rotate("int_0a1b", ONE, seed=f"s{number}", now=NOW)
    [row] = table.dump()
    assert (row["version"], len(row["made"])) == (5 + 2 * REMEMBERED, REMEMBERED)


def test_of_two_rotations_at_once_one_is_told_to_try_again() -> None:
    table = MemoryTable()
    clean = SecretVersions(table)

    plan = Plan(at=1, only=["put"], meanwhile=lambda: clean.rotate("int_0a1b", ONE, seed="b", now=NOW))
    with pytest.raises(ConditionFailed):
        SecretVersions(faulty(table, plan)).rotate("int_0a1b", ONE, seed="a", now=NOW)
    assert clean.of("int_0a1b", ONE).version == 2
