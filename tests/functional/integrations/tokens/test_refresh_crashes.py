"""A pair is never lost that could be found, wherever its renewal ends."""

from typing import Any

import pytest

from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential
from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Plan, unavailable
from tests.fakes.gitlab import answer
from tests.functional.integrations.oauth_hub import OAuthHub
from tests.functional.integrations.tokens.refreshing import TOKEN, attempt, expire, expired, get_credential, states


def calls_of_a_refresh() -> int:
    (hub, one), plan = expired(), Plan()
    hub.use_faulty(plan)
    get_credential(hub, one)
    return len(plan.calls)


CALLS = range(1, 28)


def test_every_call_of_a_refresh_is_tried() -> None:
    assert calls_of_a_refresh() < max(CALLS)


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
@pytest.mark.parametrize("at", CALLS)
def test_wherever_it_ends_the_pair_is_found_or_a_person_is_told(at: int, error: Any, applied: bool) -> None:
    hub, one = expired()
    plan = Plan(at=at, error=error, applied=applied)
    hub.use_faulty(plan)
    attempt(hub, one)
    hub.heal()
    after_crash = hub.gitlab.refreshes
    results = []
    for _ in range(4):
        hub.now += 400
        results.append(attempt(hub, one))
    assert hub.gitlab.refreshes <= after_crash + 1
    if isinstance(results[-1], LoadedCredential):
        assert results[-1].tokens.access_token == hub.gitlab.living[0].access
        assert (states(hub, one), hub.told.lost) == (("active", "valid"), [])
        return
    # Only an answer that no store has seen is lost for good.
    assert plan.calls[at - 1] == (TOKEN if applied else "write")
    assert (states(hub, one)[1], len(hub.told.lost)) == ("refresh_failed", 1)


def test_a_store_that_fails_for_a_moment_does_not_cost_the_pair(hub: OAuthHub, one: str) -> None:
    expire(hub)

    class Shaky:
        left = 3

        def __getattr__(self, name: str) -> Any:
            return getattr(hub.stored_secrets, name)

        def write(self, *args: Any, **more: Any) -> None:
            if self.left:
                self.left -= 1
                raise unavailable()
            hub.stored_secrets.write(*args, **more)

    hub.use(hub.stored_rows, Shaky())
    assert get_credential(hub, one).tokens.access_token == hub.gitlab.living[0].access
    assert hub.gitlab.refreshes == 1


def test_no_secret_is_in_a_row_an_answer_or_the_log(hub: OAuthHub, one: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    expire(hub)
    get_credential(hub, one)
    expire(hub)
    hub.gitlab.fail(TOKEN, answer(400, {"error": "invalid_grant", "error_description": hub.gitlab.living[0].refresh}))
    error = attempt(hub, one)
    answers = [hub.integration(one), hub("POST", f"/v1/integrations/{one}/verify"), hub.told, repr(error), str(error)]
    assert isinstance(error, GitLabError)
    assert not hub.spilled(hub.stored_rows.dump(), answers, error.details, caplog.text)
