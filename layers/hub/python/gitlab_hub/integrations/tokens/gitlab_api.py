"""The calls that use up or end a token: each goes out exactly once, and its failures are sorted by what they leave."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from gitlab_hub.gitlab.client import GitLab, Reply
from gitlab_hub.gitlab.errors import (
    GitLabError,
    HostNotAllowed,
    MissingPermissions,
    NoConnection,
    RateLimited,
    Unauthorized,
)
from gitlab_hub.gitlab.fields import mapping
from gitlab_hub.gitlab.oauth import REVOKE_PATH, TOKEN_PATH, Application, Grant, grant_of, refresh_fields, revoke_fields
from gitlab_hub.integrations.connector import Connector, FixedToken
from gitlab_hub.integrations.tokens.vault import TokenSet

T = TypeVar("T")

NOT_DONE = (NoConnection, HostNotAllowed, RateLimited)
"""After these, nothing was used up: it was not sent, or GitLab did not look at it."""

ROTATE_PATH = "/personal_access_tokens/self/rotate"
SELF_PATH = "/personal_access_tokens/self"


def unlimited() -> float:
    """Time without end, for whoever does not run against a clock."""
    return math.inf


RESERVED_SECONDS = 6.0
"""What is left of the running function's time for what follows a token's end: rows are removed, and the caller is
answered. A token that does not end in time is tried again on schedule."""


class TokenEndpoint:
    """Talks to one GitLab about its tokens. All calls block. `remaining`: seconds that the function may still run."""

    def __init__(self, connector: Connector, remaining: Callable[[], float] = unlimited) -> None:
        self._connector, self._remaining = connector, remaining

    def refresh(self, host_url: str, application: Application, refresh_token: str) -> Grant:
        """Use up a refresh token. Raises GrantRefused, NOT_DONE, or what leaves the outcome unknown."""
        fields = refresh_fields(application, refresh_token)
        return self.exchange_code(host_url, fields)

    def exchange_code(self, host_url: str, fields: Mapping[str, str]) -> Grant:
        """Use up an authorization code. Raises as `refresh` does."""
        return grant_of(self.form(host_url, TOKEN_PATH, fields))

    def form(self, host_url: str, path: str, fields: Mapping[str, str]) -> Reply:
        """Post any form of the OAuth endpoints."""
        return self._ask(host_url, "", lambda gitlab: gitlab.form(path, fields))

    def describe(self, host_url: str, token: str) -> Mapping[str, Any]:
        """What GitLab says about an access token. Raises Unauthorized where it is dead."""
        try:
            body = self._ask(host_url, token, lambda gitlab: gitlab.get(SELF_PATH)).body
        except MissingPermissions:
            return {}  # GitLab knows the token: a fine-grained one that may not describe itself.
        return mapping(body)

    def whoami(self, host_url: str, token: str) -> None:
        """Return where GitLab takes an access token. Raises Unauthorized where it does not, or what is in the way."""
        self._ask(host_url, token, lambda gitlab: gitlab.get("/user"))

    def rotate(self, host_url: str, token: str, expires_on: str) -> Reply:
        """Use up an access token (the new one is good until that day). Raises as `refresh` does."""
        body = {"expires_at": expires_on}
        return self._ask(host_url, token, lambda gitlab: gitlab.send("POST", ROTATE_PATH, body))

    def revoke(self, host_url: str, application: Application | None, tokens: TokenSet) -> bool:
        """End a token in GitLab; False where that could not be done. A pair ends with its refresh token.

        Whoever waits for it waits for no longer than the function has time: ending it once more does no harm.
        """
        within = self._remaining() - RESERVED_SECONDS
        if within <= 0:
            return False
        try:
            if application is not None:
                fields = revoke_fields(application, tokens.access_token, tokens.refresh_token)
                self._ask(host_url, "", lambda gitlab: gitlab.form(REVOKE_PATH, fields), within=within)
            else:
                own = tokens.access_token
                self._ask(host_url, own, lambda gitlab: gitlab.send("DELETE", SELF_PATH), within=within)
        except Unauthorized:
            return application is None  # An access token that GitLab does not take has ended already.
        except (GitLabError, TimeoutError):
            return False
        return True

    def _ask(
        self, host_url: str, token: str, call: Callable[[GitLab], Awaitable[T]], *, within: float | None = None
    ) -> T:
        async def run() -> T:
            address = self._connector.address(host_url)
            seconds = None if within is None or math.isinf(within) else within
            async with asyncio.timeout(seconds), self._connector.open(address, FixedToken(token)) as gitlab:
                return await call(gitlab)

        return asyncio.run(run())
