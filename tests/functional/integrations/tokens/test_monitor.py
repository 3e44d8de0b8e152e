"""The caretaker's tick: pairs are renewed in time, expiries told once, and no integration is in another's way."""

import httpx
import pytest

from gitlab_hub.storage.ports import StorageRefused
from tests.fakes.faults import Crash, Plan, faulty
from tests.fakes.gitlab import CANARY, answer
from tests.fakes.oauth import LIFE, Pat
from tests.fakes.refusing import KeylessSecrets
from tests.functional.integrations.oauth_hub import OAuthHub
from tests.functional.integrations.tokens.monitoring import DAY, ENDS, by_token, many, monitor, plenty


def test_pairs_are_renewed_at_three_quarters_of_their_life(hub: OAuthHub) -> None:
    one = hub.connected()
    first = hub.loaded(one).tokens
    hub.now += 5399
    monitor(hub).tick(plenty)
    assert hub.loaded(one).tokens == first
    hub.now += 1
    for _ in range(3):
        assert monitor(hub).tick(plenty).failed == 0
    assert hub.gitlab.refreshes == 1
    assert hub.loaded(one).tokens.access_token == hub.gitlab.living[0].access


def test_one_in_trouble_does_not_stop_the_others(hub: OAuthHub) -> None:
    ids = many(hub, 4)
    hub.now += 6000
    hub.gitlab.fail("/oauth/token", answer(503))
    done = monitor(hub).tick(plenty)
    assert (done.seen, done.failed, done.complete) == (4, 0, True)
    hub.gitlab.fail("/oauth/token", answer(400, {"error": "invalid_grant"}))
    hub.now += 400
    done = monitor(hub).tick(plenty)
    assert (done.failed, len(hub.told.lost), len(hub.told.failures)) == (1, 1, 1)
    working = [one for one in ids if hub.integration(one)["status"] == "active"]
    assert len(working) == 3


def test_each_tick_begins_with_what_waits_longest(hub: OAuthHub) -> None:
    ids = many(hub, 5)
    hub.now += LIFE
    hub.gitlab.expire()
    served: list[str] = []
    for due, is_all in ((2, False), (2, False), (1, True)):
        # One look at the clock before anything is read, and one for each integration.
        left = iter([900.0] * 3 + [1.0] * 9)
        before = {one: hub.loaded(one).tokens for one in ids}
        done = monitor(hub).tick(lambda left=left: next(left))  # type: ignore[misc]  # bound here on purpose
        assert (done.seen, done.complete) == (due, is_all)
        served += [one for one in ids if hub.loaded(one).tokens != before[one]]
    assert served == ids


def test_one_that_ends_the_process_is_not_first_again(hub: OAuthHub) -> None:
    ids = many(hub, 3)
    hub.now += LIFE
    hub.gitlab.expire()
    plan = Plan(at=11)
    hub.use(faulty(hub.stored_rows, plan), hub.stored_secrets)
    with pytest.raises(Crash):
        monitor(hub).tick(plenty)
    hub.use(hub.stored_rows, hub.stored_secrets)
    hub.now += 31
    order: list[str] = []
    hub.gitlab.on_call = order.append
    monitor(hub).tick(plenty)
    assert [one for one in ids if not hub.loaded(one).is_valid(hub.now)] == []
    assert order.count("/oauth/token") == 3


def test_expiries_are_told_once_for_each_distance(hub: OAuthHub) -> None:
    one = by_token(hub)
    for days in range(40, -3, -1):
        hub.now = ENDS - days * DAY
        for _ in range(3):
            monitor(hub).tick(plenty)
    assert hub.told.days == [30, 14, 7, 1]
    [incident] = hub.feature.incidents.of(one)
    assert (incident.kind, incident.details) == ("credential_expiring", {"days": 1, "expires_at": ENDS})
    assert [each.integration_id for _, each in hub.feature.incidents.after(None)] == [one]


def test_a_new_token_ends_the_warning(hub: OAuthHub) -> None:
    one = by_token(hub)
    hub.now = ENDS - 10 * DAY
    monitor(hub).tick(plenty)
    hub.gitlab.pats["glpat-new"] = Pat(token="glpat-new", family=2, expires_at="2026-08-20")
    hub.gitlab._refresh_users()
    assert hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": "glpat-new"})[0] == 200
    monitor(hub).tick(plenty)
    assert (list(hub.feature.incidents.of(one)), hub.told.days) == ([], [14])


