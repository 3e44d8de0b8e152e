"""Rows of GitLab's lists of accounts, read into what they tell of an account. Pure.

What a list tells of an account is an account with the rest unknown. Where each field comes from is in the entities:
ee/lib/ee/api/entities/billable_member.rb (`last_login_at` is the user's `current_sign_in_at`; `email` is the address it
shows in public, or where the caller's group manages the account the one it signs in with), ee/lib/api/entities/
pending_member.rb (its `id` is the membership's, so accounts are found by `username`), user_public.rb for enterprise and
SAML users, ee/lib/api/entities/identity_detail.rb and lib/api/entities/service_account.rb.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from gitlab_hub.access.model import Account, AccountStatus, Email, Identity
from gitlab_hub.access.transform import SCIM, account_of_user
from gitlab_hub.gitlab.account_kinds import AccountKind, kind_of
from gitlab_hub.gitlab.account_lists import (
    BILLABLE_MEMBERS,
    ENTERPRISE_USERS,
    GROUP_SERVICE_ACCOUNTS,
    INSTANCE_SERVICE_ACCOUNTS,
    PENDING_MEMBERS,
    SAML_IDENTITIES,
    SAML_USERS,
    SCIM_IDENTITIES,
)
from gitlab_hub.gitlab.fields import GitLabRow, day, flag, seconds, strict_number, strict_text, text

SAML = "group_saml"
"""The provider of a group's SAML identities, as GitLab's own rows of them say (lib/api/entities/identity.rb)."""

Reader = Callable[[GitLabRow], Account | None]
"""Gives what a row tells of an account, None where it tells of none. Raises UnexpectedResponse."""


def reader_of(name: str) -> Reader:
    """The reader of a list's rows."""
    return _READERS[name]


def pending_username(row: GitLabRow) -> str | None:
    """Who waits, by username; None where somebody was asked by email who has no account."""
    strict_number(row, "id")
    waits = flag(row.get("approved")) is False
    return (text(row.get("username")) or None) if waits else None


def pending_account(row: GitLabRow, account_id: int) -> Account:
    """What a pending membership tells of its account."""
    return Account(
        id=account_id,
        username=strict_text(row, "username"),
        name=text(row.get("name")) or "",
        status=AccountStatus.PENDING,
        emails=_emails(row.get("email"), PENDING_MEMBERS.name),
        web_url=text(row.get("web_url")),
    )


def _full_user(row: GitLabRow) -> Account:
    # These rows have `bot`; an older release without it says nothing of the kind, and a name is no evidence here.
    return replace(account_of_user(row), kind=kind_of(row) or AccountKind.UNKNOWN)


def _billable(row: GitLabRow) -> Account:
    return Account(
        id=strict_number(row, "id"),
        username=strict_text(row, "username"),
        name=text(row.get("name")) or "",
        state=text(row.get("state")),
        emails=_emails(row.get("email"), BILLABLE_MEMBERS.name),
        current_sign_in_at=seconds(row.get("last_login_at")),
        last_activity_on=day(row.get("last_activity_on")),
        activity_source=BILLABLE_MEMBERS.name if "last_activity_on" in row else None,
        created_at=seconds(row.get("created_at")),
        web_url=text(row.get("web_url")),
    )


def _service_account(row: GitLabRow) -> Account:
    return Account(
        id=strict_number(row, "id"),
        username=strict_text(row, "username"),
        name=text(row.get("name")) or "",
        kind=AccountKind.SERVICE_ACCOUNT,
        emails=_emails(row.get("email"), GROUP_SERVICE_ACCOUNTS.name),
    )


def _saml_identity(row: GitLabRow) -> Account | None:
    return _named_by(row, SAML)


def _scim_identity(row: GitLabRow) -> Account | None:
    # One that is not active any more is no way to sign in.
    return None if flag(row.get("active")) is False else _named_by(row, SCIM)


def _named_by(row: GitLabRow, provider: str) -> Account:
    name = text(str(row.get("extern_uid") or "")) or ""
    return Account(id=strict_number(row, "user_id"), identities=[Identity(provider=provider, extern_uid=name)])


def _emails(value: object, source: str) -> list[Email]:
    address = text(value)
    return [Email(value=address, source=source, primary=False)] if address else []


_READERS: Mapping[str, Reader] = {
    ENTERPRISE_USERS.name: _full_user,
    SAML_USERS.name: _full_user,
    SAML_IDENTITIES.name: _saml_identity,
    SCIM_IDENTITIES.name: _scim_identity,
    BILLABLE_MEMBERS.name: _billable,
    GROUP_SERVICE_ACCOUNTS.name: _service_account,
    INSTANCE_SERVICE_ACCOUNTS.name: _service_account,
}
