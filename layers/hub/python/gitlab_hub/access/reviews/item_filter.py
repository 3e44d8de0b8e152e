"""Which items of a review are asked for. Pure."""

from dataclasses import dataclass

from gitlab_hub.access.reviews.model import Item
from gitlab_hub.access.wanted import DAY, contains, last_sign_of_life


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFilter:
    """Which items to list; None does not filter. Days count from the moment at which the review was made.

    What is unknown of an account is neither true nor false, and nobody whose activity the token may not see is called
    inactive. Who never did anything, as far as GitLab tells, counts from the beginning of the membership: the item
    does not have the account's own.
    """

    decision: str | None = None
    q: str | None = None
    inactive_days: int | None = None
    two_factor_enabled: bool | None = None
    external: bool | None = None
    min_access_level: int | None = None
    expiring_within_days: int | None = None

    def keeps(self, item: Item, *, at: int) -> bool:
        """Say whether an item of a review that was made `at` (unix seconds) is asked for."""
        return (
            self.decision in {None, item.answer}
            and self.two_factor_enabled in {None, item.two_factor_enabled}
            and self.external in {None, item.external}
            and item.access_level >= (self.min_access_level or 0)
            and contains(self.q, (item.username, item.name, item.email or "", item.full_path))
            and (self.inactive_days is None or _is_inactive(item, before=at - self.inactive_days * DAY))
            and (self.expiring_within_days is None or _ends(item, before=at + self.expiring_within_days * DAY))
        )


def _is_inactive(item: Item, *, before: int) -> bool:
    seen = last_sign_of_life(item.last_activity_on, item.last_sign_in_at)
    if seen is None and item.activity_source is not None:
        seen = item.granted_at
    return seen is not None and seen < before


def _ends(item: Item, *, before: int) -> bool:
    return item.ends_at is not None and item.ends_at < before
