"""The change feed explains every difference between two snapshots, whatever happened in between and to whom."""

import os
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gitlab_hub.access.history.model import DAY, UNTOLD, Snapshot, day_of
from gitlab_hub.sync.run import RunStatus
from tests.fakes.faults import Plan
from tests.functional.access.changes.replay import replayed, stored, told
from tests.functional.access.changes.worlds import ENDS, Story, World, worlds
from tests.functional.access.company import ADMIN, MEMBER
from tests.functional.access.history.keeper import Keeper, plain

WHO = pytest.mark.parametrize("who", [ADMIN, MEMBER], ids=["admin", "member"])
EXAMPLES = int(os.environ.get("FEED_EXAMPLES", "6"))


class KeptStory(Story):
    """A story of which a snapshot is kept every day."""

    def __post_init__(self) -> None:
        """Begin with nothing kept."""
        super().__post_init__()
        self.keeper = Keeper(self.table, self.table, lambda: self.driver.now)
        self.snapshots: list[Snapshot] = []

    def next_day(self) -> None:
        """Keep what is so today, and let a day pass."""
        self.keeper.note()
        self.keeper.tick()
        self.keeper.work()
        kept, today = self.keeper.newest(), day_of(self.driver.now)
        has_ended_well = self.driver.run.status is RunStatus.IDLE
        assert (kept is not None and kept.day == today) is has_ended_well
        if kept is not None and has_ended_well:
            assert plain(self.keeper.view(kept)) == plain(stored(self.table))
            self.snapshots.append(kept)
        self.driver.now += DAY

    def explained(self, first: Snapshot, last: Snapshot) -> None:
        """The feed, replayed onto one snapshot, gives another."""
        assert first.feed_from is not None
        assert last.feed_to is not None
        between = [one for one in told(self.table, after=first.feed_from) if one.number <= last.feed_to]
        assert plain(replayed(self.keeper.view(first), between)) == plain(self.keeper.view(last))


@WHO
@settings(max_examples=EXAMPLES, deadline=None)
@given(first=worlds(), later=some.lists(worlds(), min_size=1, max_size=4))
def test_any_sequence_of_states(who: Any, first: World, later: list[World]) -> None:
    story = KeptStory(who)
    for world in (first, *later):
        story.become(world)
        story.sync()
        story.next_day()
    for before, after in (*pairwise(story.snapshots), *zip(story.snapshots[:1], story.snapshots[-1:], strict=True)):
        story.explained(before, after)


@WHO
@settings(max_examples=EXAMPLES, deadline=None)
@given(first=worlds(), later=some.lists(some.tuples(worlds(), some.integers(1, 80), ENDS), min_size=1, max_size=3))
def test_workers_that_die_or_meet_a_table_that_is_away(
    who: Any, first: World, later: list[tuple[World, int, Any]]
) -> None:
    story = KeptStory(who)
    story.become(first)
    story.sync()
    story.next_day()
    for world, at, end in later:
        story.become(world)
        story.sync(Plan(at=at, **end))
        story.next_day()
    for before, after in zip(story.snapshots[:1], story.snapshots[-1:], strict=True):
        story.explained(before, after)


def test_what_the_feed_does_not_tell_is_named_once() -> None:
    from gitlab_hub.access.changes import differences  # noqa: PLC0415 - its tables are of this test alone
    from gitlab_hub.access.history.model import SECTIONS  # noqa: PLC0415

    told_of = {
        "accounts": {"id", *differences._ACCOUNT},
        "groups": {"id", "shared_with", differences.APART, *differences._WHOLE},
        "projects": {"id", "shared_with", differences.APART, *differences._WHOLE},
        "grants": {"account_id", "resource_type", "resource_id", *differences._GRANT},
        "outside_groups": set[str](),
        "outside_grants": set[str](),
    }
    for section, fields in SECTIONS.items():
        assert set(fields) - told_of[section] == set(UNTOLD.get(section, ())), section
