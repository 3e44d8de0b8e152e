"""DynamoDB's expression language, as far as the table port needs it; pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gitlab_hub.storage.codec import Wire, encode_value
from gitlab_hub.storage.table import Condition

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
