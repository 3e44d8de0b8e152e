"""Lists of triggers: over pages, over integrations, and within what a token may see."""

from typing import Any

import pytest

from gitlab_hub.builds.triggers.service import MAX_LOOKED_INTO
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.triggers import INTEGRATION
from tests.functional.builds.triggers_hub import LIMITED, OTHER, PATH, TriggersHub


@pytest.fixture
def hub() -> TriggersHub:
    return TriggersHub()


def several(hub: TriggersHub) -> tuple[list[str], list[str]]:
    """Five triggers of one integration and three of another."""
    ones = sorted(hub.made(project_id=number)["id"] for number in range(1, 6))
    others = sorted(hub.made(integration_id=OTHER, project_id=number)["id"] for number in range(1, 4))
    return ones, others


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 8, 200])
def test_pages_of_any_size_show_each_trigger_once(hub: TriggersHub, limit: int) -> None:
    ones, others = several(hub)
    assert hub.listed(limit=limit) == ones + others
    assert hub.listed(limit=limit, integration_id=INTEGRATION) == ones
    assert hub.listed(limit=limit, integration_id=OTHER) == others


def test_a_limited_token_sees_its_integrations_only(hub: TriggersHub) -> None:
    _, others = several(hub)
    status, answer = hub("GET", query={"limit": 2}, principal=LIMITED)
    assert status == 200
    more = hub("GET", query={"limit": 2, "cursor": answer["next_cursor"]}, principal=LIMITED)[1]
    assert [row["id"] for row in answer["triggers"] + more["triggers"]] == others
    assert more["next_cursor"] is None


def test_a_cursor_of_someone_who_sees_more_shows_no_more(hub: TriggersHub) -> None:
    _, others = several(hub)
    cursor = hub("GET", query={"limit": 2})[1]["next_cursor"]
    shown = hub("GET", query={"cursor": cursor}, principal=LIMITED)[1]["triggers"]
    assert [row["id"] for row in shown] == others


def test_a_cursor_belongs_to_its_list(hub: TriggersHub) -> None:
    several(hub)
    cursor = hub("GET", query={"limit": 2})[1]["next_cursor"]
    for query in ({"cursor": cursor, "integration_id": INTEGRATION}, {"cursor": cursor + "A"}, {"cursor": "x"}):
        status, answer = hub("GET", query=query)
        assert (status, answer["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"integration_id": ""}])
def test_a_query_that_cannot_be_one_is_refused(hub: TriggersHub, query: dict[str, Any]) -> None:
    assert hub("GET", query=query)[0] in {400, 422}


def test_one_page_looks_into_a_bounded_number_of_integrations(hub: TriggersHub) -> None:
    hub.integrations.ids += [f"int_{number:04}" for number in range(2 * MAX_LOOKED_INTO)]
    ones, others = several(hub)
    first = hub("GET")[1]
    assert first["triggers"] == []
    assert first["next_cursor"] is not None
    assert hub.listed() == ones + others


def test_a_removed_trigger_does_not_break_the_list_behind_it(hub: TriggersHub) -> None:
    ones, others = several(hub)
    cursor = hub("GET", query={"limit": 2})[1]["next_cursor"]
    hub("DELETE", f"{PATH}/{ones[1]}")
    assert hub.listed(cursor=cursor) == ones[2:] + others


def test_an_integration_that_is_gone_is_no_longer_looked_into(hub: TriggersHub) -> None:
    _, others = several(hub)
    hub.integrations.ids.remove(INTEGRATION)
    assert hub.listed() == others


def test_a_token_for_nothing_sees_nothing(hub: TriggersHub) -> None:
    several(hub)
    nobody = Principal("t-x", Role.VIEWER, frozenset({"int_gone"}))
    assert hub("GET", principal=nobody) == (200, {"triggers": [], "next_cursor": None})
