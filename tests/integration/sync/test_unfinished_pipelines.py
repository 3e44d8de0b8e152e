"""Pipelines whose end GitLab's lists do not tell of: they are asked for again until they have ended."""

import pytest

from gitlab_hub.pipelines.owed import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS
from gitlab_hub.pipelines.window import OVERLAP_MS
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from stand_in_gitlab.process import Running
from tests.fakes.sync_worker import NEVER, SyncHub
from tests.integration.sync.stored_rows import stored, truth

ENDED = {"success", "failed", "canceled", "skipped", "manual"}


def start(server: Running) -> list[int]:
    """Start pipelines that run for some minutes; what lists say of their time stays as it is."""
    closed = server.control("GET", "ground-truth")["projects_without_builds"]
    project = next(row["id"] for row in server.truth("projects") if row["id"] not in closed)
    now = server.control("GET", "clock")["now"]
    ids = [server.change("add_pipeline", project_id=project, jobs=12, created=now - 1)["id"] for _ in range(4)]
    for number in ids:
        server.change("update_pipeline", id=number, unmoved=True)
    return ids


def of(hub: SyncHub, ids: list[int], *, stored_ones: bool) -> dict[int, str]:
    """The status of some pipelines, here or in GitLab."""
    rows = (stored if stored_ones else truth)(hub, Kind.PIPELINES)["pipelines"]
    return {number: status for (_, number), (status, *_) in rows.items() if number in ids}


@pytest.mark.parametrize("graphql_from", [1, NEVER])
def test_the_end_of_a_pipeline_that_no_list_shows_is_found(fresh: Running, graphql_from: int) -> None:
    hub, ids = SyncHub(fresh), start(fresh)
    hub.graphql_from = graphql_from
    for _ in range(2):
        hub.sync(Kind.PIPELINES)
        hub.later(OVERLAP_MS // 1000 + 1)
    unfinished = [number for number, status in of(hub, ids, stored_ones=True).items() if status not in ENDED]
    hub.later(2 * FIRST_PAUSE_SECONDS)
    assert unfinished
    assert not set(of(hub, unfinished, stored_ones=False).values()) - ENDED
    run = hub.sync(Kind.PIPELINES)
    assert (run.status, run.counts["unfinished_asked"]) == (RunStatus.IDLE, len(unfinished))
    assert stored(hub, Kind.PIPELINES) == truth(hub, Kind.PIPELINES)


def test_one_that_was_deleted_while_it_ran_is_marked(fresh: Running) -> None:
    hub, ids = SyncHub(fresh), start(fresh)
    hub.sync(Kind.PIPELINES)
    fresh.change("remove_pipeline", id=ids[0])
    hub.later(LONGEST_PAUSE_SECONDS // 2)  # Before the day on which lists are counted again.
    assert hub.sync(Kind.PIPELINES).counts["pipelines_deleted"] >= 1
    gone = [row["id"] for row in hub.rows[Kind.PIPELINES].dump() if row.get("deleted_at_source")]
    assert ids[0] in gone
    assert not set(gone) & set(of(hub, gone, stored_ones=False))
