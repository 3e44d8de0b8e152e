import hashlib
from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.gitlab.events import HookEvent
from gitlab_hub.webhooks.hooks.ref_book import MAX_PACKED_BYTES, Head, RefBook, Refs, moved, ref_name
from gitlab_hub.webhooks.hooks.ref_changes import ZERO, Look, Tip, moves, remembered
from tests.fakes.hooks import INTEGRATION
from tests.fakes.table import MemoryTable

A, B, C = "a" * 40, "b" * 40, "c" * 40


def look(*, complete: bool = True, **tips: str) -> Look:
    named = {name.replace("_", "/", 1): Tip(sha=sha, commit=sha, message="Fix it") for name, sha in tips.items()}
    return Look(project_id=3, project_path="acme/p3", tips=named, complete=complete)


def refs(*, complete: bool = True, **heads: str) -> Refs:
    named = {name.replace("_", "/", 1): Head(sha, 0) for name, sha in heads.items()}
    return Refs(integration_id=INTEGRATION, project_id=3, looked_at=1, complete=complete, heads=named)


def push(**more: Any) -> HookEvent:
    return replace(HookEvent(kind="push", project_id=3, ref="main", before=A, after=B), **more)


def test_what_has_not_moved_is_no_push() -> None:
    assert moves(refs(heads_main=A), look(heads_main=A)) == []


def test_a_moved_branch_is_the_push_that_gitlab_would_have_announced() -> None:
    [move] = moves(refs(heads_main=A), look(heads_main=B))
    event = move.event
    assert (event.kind, event.ref, event.before, event.after, event.sha) == ("push", "main", A, B, B)
    assert (event.project_id, event.project_path, event.message) == (3, "acme/p3", "Fix it")
    assert (event.creates_ref, event.deletes_ref) == (False, False)
    assert event.total_commits > len(event.commits), "nobody has said which"


def test_a_new_branch_and_a_new_tag_are_creations() -> None:
    found = moves(refs(), look(heads_new=A, tags_v1=B))
    assert [(one.event.kind, one.event.ref, one.event.creates_ref) for one in found] == [
        ("push", "new", True),
        ("tag_push", "v1", True),
    ]


def test_an_annotated_tag_is_built_at_its_commit() -> None:
    tagged = Look(project_id=3, project_path=None, tips={"tags/v1": Tip(sha=A, commit=B)}, complete=True)
    [move] = moves(refs(), tagged)
    assert (move.event.after, move.event.sha) == (A, B)


def test_a_vanished_branch_is_a_deletion() -> None:
    [move] = moves(refs(heads_main=A, heads_old=B), look(heads_main=A))
    assert (move.event.ref, move.event.before, move.event.after, move.event.sha) == ("old", B, ZERO, None)
    assert move.event.deletes_ref


@pytest.mark.parametrize(("before", "now"), [(True, False), (False, True), (False, False)])
def test_of_a_part_only_known_refs_are_believed(before: bool, now: bool) -> None:
    found = moves(refs(complete=before, heads_main=A, heads_old=B), look(complete=now, heads_main=C, heads_new=A))
    assert [move.event.ref for move in found] == ["main"]


def test_a_project_whose_refs_are_all_gone_is_not_believed() -> None:
    assert moves(refs(heads_main=A), look()) == []


def test_branch_names_keep_their_slashes() -> None:
    [move] = moves(refs(), replace(look(), tips={"heads/feature/x": Tip(sha=A, commit=A)}))
    assert move.event.ref == "feature/x"


def test_the_same_move_has_the_same_key_and_its_return_another_one() -> None:
    before = refs(heads_main=A)
    keys = []
    for sha in (B, A, B):
        seen = look(heads_main=sha)
        [move], [again] = moves(before, seen), moves(before, seen)
        assert move.key == again.key
        keys.append(move.key)
        before = replace(before, heads=remembered(before, seen))
    assert len(set(keys)) == 3


def test_a_branch_that_was_deleted_and_came_back_is_a_new_push_each_time() -> None:
    before, keys = refs(heads_main=A, heads_x=B), set()
    for seen in (look(heads_main=A), look(heads_main=A, heads_x=B)) * 2:
        keys |= {move.key for move in moves(before, seen)}
        before = replace(before, heads=remembered(before, seen))
    assert len(keys) == 4


