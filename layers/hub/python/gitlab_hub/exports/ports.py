"""What exports need of the features whose rows they write; `composition` fulfils it."""

from collections.abc import Iterator
from typing import Protocol

from gitlab_hub.exports.model import Asked, Batch, Place


class Source(Protocol):
    """The rows of one dataset, in an order that stays the same."""

    def total(self, asked: Asked) -> int | None:
        """How many projects there are to go through; None where there are none to go through."""

    def batches(self, asked: Asked, behind: Place) -> Iterator[Batch]:
        """The rows behind a place, as the API shows them, read as they are taken; a batch may have no rows."""
