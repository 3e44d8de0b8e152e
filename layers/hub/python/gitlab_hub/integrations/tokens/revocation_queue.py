"""Ending what was replaced or removed until GitLab has answered, however long it is away.

Whoever replaces or removes a token tries at once and notes nothing about it. The caretaker looks at each of them
afterwards, once more than needed where all went well, and drops its row when GitLab has answered.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context

from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.oauth import Application
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations import rows
from gitlab_hub.integrations.model import CredentialKind, Integration
from gitlab_hub.integrations.store import Change, IntegrationStore
from gitlab_hub.integrations.tokens.incidents import NOT_REVOKED, not_revoked
from gitlab_hub.integrations.tokens.pair_revoker import PairRevoker, RevocationResult
from gitlab_hub.integrations.tokens.refresh import LEAST_SECONDS
from gitlab_hub.integrations.tokens.revocations import (
    FIRST_PAUSE,
    MOST_TRIES,
    TOLD_TRIES,
    Revocation,
    revocation_in,
    row,
    unchanged,
)
from gitlab_hub.integrations.tokens.vault import Contents, TokenSet, successor_version
from gitlab_hub.integrations.verification.outcome import MAX_CREDENTIALS
from gitlab_hub.storage.ports import SecretMissing, Table
from gitlab_hub.storage.rows import is_written, query_all

_LOG = logging.getLogger(__name__)
_AT_ONCE = 5


class RevocationQueue:
    """The revocations that are still to be done. All calls block."""

    def __init__(
        self,
        table: Table,
        store: IntegrationStore,
        pair_revoker: PairRevoker,
        incidents: IncidentStore,
        now: Callable[[], float],
        remaining: Callable[[], float],
    ) -> None:
        self._table, self._store, self._pair_revoker = table, store, pair_revoker
        self._incidents, self._now, self._remaining = incidents, now, remaining

    def pending(self, integration_id: str) -> Iterator[Revocation]:
        """Everything that is still to be ended of an integration."""
        return map(revocation_in, query_all(self._table, rows.partition(integration_id), prefix=rows.REVOCATION))

    def refuse(self, integration_id: str, host_url: str, name: str, application: Application, tokens: TokenSet) -> None:
        """End a pair that was granted and never used; `name` is the credential's that it would have been.

        Where GitLab does not answer, it is kept at the version of a successor of that name, until it has ended.
        """
        if self._pair_revoker.end_pair(host_url, application, tokens):
            return
        contents, now = Contents(tokens={name: tokens}, application=application), int(self._now())
        left = Revocation(
            integration_id=integration_id,
            credential_id=name,
            generation=0,
            kind=CredentialKind.OAUTH,
            host_url=host_url,
            secret_version="",
            since=now,
            due_at=now + FIRST_PAUSE,
        )
        # What it was refused for is what the caller is told, also where this cannot be kept.
        with suppress(HubError, SecretMissing):
            self._store.vault.write(integration_id, contents, version=successor_version(integration_id, name, 0))
            self._store.change(integration_id, lambda found: Change(integration=found.integration, to_end=(left,)))

    def revoke_due(self, integration: Integration) -> int | None:
        """Do what is due; the moment of the next try, None where nothing is left to be done.

        After the first that cannot be ended, the others of that GitLab wait too. Raises StorageUnavailable.
        """
        moments, can_go_on = list[int](), True
        for revocation in list(self.pending(integration.id)):
            next_one: Revocation | None = revocation
            if can_go_on and revocation.due_at <= self._now() and self._remaining() >= LEAST_SECONDS:
                next_one = self._tried(integration, revocation)
                can_go_on = next_one is None
            if next_one is not None:
                moments.append(next_one.due_at)
        return min(moments, default=None)

    def last_tries(self, integration_id: str) -> list[Revocation]:
        """Try everything of a removed integration once, while there is its secret; what is still to be ended then.

        There are as many tries as an integration may have credentials, and none once the function's time is nearly up;
        what was not tried counts as not ended.
        """
        pending = list(self.pending(integration_id))
        some = pending[:MAX_CREDENTIALS]
        # A pool's threads do not know the invocation they work for, and so not its time, unless they are given it.
        contexts = [copy_context() for _ in some]
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            done = list(pool.map(lambda context, one: context.run(self._has_ended, one), contexts, some))
        ended = {one.key for one, has_ended in zip(pending, done, strict=False) if has_ended}
        self._table.write(deletes=sorted(ended))
        return [one for one in pending if one.key not in ended]

    def _has_ended(self, revocation: Revocation) -> bool:
        try:
            return self._pair_revoker.settle(revocation) == RevocationResult.DONE
        except HubError:
            return False

    def _tried(self, integration: Integration, revocation: Revocation) -> Revocation | None:
        try:
            in_use = self._store.vault.read(integration.id, integration.secret_version)
        except SecretMissing:
            return revocation  # It was changed or removed at this moment: the next look is at what is stored then.
        ended = self._pair_revoker.settle(revocation, in_use)
        if ended == RevocationResult.DONE:
            self._done(revocation)
            return None
        later = revocation.after_failure(self._now())
        is_over = ended == RevocationResult.GONE or later.tries >= MOST_TRIES
        if is_over or later.tries >= TOLD_TRIES:
            self._tell(later, is_over=is_over)
        if is_over:
            self._table.delete(*revocation.key)
            return None
        return self._schedule_retry(revocation, later)

    def _done(self, revocation: Revocation) -> None:
        if revocation.tries >= TOLD_TRIES:
            self._incidents.close(NOT_REVOKED, revocation.integration_id, revocation.credential_id)
        self._table.delete(*revocation.key)

    def _schedule_retry(self, revocation: Revocation, later: Revocation) -> Revocation | None:
        # Where this is not written the integration was removed, or somebody else has just tried.
        return later if is_written(self._table.put, row(later), unchanged(revocation)) else None

    def _tell(self, revocation: Revocation, *, is_over: bool) -> None:
        names = {"integration_id": revocation.integration_id, "credential_id": revocation.credential_id}
        _LOG.warning("token not revoked", extra={**names, "tries": revocation.tries, "given_up": is_over})
        self._incidents.open(not_revoked(revocation, at=int(self._now()), is_over=is_over))