def test_after_a_look_nothing_is_left_to_announce() -> None:
    before, seen = refs(heads_main=A, heads_old=B), look(heads_main=C, heads_new=A, tags_v1=B)
    assert moves(replace(before, heads=remembered(before, seen)), seen) == []


def test_late_ones_are_found_again_by_the_next_look() -> None:
    before, seen = refs(heads_main=A, heads_old=B), look(heads_main=C, heads_new=A)
    late = {"heads/main", "heads/old", "heads/new"}
    found = moves(before, seen)
    after = replace(before, heads=remembered(before, seen, late=late))
    assert moves(after, seen) == found


@pytest.fixture
def book() -> RefBook:
    return RefBook(MemoryTable(indexes=()))


def kept(book: RefBook) -> Refs:
    found = book.get(INTEGRATION, 3)
    assert found is not None
    return found


def test_refs_are_read_as_they_were_kept(book: RefBook) -> None:
    wanted = refs(heads_main=A, tags_v1=B)
    assert book.get(INTEGRATION, 3) is None
    assert book.keep(wanted, None)
    assert kept(book) == wanted


def test_only_the_first_of_two_writers_keeps(book: RefBook) -> None:
    book.keep(refs(heads_main=A), None)
    before = kept(book)
    assert not book.keep(refs(heads_main=C), None)
    assert book.keep(replace(before, heads={"heads/main": Head(B, 1)}), before)
    assert not book.keep(replace(before, heads={"heads/main": Head(C, 1)}), before)
    assert kept(book).heads["heads/main"].sha == B


def test_what_does_not_fit_into_an_item_is_not_kept(book: RefBook) -> None:
    noise = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(10_000)]
    heads = {f"heads/{each}": Head(each[:40], 0) for each in noise}
    assert not book.keep(replace(refs(), heads=heads), None)
    assert book.get(INTEGRATION, 3) is None
    assert MAX_PACKED_BYTES < 400 * 1024


def test_an_announced_push_is_not_announced_again(book: RefBook) -> None:
    book.keep(refs(heads_main=A), None)
    book.saw(INTEGRATION, push())
    assert moves(kept(book), look(heads_main=B)) == []


def test_a_created_and_a_deleted_branch_are_noted(book: RefBook) -> None:
    book.keep(refs(heads_main=A), None)
    book.saw(INTEGRATION, push(ref="new", before=ZERO, after=C))
    assert moves(kept(book), look(heads_main=A, heads_new=C)) == []
    book.saw(INTEGRATION, push(ref="new", before=C, after=ZERO))
    assert moves(kept(book), look(heads_main=A)) == []


def test_before_the_first_look_nothing_is_noted(book: RefBook) -> None:
    # A row with one ref would make all the others look new.
    book.saw(INTEGRATION, push())
    assert book.get(INTEGRATION, 3) is None


def test_an_old_delivery_sent_again_moves_nothing_back(book: RefBook) -> None:
    book.keep(refs(heads_main=C), None)
    book.saw(INTEGRATION, push())
    assert kept(book).heads["heads/main"].sha == C


@pytest.mark.parametrize(
    "event", [push(kind="pipeline"), push(ref=None), push(after=None), push(project_id=None), push(project_id=4)]
)
def test_what_is_no_push_of_the_project_is_left_alone(book: RefBook, event: HookEvent) -> None:
    book.keep(refs(heads_main=A), None)
    book.saw(INTEGRATION, event)
    assert kept(book).version == 1


def test_tags_and_branches_of_one_name_are_two() -> None:
    assert (ref_name(push()), ref_name(push(kind="tag_push"))) == ("heads/main", "tags/main")


def test_a_ref_that_stays_counts_no_move() -> None:
    assert moved({"heads/main": Head(A, 3)}, "heads/main", A) == {"heads/main": Head(A, 3)}


def test_a_forgotten_project_begins_anew(book: RefBook) -> None:
    book.keep(refs(heads_main=A), None)
    book.forget(INTEGRATION, 3)
    assert book.get(INTEGRATION, 3) is None
