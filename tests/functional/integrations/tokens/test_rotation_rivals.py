"""Two ticks want to rotate one access token at the same moment: GitLab takes a second call for theft."""

from collections.abc import Iterable
from itertools import chain, repeat

import pytest

from gitlab_hub.errors import HubError
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential
from tests.fakes.faults import a_third
from tests.fakes.gitlab import CANARY, HOST
from tests.fakes.interleaving import Interleaving
from tests.functional.integrations.oauth_hub import PATH, OAuthHub

LONGEST = 24
"""More steps than a worker takes that meets nobody."""


def assert_the_stored_token_alone_lives(schedule: Iterable[int]) -> list[int]:
    """Let two workers rotate in this order; the stored token must be the one that lives. Gives the turns taken."""
    hub = OAuthHub()
    body = {"host_url": HOST, "auth_mode": "personal_token", "access_token": CANARY}
    one = str(hub("POST", f"{PATH}/start", body)[1]["integration"]["id"])
    credential_id = hub.loaded(one).credential.id
    turns = Interleaving(schedule)
    hub.use(turns.wrapped(hub.stored_rows), turns.wrapped(hub.stored_secrets), sleep=turns.sleep)
    hub.gitlab.on_call = lambda _path: turns.step()
    rotator = hub.feature.tokens.rotator
    results = turns.run(*(lambda: rotator.rotate(one, credential_id) for _ in range(2)))
    assert all(isinstance(result, LoadedCredential | HubError) for result in results), results
    assert any(isinstance(result, LoadedCredential) for result in results), results
    living = [pat.token for pat in hub.gitlab.pats.values() if pat.alive]
    assert (living, hub.told.lost) == ([hub.loaded(one).tokens.access_token], [])
    # A worker that comes behind the other one may rotate the new token; the same one twice would have ended them all.
    assert len(hub.gitlab.calls) == sum(isinstance(result, LoadedCredential) for result in results)
    return turns.history


def test_a_worker_alone_takes_no_more_steps_than_are_interleaved() -> None:
    assert assert_the_stored_token_alone_lives(repeat(0, 500)).index(1) < LONGEST


@pytest.mark.parametrize("first", range(LONGEST))
def test_with_two_switches_anywhere(first: int) -> None:
    for second in a_third(LONGEST, first=first):
        assert_the_stored_token_alone_lives(chain(repeat(0, first), repeat(1, second), repeat(0, LONGEST)))
