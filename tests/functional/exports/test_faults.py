"""Workers that die, and stores that are away, at every call: whatever happens, each row is there once."""

from pathlib import Path
from typing import Any

import pytest

from gitlab_hub.exports import slices
from gitlab_hub.exports.worker import MOST_TRIES
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, Plan, every_call, unavailable
from tests.functional.exports.export_hub import LEFT, ExportHub

WANTED = [1, 2, 3, 4, 5, 6, 7]


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of two rows, so that a small export takes several."""
    monkeypatch.setattr(slices, "ENOUGH_ROWS", 1)
    monkeypatch.setattr(slices, "MOST_ROWS", 2)


def filled(plan: Plan, *, asking: Plan | None = None) -> ExportHub:
    hub = ExportHub(plan, asking=asking)
    hub.project(15)
    hub.project(16)
    for number in (1, 2, 3, 4):
        hub.pipeline(number, f"2026-11-0{1 + number // 3}T10:00:00Z")
    for number in (5, 6, 7):
        hub.pipeline(number, "2026-11-09T10:00:00Z", 16)
    return hub


def whole(hub: ExportHub, export_id: str, folder: Path) -> list[int]:
    """The ids in the files that are told of, which are all that lie in the bucket."""
    export = hub.show(export_id)
    assert export["status"] == "done"
    mine = f"exports/i1/{export_id}/"
    told = {mine + file["path"] for file in export["files"]} | {mine + "manifest.json"}
    assert {key for key in hub.bucket.dump() if key.startswith(mine)} == told
    rows: list[dict[str, Any]] = hub.read(export, folder)
    assert export["rows"] == len(rows) == sum(file["rows"] for file in export["files"])
    return [int(row["id"]) for row in rows]


@pytest.mark.usefixtures("small_slices")
@BEFORE_OR_AFTER
@pytest.mark.parametrize("error", [Crash, unavailable], ids=["crash", "outage"])
def test_a_worker_that_ends_at_any_call_leaves_no_row_out_and_none_twice(
    error: Any, applied: bool, tmp_path: Path
) -> None:
    struck = 0
    for plan in every_call(error=error, applied=applied):
        hub = filled(plan)
        export_id = hub.ask("pipelines", "jsonl")
        try:
            hub.work()
        except (Crash, type(unavailable())):
            struck += 1
            hub.recover()
            hub.recover()
        assert whole(hub, export_id, tmp_path) == WANTED
        assert hub.show(export_id)["progress"] == {"done": 2, "total": 2}
        assert list(hub.store.due.every()) == []
    assert struck > 12


@pytest.mark.usefixtures("small_slices")
def test_a_worker_out_of_time_writes_down_how_far_it_is_and_the_next_goes_on(tmp_path: Path) -> None:
    hub = filled(Plan())
    export_id, looks = hub.ask("pipelines", "csv"), 0
    while hub.show(export_id)["status"] != "done":
        left = iter([LEFT] * 4 + [0.0] * 1_000)
        hub.work(lambda left=left: next(left))  # type: ignore[misc]
        looks += 1
        hub.now += 1
    assert looks > 2
    assert whole(hub, export_id, tmp_path) == WANTED
    assert hub.store.get("i1", export_id).was_interrupted is False  # type: ignore[union-attr]


@pytest.mark.usefixtures("small_slices")
def test_what_a_dead_worker_left_of_a_day_that_is_another_by_now_is_removed(tmp_path: Path) -> None:
    hub = filled(Plan(at=2, only={"put"}))  # the first says that it is taken, the second how far it is
    export_id = hub.ask("pipelines", "csv")
    with pytest.raises(Crash):
        hub.work()
    assert any("day=2026-11-01" in key for key in hub.bucket.dump())
    for number in (1, 2):
        hub.pipeline(number, "2026-10-05T10:00:00Z")  # GitLab has corrected when they were created.
    hub.recover()
    assert whole(hub, export_id, tmp_path) == WANTED
    assert not any("day=2026-11-01" in key for key in hub.bucket.dump())


def test_two_workers_do_not_make_one_export(tmp_path: Path) -> None:
    hub = filled(Plan())
    export_id = hub.ask("pipelines", "csv")
    written: list[set[str]] = []

    def look() -> None:
        """Another worker comes while the first one writes, and finds the export taken."""
        hub.plan = Plan()
        before = hub.integrations.dump()
        hub.work()
        written.append(set(hub.bucket.dump()))
        assert hub.integrations.dump() == before

    hub.plan = Plan(at=2, only={"write"}, meanwhile=look)  # the first says when somebody is to look again
    hub.work()
    assert written == [set()]
    assert whole(hub, export_id, tmp_path) == WANTED


def test_an_export_whose_workers_keep_dying_is_given_up_and_a_person_is_told() -> None:
    hub = filled(Plan())
    export_id = hub.ask("pipelines", "csv")
    for _ in range(MOST_TRIES):
        hub.plan = Plan(at=2, only={"write"})  # its first object
        assert hub.show(export_id)["status"] in {"queued", "running"}
        with pytest.raises(Crash):
            hub.work()
        hub.now += LEFT + 60
    hub.plan.heal()
    hub.work()
    export = hub.show(export_id)
    assert (export["status"], export["error"]["code"], export["files"]) == ("failed", "export_gave_up", [])
    (incident,) = [row for row in hub.integrations.dump() if row["pk"] == "INCIDENTS"]
    assert (incident["kind"], incident["subject"]) == ("export_failed", "pipelines")
    hub.made("pipelines", "csv")
    assert [row for row in hub.integrations.dump() if row["pk"] == "INCIDENTS"] == []


def test_a_bucket_that_is_away_for_long_is_no_reason_to_give_up_before_a_day(tmp_path: Path) -> None:
    hub = filled(Plan(at=1, only={"write"}, repeat=True, error=unavailable))
    export_id = hub.ask("pipelines", "csv")
    for _ in range(3 * MOST_TRIES):
        with pytest.raises(type(unavailable())):
            hub.work()
        hub.now += 600
    hub.plan.heal()
    hub.work()
    assert whole(hub, export_id, tmp_path) == WANTED
    hub = filled(Plan(at=1, only={"write"}, repeat=True, error=unavailable))
    export_id = hub.ask("pipelines", "csv")
    with pytest.raises(type(unavailable())):
        hub.work()
    hub.now += 86_401
    hub.work()
    assert hub.show(export_id)["error"]["code"] == "export_gave_up"


@BEFORE_OR_AFTER
def test_who_asks_while_a_store_is_away_asks_again_and_has_one_export(applied: bool, tmp_path: Path) -> None:
    wanted, again = {"dataset": "pipelines", "format": "jsonl"}, {"idempotency-key": "k"}
    refusals = 0
    for asking in every_call(error=unavailable, applied=applied):
        hub = filled(Plan(), asking=asking)
        status, body = hub.call("POST", "", wanted, headers=again)
        if not asking.struck:
            break
        if status == 503:
            refusals += 1
            assert body["retryable"]
            status, body = hub.call("POST", "", wanted, headers=again)
        assert status == 202, body
        hub.work()
        (listed,) = hub.call("GET")[1]["exports"]
        assert listed["id"] == body["export"]["id"]
        assert whole(hub, listed["id"], tmp_path) == WANTED
    assert refusals > 2


def test_nothing_is_written_for_an_integration_that_is_gone() -> None:
    hub = filled(Plan())
    hub.ask("pipelines", "csv")
    hub.known.ids.discard("i1")
    hub.work()
    assert hub.bucket.dump() == {}
    assert list(hub.store.due.every()) == []
