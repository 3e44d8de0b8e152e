"""Moments as people say them."""

import pytest

from gitlab_hub.console import times
from gitlab_hub.console.pages.changes import told

NOW = 1_790_000_000
DAY = 86_400


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (NOW, "just now"),
        (NOW - 4, "just now"),
        (NOW - 59, "59 s ago"),
        (NOW - 60, "1 min ago"),
        (NOW + 3_700, "in 1 h"),
        (NOW - DAY, "1 day ago"),
        (NOW + 2 * DAY, "in 2 days"),
        (NOW - 90 * DAY, "3 months ago"),
        (NOW - 800 * DAY, "2 years ago"),
    ],
)
def test_how_long_ago(moment: int, said: str) -> None:
    assert times.relative(moment, NOW) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.42, "0.4 s"), (12, "12 s"), (185, "3 min 5 s"), (7_260, "2 h 1 min"), (172_800, "2 days 0 h")],
)
def test_how_long_it_took(seconds: float, said: str) -> None:
    assert times.duration(seconds) == said


def test_the_exact_moment_is_in_utc() -> None:
    assert (times.exact(NOW), times.machine(NOW), times.day(NOW)) == (
        "2026-09-21 14:13:20 UTC", "2026-09-21T14:13:20Z", "2026-09-21",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (None, {"access_level": 30}, "none → Developer"),
        ({"access_level": 20}, {"access_level": 40}, "Reporter → Maintainer"),
        ({"access_level": 30}, None, "Developer → none"),
        ({"access_level": 30, "expires_at": None}, {"access_level": 30, "expires_at": NOW},
         "expires at: none → 2026-09-21"),
        ({"state": "active", "external": False}, {"state": "blocked", "external": True},
         "external: no → yes; state: active → blocked"),
        (None, {"username": "ana"}, ""),
        ({"full_path": "a/b"}, {"full_path": "c/b"}, "full path: a/b → c/b"),
    ],
)  # fmt: skip
def test_what_has_changed(before: dict[str, object] | None, after: dict[str, object] | None, said: str) -> None:
    assert told({"before": before, "after": after}) == said
