"""Replaying many deliveries: shown with what they would build, bounded, and each with a result of its own."""

from typing import Any

import pytest

from gitlab_hub.console.pages.replays import MOST, MOST_TRIES, tries
from tests.fakes.queue import MemoryFunction
from tests.functional.console.console_hub import AWAY, ConsoleHub
from tests.functional.console.visitor import Visitor


@pytest.fixture
def hub() -> ConsoleHub:
    return ConsoleHub()


def copies(hub: ConsoleHub, count: int) -> list[str]:
    """As many deliveries more, like the one there is."""
    table, known = hub.tables["deliveries"], hub.ids["delivery_id"]
    [row] = [one for one in table.dump() if one.get("delivery_id") == known]
    made = [f"{known[:-4]}{number:04x}" for number in range(count)]
    name = known.rpartition("_")[2]
    for one in made:
        mine = one.rpartition("_")[2]
        table.put({key: value.replace(name, mine) if isinstance(value, str) else value for key, value in row.items()})
    return made


def asks(hub: ConsoleHub, answer_of: Any) -> list[str]:
    """Listen to what the function of builds is asked; `answer_of` may answer in its place."""
    asked: list[str] = []
    builds = hub.container.functions["builds"]

    def listening(event: Any) -> dict[str, Any]:
        asked.append(event["rawPath"])
        return answer_of(event["rawPath"]) or builds.ask(event)

    hub.container.functions["builds"] = MemoryFunction(listening)
    return asked


def test_what_would_be_built_is_shown_and_nothing_happens(hub: ConsoleHub, visitor: Visitor) -> None:
    before = hub.stored()
    shown = visitor.get(f"{hub.base}/deliveries/replay")
    assert ("push main" in shown.text, "by a trigger of the project" in shown.text) == (True, True)
    assert hub.stored() == before
    assert "No delivery matches." in visitor.get(f"{hub.base}/deliveries/replay?status=failed").text


def test_those_that_are_ticked_are_replayed(hub: ConsoleHub, visitor: Visitor) -> None:
    page, waiting = f"{hub.base}/deliveries/replay", hub.container.ordered_queues["deliveries"]
    ids, before = copies(hub, 3), len(waiting.sent)
    shown = visitor.get(page)
    ticked = {str(one["name"]) for one in shown.elements("input") if one.get("type") == "checkbox"}
    assert ticked == {f"delivery-{one}" for one in (*ids, hub.ids["delivery_id"])}
    done = visitor.submit(shown, page, **{f"delivery-{one}": "on" for one in ids[:2]})
    assert ("2 of 2 are being worked on again" in done.text, len(waiting.sent) - before) == (True, 2)
    again = visitor.submit(shown, page, **{f"delivery-{one}": "on" for one in ids[:2]})
    assert ("2 of 2" in again.text, len(waiting.sent) - before) == (True, 2)


def test_a_part_that_fails_is_told_of_each_by_itself(hub: ConsoleHub, visitor: Visitor) -> None:
    page, ids = f"{hub.base}/deliveries/replay", copies(hub, 3)
    shown = visitor.get(page)
    asks(hub, lambda path: {"statusCode": 503, "body": AWAY} if ids[1] in path else None)
    chosen = {f"delivery-{one}": "on" for one in (*ids, "dlv_none", "../x")}
    done = visitor.submit(shown, page, **chosen)
    assert ("2 of 5 are being worked on again" in done.text, "2 could not be replayed" in done.text) == (True, True)
    assert ("service_unavailable" in done.text, "not_found" in done.text) == (True, True)


def test_nothing_ticked_is_nothing_replayed(hub: ConsoleHub, visitor: Visitor) -> None:
    page = f"{hub.base}/deliveries/replay"
    assert "Nothing was ticked" in visitor.submit(visitor.get(page), page).text


def test_many_are_shown_and_replayed_a_few_at_a_time(hub: ConsoleHub, visitor: Visitor) -> None:
    page = f"{hub.base}/deliveries/replay"
    ids = copies(hub, MOST + 10)
    shown = visitor.get(page)
    assert len([one for one in shown.elements("input") if one.get("type") == "checkbox"]) == MOST
    asked = asks(hub, lambda _: None)
    visitor.submit(shown, page, **{f"delivery-{one}": "on" for one in ids})
    assert len(asked) == MOST


def test_a_preview_tries_a_bounded_number_of_triggers(hub: ConsoleHub, visitor: Visitor) -> None:
    body = {"integration_id": hub.own, "project_id": 3, "events": ["push"], "target": {"type": "eventbridge"}}
    for _ in range(4):
        assert hub("POST", "/v1/triggers", body)[0] == 201
    copies(hub, MOST)
    asked = asks(hub, lambda _: None)
    shown = visitor.get(f"{hub.base}/deliveries/replay")
    assert len([path for path in asked if path.endswith("/test")]) == MOST_TRIES
    assert ("Not every trigger was tried" in shown.text, "not tried" in shown.text) == (True, True)


def test_triggers_of_the_group_that_a_project_is_in_now_are_tried_too(hub: ConsoleHub, visitor: Visitor) -> None:
    project = hub("GET", f"/v1/integrations/{hub.own}/projects")[1]["projects"][0]
    group = project["full_path"].rpartition("/")[0]
    body = {"integration_id": hub.own, "group": group, "events": ["push"], "target": {"type": "eventbridge"}}
    status, made = hub("POST", "/v1/triggers", body)
    assert status == 201, made
    [row] = [one for one in hub.tables["deliveries"].dump() if one.get("delivery_id") == hub.ids["delivery_id"]]
    hub.tables["deliveries"].put({**row, "project_id": project["id"], "project_path": "before/it-moved"})
    shown = visitor.get(f"{hub.base}/deliveries/replay").text
    assert f"by a trigger of {group}".lower() in shown.lower()


def test_who_may_not_replay_is_offered_nothing(hub: ConsoleHub) -> None:
    viewer = hub.signed_in(hub.token(role="viewer")["token"])
    shown = viewer.get(f"{hub.base}/deliveries/replay")
    assert ("Replaying needs the role developer." in shown.text, "permission_denied" in shown.text) == (True, False)


def test_a_trigger_is_tried_on_what_it_is_about() -> None:
    came: list[dict[str, Any]] = [
        {"id": "d1", "project_id": 3, "project_path": "acme/app"},
        {"id": "d2", "project_id": 4, "project_path": "acmes/x"},
        {"id": "d3", "project_id": None, "project_path": None},
    ]  # fmt: skip
    known: list[dict[str, Any]] = [
        {"id": "t1", "group": None, "project_id": 3}, {"id": "t2", "group": "Acme", "project_id": None},
        {"id": "t3", "group": None, "project_id": 9},
    ]  # fmt: skip
    assert [(one, trigger["id"]) for one, trigger in tries(came, known, {})] == [("d1", "t1"), ("d1", "t2")]
    # A project may have moved since, or its group may be called otherwise; what is built goes by where it is now.
    moved = tries(came, known, {4: {"full_path": "acme/x"}})
    assert [(one, trigger["id"]) for one, trigger in moved] == [("d1", "t1"), ("d1", "t2"), ("d2", "t2")]
