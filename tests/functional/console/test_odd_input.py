"""What no page of the console sends, and what belongs elsewhere: refused in words, and nothing is done."""

from typing import Any

import pytest

from gitlab_hub.console.pages.deliveries import MOST_BUILDS
from tests.functional.console.console_hub import ANA, ConsoleHub
from tests.functional.console.test_screens import check
from tests.functional.console.visitor import Visitor, links

NUMBERS = ("²", "٣", "9" * 5_000, "9" * 30, "-1", "1e3", "0x1", " ", "0")


@pytest.fixture(scope="module")
def hub() -> ConsoleHub:
    return ConsoleHub()


@pytest.fixture(scope="module")
def visitor(hub: ConsoleHub) -> Visitor:
    return hub.signed_in()


def keys(hub: ConsoleHub, visitor: Visitor) -> dict[str, str]:
    return {**visitor.get(hub.base).form("/console/sign-out"), "repeat_key": "r" * 16}


@pytest.mark.parametrize("number", NUMBERS)
def test_what_is_no_number_breaks_nothing(hub: ConsoleHub, visitor: Visitor, number: str) -> None:
    for name in (
        "days",
        "since",
        "account_id",
        "inactive_days",
        "expiring_within_days",
        "min_access_level",
        "project_id",
    ):
        for page in ("/changes", "/people", "/credentials", f"/people/{ANA}", "/groups/10", "/pipelines", "/jobs"):
            shown = visitor.get(f"{hub.base}{page}?{name}={number}")
            assert shown.status < 500, (page, name)
            check(shown)
    asked = {"username": "ana", "path": "acme", "type": "group", "reason": "R", "access_level": number, "minutes": "5"}
    for given in (asked, {**asked, "access_level": "30", "minutes": number}):
        shown = visitor.post(f"{hub.base}/requests", {**keys(hub, visitor), **given})
        assert (shown.status, "request req-1" in shown.text) == (422, True)


@pytest.mark.parametrize("what", [{}, {"verb": ""}, {"verb": "delete"}, {"verdict": "maybe"}])
def test_a_form_that_does_not_say_what_to_do_does_nothing(
    hub: ConsoleHub, visitor: Visitor, what: dict[str, str]
) -> None:
    things = [f"/builds/{hub.ids['build_id']}", f"/requests/{hub.ids['request_id']}", "/syncs/verdict"]
    before = hub.stored()
    for thing in things:
        shown = visitor.post(f"{hub.base}{thing}", {**keys(hub, visitor), "kind": "access", **what})
        assert (shown.status, "does not say what to do" in shown.text) == (422, True)
    assert hub.stored() == before


def test_what_another_integration_has_is_not_shown_in_this_one(hub: ConsoleHub, visitor: Visitor) -> None:
    for thing in (f"builds/{hub.ids['build_id']}", f"deliveries/{hub.ids['delivery_id']}"):
        assert visitor.get(f"{hub.base}/{thing}").status == 200
        assert visitor.get(f"/console/{hub.other}/{thing}").status == 404


def test_a_delivery_with_many_builds_asks_for_a_few_of_them_and_names_all(hub: ConsoleHub, visitor: Visitor) -> None:
    ids, asked = [f"bld_{number:02}" for number in range(MOST_BUILDS + 5)], list[str]()
    table, builds = hub.tables["deliveries"], hub.container.functions["builds"]
    [row] = [one for one in table.dump() if one.get("delivery_id") == hub.ids["delivery_id"]]

    def listening(event: Any) -> dict[str, Any]:
        asked.append(event["rawPath"])
        return builds.ask(event)

    table.put({**row, "build_ids": ids})
    hub.container.functions["builds"] = type(builds)(listening)
    try:
        shown = visitor.get(f"{hub.base}/deliveries/{hub.ids['delivery_id']}")
    finally:
        hub.container.functions["builds"] = builds
        table.put(row)
    assert {f"{hub.base}/builds/{one}" for one in ids} <= set(links(shown))
    assert (shown.status, len(asked)) == (200, 1 + MOST_BUILDS)
