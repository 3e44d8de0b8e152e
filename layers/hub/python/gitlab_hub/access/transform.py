"""GitLab's rows as the hub's values. Pure: no clock, no store, and nothing kept that the hub does not need."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from gitlab_hub.access.model import (
    Account,
    Email,
    Grant,
    Identity,
    Invitation,
    MemberRole,
    status_of,
)
from gitlab_hub.access.sources.layers import carried, ground_of
from gitlab_hub.gitlab.account_kinds import AccountKind, kind_by_name, kind_of
from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.fields import (
    GitLabRow,
    day,
    flag,
    midnight,
    number,
    part,
    seconds,
    strict_number,
    strict_rows,
    strict_text,
    text,
)
from gitlab_hub.inventory.model import ResourceType

# Who tells what. `is_admin`, and where the license has auditors `is_auditor`: rows of `/users` for administrators only
# (lib/api/entities/user_with_admin.rb and its prepend below ee/). `two_factor_enabled`, `external`, `identities`: those
# too, and the own account's (user_public.rb). Member rows of an Enterprise Edition: the `email` of users whom the
# token's user administers, and for a group's Owners the names at its provider, `group_saml_identity` and
# `group_scim_identity` (ee/lib/ee/api/entities/member.rb; docs.gitlab.com/api/group_members, "Known issues").

ADMIN_FIELDS = frozenset({"email", "is_admin"})
"""What `/users` tells administrators only."""

_OF_MEMBERSHIP = frozenset({"created_at", "last_activity_on"})
"""Fields that a member row would mean otherwise than a row of `/users` does."""

SCIM = "group_scim"
"""The provider of identities that a group's provider manages by SCIM; GitLab's rows of them name none."""

INSTANCE_SCIM = "scim"
"""The same where SCIM is set up for the whole GitLab."""

_EMAIL_SOURCES = (("email", "account"), ("public_email", "public"), ("commit_email", "commit"))
_READERS: dict[str, Callable[[object], Any]] = {
    **dict.fromkeys(("username", "name", "state", "web_url"), text),
    **dict.fromkeys(("is_admin", "is_auditor", "external", "two_factor_enabled"), flag),
    **dict.fromkeys(("created_at", "last_sign_in_at", "current_sign_in_at"), seconds),
    "last_activity_on": day,
}


def is_admin_row(row: GitLabRow) -> bool:
    """Whether a row of `/users` is one that only administrators get."""
    return row.keys() >= ADMIN_FIELDS


def account_of_user(row: GitLabRow, stored: Account | None = None) -> Account:
    """Read a row of `/users`; what it does not tell stays as it was stored."""
    if stored is not None:
        return carried(stored, _account_of_user(row, ground_of(stored)))
    return _account_of_user(row)


def _account_of_user(row: GitLabRow, stored: Account | None = None) -> Account:
    told = {name: read(row.get(name)) for name, read in _READERS.items()}
    known: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    if "last_activity_on" in row:
        known["activity_source"] = "users"
    account = replace(stored or Account(id=strict_number(row, "id")), **known)
    return replace(
        account,
        kind=_kind(row, stored),
        status=status_of(account.state),
        emails=_emails(row, account.emails),
        identities=_identities(row, account.identities),
    )


def account_of_admins_row(row: GitLabRow, stored: Account | None = None) -> Account:
    """Read a row of `/users` that has what only administrators get. Raises UnexpectedResponse for any other.

    Such a row is whole: of what is stored, only what other lists tell stays.
    """
    if not is_admin_row(row):
        raise UnexpectedResponse("GitLab listed a user without what administrators see of one.")
    account = _account_of_user(row)
    return account if stored is None else carried(stored, account)


def account_of_member(row: GitLabRow, stored: Account | None = None) -> Account:
    """Read what a member row tells about the account."""
    return account_of_user({name: row[name] for name in row if name not in _OF_MEMBERSHIP}, stored)


def grant_of(row: GitLabRow, resource_type: ResourceType, resource_id: int) -> Grant:
    """Read a direct membership."""
    creator = part(row, "created_by")
    return Grant(
        account_id=strict_number(row, "id"),
        resource_type=resource_type,
        resource_id=resource_id,
        access_level=strict_number(row, "access_level"),
        member_role=_member_role(part(row, "member_role")),
        ends_at=midnight(row.get("expires_at")),
        granted_at=seconds(row.get("created_at")),
        granted_by=number(creator.get("id")),
        membership_state=text(row.get("membership_state")),
    )


def invitation_of(row: GitLabRow, resource_type: ResourceType, resource_id: int) -> Invitation:
    """Read an invitation (lib/api/entities/invitation.rb). Its `invite_token` opens the membership: never kept."""
    return Invitation(
        email=strict_text(row, "invite_email"),
        resource_type=resource_type,
        resource_id=resource_id,
        access_level=strict_number(row, "access_level"),
        ends_at=midnight(row.get("expires_at")),
        created_at=seconds(row.get("created_at")),
        created_by=text(row.get("created_by_name")),
    )


class Nameless(NamedTuple):
    """A membership without an account, as lists tell it that tell no address: by what it has in common with others."""

    access_level: int
    created_at: int | None
    ends_at: int | None


def nameless_of(access_level: int, created_at: object, expires_at: object) -> Nameless:
    """Read one from GitLab's fields; of an invitation it equals `nameless` of that."""
    return Nameless(access_level, seconds(created_at), midnight(expires_at))


