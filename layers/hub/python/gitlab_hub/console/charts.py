"""Charts as geometry: what templates draw as SVG, which follows the page's colours and needs no script. Pure.

Units are those of a `viewBox` that a style stretches to the room there is, so words and numbers stand beside a drawing
and never in it, and whatever is drawn stands in a table as well.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 100.0, 100.0
_GAP = 0.22
"""What lies between two columns, as a share of the room of one."""
_DOT = 0.01
_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a column: what it is of, and where."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a chart, its parts from the bottom up; `left` and `room` are where a pointer finds it."""

    key: str
    x: float
    width: float
    left: float
    room: float
    segments: Sequence[Segment]


@dataclass(frozen=True, slots=True)
class Columns:
    """A chart of columns; `top` is the number that its height stands for."""

    top: int
    columns: Sequence[Column]


def line(values: Sequence[float | None], *, top: float | None = None) -> list[str]:
    """The pieces of a line through values, from 0 at the bottom to `top` (the largest): points of polylines.

    It is broken where there is no value, and one value alone is a dot.
    """
    known = [value for value in values if value is not None]
    largest = top or max(known, default=0.0) or 1.0
    pieces: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            pieces.append([])
            continue
        x = WIDTH / 2 if len(values) == 1 else place * WIDTH / (len(values) - 1)
        pieces[-1].append(f"{_short(x)},{_short(HEIGHT - min(value, largest) * HEIGHT / largest)}")
    return [" ".join(piece if len(piece) > 1 else [piece[0], _beside(piece[0])]) for piece in pieces if piece]


def columns(rows: Sequence[tuple[str, Mapping[str, int]]], kinds: Sequence[str]) -> Columns:
    """Columns of counts, one part for each kind, the first at the bottom; `rows`: key → kind → count."""
    top = ceiling(max((sum(counts.get(kind, 0) for kind in kinds) for _, counts in rows), default=0))
    room = WIDTH / max(1, len(rows))
    made = []
    for place, (key, counts) in enumerate(rows):
        segments, reached = [], 0
        for kind in kinds:
            if count := counts.get(kind, 0):
                reached += count
                y, height = HEIGHT - reached * HEIGHT / top, count * HEIGHT / top
                segments.append(Segment(kind, _rounded(y), _rounded(height)))
        left = place * room
        x, width = left + room * _GAP / 2, room * (1 - _GAP)
        made.append(Column(key, _rounded(x), _rounded(width), _rounded(left), _rounded(room), segments))
    return Columns(top, made)


def share(part: float | None, whole: float | None) -> float:
    """How long a bar is, from 0 to 100; what is there at all can be seen."""
    if not part or not whole:
        return 0.0
    return _rounded(min(WIDTH, max(0.5, part * WIDTH / whole)))


def ceiling(count: int) -> int:
    """The next round number: 1, 2, 5, 10, 20, 50 …, whose half is worth a line too."""
    if count <= 1:
        return max(1, count)
    size: int = 10 ** int(math.log10(count))
    return next(step * size for step in (*_STEPS, 20) if step * size >= count)


def _beside(point: str) -> str:
    x, _, y = point.partition(",")
    return f"{_short(float(x) + _DOT)},{y}"


def _rounded(value: float) -> float:
    return round(value, 2)


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
