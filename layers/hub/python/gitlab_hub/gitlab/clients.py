"""Clients for integrations, as features ask for them: which GitLab, as whom, and how far it may be used."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    # Whoever only wants to know must not pay for loading an HTTP client.
    from gitlab_hub.gitlab.client import GitLab


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLabConnection:
    """One integration as its own credential sees it."""

    integration_id: str
    credential_id: str
    base_url: str
    user_id: int
    is_admin: bool
    group: str | None
    """Full path, when it was last seen, of the group it is limited to; None = everything the token reaches."""
    gitlab_version: str | None
    paused: bool
    credential_works: bool
    """Whether GitLab takes the credential, as far as is known."""
    manage_webhooks: bool
    report_statuses: bool
    provisioning: bool = False
    scopes: tuple[str, ...] = ()
    """Of the token, when it was last verified."""
    group_id: int | None = None
    """Which group that is; None = it was not looked up yet, or there is none."""


class GitLabs(Protocol):
    """Every connected GitLab, by integration. All calls but those of the client block."""

    def connection(self, integration_id: str) -> GitLabConnection | None:
        """What is known of an integration; None where it is gone or has no credential."""

    def open(self, connection: GitLabConnection) -> "GitLab":
        """A client with the integration's own token, as an async context manager; nothing is sent by opening it.

        Its calls raise `GitLabError`s; a token that GitLab rejects is renewed once, as the sync does.
        """
