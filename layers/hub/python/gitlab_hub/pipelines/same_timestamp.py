"""Reading a millisecond that holds more pipelines than a page: the one place where pages are counted.

Pages shift when a row leaves the millisecond, and then another row is jumped over. But the row that left is missing
from the next reading: two readings in a row that show the same rows prove that nothing was jumped over. All
decisions here are pure, and their state is small enough for a checkpoint.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b

from gitlab_hub.gitlab.errors import UnexpectedResponse

MAX_READINGS = 10
SAME_SECOND_PAGES = 1_000


@dataclass(frozen=True, slots=True)
class SameTimestampPaging:
    """How far the reading of one millisecond has come."""

    position: str | None = None
    """The next page; None = the first one."""
    shown: str = ""
    """Digest of the rows that this reading has shown so far."""
    before: str | None = None
    """Digest of the reading before."""
    readings: int = 0
    pages: int = 0

    def after_page(self, ids: Iterable[int], following: str | None) -> "SameTimestampPaging | None":
        """Decide what follows a page; None = everything was read.

        Raises UnexpectedResponse where that cannot be had: an error is seen, a gap is not.
        """
        shown = self.shown
        for number in ids:
            shown = blake2b(f"{shown}{number}".encode(), digest_size=12).hexdigest()
        if following is not None:
            if self.pages >= SAME_SECOND_PAGES:
                raise UnexpectedResponse("More pipelines share one update time than the hub reads.")
            return replace(self, position=following, shown=shown, pages=self.pages + 1)
        if shown == self.before:
            return None
        if self.readings >= MAX_READINGS:
            raise UnexpectedResponse("Too many pipelines change within one millisecond to be listed completely.")
        return SameTimestampPaging(before=shown, readings=self.readings + 1)
