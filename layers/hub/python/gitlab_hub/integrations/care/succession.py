"""One token takes another one's place: kept first, pointed to then, and found again by whoever comes after a crash.

The new token goes to a version of the secret whose name follows from the old one's generation. From then on it cannot
be lost: if the worker ends before the row points there, the next one finds it at that name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.errors import GitLabError, Unauthorized
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations.care.credential_incidents import NOT_RENEWED, not_renewed
from gitlab_hub.integrations.care.held import Held, held_of
from gitlab_hub.integrations.care.refresh_trouble import code_of
from gitlab_hub.integrations.care.signals import Signals
from gitlab_hub.integrations.model import CredentialStatus, Holding
from gitlab_hub.integrations.outcome import settled
from gitlab_hub.integrations.store import Change, IntegrationStore, Prepared
from gitlab_hub.integrations.vault import TokenSet, successor_version
from gitlab_hub.storage.errors import StorageUnavailable
from gitlab_hub.storage.secrets import SecretExists, SecretMissing

PAUSES: Sequence[float] = (0.2, 0.5, 1.0, 2.0)
"""Between tries to keep a new token: its predecessor is dead already."""


class NeedsReauth(Unauthorized):
    """The token is lost for good; a person has to authorize again, or to give a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Successor:
    """A new token, and what is known of it."""

    tokens: TokenSet
    scopes: tuple[str, ...] | None = None


class Succession:
    """Puts new tokens in the place of old ones."""

    def __init__(
        self,
        store: IntegrationStore,
        incidents: IncidentStore,
        signals: Signals,
        now: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._store, self._incidents, self._signals, self._now, self._sleep = store, incidents, signals, now, sleep

    def keep(self, seen: Held, successor: Successor) -> Held:
        """Make a new token durable and the one to use. Raises StorageUnavailable or Unauthorized (gone meanwhile)."""
        version = _successor_version(seen)
        contents = seen.contents.having({seen.credential.id: successor.tokens})
        for pause in (*PAUSES, None):
            try:
                self._store.vault.write(seen.integration.id, contents, version=version)
            except SecretExists:
                # Another worker has kept a successor of the very same token: there is only one that lives.
                return self.adopt(seen) or self._now_held(seen)
            except SecretMissing:
                raise Unauthorized("The integration was removed meanwhile.") from None
            except StorageUnavailable:
                if pause is None:
                    raise
                self._sleep(pause)
            else:
                break
        prepared = Prepared(base=seen.integration.secret_version, version=version)
        after = self._point(seen, successor, prepared)
        kept = after.credential(seen.credential.id)
        if kept is None or after.integration.secret_version != version:
            return self._now_held(seen)  # Others have changed the integration meanwhile.
        return Held(holding=after, credential=kept, tokens=successor.tokens, contents=contents)

    def adopt(self, seen: Held) -> Held | None:
        """Use the successor that a worker has kept and not lived to announce; None where there is none."""
        version = _successor_version(seen)
        try:
            tokens = self._store.vault.read(seen.integration.id, version).tokens.get(seen.credential.id)
        except SecretMissing:
            return None
        if tokens is None:
            return None
        self._point(seen, Successor(tokens=tokens), None)
        return self._now_held(seen)

    def give_up(self, seen: Held, reason: str) -> NeedsReauth:
        """Note that the token is lost, and tell; no effect on a token that took its place meanwhile."""
        current = self._now_held(seen)
        if current.credential.generation == seen.credential.generation:
            # Told before it is noted: a crash in between tells twice, and never not at all.
            self._signals.needs_reauth(seen.integration.id, seen.credential.id, reason)
            self._store.change(seen.integration.id, lambda before: self._lost(before, seen))
        return lost(reason)

    def tell_of_trouble(self, seen: Held, trouble: GitLabError) -> None:
        """Let a person know that a token is not renewed; the next one that takes its place ends that."""
        integration_id, credential = seen.integration.id, seen.credential
        reason = code_of(trouble)
        if self._incidents.get(NOT_RENEWED, integration_id, credential.id) is None:
            self._signals.not_renewed(integration_id, credential.id, reason)
        self._incidents.open(not_renewed(credential, reason, str(trouble), at=int(self._now())))

    def _point(self, seen: Held, successor: Successor, prepared: Prepared | None) -> Holding:
        def decide(before: Holding) -> Change | None:
            return self._succeeded(before, seen, successor, prepared)

        try:
            return self._store.change(seen.integration.id, decide, known=seen.holding)
        except NotFound:
            raise Unauthorized("The integration was removed meanwhile.") from None

    def _succeeded(self, before: Holding, seen: Held, successor: Successor, prepared: Prepared | None) -> Change | None:
        current = before.credential(seen.credential.id)
        if current is None or current.generation != seen.credential.generation:
            return None
        now, tokens = int(self._now()), successor.tokens
        renewed = replace(
            current,
            status=CredentialStatus.VALID,
            scopes=successor.scopes or current.scopes,
            token_expires_at=None if seen.renewable else tokens.expires_at,
            updated_at=now,
        )
        # A credential that was given up for lost heals with its token.
        works = None if current.status == CredentialStatus.VALID else True
        change = settled(before, renewed, works=works, now=now)
        return replace(change, tokens={current.id: tokens}, prepared=prepared, renewed=True)

    def _lost(self, before: Holding, seen: Held) -> Change | None:
        current = before.credential(seen.credential.id)
        if current is None or current.generation != seen.credential.generation:
            return None
        now = int(self._now())
        failed = replace(current, status=CredentialStatus.REFRESH_FAILED, updated_at=now)
        return settled(before, failed, works=False, now=now)

    def _now_held(self, seen: Held) -> Held:
        return held_of(self._store, seen.integration.id, seen.credential.id)


def lost(reason: str) -> NeedsReauth:
    """The refusal to go on with a lost token."""
    return NeedsReauth(
        "The token was lost while it was renewed. Authorize the integration again, or give a new token.",
        details={"reason": "refresh_failed", "cause": reason},
    )


def _successor_version(seen: Held) -> str:
    return successor_version(seen.integration.id, seen.credential.id, seen.credential.generation)
