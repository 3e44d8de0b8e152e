"""Two workers need a new access token at the same moment: one refresh, and both get a token that works."""

import random
from collections.abc import Iterable
from itertools import chain, product, repeat

import pytest

from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential
from gitlab_hub.integrations.tokens.refresh import TokenNeed
from tests.fakes.faults import a_third
from tests.fakes.interleaving import Interleaving
from tests.functional.integrations.tokens.refreshing import expired

LONGEST = 26
"""More steps than a worker takes that meets nobody."""


def assert_one_refresh_serves_both(schedule: Iterable[int], need: TokenNeed | None = None) -> list[int]:
    """Let two workers ask for a token in this order; everything must have gone well. Gives the turns taken."""
    hub, one = expired()
    credential_id, trades = hub.loaded(one).credential.id, hub.gitlab.trades
    turns = Interleaving(schedule)
    hub.use(turns.wrapped(hub.stored_rows), turns.wrapped(hub.stored_secrets), sleep=turns.sleep)
    hub.gitlab.on_call = lambda _path: turns.step()
    refresher = hub.feature.tokens.refresher
    results = turns.run(*(lambda: refresher.get_credential(one, credential_id, need) for _ in range(2)))
    [living] = hub.gitlab.living
    for result in results:
        assert isinstance(result, LoadedCredential), result
        assert result.tokens.access_token == living.access
    assert (hub.gitlab.refreshes, hub.gitlab.trades) == (1, trades)
    stored = hub.loaded(one)
    assert (stored.tokens.access_token, stored.tokens.refresh_token) == (living.access, living.refresh)
    assert (hub.integration(one)["credential_status"], hub.told.lost) == ("valid", [])
    return turns.history


def test_a_worker_alone_takes_no_more_steps_than_are_interleaved() -> None:
    assert assert_one_refresh_serves_both(repeat(0, 500)).index(1) < LONGEST


@pytest.mark.parametrize("first", range(LONGEST))
def test_with_two_switches_anywhere(first: int) -> None:
    for second in a_third(LONGEST, first=first):
        assert_one_refresh_serves_both(chain(repeat(0, first), repeat(1, second), repeat(0, 200)))


@pytest.mark.parametrize("first", range(0, LONGEST, 3))
def test_with_three_switches(first: int) -> None:
    for second, third in product(range(1, LONGEST, 5), range(1, LONGEST, 6)):
        assert_one_refresh_serves_both(chain(repeat(0, first), repeat(1, second), repeat(0, third), repeat(1, 200)))


@pytest.mark.parametrize("seed", range(60))
def test_in_any_order(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a schedule, not a secret
    assert_one_refresh_serves_both([draw.randrange(2) for _ in range(100)])


def test_with_a_token_that_gitlab_rejected() -> None:
    hub, one = expired()
    rejected = hub.loaded(one).tokens.access_token
    for first in range(LONGEST):
        assert_one_refresh_serves_both(chain(repeat(0, first), repeat(1, 200)), TokenNeed(rejected=rejected))
