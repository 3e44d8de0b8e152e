"""What is left where a worker ends between two writes, or its integration is removed while it writes."""

from typing import Any

import pytest

from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Crash, Plan, unavailable
from tests.functional.exports.export_hub import LEFT, ExportHub

OUTAGE = type(unavailable())


def filled() -> ExportHub:
    hub = ExportHub()
    hub.project(15)
    for number in (1, 2, 3):
        hub.pipeline(number, f"2026-11-0{number}T10:00:00Z")
    return hub


def incidents(hub: ExportHub) -> list[tuple[Any, Any]]:
    return [(row["kind"], row["subject"]) for row in hub.integrations.dump() if row["pk"] == "INCIDENTS"]


def removed(hub: ExportHub) -> None:
    """Remove the integration, and all that its removal finds."""
    hub.known.ids.discard("i1")
    hub.integrations.delete("INTEGRATIONS", "i1")
    for row in hub.integrations.dump():
        if row["pk"] in {"EXPORTS#i1", "EXPORT_FILES#i1"}:
            hub.integrations.delete(row["pk"], row["sk"])
    hub.bucket.delete([key for key in hub.bucket.dump() if key.startswith("exports/i1/")])


def left_over(hub: ExportHub) -> list[str]:
    rows = [row["pk"] for row in hub.integrations.dump() if row["pk"].startswith(("EXPORT", "DUE#exports"))]
    return rows + list(hub.bucket.dump())


@CRASH_OR_OUTAGE
@BEFORE_OR_AFTER
@pytest.mark.parametrize("at", range(1, 7))
def test_an_export_that_was_given_up_is_told_of_whatever_fails_meanwhile(at: int, error: Any, applied: bool) -> None:
    hub = filled()
    export_id = hub.ask()
    hub.now += 86_401
    hub.plan = Plan(at=at, error=error, applied=applied)
    worker = hub.exporter(incidents_fail_too=True)
    try:
        worker.tick(lambda: LEFT)
    except (Crash, OUTAGE):
        hub.recover()
    assert hub.show(export_id)["status"] == "failed"
    assert incidents(hub) == [("export_failed", "pipelines")]
    assert list(hub.store.due.every()) == []


@pytest.mark.parametrize("at", range(1, 6))
def test_what_is_written_while_the_integration_goes_away_goes_too(at: int) -> None:
    hub = filled()
    hub.ask()
    hub.plan = Plan(at=at, only={"write"}, meanwhile=lambda: removed(hub))
    hub.work()
    assert hub.known.ids == {"i2"}, "no such write"
    hub.recover()
    assert left_over(hub) == []


def test_what_a_worker_that_may_be_alive_writes_of_one_that_is_gone_waits_for_its_end() -> None:
    hub = filled()
    hub.ask()

    def gone_and_looked_at() -> None:
        removed(hub)
        hub.exporter().tick(lambda: LEFT)

    hub.plan = Plan(at=2, only={"write"}, meanwhile=gone_and_looked_at)
    hub.work()
    hub.recover()
    assert left_over(hub) == []
