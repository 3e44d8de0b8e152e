"""Snapshots of a GitLab in which people come, go and move: each is what is stored, and the feed leads to the next."""

from itertools import pairwise

from gitlab_hub.access.feature import AccessFeature
from gitlab_hub.access.history.model import DAY, Snapshot
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from stand_in_gitlab.process import Running
from tests.fakes.sync_worker import SyncHub
from tests.functional.access.changes.replay import replayed, stored, told
from tests.functional.access.history.keeper import Keeper, plain
from tests.integration.sync.company_changes import happen


def synced(hub: SyncHub) -> None:
    """Sync; an owner accepts what goes."""
    if hub.sync(Kind.ACCESS).status is RunStatus.SUSPECT:
        hub.service.accept("i1", Kind.ACCESS, actor="t-owner")
        hub.work(Kind.ACCESS)


def test_every_day_is_explained_by_the_feed(fresh: Running) -> None:
    hub = SyncHub(fresh)
    rows, snapshots = hub.rows[Kind.ACCESS], list[Snapshot]()
    keeper = Keeper(rows, hub.state, lambda: hub.now)
    group = user = 0
    for day in range(4):
        if day == 1:
            happen(fresh)
        elif day == 2:
            group = fresh.change("add_group", path="crew")["id"]
            below = fresh.change("add_group", path="below", parent_id=group)["id"]
            project = fresh.change("add_project", path="boat", group_id=below)["id"]
            user = fresh.change("add_user", username="🦊 ניב")["id"]
            fresh.change("add_member", source="project", source_id=project, user_id=user, level=30)
        elif day == 3:
            fresh.change("rename_group", id=group, path="gang")
            fresh.change("update_user", id=user, state="blocked")
        synced(hub)
        keeper.note()
        keeper.tick()
        keeper.work()
        kept = keeper.newest()
        assert kept is not None
        assert plain(keeper.view(kept)) == plain(stored(rows))
        snapshots.append(kept)
        hub.now += DAY
    assert len({one.day for one in snapshots}) == len(snapshots)
    for first, last in (*pairwise(snapshots), (snapshots[0], snapshots[-1])):
        between = [one for one in told(rows, after=first.feed_from or 0) if one.number <= (last.feed_to or 0)]
        assert plain(replayed(keeper.view(first), between)) == plain(keeper.view(last))


def test_a_run_notes_that_it_is_about_to_end(fresh: Running) -> None:
    hub, noted = SyncHub(fresh), list[tuple[str, str, RunStatus]]()

    def note(integration_id: str, sync_id: str) -> None:
        noted.append((integration_id, sync_id, hub.run(Kind.ACCESS).status))

    engine = hub.engine(Kind.ACCESS)
    engine._feature = AccessFeature(hub.rows[Kind.ACCESS], note)
    hub.service.request("i1", [Kind.ACCESS], full=False)
    (sent,) = hub.queues[Kind.ACCESS].receive()
    engine.handle(sent.body, remaining=hub.remaining)
    assert noted == [("i1", hub.run(Kind.ACCESS).sync_id, RunStatus.RUNNING)]
    assert hub.run(Kind.ACCESS).status is RunStatus.IDLE
