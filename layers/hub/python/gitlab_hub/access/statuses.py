"""Whether an account can be used, told from its state."""

from gitlab_hub.access.model import AccountStatus

_STATUSES = {
    "active": AccountStatus.ACTIVE,
    **dict.fromkeys(("blocked", "deactivated", "banned", "ldap_blocked"), AccountStatus.DISABLED),
    "blocked_pending_approval": AccountStatus.PENDING,
}


def status_of(state: str | None) -> AccountStatus:
    """Say whether an account can be used; a state nobody knows yet is not guessed at."""
    return _STATUSES.get(state or "", AccountStatus.UNKNOWN)
