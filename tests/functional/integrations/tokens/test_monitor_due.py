"""What a tick of the monitor looks at: what is due, once a day everything, and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest

from gitlab_hub.incidents import Incident
from gitlab_hub.integrations.model import NOBODY, Credential
from gitlab_hub.integrations.tokens.due import daily, next_check
from tests.fakes.gitlab import answer
from tests.functional.integrations.oauth_hub import OAuthHub, aside
from tests.functional.integrations.tokens.monitoring import DAY, ENDS, by_token, many, monitor, plenty


class Reads:
    """A table that counts the reads through it."""

    def __init__(self, table: Any) -> None:
        self._table, self.count = table, 0

    def __getattr__(self, name: str) -> Any:
        self.count += name in ("get", "get_many", "query")
        return getattr(self._table, name)


def reads_of_a_tick(hub: OAuthHub) -> int:
    reads = Reads(hub.stored_rows)
    hub.use(reads, hub.stored_secrets)
    assert monitor(hub).tick(plenty).complete
    hub.use(hub.stored_rows, hub.stored_secrets)
    return reads.count


def test_a_tick_reads_nothing_of_what_is_not_due() -> None:
    reads = []
    for count in (3, 40):
        hub = OAuthHub()
        many(hub, count)
        assert monitor(hub).tick(plenty).seen == count
        assert monitor(hub).tick(plenty).seen == 0
        reads.append(reads_of_a_tick(hub))
    assert reads[0] == reads[1] <= 6


def test_without_time_nothing_is_read(hub: OAuthHub) -> None:
    many(hub, 3)
    reads = Reads(hub.stored_rows)
    hub.use(reads, hub.stored_secrets)
    assert monitor(hub).tick(lambda: 1.0).complete is False
    assert reads.count == 0


def test_what_has_changed_is_due(hub: OAuthHub) -> None:
    one, other = many(hub, 2)
    monitor(hub).tick(plenty)
    assert hub("PATCH", f"/v1/integrations/{one}", {"display_name": "changed"})[0] == 200
    assert monitor(hub).tick(plenty).seen == 1
    assert monitor(hub).tick(plenty).seen == 0
    hub.now += 5400
    assert monitor(hub).tick(plenty).seen == 2
    assert all(hub.loaded(each).credential.generation == 2 for each in (one, other))


def looks_of_a_day(hub: OAuthHub) -> list[int]:
    """How many integrations the ticks of 24 hours have looked at, hour by hour."""
    seen = list[int]()
    for _ in range(24):
        hub.now += 3600
        seen.append(monitor(hub).tick(plenty).seen)
    return seen


def test_everything_is_looked_at_once_a_day_and_whatever_a_wrong_clock_has_noted(hub: OAuthHub) -> None:
    by_token(hub)
    monitor(hub).tick(plenty)
    for _ in range(3):
        assert sum(looks_of_a_day(hub)) == 1
    hub.now -= 30 * DAY
    monitor(hub).tick(plenty)
    assert sum(looks_of_a_day(hub)) == 1


def test_the_looks_of_a_day_are_spread_over_it() -> None:
    hours = {(daily(f"int_{number}", ENDS).at - ENDS) // 3600 for number in range(500)}
    assert hours == set(range(24))


def test_what_has_lost_its_looks_or_never_had_one_is_looked_at_within_a_day(hub: OAuthHub) -> None:
    ids = many(hub, 3)
    monitor(hub).tick(plenty)
    rows = [row for row in hub.stored_rows.dump() if row["pk"] == "DUE#care"]
    hub.stored_rows.write(deletes=[(row["pk"], row["sk"]) for row in rows])
    monitor(hub).tick(plenty)
    looks_of_a_day(hub)
    assert all(hub.loaded(one).credential.generation > 1 for one in ids)


def test_what_a_look_has_changed_asks_for_no_other_one(hub: OAuthHub) -> None:
    hub.connected()
    hub.now += 5400
    assert [monitor(hub).tick(plenty).seen for _ in range(2)] == [1, 0]


def test_what_changes_during_a_look_is_looked_at_again(hub: OAuthHub) -> None:
    one = hub.connected()
    incidents = hub.feature.incidents.of

    def changed_behind(integration_id: str) -> Iterator[Incident]:
        aside(lambda: hub("PATCH", f"/v1/integrations/{one}", {"display_name": "changed"}))
        return incidents(integration_id)

    hub.feature.incidents.of = changed_behind  # type: ignore[method-assign]  # the moment after a look has read
    assert [monitor(hub).tick(plenty).seen for _ in range(1)] == [1]
    hub.feature.incidents.of = incidents  # type: ignore[method-assign]
    assert [monitor(hub).tick(plenty).seen for _ in range(2)] == [1, 0]


def test_what_could_not_be_renewed_is_due_again_at_the_next_tick(hub: OAuthHub) -> None:
    one = hub.connected()
    hub.now += 5400
    hub.gitlab.fail("/oauth/token", answer(503))
    monitor(hub).tick(plenty)
    hub.now += 400
    assert monitor(hub).tick(plenty).seen == 1
    assert hub.loaded(one).credential.generation == 2


@pytest.mark.parametrize(("days", "next_days"), [(40, 30), (30.5, 30), (14.2, 14), (7.5, 7), (1.5, 1), (0.5, None)])
def test_an_expiry_is_looked_at_when_the_next_distance_comes(days: float, next_days: float | None) -> None:
    now = ENDS - int(days * DAY)
    credential = Credential(
        id="c", integration_id="i", label="", account=NOBODY, status="valid", scopes=(), token_expires_at=ENDS,
        expiration_date=None, api_base_url=None, token_version="v", created_at=1, updated_at=1,
    )  # fmt: skip
    assert next_check(credential, None, now) == (None if next_days is None else ENDS - int(next_days * DAY))
