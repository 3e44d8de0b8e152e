"""What a token can see and do, as far as its scopes and its user tell, and what would change it. Pure.

Which group or project a role is missing in is found out by using it: verification, scopes and incidents say so by name.
"""

from collections.abc import Iterator

from gitlab_hub.gitlab.granular import GRANULAR
from gitlab_hub.integrations.account_lists import Unread, list_capabilities
from gitlab_hub.integrations.model import NOBODY, AuthMode, Integration
from gitlab_hub.integrations.permissions import NEEDS, Need, covered
from gitlab_hub.integrations.sight import AUTHORIZE, Available, Capability

__all__ = ["Available", "Capability", "capabilities"]


SEEN_BY_ADMINISTRATORS = (
    ("all_accounts", "See every account, not only members of groups and projects"),
    ("private_emails", "See the addresses that accounts sign in with"),
    ("second_factor", "See who has a second factor"),
    ("last_sign_in", "See when an account last signed in and was last active"),
    ("administrators", "See who administers or audits the GitLab"),
)
"""GitLab tells these to administrators only (docs.gitlab.com/api/users, "List all users" for administrators)."""

_ADMINISTRATOR = (
    "Give a token of an administrator; where GitLab's admin mode is on, with the scope admin_mode. On gitlab.com there "
    "is none: accounts are met as members there."
)

_UNLIMITED = "Lift the limit to a group (PATCH with group null): no list of a group has all accounts."


def capabilities(
    integration: Integration, unread: Unread | None = None, *, was_synced: bool = False
) -> list[Capability]:
    """Everything that the primary credential of an integration can or cannot do.

    `unread`: what the access sync has noted of lists of accounts that it could not read; `was_synced`: whether there
    was such a sync.
    """
    lists = list_capabilities(integration, unread or {}, was_synced=was_synced)
    return [*_features(integration), *_sights(integration), *lists]


def _features(integration: Integration) -> Iterator[Capability]:
    by_oauth = integration.auth_mode == AuthMode.OAUTH_APP
    for need in NEEDS:
        if need.by_oauth or not by_oauth:
            available = _scope_is_there(integration, need)
            role = None if need.role == "none" else need.role
            to_change = None if available is Available.YES else _missing(integration, need)
            yield Capability(need.feature, need.does, available, role, to_change)


def _scope_is_there(integration: Integration, need: Need) -> Available:
    if integration.account == NOBODY or GRANULAR in integration.scopes:
        return Available.UNKNOWN
    return Available.YES if need.scope in covered(integration.scopes) else Available.NO


def _missing(integration: Integration, need: Need) -> str:
    if integration.account == NOBODY:
        return AUTHORIZE
    if GRANULAR in integration.scopes:
        return f"A fine-grained token needs these permissions: {', '.join(need.permissions)}. Trying it will tell."
    if integration.auth_mode == AuthMode.OAUTH_APP:
        return f"Authorize again with the feature, so that GitLab is asked for the scope {need.scope}."
    return f"Store a token with the scope {need.scope}: PUT …/gitlab-token."


def _sights(integration: Integration) -> Iterator[Capability]:
    sees = integration.account.is_admin and integration.group is None
    available = Available.YES if sees else Available.NO
    to_change = None if sees else _UNLIMITED if integration.account.is_admin else _ADMINISTRATOR
    if integration.account == NOBODY:
        available, to_change = Available.UNKNOWN, AUTHORIZE
    elif GRANULAR in integration.scopes and sees:
        available, to_change = Available.UNKNOWN, "A fine-grained token needs User: Read for the whole instance."
    for name, does in SEEN_BY_ADMINISTRATORS:
        yield Capability(name, does, available, None, to_change)
