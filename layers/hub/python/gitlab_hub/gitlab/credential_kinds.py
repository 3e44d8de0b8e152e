"""The kinds of tokens and keys that open a GitLab, and where it has a single one of each.

Paths: docs.gitlab.com/api/personal_access_tokens, group_access_tokens, project_access_tokens, service_accounts,
deploy_tokens, deploy_keys, user_keys and user_tokens. The same path with DELETE revokes or removes it.
"""

from enum import StrEnum


class CredentialKind(StrEnum):
    """What opens the GitLab."""

    PERSONAL_TOKEN = "personal_token"  # noqa: S105 - a name
    IMPERSONATION_TOKEN = "impersonation_token"  # noqa: S105
    GROUP_TOKEN = "group_token"  # noqa: S105
    PROJECT_TOKEN = "project_token"  # noqa: S105
    SERVICE_ACCOUNT_TOKEN = "service_account_token"  # noqa: S105
    DEPLOY_TOKEN = "deploy_token"  # noqa: S105
    DEPLOY_KEY = "deploy_key"
    SSH_KEY = "ssh_key"


ACCESS_TOKENS = frozenset(list(CredentialKind)[:5])
"""The kinds that are rows of one table in GitLab (personal_access_tokens), and so share their ids."""

ANYWHERE = "personal_access_tokens"
"""Where GitLab has an access token of whatever kind by its id, to those who may see it."""


def path_in_resource(kind: CredentialKind, collection: str, resource_id: int) -> str:
    """The path of the list in a group or project that a kind is kept in; `collection` is groups or projects."""
    lists = {CredentialKind.DEPLOY_TOKEN: "deploy_tokens", CredentialKind.DEPLOY_KEY: "deploy_keys"}
    return f"/{collection}/{resource_id}/{lists.get(kind, 'access_tokens')}"


def path_of_account(kind: CredentialKind, account_id: int, *, group_id: int = 0) -> str:
    """The path of the list of an account: its keys, what administrators act as it with, or a service account's tokens.

    `group_id`: the group that a service account belongs to.
    """
    if kind is CredentialKind.SERVICE_ACCOUNT_TOKEN:
        return f"/groups/{group_id}/service_accounts/{account_id}/{ANYWHERE}"
    return f"/users/{account_id}/{'keys' if kind is CredentialKind.SSH_KEY else 'impersonation_tokens'}"
