"""What the demo prints where no terminal shows a line that changes: every step, at once."""

import io
from typing import Any

import pytest
from rich.console import Console

from local.demo.access_change import Changes
from local.demo.access_change import table_of as table_of_change
from local.demo.exported import line
from local.demo.loop import MOMENTS, Shown, table_of
from local.demo.progress import follow
from local.demo.report import RISKIEST, riskiest
from local.demo.steps import steps


class Pipe(io.StringIO):
    """A pipe or a file; notes what had arrived at each look."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def look(self) -> None:
        self.seen.append(self.getvalue())


@pytest.fixture
def pipe() -> Pipe:
    return Pipe()


def test_each_step_is_a_line_of_its_own_before_the_next_one_begins(pipe: Pipe) -> None:
    with steps(Console(file=pipe), "Starting …") as say:
        pipe.look()
        say("Building …")
        pipe.look()
    assert pipe.seen == ["Starting …\n", "Starting …\nBuilding …\n"]


def test_a_terminal_shows_them_in_one_line_and_clears_it(pipe: Pipe) -> None:
    with steps(Console(file=pipe, force_terminal=True, legacy_windows=False), "Starting …") as say:
        say("Building …")
    assert pipe.getvalue().endswith("\x1b[1A\x1b[2K")  # Up, and erase.


def test_a_sync_is_announced(pipe: Pipe) -> None:
    def state() -> dict[str, Any]:
        pipe.look()
        return {"access": {"status": "idle", "progress": {"done": 1, "total": 1}, "counts": {"requests": 3}}}

    follow(Console(file=pipe), state, every=0)
    assert all("Syncing" in seen for seen in pipe.seen)


def test_the_last_table_says_what_its_columns_are(pipe: Pipe) -> None:
    shown = Shown(what="push to main", builds=[{"number": 1, "status": "success"}], moments={"delivery": 0.2})
    Console(file=pipe, width=120).print(table_of([shown]))
    explanation = pipe.getvalue().rpartition("┘")[2]
    assert "Seconds after the push" in explanation
    assert all(f"({column})" in explanation for column in MOMENTS.values())


def test_the_riskiest_tokens_and_keys_come_first_and_few_are_shown(pipe: Pipe) -> None:
    rows: list[dict[str, Any]] = [
        {"kind": "ssh_key", "id": number, "name": f"[key {number}]", "resource": None, "username": "jane", "risks": []}
        for number in range(20)
    ]
    rows[7] |= {"risks": ["no_expiry", "never_used"]}
    rows[9] |= {"risks": ["no_expiry"], "resource": {"full_path": "acme/shop"}, "username": None}
    Console(file=pipe, width=120).print(riskiest(rows))
    lines = [line for line in pipe.getvalue().splitlines() if "ssh_key" in line]
    assert ["[key 7]" in lines[0], "no_expiry, never_used" in lines[0], "acme/shop" in lines[1], len(lines)] == [
        True, True, True, RISKIEST,
    ]  # fmt: skip
    assert "20 tokens and keys" in pipe.getvalue()


def test_changes_of_access_are_shown_in_their_order_with_who_made_them(pipe: Pipe) -> None:
    def plan(sentence: str) -> dict[str, Any]:
        return {"operations": [{"sentence": sentence, "status": "applied"}]}

    given = "Ana [Lima]: no access → Developer on acme/shop until 2027-01-31 14:05 UTC"
    away, back = "Ben: Developer → no access on acme/web", "Ben: no access → Developer on acme/web"
    changes = Changes(
        given=plan(given),
        told={"kind": "grant_added", "by": "hub"},
        ended={"account": "Ana [Lima]", "resource": {"full_path": "acme/shop"}, "status": "ended"},
        revoked=plan(away),
        undone=plan(back),
    )
    Console(file=pipe, width=140).print(table_of_change(changes))
    shown = pipe.getvalue()
    places = [shown.index(text) for text in (given, "by: hub", "Ana [Lima] on acme/shop", "ended  ", away, back)]
    assert places == sorted(places)


def test_an_export_is_told_of_in_one_line() -> None:
    export = {"rows": 1_234, "dataset": "grants", "bytes": 9_484, "format": "parquet"}
    told = line(export, [("Developer", 700), ("Owner", 34)], 1.26)
    assert told == "Exported in 1.3 s: 1,234 grants, 9 KB of parquet; SQL over it says 700 Developer, 34 Owner, …"
