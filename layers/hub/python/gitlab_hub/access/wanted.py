"""Which accounts and grants are asked for, whatever asks. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from gitlab_hub.access.model import Account, AccountStatus, Grant
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.fields import midnight
from gitlab_hub.inventory.model import ResourceType

DAY = 86_400


def is_inactive(account: Account, *, days: int, now: float) -> bool:
    """Say whether the account showed no sign of life for so many days.

    An account whose activity the token may not see is not accused. One that never did anything counts from its
    creation.
    """
    seen = last_sign_of_life(account.last_activity_on, account.last_sign_in_at, account.current_sign_in_at)
    if seen is None and account.activity_source is not None:
        seen = account.created_at
    return seen is not None and seen < now - days * DAY


def last_sign_of_life(last_activity_on: str | None, *signed_in_at: int | None) -> int | None:
    """When somebody showed that an account is used, in unix seconds; None: never, as far as anybody knows."""
    day = midnight(last_activity_on)
    # The day of an activity is known, not its hour: the account gets the benefit of the whole day.
    signs = [*signed_in_at, None if day is None else day + DAY - 1]
    return max((sign for sign in signs if sign is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFilter:
    """Which accounts to list; None does not filter."""

    q: str | None = None
    kind: AccountKind | None = None
    status: AccountStatus | None = None
    inactive_days: int | None = None
    is_admin: bool | None = None
    external: bool | None = None
    two_factor_enabled: bool | None = None
    without_grants: bool | None = None
    """Whether nothing stored was given to the account; the one thing that its row does not tell."""

    def keeps(self, account: Account, *, now: float) -> bool:
        """Say whether an account is asked for, as far as its row tells. What is unknown is neither true nor false."""
        names = (account.username, account.name, *(email["value"] for email in account.emails))
        return (
            contains(self.q, names)
            and self.kind in {None, account.kind}
            and self.status in {None, account.status}
            and self.is_admin in {None, account.is_admin}
            and self.external in {None, account.external}
            and self.two_factor_enabled in {None, account.two_factor_enabled}
            and (self.inactive_days is None or is_inactive(account, days=self.inactive_days, now=now))
        )


@dataclass(frozen=True, slots=True)
class Ending:
    """When access is to end for it to be listed (unix seconds); None does not filter, and no end is never asked for."""

    before: int | None = None
    from_: int | None = None

    @classmethod
    def of(cls, *, within_days: int | None, overdue: bool | None, now: float) -> "Ending":
        """What ends within so many days; what is overdue is among that, unless it is asked for, or against, itself."""
        before = None if within_days is None else int(now) + within_days * DAY
        if overdue is None:
            return cls(before)
        return cls(int(now) + 1) if overdue else cls(before, int(now) + 1)

    def keeps(self, ends_at: int | None) -> bool:
        """Say whether something that ends then is asked for."""
        if self == WHENEVER:
            return True
        return ends_at is not None and (self.from_ or 0) <= ends_at and (self.before is None or ends_at < self.before)


WHENEVER = Ending()
"""Does not filter."""


@dataclass(frozen=True, slots=True)
class GrantFilter:
    """Whose grants in what to list, and which of them."""

    account_id: int | None = None
    resource: tuple[ResourceType, int] | None = None
    min_access_level: int | None = None
    ending: Ending = WHENEVER

    def keeps(self, grant: Grant) -> bool:
        """Say whether a grant, of those in question, is asked for."""
        return grant.access_level >= (self.min_access_level or 0) and self.ending.keeps(grant.ends_at)


def contains(wanted: str | None, texts: Iterable[str]) -> bool:
    """Say whether one of the texts contains what is wanted, whatever the case."""
    return wanted is None or any(wanted.casefold() in text.casefold() for text in texts)
