"""Which of GitLab's lists of accounts the access sync reads with a token, and what it would take to read the others.

What the sync notes is all there is to go by: no scope and no role says whether a group pays for a list.
"""

from collections.abc import Iterator, Mapping

from gitlab_hub.gitlab.account_lists import GROUP_LISTS, INSTANCE_SERVICE_ACCOUNTS, SAML_IDENTITIES, AccountList
from gitlab_hub.integrations.model import NOBODY, Integration
from gitlab_hub.integrations.sight import AUTHORIZE, Available, Capability

Unread = Mapping[str, tuple[str, str]]
"""What could not be read, by list (`saml_users`) or by list and group (`saml_users#…12`): how that went, and why."""

NOT_TRIED = "The next access sync tries it."


def list_capabilities(integration: Integration, unread: Unread, *, was_synced: bool) -> Iterator[Capability]:
    """What the token can read of each list. Whoever is shown all accounts anyway needs one of them only."""
    shows_all = integration.account.is_admin and integration.group is None
    for one in (INSTANCE_SERVICE_ACCOUNTS,) if shows_all else GROUP_LISTS:
        available, to_change = _available(integration, one, unread, was_synced=was_synced)
        yield Capability(one.name, one.does, available, "Owner" if one.of_group else None, to_change)


def _available(
    integration: Integration, one: AccountList, unread: Unread, *, was_synced: bool
) -> tuple[Available, str | None]:
    if integration.account == NOBODY:
        return Available.UNKNOWN, AUTHORIZE
    if not was_synced:
        return Available.UNKNOWN, NOT_TRIED
    if (told := unread.get(one.name)) is not None:
        status, reason = told
        return (Available.UNKNOWN if status == "failed" else Available.NO), reason
    if one is SAML_IDENTITIES and "saml_users" in unread:
        return Available.YES, None
    of_groups = [reason for key, (_, reason) in sorted(unread.items()) if key.startswith(f"{one.name}#")]
    return Available.YES, of_groups[0] if of_groups else None
