"""Items as DynamoDB's low-level API spells them: every value with its type, numbers as text."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from gitlab_hub.storage.table import Item, Key

Wire = dict[str, dict[str, Any]]

_MAX_DIGITS = 38


def encode(item: Mapping[str, Any]) -> Wire:
    """Spell an item for DynamoDB; refuses with TypeError or ValueError what could not be read back the same."""
    return {_name(name): encode_value(value) for name, value in item.items()}


def decode(wire: Mapping[str, Mapping[str, Any]]) -> Item:
    """Read an item that DynamoDB returned."""
    return {name: decode_value(value) for name, value in wire.items()}


def encode_key(key: Key) -> Wire:
    """Spell an item's key."""
    return encode({"pk": key[0], "sk": key[1]})


def encode_value(value: Any) -> dict[str, Any]:
    """Spell one value; a member of an enumeration is stored as its value."""
    if isinstance(value, Enum):
        value = value.value
    try:
        kind, spell = _SPELLINGS[type(value)]
    except KeyError:
        raise TypeError(f"A table cannot hold a {type(value).__name__}.") from None
    return {kind: spell(value)}


def decode_value(wire: Mapping[str, Any]) -> Any:
    """Read one value."""
    [(kind, value)] = wire.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return int(value)
        case "B":
            return bytes(value)
        case "L":
            return [decode_value(element) for element in value]
        case "M":
            return decode(value)
        case "S" | "BOOL":
            return value
    raise TypeError(f"The hub writes no values of the DynamoDB type {kind}.")


def _digits(number: int) -> str:
    if len(str(abs(number))) > _MAX_DIGITS:
        raise ValueError(f"A table cannot hold a number of more than {_MAX_DIGITS} digits.")
    return str(number)


def _text(text: str) -> str:
    text.encode()  # Raises UnicodeEncodeError (a ValueError) for lone surrogates, which have no UTF-8.
    return text


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise TypeError("An attribute's name is a text of at least one character.")
    return _text(name)


def _same(value: Any) -> Any:
    return value


# By exact type: a subclass would come back as its base, and `bool` is a subclass of `int`.
_SPELLINGS: dict[type, tuple[str, Callable[[Any], Any]]] = {
    type(None): ("NULL", lambda _: True),
    bool: ("BOOL", _same),
    int: ("N", _digits),
    str: ("S", _text),
    bytes: ("B", _same),
    list: ("L", lambda elements: [encode_value(element) for element in elements]),
    dict: ("M", encode),
}
