"""Where a command tells what it found: tables for people, JSON and CSV for programs; remarks go to standard error."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from hub_cli.answers import Row
from hub_cli.formats import Column, Format, Kind
from hub_cli.safe_text import escaped_json, visible, visible_lines
from hub_cli.times import with_iso_times

SHOWN_ROWS = 50
"""Rows of a table where nobody says how many; JSON and CSV are whole."""
_NOTHING: tuple[object, ...] = (None, "", [])
_UNBOUNDED = 10_000
"""How wide a table may be that nobody looks at: where it is piped nothing is folded or cut."""


class Output:
    """Tells things in one of the formats; `now` is what times are told from (unix seconds)."""

    def __init__(self, style: Format, *, now: float) -> None:
        self.format, self._now = style, now

    @property
    def is_for_people(self) -> bool:
        """Whether a table is wanted."""
        return self.format is Format.TABLE

    def rows(
        self,
        rows: Iterable[Row],
        columns: Sequence[Column],
        *,
        empty: str = "Nothing found.",
        limit: int | None = SHOWN_ROWS,
        asked: int | None = None,
    ) -> None:
        """Tell of many things. `asked` is how many somebody wants, `limit` how many a table shows by itself."""
        most = asked if asked is not None else limit if self.is_for_people else None
        stream = iter(rows)
        shown = stream if most is None else islice(stream, most)
        if self.format is Format.JSON:
            self._json_rows(shown)
        elif self.format is Format.CSV:
            self._csv_rows(shown, columns)
        else:
            self._table(list(shown), columns, empty)
        if asked is None and most is not None and next(stream, None) is not None:
            self.remark(f"These are the first {most}; --limit shows more, -o json and -o csv give all.")

    def thing(self, row: Row, columns: Sequence[Column], *, more: RenderableType | None = None) -> None:
        """Tell of one thing: name by name for people, with what else there is to draw."""
        if not self.is_for_people:
            self.exactly(row, [row], columns)
            return
        table = Table.grid(padding=(0, 2))
        for column in _telling(columns, [row]):
            table.add_row(Text(column.name, style="bold"), Text(column.shown(row, now=self._now)))
        self.draw(table)
        if more is not None:
            self.draw(more)

    def exactly(self, answer: Any, rows: Iterable[Row], columns: Sequence[Column]) -> None:
        """Tell programs of it: an answer of the API as JSON, or these rows of it as CSV."""
        if self.format is Format.JSON:
            _write(f"{_json(answer, indent=2)}\n")
        else:
            self._csv_rows(rows, columns)

    def json(self, value: Any, *, indent: int | None = 2) -> None:
        """Tell of an answer of the API as it is, its times too."""
        _write(f"{escaped_json(json.dumps(value, ensure_ascii=False, indent=indent))}\n")

    def file(self, content: str) -> None:
        """Write a text as it is; on a terminal without what that would obey."""
        _write(visible_lines(content) if console(sys.stdout).is_terminal else content)

    def draw(self, drawing: RenderableType, *, wraps: bool = True) -> None:
        """Show something to people. Whatever is in it has to be safe: `text`, or made by this class.

        What is to be copied, such as an address, does not wrap: a line break would become part of it.
        """
        to = console(sys.stdout)
        if to.is_terminal:
            to.print(drawing, soft_wrap=not wraps)
            return
        with to.capture() as drawn:
            to.print(drawing)
        _write("".join(f"{line.rstrip()}\n" for line in drawn.get().splitlines()))

    def say(self, message: str, *, wraps: bool = True) -> None:
        """Say something to people; programs are told by the exit code and the data alone."""
        if self.is_for_people:
            self.draw(text(message), wraps=wraps)

    def remark(self, message: str, *, style: str = "dim", wraps: bool = True) -> None:
        """Say something beside the data."""
        console(sys.stderr).print(text(message, style), soft_wrap=not wraps)

    def table(self, rows: Sequence[Row], columns: Sequence[Column]) -> Table:
        """A table of these rows, to be drawn; a column in which nothing stands is left out."""
        columns = _telling(columns, rows)
        is_terminal = console(sys.stdout).is_terminal
        table = Table(box=SIMPLE_HEAD if is_terminal else None, pad_edge=False, show_edge=False, header_style="bold")
        for column in columns:
            table.add_column(
                column.name, justify="right" if column.is_right_aligned else "left", overflow="fold",
                no_wrap=not is_terminal or column.kind is not Kind.TEXT,
            )  # fmt: skip
        for row in rows:
            table.add_row(*(Text(column.shown(row, now=self._now)) for column in columns))
        return table

    def _table(self, rows: Sequence[Row], columns: Sequence[Column], empty: str) -> None:
        if rows:
            self.draw(self.table(rows, columns))
        else:
            self.remark(empty)

    def _json_rows(self, rows: Iterator[Row]) -> None:
        _write("[")
        first = True
        for row in rows:
            _write(f"{'' if first else ','}\n  {_json(row)}")
            first = False
        _write("]\n" if first else "\n]\n")

    def _csv_rows(self, rows: Iterable[Row], columns: Sequence[Column]) -> None:
        table = csv.writer(sys.stdout, lineterminator="\n")
        table.writerow([column.name for column in columns])
        for row in rows:
            table.writerow([column.exact(row) for column in columns])


def _telling(columns: Sequence[Column], rows: Sequence[Row]) -> list[Column]:
    """Those columns that tell people something."""
    return [one for one in columns if not one.is_for_programs and any(one.value(row) not in _NOTHING for row in rows)]


def console(file: TextIO) -> Console:
    """A console that takes nothing for markup; NO_COLOR and TERM=dumb are rich's own business."""
    made = Console(file=file, markup=False, highlight=False, emoji=False, soft_wrap=False)
    return made if made.is_terminal else Console(
        file=file, markup=False, highlight=False, emoji=False, width=_UNBOUNDED
    )  # fmt: skip


def text(message: str, style: str = "") -> Text:
    """A text that a terminal may be shown, on as many lines as it has."""
    return Text(visible_lines(message), style=style)


def label(message: str, style: str = "") -> Text:
    """The same on one line."""
    return Text(visible(message), style=style)


def _json(value: Any, *, indent: int | None = None) -> str:
    return escaped_json(json.dumps(with_iso_times(value), ensure_ascii=False, indent=indent))


def _write(spelled: str) -> None:
    sys.stdout.write(spelled)
