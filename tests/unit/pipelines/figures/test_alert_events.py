"""Whoever listens on the bus hears of each alert that opens and closes, at least once, whatever goes wrong."""

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator

from gitlab_hub.incidents import Incident, IncidentStore
from gitlab_hub.pipelines.figures.alert_events import AlertEvents, message_of
from gitlab_hub.storage.ports import Check, Condition, StorageRefused, StorageUnavailable, Table
from tests.fakes.bus import MemoryBus
from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Crash, Plan, every_call, faulty
from tests.fakes.table import MemoryTable
from tests.unit.pipelines.figures.test_alerts import Alerting

DOCS = Path(__file__).parents[4] / "docs"
SCHEMA = json.loads((DOCS / "alert-events.schema.json").read_text())
LIVE = Check(("live", "i1"), Condition(exists=True))
RED = Incident(
    kind="default_branch_red", integration_id="i1", subject="7", at=100, hint="Red.", details={}, announced=True
)


class Room:
    """Incidents whose turns are told to a bus, over a table that may fail."""

    def __init__(self, plan: Plan | None = None, kept: MemoryTable | None = None) -> None:
        self.kept, self.bus, self.now = kept or MemoryTable(), MemoryBus(), 1_000.0
        self.kept.put({"pk": "live", "sk": "i1"})
        self.through(plan or Plan())

    def through(self, plan: Plan) -> None:
        """Have calls fail as planned from now on."""
        table, bus = cast("Table", faulty(self.kept, plan)), faulty(self.bus, plan)
        self.incidents = IncidentStore(table, self.clock, lambda _: LIVE)
        self.events = AlertEvents(self.incidents, bus)

    def another(self) -> "Room":
        """Somebody else at the same table."""
        return Room(kept=self.kept)

    def open(self) -> None:
        self.incidents.open(RED)

    def close(self) -> None:
        self.incidents.close(RED.kind, RED.integration_id, RED.subject)

    def clock(self) -> float:
        self.now += 1
        return self.now

    @property
    def told(self) -> list[tuple[str, str]]:
        """What the bus was told, and of what."""
        return [(kind, message["alert"]["subject"]) for kind, message in self.bus.events]


class Refusing(MemoryBus):
    """A bus that does not take what is about some projects."""

    def __init__(self, error: Exception, *subjects: str) -> None:
        super().__init__()
        self.error, self.subjects = error, subjects

    def put(self, detail_type: str, message: Mapping[str, Any]) -> None:
        if message["alert"]["subject"] in self.subjects:
            raise self.error
        super().put(detail_type, message)


def test_an_alert_that_opens_and_closes_is_told_as_the_documents_say() -> None:
    hub, bus = Alerting(), MemoryBus()
    events = AlertEvents(hub.incidents, bus)
    hub.ran(1, day=5)
    hub.ran(2, "failed", day=8.5)
    for number in range(20):
        hub.ran(number + 300, "failed", day=2, duration=60.0)
        hub.ran(number + 400, "failed", duration=600.0)
    for _ in range(2):
        hub.run()
        events.tick()
    assert [kind for kind, _ in bus.events] == ["Alert Opened"] * 2
    for number in range(20):
        hub.ran(number + 400, duration=60.0)
    hub.ran(500, day=9.1, duration=60.0)
    hub.world.later(60)
    hub.run()
    assert events.tick() == {"chore": "alert_events", "told": 2}
    assert [kind for kind, _ in bus.events[2:]] == ["Alert Closed"] * 2
    known = SCHEMA["properties"]["alert"]["properties"]
    for _, message in bus.events:
        Draft202012Validator(SCHEMA).validate(message)
        assert (set(message), set(message["alert"])) == (set(SCHEMA["properties"]), set(known))
        assert set(message["alert"]["details"]) <= set(known["details"]["properties"])
    assert len({message["id"] for _, message in bus.events}) == 4
    assert {message["alert"]["closed_at"] is None for kind, message in bus.events if kind == "Alert Opened"} == {True}


def test_the_example_in_the_book_is_one() -> None:
    text = (DOCS / "pipelines.md").read_text().partition("### Alerts as events")[2]
    example = json.loads(text.partition("```json")[2].partition("```")[0])
    Draft202012Validator(SCHEMA).validate(example)
    room = Room()
    room.incidents.open(RED)
    (turn,) = room.incidents.untold()
    message = message_of(turn)
    assert (list(example), list(example["alert"])) == (list(message), list(message["alert"]))


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
def test_whatever_dies_at_whichever_call_both_turns_are_told_under_one_id_each(
    error: type[BaseException], *, applied: bool
) -> None:
    for plan in every_call(error=error, applied=applied):
        room = Room(plan)
        for step in (room.open, room.events.tick, room.close, room.events.tick):
            try:
                step()
            except (Crash, StorageUnavailable):
                step()
        assert {kind for kind, _ in room.told} == {"Alert Opened", "Alert Closed"}, plan.calls
        assert len({message["id"] for _, message in room.bus.events}) == 2
        assert list(room.another().incidents.untold()) == []


def test_a_bus_that_is_away_or_refuses_is_told_once_it_can_be() -> None:
    room = Room()
    for subject in ("7", "8"):
        room.incidents.open(replace(RED, subject=subject))
    refusing = Refusing(StorageRefused("No."), "7")
    with pytest.raises(StorageRefused):
        AlertEvents(room.incidents, refusing).tick()
    assert [message["alert"]["subject"] for _, message in refusing.events] == ["8"], "one holds up no other"
    with pytest.raises(StorageUnavailable):
        AlertEvents(room.incidents, Refusing(StorageUnavailable("Away."), "7")).tick()
    room.events.tick()
    assert room.told == [("Alert Opened", "7")]
    asked = room.kept.bill["requests"]
    room.events.tick()
    assert room.kept.bill["requests"] - asked == 1, "with nothing to tell, a tick is one request"


def test_a_removed_integration_has_its_alerts_told_as_closed_and_opens_none() -> None:
    room = Room()
    room.incidents.open(RED)
    room.incidents.open(replace(RED, kind="sync_failed", announced=False))
    room.kept.delete("live", "i1")
    room.incidents.delete("i1")
    room.incidents.open(RED)
    assert list(room.incidents.after(None)) == []
    room.events.tick()
    assert room.told == [("Alert Opened", "7"), ("Alert Closed", "7")]


def test_an_alert_of_an_earlier_release_is_told_once_it_is_found_again() -> None:
    room = Room()
    room.incidents.open(replace(RED, announced=False))
    room.incidents.open(RED)
    room.incidents.open(replace(RED, hint="Still red."))
    room.events.tick()
    assert room.told == [("Alert Opened", "7")]


def test_of_two_who_find_an_alert_open_or_over_at_once_one_tells_it() -> None:
    for is_over in (False, True):
        for number in count(1):
            room = Room()
            other = room.another()
            if is_over:
                room.open()
            plan = Plan(at=number, meanwhile=other.close if is_over else other.open)
            room.through(plan)
            (room.close if is_over else room.open)()
            turns = sorted((turn.is_open for turn in room.incidents.untold()), reverse=True)
            assert turns == [True, False][: 1 + is_over], plan.calls
            if not plan.struck:
                break