def test_a_new_token_that_expires_soon_too_is_told_of_anew(hub: OAuthHub) -> None:
    one = by_token(hub)
    hub.now = ENDS - 5 * DAY
    monitor(hub).tick(plenty)
    hub.gitlab.pats["glpat-new"] = Pat(token="glpat-new", family=2, expires_at="2025-08-22")
    hub.gitlab._refresh_users()
    hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": "glpat-new"})
    monitor(hub).tick(plenty)
    assert hub.told.days == [7, 7]


def test_a_loss_is_an_incident_until_it_is_mended(hub: OAuthHub) -> None:
    one = hub.connected()
    hub.now += LIFE
    hub.gitlab.fail("/oauth/token", answer(400, {"error": "invalid_grant"}))
    for _ in range(3):
        monitor(hub).tick(plenty)
    assert [incident.kind for incident in hub.feature.incidents.of(one)] == ["credential_lost"]
    assert (hub.gitlab.refreshes, len(hub.told.lost)) == (1, 1)
    assert hub.finish(one)[0] == 200
    monitor(hub).tick(plenty)
    assert list(hub.feature.incidents.after(None)) == []


@pytest.mark.parametrize(("rotate", "days", "calls"), [
    (False, 3, 0), (True, 8, 0), (True, 7, 1), (True, 1, 1), (True, -1, 0),
])  # fmt: skip
def test_tokens_are_rotated_in_their_last_week_where_that_is_allowed(
    hub: OAuthHub, rotate: bool, days: int, calls: int
) -> None:
    one = by_token(hub)
    hub.now = ENDS - days * DAY
    for _ in range(3):
        monitor(hub, rotate=rotate).tick(plenty)
    assert len(hub.gitlab.calls) == calls
    if calls:
        assert hub.integration(one)["credential_status"] == "valid"


def test_a_token_that_may_not_rotate_itself_is_no_trouble(hub: OAuthHub) -> None:
    by_token(hub)
    hub.gitlab.pats[CANARY].scopes = ["read_api"]
    hub.now = ENDS - 3 * DAY
    done = monitor(hub, rotate=True).tick(plenty)
    assert (done.failed, hub.told.failures, hub.told.days) == (0, [], [7])


def test_a_secret_that_aws_refuses_holds_up_no_other_integration_and_fails_the_tick(hub: OAuthHub) -> None:
    secrets = KeylessSecrets()
    hub.use(hub.stored_rows, secrets)
    broken, good = many(hub, 2)
    secrets.unreadable = broken
    hub.now += 5400
    first = hub.loaded(good).tokens
    with pytest.raises(StorageRefused):
        monitor(hub).tick(plenty)
    assert hub.loaded(good).tokens != first
    assert hub.told.failures == [(broken, "storage_refused")]


def test_trouble_while_renewing_does_not_keep_the_warning(hub: OAuthHub) -> None:
    by_token(hub)
    hub.now = ENDS - 3 * DAY
    hub.gitlab.fail("/personal_access_tokens/self/rotate", httpx.ConnectError("no"))
    done = monitor(hub, rotate=True).tick(plenty)
    assert (done.failed, hub.told.days) == (1, [7])


def test_an_unauthorized_one_and_an_empty_hub_have_nothing_to_do(hub: OAuthHub) -> None:
    assert monitor(hub).tick(plenty).seen == 0
    hub.start()
    done = monitor(hub).tick(plenty)
    assert (done.seen, done.failed) == (1, 0)


def test_a_removed_integration_leaves_no_incident_and_no_look_behind(hub: OAuthHub) -> None:
    one = by_token(hub)
    hub.now = ENDS - 3 * DAY
    monitor(hub).tick(plenty)
    assert hub("DELETE", f"/v1/integrations/{one}")[0] == 200
    left = {row["pk"] for row in hub.stored_rows.dump() if one in f"{row['pk']}{row['sk']}"}
    assert left == {"DUE#unfinished", "INTEGRATIONS"}
