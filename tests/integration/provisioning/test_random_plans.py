"""Random plans of every kind of operation whose workers are killed lead where they would have led, each write once."""

import os

import pytest

from tests.integration.provisioning.random_plans import run

PLANS = int(os.environ.get("RANDOM_PLANS", "24"))
"""How many are tried; `make bench` tries 10,000."""

PARTS = 2


@pytest.mark.parametrize("part", range(PARTS))
def test_a_killed_worker_leaves_a_plan_that_leads_where_it_would_have_led(part: int) -> None:
    told = run(range(part, PLANS, PARTS))
    assert told.wrong == []
    assert min(told.deaths, told.writes, told.plans - told.blocked) > 0
    assert {"revoke_credential", "grant"} <= told.operations.keys()
