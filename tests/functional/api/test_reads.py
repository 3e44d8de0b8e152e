"""What lists read where there are many integrations: what they show, and no more."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.incidents import Incident, row
from gitlab_hub.integrations.rows import integration_item
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.events import OWNER
from tests.functional.api.api_hub import ApiHub

MANY = 450
LIMITED = "t-limited"


class Crowded:
    """A hub with many integrations, and counters at its tables."""

    def __init__(self) -> None:
        self.hub = ApiHub()
        integration = self.hub.container.tokens.store.require(self.hub.own)
        state = self.hub.tables["integrations"]
        state.write(integration_item(replace(integration, id=f"int_{number:08x}")) for number in range(MANY))
        self.limited = Principal(LIMITED, Role.OWNER, frozenset({self.hub.own, self.hub.other, "int_gone"}))

    def reads(self, path: str, query: Mapping[str, Any], caller: Principal) -> tuple[int, Counter[str], Any]:
        """Call a route: its status, what it read, what it said."""
        tables = self.hub.tables.values()
        for table in tables:
            table.bill.clear()
        status, body = self.hub("GET", path, query=query, principal=caller)
        return status, sum((table.bill for table in tables), Counter()), body


@pytest.fixture(scope="module")
def crowded() -> Crowded:
    return Crowded()


@pytest.mark.parametrize("limit", [1, 20, 200])
def test_a_page_of_integrations_reads_what_it_shows(crowded: Crowded, limit: int) -> None:
    status, found, body = crowded.reads("/v1/integrations", {"limit": limit}, OWNER)
    assert (status, len(body["integrations"])) == (200, limit)
    assert found["items"] <= limit + 2


@pytest.mark.parametrize("path", ["/v1/integrations", "/v1/deliveries", "/v1/builds", "/v1/triggers", "/v1/incidents"])
def test_a_limited_token_does_not_pay_for_what_it_may_not_see(crowded: Crowded, path: str) -> None:
    status, found, body = crowded.reads(path, {}, crowded.limited)
    assert status == 200
    assert found["items"] <= 10, body
    assert found["requests"] <= 10


@pytest.mark.parametrize("path", ["/v1/deliveries", "/v1/builds"])
def test_a_list_over_too_many_integrations_finds_so_early(crowded: Crowded, path: str) -> None:
    status, found, body = crowded.reads(path, {}, OWNER)
    assert (status, body["code"]) == (422, "invalid_input")
    assert "integration_id" in str(body)
    assert found["items"] <= 201


def test_healthy_integrations_cost_a_list_of_incidents_nothing(crowded: Crowded) -> None:
    state = crowded.hub.tables["integrations"]
    for number in range(100):
        integration_id = f"int_{number:08x}"
        state.put(row(Incident(kind="sync_failed", integration_id=integration_id, subject="a", at=1, hint=""), now=1))
    for limit in (1, 10):
        status, found, body = crowded.reads("/v1/incidents", {"limit": limit}, OWNER)
        assert (status, len(body["incidents"])) == (200, limit)
        assert found["items"] <= limit + 2
