"""What DynamoDB charges for, worked out from the items themselves; pure.

Sizes and units as in DynamoDB's developer guide: names and values in UTF-8, writes in steps of 1 KB, strongly
consistent reads in steps of 4 KB, a transaction at twice the price.
"""

import json
from collections.abc import Mapping
from typing import Any

from benchmarks.dynamo.projections import projections

Wire = Mapping[str, Mapping[str, Any]]

WRITE_STEP = 1024
READ_STEP = 4096
INDEX_KEY = "_pk"
KEYS = ("pk", "sk")

_PROJECTIONS = projections()


def size_of(wire: Wire) -> int:
    """The bytes of an item; `wire` as it travels, so binary values are base64."""
    return sum(len(name.encode()) + _value_size(value) for name, value in wire.items())


def write_units(before: bytes | None, after: bytes | None) -> int:
    """The price of one write, with its part in the indexes, from the item's JSON before and after it."""
    old, new = _wire(before), _wire(after)
    table = _steps(max(size_of(old), size_of(new)), WRITE_STEP)
    names = {name for name in (*old, *new) if name.endswith(INDEX_KEY)}
    return table + sum(_index_units(old, new, name.removesuffix(INDEX_KEY)) for name in names)


def read_units(size: int) -> int:
    """The price of one strongly consistent read of so many bytes."""
    return _steps(size, READ_STEP)


def _index_units(old: Wire, new: Wire, index: str) -> int:
    """An index writes what it holds of an item if any of that changed; one that moves in it is removed and written."""
    names = (f"{index}_pk", f"{index}_sk")
    old, new = (_held(wire, index, names) for wire in (old, new))
    if old == new:
        return 0
    was, is_now = ([wire.get(name) for name in names] for wire in (old, new))
    if was == is_now:
        return _steps(size_of(new), WRITE_STEP)
    return sum(_steps(size_of(wire), WRITE_STEP) for wire, key in ((old, was), (new, is_now)) if None not in key)


def _held(wire: Wire, index: str, keys: tuple[str, ...]) -> Wire:
    held = _PROJECTIONS.get(index)
    return wire if held is None else {name: value for name, value in wire.items() if name in (*held, *KEYS, *keys)}


def _steps(size: int, step: int) -> int:
    return max(1, -(-size // step))


def _wire(text: bytes | None) -> Wire:
    return {} if text is None else json.loads(text)


def _value_size(value: Mapping[str, Any]) -> int:
    [(kind, held)] = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "B":
            return len(held) * 3 // 4
        case "N":
            return len(held) // 2 + 2
        case "L":
            return 3 + sum(1 + _value_size(element) for element in held)
        case "M":
            return 3 + len(held) + size_of(held)
    return 1
