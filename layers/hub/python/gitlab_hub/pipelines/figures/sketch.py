"""Percentiles over any range out of what single days hold: histograms whose buckets grow with the values.

Two sketches are added bucket by bucket, so the order does not matter and nothing gets less exact: the sketch of a month
is the one that its values would have made at once. The buckets are those of DDSketch (Masson, Rim
and Lee, "DDSketch: a fast and fully-mergeable quantile sketch", VLDB 2019).

A sketch is nested numbers, as JSON keeps them: `n` values, their sum `s` in whole milliseconds, and how many lie in
each bucket `b`, by its number as a text.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Sums = dict[str, Any]
"""Numbers to be added up, by name and as deep as needed: sketches, counts, and dictionaries of these."""

RELATIVE_ERROR = 0.005
"""How far the middle of a bucket may be from a value in it, of the value."""

SMALLEST = 0.001
"""Seconds; what is less counts as nothing."""

_GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GROWTH = math.log(_GROWTH)
_ZERO, _BELOW_ALL = "z", -1_000_000


def sketch_of(values: Iterable[float]) -> Sums:
    """The sketch of some values (seconds, not negative)."""
    sketch: Sums = {}
    for value in values:
        note(sketch, value)
    return sketch


def note(sketch: Sums, value: float) -> None:
    """Add one value (seconds) to a sketch; what is negative is no duration and is left out."""
    if value < 0:
        return
    sketch["n"] = sketch.get("n", 0) + 1
    sketch["s"] = sketch.get("s", 0) + round(value * 1000)
    buckets, bucket = sketch.setdefault("b", {}), _bucket(value)
    buckets[bucket] = buckets.get(bucket, 0) + 1


def add(into: Sums, other: Mapping[str, Any]) -> None:
    """Add numbers to those of the same names, however deep; `other` stays as it is."""
    for name, value in other.items():
        if isinstance(value, dict):
            add(into.setdefault(name, {}), value)
        else:
            into[name] = into.get(name, 0) + value


def mean(sketch: Mapping[str, Any]) -> float | None:
    """The mean in seconds, exact to the millisecond; None of nothing."""
    return round(sketch["s"] / sketch["n"] / 1000, 3) if sketch else None


def quantiles(sketch: Mapping[str, Any], shares: Sequence[float]) -> list[float | None]:
    """The values (seconds) below which such shares of all lie; between neighbours, as with SQL's `percentile_cont`."""
    if not sketch:
        return [None for _ in shares]
    ordered = sorted((_place(bucket), count) for bucket, count in sketch["b"].items())
    return [_between(share * (sketch["n"] - 1), lambda rank: _at(ordered, rank)) for share in shares]


def exact_quantile(ordered: Sequence[float], share: float) -> float | None:
    """The same of values (sorted) that are all at hand."""
    return _between(share * (len(ordered) - 1), lambda rank: ordered[rank]) if ordered else None


def _between(place: float, at: Callable[[int], float]) -> float:
    low, high = at(math.floor(place)), at(math.ceil(place))
    return round(low + (high - low) * (place - math.floor(place)), 3)


def _at(ordered: Sequence[tuple[int, int]], rank: int) -> float:
    for place, count in ordered:
        rank -= count
        if rank < 0:
            return _middle(place)
    return _middle(ordered[-1][0])


def _bucket(value: float) -> str:
    return _ZERO if value < SMALLEST else str(math.ceil(math.log(value) / _LOG_GROWTH))


def _place(bucket: str) -> int:
    return _BELOW_ALL if bucket == _ZERO else int(bucket)


def _middle(place: int) -> float:
    return 0.0 if place == _BELOW_ALL else 2 * _GROWTH**place / (_GROWTH + 1)
