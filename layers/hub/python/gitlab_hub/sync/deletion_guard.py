"""When so much is missing that the listing, not the data, is to be doubted."""

from collections.abc import Mapping
from dataclasses import dataclass

MOST_GONE = 0.30
SCOPE_FLOOR = 10
"""A single scope below this many stored rows is judged only together with its dataset: in a project with three
members, one leaver is a third."""


@dataclass(frozen=True, slots=True)
class DeletionTally:
    """How many rows were stored in completely read scopes, and how many of them GitLab no longer listed."""

    stored: int = 0
    missing: int = 0

    def plus(self, stored: int, missing: int) -> "DeletionTally":
        """The tally with one more scope in it."""
        return DeletionTally(self.stored + stored, self.missing + missing)


def is_suspicious(tally: DeletionTally) -> bool:
    """More than 30 % gone, or nothing left where there was something. One row among others may always go."""
    if tally.missing == 0:
        return False
    if tally.missing == tally.stored:
        return True
    return tally.missing > 1 and tally.missing > MOST_GONE * tally.stored


def is_suspicious_scope(tally: DeletionTally) -> bool:
    """The same rule for one scope that is large enough to be judged alone."""
    return tally.stored >= SCOPE_FLOOR and is_suspicious(tally)


def exceeds_limit(
    tallies: Mapping[str, DeletionTally], suspicious: Mapping[str, int], accepted: Mapping[str, int]
) -> dict[str, int]:
    """Dataset → missing rows, for every dataset whose removal must wait for an admin.

    `suspicious` counts the missing rows of single scopes that tripped; `accepted` is what an admin has agreed to.
    """
    missing = {
        dataset: tally.missing
        for dataset, tally in tallies.items()
        if is_suspicious(tally) or suspicious.get(dataset, 0)
    }
    return {dataset: count for dataset, count in missing.items() if count > accepted.get(dataset, 0)}
