"""Two callbacks with one state, in every order of their steps: the code is offered to GitLab once."""

from itertools import product
from typing import Any

import pytest

from tests.fakes.interleaving import Interleaving
from tests.functional.integrations.oauth_hub import PATH, OAuthHub

STEPS = 6
"""More than either takes until the state is spent."""


@pytest.mark.parametrize("schedule", list(product((0, 1), repeat=STEPS)))
def test_in_any_order_one_of_two_exchanges(schedule: tuple[int, ...]) -> None:
    hub = OAuthHub()
    one = hub.start()
    code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
    turns = Interleaving(schedule)
    hub.use(turns.wrapped(hub.stored_rows), hub.stored_secrets)
    hubs = [hub, hub.beside()]
    # An Api belongs to one thread, so each of the two callers has a hub of its own over the same rows.
    hubs[1].use(turns.wrapped(hub.stored_rows), hub.stored_secrets)

    def back(which: OAuthHub) -> int:
        return int(which.browse(f"{PATH}/callback", code=code, state=state)["statusCode"])

    answers: list[Any] = turns.run(*(lambda which=which: back(which) for which in hubs))
    assert (sorted(answers), hub.gitlab.trades, len(hub.gitlab.living)) == ([200, 400], 1, 1)