def nameless(invitation: Invitation) -> Nameless:
    """An invitation without its address."""
    return Nameless(invitation.access_level, invitation.created_at, invitation.ends_at)


def in_order(members: Iterable[Nameless]) -> tuple[Nameless, ...]:
    """Several of them in an order that is always the same."""
    return tuple(sorted(members, key=str))


def _kind(row: GitLabRow, stored: Account | None) -> AccountKind:
    if told := kind_of(row):
        return told
    # A fuller row may have told before; only where none has, the name does. Without any sign of a bot it is a person.
    if stored is not None and stored.kind != AccountKind.UNKNOWN:
        return AccountKind(stored.kind)
    return kind_by_name(row) or AccountKind.HUMAN


def _emails(row: GitLabRow, stored: Iterable[Email]) -> list[Email]:
    """Take the addresses the row tells; those of sources it is silent about stay."""
    by_source = {email["source"]: email["value"] for email in stored}
    by_source |= {source: text(row[name]) or "" for name, source in _EMAIL_SOURCES if name in row}
    emails: dict[str, Email] = {}
    for _, source in _EMAIL_SOURCES:
        if value := by_source.get(source):
            emails.setdefault(value, Email(value=value, source=source, primary=source == "account"))
    return list(emails.values())


def _identities(row: GitLabRow, stored: Iterable[Identity]) -> list[Identity]:
    told = [] if "identities" in row else list(stored)
    told += [_identity(identity) for identity in strict_rows(row, "identities")]
    # Of an Enterprise Edition, in rows that have `identities` too (ee/lib/ee/api/entities/user_public.rb).
    for scim in strict_rows(row, "scim_identities"):
        told = _with_scim(told, scim, INSTANCE_SCIM if scim.get("group_id") is None else SCIM)
    if saml := part(row, "group_saml_identity"):
        told.append(_identity(saml))
    if scim := part(row, "group_scim_identity"):
        told = _with_scim(told, scim)
    unique = {(identity["provider"], identity["extern_uid"]): identity for identity in told}
    return [unique[key] for key in sorted(unique)]


def _with_scim(identities: list[Identity], scim: GitLabRow, provider: str = SCIM) -> list[Identity]:
    """Add the name under which a provider manages the account, or end it where it does so no more."""
    named = _identity({**scim, "provider": provider})
    others = [identity for identity in identities if identity != named]
    return others if scim.get("active") is False else [*others, named]


def _identity(row: GitLabRow) -> Identity:
    # Some providers give numbers; an identity is a name all the same.
    return Identity(provider=text(row.get("provider")) or "", extern_uid=text(str(row.get("extern_uid") or "")) or "")


def _member_role(role: GitLabRow) -> MemberRole | None:
    return MemberRole(id=strict_number(role, "id"), name=text(role.get("name"))) if role else None
