"""The states of a run: who may start, claim, carry on and end it."""

from dataclasses import replace

import pytest

from gitlab_hub.sync import run as runs
from gitlab_hub.sync.errors import NothingSuspect, SyncInProgress
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import LEASE_SECONDS, Checkpoint, Run, RunStatus

NOW = 1_000_000
AT_REST = Run(integration_id="i1", kind=Kind.ACCESS)
QUEUED = runs.request(AT_REST, sync_id="s1", now=NOW)


@pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PARKED])
def test_a_run_under_way_cannot_be_started_again(status: RunStatus) -> None:
    with pytest.raises(SyncInProgress) as refusal:
        runs.request(replace(QUEUED, status=status), sync_id="s2", now=NOW)
    assert refusal.value.details == {"kind": "access", "sync_id": "s1", "status": status}


@pytest.mark.parametrize("status", [RunStatus.IDLE, RunStatus.SUSPECT, RunStatus.FAILED])
def test_a_run_at_rest_starts_afresh_but_remembers_its_last_success(status: RunStatus) -> None:
    old = replace(AT_REST, status=status, succeeded_at=7, counts={"requests": 3}, suspected={"accounts": 9})
    queued = runs.request(old, sync_id="s2", now=NOW)
    assert (queued.status, queued.sync_id, queued.succeeded_at) == (RunStatus.QUEUED, "s2", 7)
    assert (queued.counts, queued.suspected, queued.checkpoint) == ({}, {}, Checkpoint())


def test_a_claim_takes_the_lease() -> None:
    claimed = runs.claim(QUEUED, sync_id="s1", worker="w1", now=NOW)
    assert claimed is not None
    assert (claimed.status, claimed.worker, claimed.lease_until) == (RunStatus.RUNNING, "w1", NOW + LEASE_SECONDS)


def test_a_second_worker_gets_nothing_while_the_lease_lives_and_everything_after_it() -> None:
    claimed = runs.claim(QUEUED, sync_id="s1", worker="w1", now=NOW)
    assert claimed is not None
    assert runs.claim(claimed, sync_id="s1", worker="w2", now=NOW + LEASE_SECONDS - 1) is None
    taken = runs.claim(claimed, sync_id="s1", worker="w2", now=NOW + LEASE_SECONDS)
    assert taken is not None
    assert taken.worker == "w2"


@pytest.mark.parametrize(
    "run",
    [AT_REST, replace(QUEUED, sync_id="s0"), replace(QUEUED, parked_until=NOW + 1), runs.finish(QUEUED, now=NOW)],
    ids=["at rest", "another run", "parked", "finished"],
)
def test_a_stale_message_claims_nothing(run: Run) -> None:
    assert runs.claim(run, sync_id="s1", worker="w1", now=NOW) is None


def test_claims_without_a_checkpoint_are_counted_and_one_checkpoint_clears_them() -> None:
    run = QUEUED
    for _ in range(runs.CLAIMS_WITHOUT_PROGRESS + 1):
        claimed = runs.claim(run, sync_id="s1", worker="w", now=NOW)
        assert claimed is not None
        run = replace(claimed, lease_until=0)
    assert runs.dead_end(run, now=NOW) is runs.BROKEN
    assert runs.dead_end(runs.progressed(run, Checkpoint(stage="users")), now=NOW) is None


def test_parking_keeps_the_checkpoint_and_frees_the_lease() -> None:
    checkpoint = Checkpoint(stage="users", after="7")
    parked = runs.defer(runs.progressed(QUEUED, checkpoint), until=NOW + 600, now=NOW)
    assert (parked.status, parked.parked_until, parked.lease_until) == (RunStatus.PARKED, NOW + 600, 0)
    assert parked.claims == 0
    assert parked.checkpoint == checkpoint


@pytest.mark.parametrize(
    ("suspected", "error", "status", "succeeded_at"),
    [
        ({}, None, RunStatus.IDLE, NOW),
        ({"accounts": 4}, None, RunStatus.SUSPECT, None),
        ({}, {"code": "gitlab_unavailable", "hint": ""}, RunStatus.FAILED, None),
        ({"accounts": 4}, {"code": "gitlab_unavailable", "hint": ""}, RunStatus.FAILED, None),
    ],
)
def test_how_a_run_ends(
    suspected: dict[str, int], error: dict[str, str] | None, status: RunStatus, succeeded_at: int | None
) -> None:
    ended = runs.finish(replace(QUEUED, suspected=suspected), now=NOW, error=error)
    assert (ended.status, ended.succeeded_at, ended.last_error) == (status, succeeded_at, error)
    assert ended.lease_until == 0


def test_only_a_suspicious_run_can_be_accepted_and_only_for_what_it_refused() -> None:
    suspect = runs.finish(replace(QUEUED, suspected={"accounts": 4}), now=NOW)
    assert runs.accept(suspect, sync_id="s2", now=NOW).accepted == {"accounts": 4}
    with pytest.raises(NothingSuspect):
        runs.accept(runs.finish(QUEUED, now=NOW), sync_id="s2", now=NOW)


def test_a_rejected_run_is_over_and_says_what_was_refused() -> None:
    suspect = runs.finish(replace(QUEUED, suspected={"accounts": 4, "grants": 9}, counts={"requests": 3}), now=NOW)
    over = runs.reject(suspect)
    assert (over.status, over.suspected, over.rejected) == (RunStatus.IDLE, {}, {"accounts": 4, "grants": 9})
    assert over.counts == {"requests": 3, "rows_rejected": 13}
    assert (over.finished_at, over.succeeded_at, over.sync_id) == (NOW, None, suspect.sync_id)
    following = runs.request(over, sync_id="s2", now=NOW)
    assert (following.rejected, following.accepted) == ({}, {})


@pytest.mark.parametrize("status", [status for status in RunStatus if status is not RunStatus.SUSPECT])
def test_only_a_suspicious_run_can_be_rejected(status: RunStatus) -> None:
    with pytest.raises(NothingSuspect):
        runs.reject(replace(QUEUED, status=status, suspected={"accounts": 4}))


def test_waits_that_gitlab_asks_for_are_no_setbacks() -> None:
    waited = runs.defer(QUEUED, until=NOW + 60, now=NOW)
    set_back = runs.defer(waited, until=NOW + 60, now=NOW, setback=True)
    again = runs.defer(runs.defer(set_back, until=NOW, now=NOW), until=NOW, now=NOW, setback=True)
    assert (waited.setbacks, set_back.setbacks, again.setbacks) == (0, 1, 2)
    assert runs.progressed(again, Checkpoint(stage="users")).setbacks == 0
    assert runs.request(runs.finish(again, now=NOW), sync_id="s2", now=NOW).setbacks == 0


def test_slices_that_bring_nothing_to_an_end_begin_less_and_less() -> None:
    widths, run = [], QUEUED
    for _ in range(6):
        claimed = runs.claim(run, sync_id="s1", worker="w", now=NOW)
        assert claimed is not None
        widths.append(runs.concurrency(claimed, 16))
        run = replace(runs.defer(claimed, until=NOW, now=NOW), lease_until=0)
    assert widths == [16, 8, 4, 2, 1, 1]


def test_a_slice_that_got_somewhere_lets_the_next_one_begin_more() -> None:
    run = replace(runs.progressed(QUEUED, Checkpoint(stage="users")), narrowed=3)
    claimed = runs.claim(run, sync_id="s1", worker="w", now=NOW)
    assert claimed is not None
    assert runs.concurrency(claimed, 16) == 4
