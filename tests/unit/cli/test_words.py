"""Times, texts and names as people type and read them."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_cli.formats import Column, Kind
from hub_cli.names import level_named, role_of
from hub_cli.problems import WrongUsage
from hub_cli.safe_text import cell, escaped_json, visible, visible_lines
from hub_cli.times import duration, iso, moment_after, moment_before, relative, spell, with_iso_times

NOW = 1_790_000_000
HARMLESS = "Ana 王小明 🦊 é — \u00ad"


@pytest.mark.parametrize(
    ("distance", "told"),
    [
        (0, "now"), (-4, "now"), (-5, "5 seconds ago"), (90, "in 90 seconds"), (-600, "10 minutes ago"),
        (-7200, "2 hours ago"), (5 * 86_400, "in 5 days"), (-90 * 86_400, "90 days ago"),
        (-200 * 86_400, "6 months ago"),
        (1000 * 86_400, "in 2 years"),
    ],
)  # fmt: skip
def test_a_moment_is_told_as_people_tell_it(distance: int, told: str) -> None:
    assert relative(NOW + distance, now=NOW) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (0.039, "39 ms"),
        (8.457, "8.5 s"),
        (33.9, "34 s"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (7500.4, "2 h 5 min"),
    ],
)
def test_a_duration_is_told_as_people_tell_it(seconds: float, told: str) -> None:
    assert spell(seconds) == told


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600)])
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert (duration(text), moment_before(text, now=NOW), moment_after(text, now=NOW)) == (
        seconds,
        NOW - seconds,
        NOW + seconds,
    )


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-30", 1_795_996_800),
        ("2026-11-30T12:00:00Z", 1_796_040_000),
        ("2026-11-30T12:00:00+02:00", 1_796_032_800),
    ],
)
def test_a_day_or_moment_is_read_and_means_utc_where_it_does_not_say(text: str, moment: int) -> None:
    assert (moment_before(text, now=NOW), moment_after(text, now=NOW)) == (moment, moment)


@pytest.mark.parametrize("text", ["", "7", "d", "-7d", "0d", "7 days", "1e9d", "\u0667d", "2026-13-01", "9999999d"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(WrongUsage) as refused:
        moment_before(text, now=NOW)
    assert "7d" in str(refused.value.hint)


def test_times_of_an_answer_are_spelled_wherever_they_stand_and_nothing_else_is() -> None:
    answer = {
        "at": NOW,
        "rows": [{"expires_at": NOW, "since": None, "id": NOW, "to": NOW}],
        "after": {"at": 3, "until": NOW},
    }
    assert with_iso_times(answer) == {
        "at": iso(NOW),
        "rows": [{"expires_at": iso(NOW), "since": None, "id": NOW, "to": iso(NOW)}],
        "after": {"at": 3, "until": "2026-09-21T14:13:20Z"},
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;owned\x07", r"\x1b[2J\x1b]0;owned\x07"),
        ("a\r\nb\tc", "a  b c"),
        ("\x9b31m", r"\u009b31m"),
        ("ana\u202egnp", r"ana\u202egnp"),
        ("\ud800", r"\ud800"),
        (HARMLESS, HARMLESS),
    ],
)
def test_what_a_terminal_would_obey_is_spelled_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters()))
def test_no_text_reaches_a_terminal_with_anything_to_obey(text: str) -> None:
    assert [one for one in visible(text) if unicodedata.category(one) in {"Cc", "Cs", "Zl", "Zp"}] == []
    assert "\n".join(visible(line) for line in text.split("\n")) == visible_lines(text)


@given(st.dictionaries(st.text(), st.text(st.characters(exclude_categories=["Cs"]))))
def test_json_means_the_same_with_nothing_in_it_that_a_terminal_obeys(value: dict[str, str]) -> None:
    spelled = escaped_json(json.dumps(value, ensure_ascii=False))
    assert (json.loads(spelled), visible(spelled)) == (value, spelled)


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        ("=1+1", "'=1+1"), ("@ana", "'@ana"), ("-1", "'-1"), ("\t=1", "' =1"), ("\uff1d1", "'\uff1d1"), ("a=b", "a=b"),
        (-1, "-1"), (0.5, "0.5"), (True, "true"), (None, ""),
    ],
)  # fmt: skip
def test_no_cell_of_a_spreadsheet_is_calculated(value: object, spelled: str) -> None:
    assert cell(value) == spelled


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (Kind.TEXT, ["a", "b"], "a, b"), (Kind.TEXT, True, "yes"), (Kind.TEXT, None, "\u2013"),
        (Kind.NUMBER, 12345, "12,345"),
        (Kind.SHARE, 0.7986, "79.9 %"), (Kind.DURATION, 90, "1 min 30 s"), (Kind.TIME, NOW, "now"),
    ],
)  # fmt: skip
def test_a_value_is_shown_as_what_it_is(kind: Kind, value: object, shown: str) -> None:
    assert Column("x", kind=kind).shown({"x": value}, now=NOW) == shown


def test_roles_are_called_as_gitlab_calls_them() -> None:
    assert [level_named(one) for one in ("Owner", "security manager", "MINIMAL_ACCESS")] == [50, 25, 5]
    assert (role_of(25), role_of(5), role_of(77)) == ("Security Manager", "Minimal Access", "level 77")
    with pytest.raises(WrongUsage, match="king"):
        level_named("king")
