"""One page of a query: its arguments, and what to make of the answer; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitlab_hub.storage.codec import decode
from gitlab_hub.storage.expressions import Names, projection, span_of
from gitlab_hub.storage.table import Item, Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """What the table port's `query` was asked for."""

    pk: str
    prefix: str
    after: str | None
    until: str | None
    limit: int | None
    forward: bool
    index: str | None
    attributes: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ValueError("A page has at least one item.")

    @property
    def sk_name(self) -> str:
        """The attribute that the page is sorted by."""
        return "sk" if self.index is None else f"{self.index}_sk"

    def arguments(self) -> dict[str, Any] | None:
        """Spell the query; None where no key can lie within the bounds (DynamoDB refuses such)."""
        span = span_of(self.prefix, self.after, self.until, forward=self.forward)
        if span.is_empty:
            return None
        names = Names()
        pk_name = "pk" if self.index is None else f"{self.index}_pk"
        terms = [f"{names.name(pk_name)} = {names.value(self.pk)}", *span.terms(self.sk_name, names)]
        # The sort key is needed to go on from, whether or not the caller wants to see it.
        wanted = (*self.attributes, self.sk_name) if self.attributes else ()
        arguments = {"KeyConditionExpression": " AND ".join(terms), "ScanIndexForward": self.forward}
        arguments |= {"ConsistentRead": True} if self.index is None else {"IndexName": self.index}
        arguments |= {} if self.limit is None else {"Limit": self.limit + 1 + self._reads_after}
        return {**arguments, **projection(wanted, names), **names.arguments()}

    def rows(self, wires: Sequence[Mapping[str, Any]], last: Mapping[str, Any] | None) -> Rows:
        """Cut the answer to the page; one item more than asked for was read to know whether there is more."""
        items = [item for item in map(decode, wires) if item[self.sk_name] != self.after]
        page = items[: self.limit]
        if last is None and len(page) == len(items):
            position = None
        else:
            position = page[-1][self.sk_name] if page else str((last or {})[self.sk_name]["S"])
        return Rows([self._picked(item) for item in page], None if position is None else (self.pk, position))

    @property
    def _reads_after(self) -> bool:
        """Say whether the item at `after` is read along: backwards no bound leaves out exactly that one."""
        return self.after is not None and not self.forward

    def _picked(self, item: Item) -> Item:
        return {name: value for name, value in item.items() if not self.attributes or name in self.attributes}
