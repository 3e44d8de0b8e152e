"""What syncs have come to: every one that ended, newest first."""

from dataclasses import replace

import pytest

from gitlab_hub.storage.ports import ConditionFailed
from gitlab_hub.sync import run as runs
from gitlab_hub.sync.history import KEPT_SECONDS, history_partition
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from gitlab_hub.sync.store import RunStore
from tests.functional.api.api_hub import ApiHub

AT = 1_789_000_000


@pytest.fixture
def hub() -> ApiHub:
    return ApiHub()


def end(hub: ApiHub, kind: Kind, sync_id: str, at: int, error: dict[str, str] | None = None) -> None:
    """Let a run have begun a minute before, and come to its end."""
    store = RunStore(hub.tables["integrations"])
    queued = store.save(runs.request(store.load(hub.own, kind), sync_id=sync_id, now=at - 60))
    claimed = runs.claim(queued, sync_id=sync_id, worker="w", now=at - 60)
    assert claimed is not None
    store.end(runs.finish(replace(store.save(claimed), done=3, total=9, counts={"requests": 7}), now=at, error=error))


def history(hub: ApiHub, **query: object) -> tuple[int, dict[str, object]]:
    path = f"/v1/integrations/{hub.own}/sync/history"
    answer: tuple[int, dict[str, object]] = hub("GET", path, query=query)
    return answer


def test_nothing_has_ended_yet(hub: ApiHub) -> None:
    assert history(hub) == (200, {"syncs": [], "next_cursor": None})


def test_a_sync_that_ended_is_shown_with_what_it_did(hub: ApiHub) -> None:
    end(hub, Kind.ACCESS, "s1", AT, {"code": "gitlab_unavailable", "hint": "Wait."})
    assert history(hub)[1]["syncs"] == [
        {
            "sync_id": "s1", "kind": "access", "status": "failed", "full": False, "started_at": AT - 60,
            "finished_at": AT, "progress": {"done": 3, "total": 3}, "counts": {"requests": 7}, "suspected": {},
            "last_error": {"code": "gitlab_unavailable", "hint": "Wait."},
        }
    ]  # fmt: skip


def test_syncs_of_both_kinds_come_newest_first_page_by_page(hub: ApiHub) -> None:
    for number in range(7):
        end(hub, Kind.PIPELINES if number % 2 else Kind.ACCESS, f"s{number}", AT + number * 100)
    seen: list[str] = []
    query: dict[str, object] = {"limit": 3}
    for _ in range(3):
        status, body = history(hub, **query)
        assert status == 200
        seen += [one["sync_id"] for one in body["syncs"]]  # type: ignore[attr-defined]  # JSON
        query["cursor"] = body["next_cursor"]
    assert (seen, query["cursor"]) == ([f"s{number}" for number in reversed(range(7))], None)


def test_a_cursor_of_another_integration_is_refused(hub: ApiHub) -> None:
    for number in range(2):
        end(hub, Kind.ACCESS, f"s{number}", AT + number)
    cursor = history(hub, limit=1)[1]["next_cursor"]
    status, body = hub("GET", f"/v1/integrations/{hub.other}/sync/history", query={"cursor": cursor})
    assert (status, body["code"]) == (400, "invalid_cursor")


def test_what_has_ended_is_kept_for_ninety_days_and_goes_with_its_integration(hub: ApiHub) -> None:
    end(hub, Kind.ACCESS, "s1", AT)
    [row] = [row for row in hub.tables["integrations"].dump() if row["pk"] == history_partition(hub.own)]
    assert row["expires_at"] == AT + KEPT_SECONDS == AT + 90 * 86_400


def test_a_run_that_was_taken_away_leaves_no_history(hub: ApiHub) -> None:
    store = RunStore(hub.tables["integrations"])
    queued = store.save(runs.request(store.load(hub.own, Kind.ACCESS), sync_id="s1", now=AT))
    store.delete(hub.own)
    with pytest.raises(ConditionFailed):
        store.end(runs.finish(queued, now=AT))
    assert (history(hub)[1]["syncs"], store.load(hub.own, Kind.ACCESS).status) == ([], RunStatus.IDLE)


def test_the_state_that_a_later_release_wrote_is_shown_as_failed(hub: ApiHub) -> None:
    table = hub.tables["integrations"]
    store = RunStore(table)
    store.save(runs.request(store.load(hub.own, Kind.ACCESS), sync_id="s1", now=AT))
    [row] = [row for row in table.dump() if row["sk"] == "RUN#access" and row["pk"].endswith(hub.own)]
    table.put({**row, "status": "dreaming"})
    status, body = hub("GET", f"/v1/integrations/{hub.own}/sync")
    access = body["kinds"]["access"]
    assert (status, access["status"], access["last_error"]["code"]) == (200, "failed", "unreadable_state")
    assert hub("GET", f"/v1/integrations/{hub.own}")[0] == 200
    status, body = hub("POST", f"/v1/integrations/{hub.own}/sync", {"kinds": ["access"]})
    assert (status, body["code"]) == (409, "unreadable_state")
    assert hub("POST", f"/v1/integrations/{hub.own}/sync", {"kinds": ["pipelines"]})[0] == 202


@pytest.mark.parametrize("change", [{"features": None}, {"account": 3}, {"lifecycle": "dreaming"}], ids=str)
def test_an_integration_that_a_later_release_wrote_hides_no_other(hub: ApiHub, change: dict[str, object]) -> None:
    table = hub.tables["integrations"]
    row = table.get("INTEGRATIONS", hub.own)
    assert row is not None
    table.put({**row, **change})
    status, body = hub("GET", "/v1/integrations")
    assert (status, [one["id"] for one in body["integrations"]]) == (200, [hub.other])
