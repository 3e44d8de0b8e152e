"""Integrations as the sync engine sees them."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.errors import Unauthorized
from gitlab_hub.integrations.health import may_sync, primary_of
from gitlab_hub.integrations.model import CredentialStatus, Holding
from gitlab_hub.integrations.outcome import settled
from gitlab_hub.integrations.store import Change, IntegrationStore
from gitlab_hub.sync.ports import Target


class CredentialTokens:
    """The token of one credential, read when it is needed and again when GitLab turns it away."""

    def __init__(self, store: IntegrationStore, integration_id: str, credential_id: str) -> None:
        self._store, self._integration_id, self._credential_id = store, integration_id, credential_id
        self._token: str | None = None
        self.version: str | None = None
        """Of the token given out last: what a verdict about it is worth later."""

    async def current(self) -> str:
        """The token, read once. Raises Unauthorized where there is none any more."""
        token = self._token or await asyncio.to_thread(self._read)
        if token is None:
            raise Unauthorized("The credential was removed from the hub.")
        return token

    async def renewed(self, rejected: str) -> str | None:
        """What is stored now, where that is another token than the rejected one."""
        token = await asyncio.to_thread(self._read)
        return None if token == rejected else token

    def _read(self) -> str | None:
        try:
            holding = self._store.holding(self._integration_id)
        except NotFound:
            return None
        credential = holding.credential(self._credential_id)
        if credential is None or (token := self._store.token(holding.integration, credential.id)) is None:
            return None
        self._token, self.version = token, credential.token_version
        return token


class SyncTargets:
    """Fulfils the engine's port: what may sync, with which token, and what became of that token."""

    def __init__(self, store: IntegrationStore, now: Callable[[], float]) -> None:
        self._store, self._now = store, now
        self._tokens: dict[tuple[str, str], CredentialTokens] = {}

    def due(self) -> Iterator[str]:
        """Ids of the integrations that may sync on schedule."""
        for integration in self._store.after(None):
            if may_sync(integration) and integration.credential_status == CredentialStatus.VALID:
                yield integration.id

    def target(self, integration_id: str) -> Target | None:
        """What to read; None where the integration is gone, paused or has no credential."""
        try:
            holding = self._store.holding(integration_id)
        except NotFound:
            return None
        credential = primary_of(holding)
        if credential is None or holding.integration.paused:
            return None
        return Target(
            integration_id=integration_id,
            credential_id=credential.id,
            base_url=holding.integration.host_url,
            user_id=credential.account.id,
            is_admin=credential.account.is_admin,
            group=holding.integration.group,
        )

    def tokens(self, target: Target) -> CredentialTokens:
        """Where the client gets this target's token."""
        tokens = CredentialTokens(self._store, target.integration_id, target.credential_id)
        self._tokens[(target.integration_id, target.credential_id)] = tokens
        return tokens

    def rejected(self, target: Target) -> None:
        """GitLab definitely refuses the credential; no effect where it was replaced meanwhile."""
        self._judge(target, CredentialStatus.REJECTED)

    def accepted(self, target: Target) -> None:
        """GitLab takes the credential (again)."""
        self._judge(target, CredentialStatus.VALID)

    def _judge(self, target: Target, verdict: CredentialStatus) -> None:
        tokens = self._tokens.get((target.integration_id, target.credential_id))
        if tokens is None or tokens.version is None:
            return
        seen, now = tokens.version, int(self._now())

        def decide(before: Holding) -> Change | None:
            current = before.credential(target.credential_id)
            if current is None or current.token_version != seen or current.status == verdict:
                return None
            judged = replace(current, status=verdict, updated_at=now)
            return settled(before, judged, works=verdict == CredentialStatus.VALID, now=now)

        try:
            self._store.change(target.integration_id, decide)
        except NotFound:
            return
