"""GitLab's rows of tokens and keys as the hub's values. Pure: a list of fields is taken, and nothing else of a row.

No row of a list has a token in it; rows of keys have the key itself, which is left out.
"""

import re

from gitlab_hub.access.credentials.model import Credential
from gitlab_hub.access.model import Account
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.gitlab.fields import (
    GitLabRow,
    flag,
    mapping,
    midnight,
    number,
    rows_in,
    seconds,
    strict_number,
    text,
    texts_in,
)
from gitlab_hub.inventory.model import ResourceType

MOST_SCOPES, MOST_OF_SCOPE = 50, 100
GRANULAR = "granular"

_OF_RESOURCE = re.compile(
    r"(?P<bot>group|project)_(?P<id>\d{1,18})_bot.*|service_account_(?P<type>group|project)_(?P<number>\d{1,18})_.*",
    re.ASCII | re.IGNORECASE,
)
_KINDS = {
    AccountKind.PROJECT_BOT: CredentialKind.PROJECT_TOKEN,
    AccountKind.GROUP_BOT: CredentialKind.GROUP_TOKEN,
    AccountKind.SERVICE_ACCOUNT: CredentialKind.SERVICE_ACCOUNT_TOKEN,
}


def token_of(row: GitLabRow, kind: CredentialKind, place: tuple[ResourceType, int] | None = None) -> Credential:
    """Read an access token of any sort (lib/api/entities/personal_access_token.rb, resource_access_token.rb).

    It ends with the first second (UTC) of its last day (app/models/concerns/expirable.rb). Rows of releases before
    16.0 do not tell when it was used.
    """
    scopes = _scopes(row)
    return Credential(
        kind=kind,
        id=strict_number(row, "id"),
        name=text(row.get("name")) or "",
        account_id=number(row.get("user_id")),
        resource_type=place[0] if place else None,
        resource_id=place[1] if place else None,
        scopes=scopes,
        granular=row.get("granular") is True or GRANULAR in scopes,
        access_level=number(row.get("access_level")),
        created_at=seconds(row.get("created_at")),
        last_used_at=seconds(row.get("last_used_at")),
        tells_use="last_used_at" in row,
        ends_at=midnight(row.get("expires_at")),
        revoked=bool(row.get("revoked")),
    )


def token_of_account(row: GitLabRow, owner: Account | None, *, level: int | None = None) -> Credential:
    """Read a token out of a list that has everybody's: whose it is tells what it is.

    Bots of groups and projects, and service accounts of groups, have the id of theirs in their names
    (docs.gitlab.com/user/project/settings/project_access_tokens and /api/service_accounts). `level`: what the bot has
    there, which such a list does not say.
    """
    kind = (
        _KINDS.get(AccountKind(owner.kind), CredentialKind.PERSONAL_TOKEN) if owner else CredentialKind.PERSONAL_TOKEN
    )
    place = None if kind is CredentialKind.PERSONAL_TOKEN or owner is None else place_of(owner.username)
    return token_of({**row, "access_level": level} if level is not None else row, kind, place)


def place_of(username: str) -> tuple[ResourceType, int] | None:
    """The group or project that a bot or a service account was made for, by the name that GitLab has given it."""
    found = _OF_RESOURCE.fullmatch(username)
    if found is None:
        return None
    return ResourceType((found["bot"] or found["type"]).lower()), int(found["id"] or found["number"])


def deploy_token_of(row: GitLabRow, place: tuple[ResourceType, int] | None) -> Credential:
    """Read a deploy token (lib/api/entities/deploy_token.rb): it ends at a moment, and acts as nobody."""
    return Credential(
        kind=CredentialKind.DEPLOY_TOKEN,
        id=strict_number(row, "id"),
        name=text(row.get("name")) or "",
        resource_type=place[0] if place else None,
        resource_id=place[1] if place else None,
        scopes=_scopes(row),
        ends_at=seconds(row.get("expires_at")),
        revoked=bool(row.get("revoked")),
    )


def ssh_key_of(row: GitLabRow, account_id: int) -> Credential:
    """Read a key of an account (lib/api/entities/ssh_key.rb)."""
    return _key_of(row, CredentialKind.SSH_KEY, account_id=account_id)


def deploy_key_of(row: GitLabRow, project_id: int) -> Credential:
    """Read a deploy key of one project (lib/api/entities/deploy_keys_project.rb)."""
    return _key_of(row, CredentialKind.DEPLOY_KEY, project_id=project_id, can_push=flag(row.get("can_push")))


def deploy_keys_of(row: GitLabRow) -> list[Credential]:
    """Read a deploy key out of the list of all, once for each project that it opens (lib/api/entities/deploy_key.rb).

    A key of no project opens nothing yet; a public one may be added to any.
    """
    writable = {number(mapping(one).get("id")) for one in rows_in(row.get("projects_with_write_access"))}
    readable = {number(mapping(one).get("id")) for one in rows_in(row.get("projects_with_readonly_access"))}
    projects = sorted(one for one in writable | readable if one is not None)
    found = [_key_of(row, CredentialKind.DEPLOY_KEY, project_id=one, can_push=one in writable) for one in projects]
    return found or [_key_of(row, CredentialKind.DEPLOY_KEY, can_push=False)]


def _key_of(
    row: GitLabRow,
    kind: CredentialKind,
    *,
    account_id: int | None = None,
    project_id: int | None = None,
    can_push: bool | None = None,
) -> Credential:
    return Credential(
        kind=kind,
        id=strict_number(row, "id"),
        name=text(row.get("title")) or "",
        account_id=account_id,
        resource_type=None if project_id is None else ResourceType.PROJECT,
        resource_id=project_id,
        can_push=can_push,
        created_at=seconds(row.get("created_at")),
        last_used_at=seconds(row.get("last_used_at")),
        tells_use="last_used_at" in row,
        ends_at=seconds(row.get("expires_at")),
        fingerprint=text(row.get("fingerprint_sha256")) or text(row.get("fingerprint")),
    )


def _scopes(row: GitLabRow) -> list[str]:
    return [one[:MOST_OF_SCOPE] for one in texts_in(row.get("scopes"))][:MOST_SCOPES]
