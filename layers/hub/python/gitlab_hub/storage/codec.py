"""Items as DynamoDB's low-level API spells them: every value with its type, numbers as text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from gitlab_hub.storage.ports import Condition, Item, Key

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


# DynamoDB's expression language, as far as the table port needs it; pure.

# The last character there is: behind every sort key with the prefix before it, as no key of the hub holds it.
_LAST = "\U0010ffff"


@dataclass(slots=True)
class Names:
    """Placeholders for names and values: no name of ours can collide with a reserved word."""

    names: dict[str, str] = field(default_factory=dict)
    values: Wire = field(default_factory=dict)

    def name(self, name: str) -> str:
        """Give the placeholder of an attribute's name."""
        known = {real: placeholder for placeholder, real in self.names.items()}
        placeholder = known.get(name, f"#n{len(self.names)}")
        self.names[placeholder] = name
        return placeholder

    def value(self, value: Any) -> str:
        """Give the placeholder of a value."""
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = encode_value(value)
        return placeholder

    def arguments(self) -> dict[str, Any]:
        """Give the arguments of a call that explain the placeholders (DynamoDB refuses empty ones)."""
        explained = {"ExpressionAttributeNames": self.names, "ExpressionAttributeValues": self.values}
        return {name: value for name, value in explained.items() if value}


def condition_arguments(condition: Condition) -> dict[str, Any]:
    """Spell a condition as arguments of a write."""
    names = Names()
    terms = [f"{names.name(name)} = {names.value(value)}" for name, value in condition.equals.items()]
    terms += [f"attribute_not_exists({names.name(name)})" for name in condition.lacks]
    if condition.exists is not None:
        verb = "attribute_exists" if condition.exists else "attribute_not_exists"
        terms.append(f"{verb}({names.name('pk')})")
    return {"ConditionExpression": " AND ".join(terms), **names.arguments()} if terms else {}


def projection(attributes: Sequence[str], names: Names) -> dict[str, Any]:
    """Spell which attributes to read; none named means all."""
    if not attributes:
        return {}
    return {"ProjectionExpression": ", ".join(names.name(name) for name in dict.fromkeys(attributes))}


@dataclass(frozen=True, slots=True)
class Span:
    """The sort keys of a page: from `low` to `high`, both included; None = no bound."""

    low: str | None
    high: str | None

    @property
    def is_empty(self) -> bool:
        """Say whether no key can lie in it (DynamoDB refuses such bounds)."""
        return self.low is not None and self.high is not None and self.low > self.high

    def terms(self, sk_name: str, names: Names) -> list[str]:
        """Spell it as key conditions: none, or one (DynamoDB takes no two on a sort key)."""
        if self.low is not None and self.high is not None:
            return [f"{names.name(sk_name)} BETWEEN {names.value(self.low)} AND {names.value(self.high)}"]
        if self.low is not None:
            return [f"{names.name(sk_name)} >= {names.value(self.low)}"]
        if self.high is not None:
            return [f"{names.name(sk_name)} <= {names.value(self.high)}"]
        return []


def span_of(prefix: str, after: str | None, until: str | None, *, forward: bool) -> Span:
    """Work out the bounds of a page.

    Texts sort by code point here as their UTF-8 does there. Reading forward, the first key behind `after` is `after`
    with a zero character; reading backward there is no such key, so `after` itself is included (and left out later).
    """
    first = None if after is None else after + "\0"
    lows = [prefix or None, first if forward else until]
    highs = [prefix + _LAST if prefix else None, until if forward else after]
    low = max((bound for bound in lows if bound is not None), default=None)
    high = min((bound for bound in highs if bound is not None), default=None)
    return Span(low, high)


# How large an item is for DynamoDB: about, and rather too large than too small.
#
# Developer guide, "DynamoDB item sizes and formats": names and texts count in UTF-8, numbers up to 21 bytes, lists
# and maps three bytes and one per element.


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
