"""Replaying the feed onto the state at its beginning gives what is stored, whatever happens to those who write it."""

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gitlab_hub.sync.ports import SyncTarget
from tests.fakes.faults import Plan
from tests.functional.access.changes.worlds import ENDS, SOMETHING, Story, World, worlds
from tests.functional.access.company import ADMIN, MEMBER

WHO = pytest.mark.parametrize("who", [ADMIN, MEMBER], ids=["admin", "member"])
LATER = some.lists(worlds(), min_size=1, max_size=4)
CALLS = some.integers(1, 80)
EXAMPLES = int(os.environ.get("FEED_EXAMPLES", "6"))
"""Stories per test: a few in the everyday run, 200 before a release."""


@WHO
@settings(max_examples=EXAMPLES, deadline=None)
@given(first=worlds(), later=LATER)
def test_any_sequence_of_states(who: SyncTarget, first: World, later: list[World]) -> None:
    story = Story(who)
    baseline = story.baseline(first)
    for world in later:
        story.become(world)
        story.sync()
        story.check(baseline)
        before = len(story.entries())
        story.sync()
        story.check(baseline)
        assert who is MEMBER or len(story.entries()) == before


@WHO
@settings(max_examples=EXAMPLES, deadline=None)
@given(first=worlds(), later=some.lists(some.tuples(worlds(), CALLS, ENDS), min_size=1, max_size=4))
def test_workers_that_die_or_meet_a_table_that_is_away(
    who: SyncTarget, first: World, later: list[tuple[World, int, Any]]
) -> None:
    story = Story(who)
    baseline = story.baseline(first)
    for world, at, end in later:
        story.become(world)
        story.sync(Plan(at=at, **end))
        story.sync()
        story.check(baseline)


@WHO
@settings(max_examples=EXAMPLES, deadline=None)
@given(first=worlds(), later=some.lists(some.tuples(worlds(), worlds(), CALLS, SOMETHING), min_size=1, max_size=3))
def test_hints_at_any_call_of_a_run_about_a_gitlab_that_goes_on(
    who: SyncTarget, first: World, later: list[tuple[World, World, int, tuple[str, int]]]
) -> None:
    story = Story(who)
    baseline = story.baseline(first)
    for world, following, at, (kind, number) in later:
        story.become(world)
        story.hint(kind, number)

        def meanwhile(following: World = following, kind: str = kind, number: int = number) -> None:
            story.become(following)
            story.hint(kind, number)

        story.sync(Plan(at=at, meanwhile=meanwhile))
        story.sync()
        story.check(baseline)


@WHO
@settings(max_examples=EXAMPLES, deadline=None)
@given(first=worlds(), then=worlds(), at=CALLS, end=ENDS)
def test_a_first_sync_that_is_cut_short_is_a_baseline_all_the_same(
    who: SyncTarget, first: World, then: World, at: int, end: Any
) -> None:
    story = Story(who)
    story.become(first)
    story.sync(Plan(at=at, **end))
    story.sync()
    assert story.entries() == []
    baseline = Story(who).baseline(first)
    story.become(then)
    story.sync()
    story.sync()
    story.check(baseline)
