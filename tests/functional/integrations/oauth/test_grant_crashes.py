"""An exchange happens whole or not at all, wherever it ends."""

from typing import Any

import pytest

from tests.fakes.events import Context, http_event
from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Crash, Plan
from tests.functional.integrations.oauth.flow import AUTHORIZE
from tests.functional.integrations.oauth_hub import OAuthHub


def hand_in(hub: OAuthHub, one: str, code: str, state: str) -> int | None:
    try:
        body = {"integration_id": one, "code": code, "state": state}
        return int(hub.api.resolve(http_event("POST", AUTHORIZE, body), Context())["statusCode"])
    except Crash:
        return None


CALLS = range(1, 48)


def test_every_call_of_an_exchange_is_tried(hub: OAuthHub) -> None:
    one = hub.start()
    code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
    plan = Plan()
    hub.use_faulty(plan)
    assert hand_in(hub, one, code, state) == 200
    assert len(plan.calls) < max(CALLS)


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
@pytest.mark.parametrize("at", CALLS)
def test_wherever_an_exchange_ends_there_is_all_of_it_or_nothing(at: int, error: Any, applied: bool) -> None:
    hub = OAuthHub()
    one = hub.start()
    code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
    plan = Plan(at=at, error=error, applied=applied)
    hub.use_faulty(plan)
    hand_in(hub, one, code, state)
    hub.heal()
    assert hub.gitlab.trades <= 1
    if hub.integration(one)["status"] == "active":
        assert hub.loaded(one).tokens.access_token in {token_pair.access for token_pair in hub.gitlab.living}
    else:
        assert hub.feature.store.holding(one).credentials == ()
    # The state is used up or still good; either way the next authorization works.
    assert hub.finish(one)[0] == 200
    assert hub.loaded(one).tokens.access_token in {token_pair.access for token_pair in hub.gitlab.living}
