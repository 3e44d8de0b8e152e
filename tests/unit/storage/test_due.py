"""When to look at what: nothing early, nothing forgotten, and a walk that comes once an hour."""

import pytest

from gitlab_hub.storage.due import PAGE, PAGES_A_TICK, WALK_SECONDS, Due, DueRows
from tests.fakes.table import MemoryTable

NOW = 1_000_000


@pytest.fixture
def rows() -> DueRows:
    return DueRows(MemoryTable(), "things")


def due(rows: DueRows, now: int = NOW) -> list[tuple[str, int]]:
    return [(one.subject, one.at) for page in rows.pages(now) for one in page]


def test_what_waits_longest_comes_first_and_what_is_not_due_not_at_all(rows: DueRows) -> None:
    rows.add([Due("late", NOW, ""), Due("early", 0, ""), Due("odd#one", NOW - 5, ""), Due("next", NOW + 1, "")])
    assert due(rows) == [("early", 0), ("odd#one", NOW - 5), ("late", NOW)]


def test_all_pages_are_read_also_while_their_rows_move(rows: DueRows) -> None:
    rows.add(Due(f"{number:04d}", NOW - number, "") for number in range(2 * PAGE + 1))
    seen = []
    for page in rows.pages(NOW):
        rows.add(Due(one.subject, NOW + 60, "") for one in page)
        rows.drop(page)
        seen += [one.subject for one in page]
    assert (len(seen), len(set(seen)), due(rows)) == (2 * PAGE + 1, 2 * PAGE + 1, [])
    assert len(due(rows, NOW + 60)) == 2 * PAGE + 1


def test_a_row_that_was_written_anew_is_not_removed(rows: DueRows) -> None:
    rows.add([Due("one", NOW, "first")])
    [page] = rows.pages(NOW)
    rows.add([Due("one", NOW, "second")])
    rows.drop(page)
    assert due(rows) == [("one", NOW)]
    rows.drop([Due("one", NOW, "second"), Due("gone", NOW, "")])
    assert due(rows) == []


def test_only_missing_rows_are_added(rows: DueRows) -> None:
    rows.add([Due("one", NOW, "first")])
    rows.add_missing([Due("one", NOW, "second"), Due("two", NOW, "second")])
    assert [one.mark for page in rows.pages(NOW) for one in page] == ["first", "second"]
    rows.add_missing([])


def walked(rows: DueRows, now: int, last: int = 3) -> list[str | None]:
    """Which pages a walk comes to, of those behind "0", "1" and so on."""
    behind: list[str | None] = []

    def mend(after: str | None) -> str | None:
        behind.append(after)
        number = int(after or 0) + 1
        return str(number) if number < last else None

    rows.walk(mend, now)
    return behind


def test_a_walk_begins_anew_after_an_hour(rows: DueRows) -> None:
    times = [NOW, NOW + 60, NOW + WALK_SECONDS - 1, NOW + WALK_SECONDS]
    assert [len(walked(rows, at)) for at in times] == [3, 0, 0, 3]


def test_a_long_walk_goes_on_at_the_next_tick(rows: DueRows) -> None:
    parts = [walked(rows, NOW + 60 * number, last=PAGES_A_TICK + 2) for number in range(3)]
    assert [len(part) for part in parts] == [PAGES_A_TICK, 2, 0]
    assert parts[1][0] == str(PAGES_A_TICK)


def test_a_walk_that_a_wrong_clock_began_does_not_keep_the_next_one_waiting(rows: DueRows) -> None:
    walked(rows, NOW + 10 * WALK_SECONDS)
    assert len(walked(rows, NOW)) == 3


def test_those_that_are_due_later_can_be_seen_too_and_the_walks_note_is_none(rows: DueRows) -> None:
    rows.add([Due("later", NOW + 60, "b"), Due("now", NOW, "a")])
    rows.walk(lambda _: None, NOW)
    assert list(rows.every()) == [Due("now", NOW, "a"), Due("later", NOW + 60, "b")]
