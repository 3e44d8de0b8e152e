"""Rounds: every group has its turn within a day, however many there are, and what has changed comes first."""

import pytest

from gitlab_hub.access.rounds import (
    AT_ONCE,
    EVERY_SECONDS,
    NOTED_SECONDS,
    PARTS,
    Part,
    Round,
    going_on,
    most_at_once,
    part_of,
)

NOW = 1_790_000_000
KEYS = [f"{number:012}" for number in range(1, 481)]


def run(before: Round | None, changed: list[str], others: list[str], *, now: int = NOW) -> Part:
    """One run over a GitLab of so many groups as `KEYS` has."""
    most = most_at_once(len(KEYS), is_first=before is None, full=False)
    return part_of(before, changed, others, most=most, now=now)


@pytest.mark.parametrize(
    ("count", "is_first", "full", "most"),
    [
        (AT_ONCE, True, False, AT_ONCE), (AT_ONCE + 1, True, False, 0), (AT_ONCE + 1, False, False, 3),
        (480, False, False, 10), (10_000, False, False, 209), (10_000, True, True, 10_000), (0, True, False, 0),
    ],
)  # fmt: skip
def test_of_many_a_run_reads_a_part(count: int, most: int, *, is_first: bool, full: bool) -> None:
    assert most_at_once(count, is_first=is_first, full=full) == most


def test_a_round_reads_each_once_and_nothing_in_the_first_run() -> None:
    found, current = list[str](), run(None, [], KEYS).after
    assert current == Round(begun_at=NOW, left=480)
    for number in range(1, PARTS + 1):
        part = run(current, [], KEYS, now=NOW + number * 1_800)
        found += sorted(part.keys)
        current = part.after
    assert (found, current) == (KEYS, Round(begun_at=NOW, until=KEYS[-1], is_over=True))


def test_the_next_round_begins_a_day_after_the_last_one_began() -> None:
    over = Round(begun_at=NOW, until=KEYS[-1], is_over=True, answers={"others": 10})
    assert going_on(over, now=NOW + EVERY_SECONDS - 1, full=False) is None
    assert run(over, [], KEYS, now=NOW + EVERY_SECONDS - 1) == Part()
    assert going_on(over, now=NOW + EVERY_SECONDS, full=False) == Round(begun_at=NOW + EVERY_SECONDS)
    assert going_on(over, now=NOW + 1, full=True) == Round(begun_at=NOW + 1)


def test_what_has_changed_is_read_first_and_in_every_run() -> None:
    begun = Round(begun_at=NOW, until=KEYS[9])
    part = run(begun, KEYS[:4], KEYS[4:])
    assert part.keys == {*KEYS[:4], *KEYS[10:16]}
    assert part.after == Round(begun_at=NOW, until=KEYS[15], left=480 - 16)
    over = Round(begun_at=NOW, is_over=True)
    assert run(over, KEYS[:4], KEYS[4:]) == Part(frozenset(KEYS[:4]))


def test_a_round_with_much_that_has_changed_ends_when_all_of_it_was_read() -> None:
    part = run(Round(begun_at=NOW, until=KEYS[-1]), KEYS[:12], KEYS[12:])
    assert part.after == Round(begun_at=NOW, until=KEYS[-1], left=2)
    part = run(part.after, KEYS[10:12], KEYS[12:])
    assert part.after == Round(begun_at=NOW, until=KEYS[-1], is_over=True)


def test_where_all_is_known_a_round_is_over_at_once() -> None:
    begun = Round(begun_at=NOW - 60, until=KEYS[9])
    assert run(begun, [], []) == Part(after=Round(begun_at=NOW, is_over=True))
    assert run(begun, KEYS[:2], []) == Part(frozenset(KEYS[:2]), Round(begun_at=NOW, is_over=True))
    assert run(begun, KEYS[:12], []).after == Round(begun_at=NOW - 60, until=KEYS[9], left=2)
    over = Round(begun_at=NOW, is_over=True)
    assert run(over, KEYS[:2], [], now=NOW + NOTED_SECONDS - 1) == Part(frozenset(KEYS[:2]))
    again = NOW + NOTED_SECONDS
    assert run(over, KEYS[:2], [], now=again) == Part(frozenset(KEYS[:2]), Round(begun_at=again, is_over=True))
