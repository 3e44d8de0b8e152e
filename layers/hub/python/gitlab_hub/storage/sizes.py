"""How large an item is for DynamoDB: about, and rather too large than too small.

Developer guide, "DynamoDB item sizes and formats": names and texts count in UTF-8, numbers up to 21 bytes, lists and
maps three bytes and one per element.
"""

from collections.abc import Mapping
from typing import Any


def size_of(item: Mapping[str, Any]) -> int:
    """Count the bytes of an item, or of a map inside one."""
    return sum(len(name.encode()) + 1 + _size(value) for name, value in item.items())


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, Mapping):
        return 3 + size_of(value)
    if isinstance(value, list):
        return 3 + sum(1 + _size(element) for element in value)
    return 21
