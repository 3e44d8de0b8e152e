import hashlib
from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.gitlab.webhooks.parse import HookEvent
from gitlab_hub.webhooks.hooks.ref_diff import ZERO, Ref, RefListing, diff_refs, merge_refs
from gitlab_hub.webhooks.hooks.ref_snapshots import (
    MAX_PACKED_BYTES,
    RefSnapshot,
    RefSnapshots,
    StoredRef,
    ref_name,
    with_ref,
)
from tests.fakes.hooks import INTEGRATION
from tests.fakes.table import MemoryTable

A, B, C = "a" * 40, "b" * 40, "c" * 40


def look(*, complete: bool = True, **tips: str) -> RefListing:
    named = {name.replace("_", "/", 1): Ref(sha=sha, commit=sha, message="Fix it") for name, sha in tips.items()}
    return RefListing(project_id=3, project_path="acme/p3", tips=named, complete=complete)


def refs(*, complete: bool = True, **heads: str) -> RefSnapshot:
    named = {name.replace("_", "/", 1): StoredRef(sha, 0) for name, sha in heads.items()}
    return RefSnapshot(integration_id=INTEGRATION, project_id=3, looked_at=1, complete=complete, heads=named)


def push(**more: Any) -> HookEvent:
    return replace(HookEvent(kind="push", project_id=3, ref="main", before=A, after=B), **more)


def test_what_has_not_moved_is_no_push() -> None:
    assert diff_refs(refs(heads_main=A), look(heads_main=A)) == []


def test_a_moved_branch_is_the_push_that_gitlab_would_have_announced() -> None:
    [move] = diff_refs(refs(heads_main=A), look(heads_main=B))
    event = move.event
    assert (event.kind, event.ref, event.before, event.after, event.sha) == ("push", "main", A, B, B)
    assert (event.project_id, event.project_path, event.message) == (3, "acme/p3", "Fix it")
    assert (event.creates_ref, event.deletes_ref) == (False, False)
    assert event.total_commits > len(event.commits), "nobody has said which"


def test_a_new_branch_and_a_new_tag_are_creations() -> None:
    found = diff_refs(refs(), look(heads_new=A, tags_v1=B))
    assert [(one.event.kind, one.event.ref, one.event.creates_ref) for one in found] == [
        ("push", "new", True),
        ("tag_push", "v1", True),
    ]


def test_an_annotated_tag_is_built_at_its_commit() -> None:
    tagged = RefListing(project_id=3, project_path=None, tips={"tags/v1": Ref(sha=A, commit=B)}, complete=True)
    [move] = diff_refs(refs(), tagged)
    assert (move.event.after, move.event.sha) == (A, B)


def test_a_vanished_branch_is_a_deletion() -> None:
    [move] = diff_refs(refs(heads_main=A, heads_old=B), look(heads_main=A))
    assert (move.event.ref, move.event.before, move.event.after, move.event.sha) == ("old", B, ZERO, None)
    assert move.event.deletes_ref


@pytest.mark.parametrize(("before", "now"), [(True, False), (False, True), (False, False)])
def test_of_a_part_only_known_refs_are_believed(before: bool, now: bool) -> None:
    found = diff_refs(refs(complete=before, heads_main=A, heads_old=B), look(complete=now, heads_main=C, heads_new=A))
    assert [move.event.ref for move in found] == ["main"]


def test_a_project_whose_refs_are_all_gone_is_not_believed() -> None:
    assert diff_refs(refs(heads_main=A), look()) == []


def test_branch_names_keep_their_slashes() -> None:
    [move] = diff_refs(refs(), replace(look(), tips={"heads/feature/x": Ref(sha=A, commit=A)}))
    assert move.event.ref == "feature/x"


def test_the_same_move_has_the_same_key_and_its_return_another_one() -> None:
    before = refs(heads_main=A)
    keys = []
    for sha in (B, A, B):
        seen = look(heads_main=sha)
        [move], [again] = diff_refs(before, seen), diff_refs(before, seen)
        assert move.key == again.key
        keys.append(move.key)
        before = replace(before, heads=merge_refs(before, seen))
    assert len(set(keys)) == 3


def test_a_branch_that_was_deleted_and_came_back_is_a_new_push_each_time() -> None:
    before, keys = refs(heads_main=A, heads_x=B), set()
    for seen in (look(heads_main=A), look(heads_main=A, heads_x=B)) * 2:
        keys |= {move.key for move in diff_refs(before, seen)}
        before = replace(before, heads=merge_refs(before, seen))
    assert len(keys) == 4


def test_after_a_look_nothing_is_left_to_announce() -> None:
    before, seen = refs(heads_main=A, heads_old=B), look(heads_main=C, heads_new=A, tags_v1=B)
    assert diff_refs(replace(before, heads=merge_refs(before, seen)), seen) == []


def test_late_ones_are_found_again_by_the_next_look() -> None:
    before, seen = refs(heads_main=A, heads_old=B), look(heads_main=C, heads_new=A)
    late = {"heads/main", "heads/old", "heads/new"}
    found = diff_refs(before, seen)
    after = replace(before, heads=merge_refs(before, seen, deferred=late))
    assert diff_refs(after, seen) == found


