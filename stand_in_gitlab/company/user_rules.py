"""What GitLab lets happen to accounts: which state follows which, and who may be deleted."""

import re

from stand_in_gitlab.clock import DAY, parse
from stand_in_gitlab.company.member_rules import is_last_owner
from stand_in_gitlab.company.model import User
from stand_in_gitlab.company.state import Company

BLOCKED = frozenset({"blocked", "ldap_blocked", "blocked_pending_approval", "banned"})
"""The states that `user.blocked?` is true of (app/models/user.rb)."""
EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")
ACTIVE_DAYS = 90
"""`deactivate_dormant_users_period`: nobody who was here since then can be deactivated."""


def was_here(user: User, now: float) -> bool:
    """Whether the account was used within the last ninety days (`can_be_deactivated?`, `last_active_at`)."""
    seen = [user.last_sign_in or 0.0, parse(user.last_activity_on) if user.last_activity_on else 0.0]
    return max(seen) > now - ACTIVE_DAYS * DAY


def solo_owned(company: Company, user_id: int) -> list[int]:
    """Groups that have no other owner, here or above (`solo_owned_groups` in app/models/user.rb)."""
    return [group_id for group_id in company.groups if is_last_owner(company, group_id, user_id)]


def by_email(company: Company, email: str) -> User | None:
    """The account with this address, in whatever case."""
    return next((user for user in company.users.values() if user.email.lower() == email.lower()), None)


def by_username(company: Company, username: str) -> User | None:
    """The account with this name, in whatever case."""
    return next((user for user in company.users.values() if user.username.lower() == username.lower()), None)
