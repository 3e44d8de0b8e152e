"""Deciding whether an account has been left alone for some days."""

from gitlab_hub.access.fields import midnight
from gitlab_hub.access.model import Account

DAY = 86_400


def is_inactive(account: Account, *, days: int, now: float) -> bool:
    """Say whether the account showed no sign of life for so many days.

    An account whose activity the token may not see is not accused. One that never did anything counts from its
    creation.
    """
    seen = _last_sign_of_life(account)
    if seen is None and account.activity_source is not None:
        seen = account.created_at
    return seen is not None and seen < now - days * DAY


def _last_sign_of_life(account: Account) -> int | None:
    day = midnight(account.last_activity_on)
    # The day of an activity is known, not its hour: the account gets the benefit of the whole day.
    signs = [account.last_sign_in_at, account.current_sign_in_at, None if day is None else day + DAY - 1]
    return max((sign for sign in signs if sign is not None), default=None)