@pytest.fixture
def locks() -> RefSnapshots:
    return RefSnapshots(MemoryTable(indexes=()))


def kept(locks: RefSnapshots) -> RefSnapshot:
    found = locks.get(INTEGRATION, 3)
    assert found is not None
    return found


def test_refs_are_read_as_they_were_kept(locks: RefSnapshots) -> None:
    wanted = refs(heads_main=A, tags_v1=B)
    assert locks.get(INTEGRATION, 3) is None
    assert locks.keep(wanted, None)
    assert kept(locks) == wanted


def test_only_the_first_of_two_writers_keeps(locks: RefSnapshots) -> None:
    locks.keep(refs(heads_main=A), None)
    before = kept(locks)
    assert not locks.keep(refs(heads_main=C), None)
    assert locks.keep(replace(before, heads={"heads/main": StoredRef(B, 1)}), before)
    assert not locks.keep(replace(before, heads={"heads/main": StoredRef(C, 1)}), before)
    assert kept(locks).heads["heads/main"].sha == B


def test_what_does_not_fit_into_an_item_is_not_kept(locks: RefSnapshots) -> None:
    noise = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(10_000)]
    heads = {f"heads/{each}": StoredRef(each[:40], 0) for each in noise}
    assert not locks.keep(replace(refs(), heads=heads), None)
    assert locks.get(INTEGRATION, 3) is None
    assert MAX_PACKED_BYTES < 400 * 1024


NAMES = [f"heads/{hashlib.sha256(str(number).encode()).hexdigest()}" for number in range(10_000)]


@pytest.mark.parametrize("complete", [True, False])
def test_what_is_listed_no_more_makes_room_where_refs_would_not_fit(locks: RefSnapshots, complete: bool) -> None:
    """Years of branches that came and went, or more than the hub lists of: the project goes on being watched."""
    gone = {name: StoredRef("" if complete else name[-40:], 1) for name in NAMES}
    before = replace(
        refs(complete=complete), heads={"heads/main": StoredRef(A, 7), "heads/late": StoredRef(A, 0)} | gone
    )
    seen = look(complete=complete, heads_main=B)
    after = replace(before, heads=merge_refs(before, seen, deferred={"heads/late"}))
    assert after.heads == {"heads/main": StoredRef(B, 8), "heads/late": StoredRef(A, 0)}
    assert locks.keep(after, None)


def test_where_there_is_room_the_moves_of_what_is_gone_stay_counted() -> None:
    before = refs(heads_main=A, heads_old=B)
    assert merge_refs(before, look(heads_main=A))["heads/old"] == StoredRef("", 1)


def test_an_announced_push_is_not_announced_again(locks: RefSnapshots) -> None:
    locks.keep(refs(heads_main=A), None)
    locks.record_push(INTEGRATION, push())
    assert diff_refs(kept(locks), look(heads_main=B)) == []


def test_a_created_and_a_deleted_branch_are_noted(locks: RefSnapshots) -> None:
    locks.keep(refs(heads_main=A), None)
    locks.record_push(INTEGRATION, push(ref="new", before=ZERO, after=C))
    assert diff_refs(kept(locks), look(heads_main=A, heads_new=C)) == []
    locks.record_push(INTEGRATION, push(ref="new", before=C, after=ZERO))
    assert diff_refs(kept(locks), look(heads_main=A)) == []


def test_before_the_first_look_nothing_is_noted(locks: RefSnapshots) -> None:
    # A row with one ref would make all the others look new.
    locks.record_push(INTEGRATION, push())
    assert locks.get(INTEGRATION, 3) is None


def test_an_old_delivery_sent_again_moves_nothing_back(locks: RefSnapshots) -> None:
    locks.keep(refs(heads_main=C), None)
    locks.record_push(INTEGRATION, push())
    assert kept(locks).heads["heads/main"].sha == C


@pytest.mark.parametrize(
    "event", [push(kind="pipeline"), push(ref=None), push(after=None), push(project_id=None), push(project_id=4)]
)
def test_what_is_no_push_of_the_project_is_left_alone(locks: RefSnapshots, event: HookEvent) -> None:
    locks.keep(refs(heads_main=A), None)
    locks.record_push(INTEGRATION, event)
    assert kept(locks).version == 1


def test_tags_and_branches_of_one_name_are_two() -> None:
    assert (ref_name(push()), ref_name(push(kind="tag_push"))) == ("heads/main", "tags/main")


def test_a_ref_that_stays_counts_no_move() -> None:
    assert with_ref({"heads/main": StoredRef(A, 3)}, "heads/main", A) == {"heads/main": StoredRef(A, 3)}


def test_a_forgotten_project_begins_anew(locks: RefSnapshots) -> None:
    locks.keep(refs(heads_main=A), None)
    locks.delete(INTEGRATION, 3)
    assert locks.get(INTEGRATION, 3) is None
