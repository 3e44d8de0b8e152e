"""Opening clients: every request of this feature goes through a vetted address with exactly one token."""

from dataclasses import dataclass, field
from typing import Protocol

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.client import ClientOptions, GitLab, Tokens
from gitlab_hub.gitlab.policy import NetworkPolicy

QUICK = ClientOptions(concurrency=5, deadline=8.0)
"""For requests that a person waits for: one that hangs must leave time for the others."""

PATIENT = ClientOptions(concurrency=5, deadline=15.0, read_timeout=15.0)
"""For calls that use a token up: one that is given up too early may have cost the token."""


@dataclass(frozen=True, slots=True)
class FixedToken:
    """A token that was just given to the hub: there is no newer one to fall back to."""

    token: str = field(repr=False)

    async def current(self) -> str:
        """The token itself."""
        return self.token

    async def renewed(self, rejected: str) -> str | None:  # noqa: ARG002 - the port's signature
        """Nothing newer."""
        return None


class Connector(Protocol):
    """What the deployment allows: addresses, and clients for them."""

    def address(self, url: str) -> Address:
        """Parse and vet an address. Raises InvalidUrl or HostNotAllowed."""

    def open(self, address: Address, tokens: Tokens) -> GitLab:
        """A client for one origin with one token; to be used as an async context manager."""


class GitLabConnector:
    """The connector of the deployed hub."""

    def __init__(self, policy: NetworkPolicy, options: ClientOptions = QUICK) -> None:
        self._policy, self._options = policy, options

    def address(self, url: str) -> Address:
        """Parse an address and vet what can be told of it without resolving it."""
        return self._policy.vetted(url)

    def open(self, address: Address, tokens: Tokens) -> GitLab:
        """Build a client; nothing is sent before it is asked for something."""
        return GitLab(address, tokens, policy=self._policy, options=self._options)
