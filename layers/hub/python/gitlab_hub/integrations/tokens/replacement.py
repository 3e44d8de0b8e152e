"""One token takes another one's place: kept first, pointed to then, and found again by whoever comes after a crash.

The new token goes to a version of the secret whose name follows from the old one's generation. From then on it cannot
be lost: if the worker ends before the row points there, the next one finds it at that name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.errors import GitLabError, Unauthorized
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations.model import CredentialStatus, IntegrationWithCredentials
from gitlab_hub.integrations.store import Change, IntegrationStore, Prepared
from gitlab_hub.integrations.tokens.alerts import TokenAlerts
from gitlab_hub.integrations.tokens.incidents import NOT_RENEWED, not_renewed
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential, load_credential
from gitlab_hub.integrations.tokens.refresh_trouble import code_of
from gitlab_hub.integrations.tokens.vault import TokenSet, successor_version
from gitlab_hub.integrations.verification.outcome import apply_verification
from gitlab_hub.storage.ports import SecretExists, SecretMissing, StorageUnavailable

PAUSES: Sequence[float] = (0.2, 0.5, 1.0, 2.0)
"""Between tries to keep a new token: its predecessor is dead already."""


class NeedsReauth(Unauthorized):
    """The token is lost for good; a person has to authorize again, or to give a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacementToken:
    """A new token, and what is known of it."""

    tokens: TokenSet
    scopes: tuple[str, ...] | None = None


class TokenReplacement:
    """Puts new tokens in the place of old ones."""

    def __init__(
        self,
        store: IntegrationStore,
        incidents: IncidentStore,
        alerts: TokenAlerts,
        now: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._store, self._incidents, self._alerts, self._now, self._sleep = store, incidents, alerts, now, sleep

    def store(self, seen: LoadedCredential, successor: ReplacementToken) -> LoadedCredential:
        """Make a new token durable and the one to use. Raises StorageUnavailable or Unauthorized (gone meanwhile)."""
        version = _successor_version(seen)
        contents = seen.contents.having({seen.credential.id: successor.tokens})
        for pause in (*PAUSES, None):
            try:
                self._store.vault.write(seen.integration.id, contents, version=version)
            except SecretExists:
                # Another worker has kept a successor of the very same token: there is only one that lives.
                return self.recover(seen) or self._current(seen)
            except SecretMissing:
                raise Unauthorized("The integration was removed meanwhile.") from None
            except StorageUnavailable:
                if pause is None:
                    raise
                self._sleep(pause)
            else:
                break
        prepared = Prepared(base=seen.integration.secret_version, version=version)
        after = self._activate(seen, successor, prepared)
        kept = after.credential(seen.credential.id)
        if kept is None or after.integration.secret_version != version:
            return self._current(seen)  # Others have changed the integration meanwhile.
        return LoadedCredential(holding=after, credential=kept, tokens=successor.tokens, contents=contents)

    def recover(self, seen: LoadedCredential) -> LoadedCredential | None:
        """Use the successor that a worker has kept and not lived to announce; None where there is none."""
        version = _successor_version(seen)
        try:
            tokens = self._store.vault.read(seen.integration.id, version).tokens.get(seen.credential.id)
        except SecretMissing:
            return None
        if tokens is None:
            return None
        self._activate(seen, ReplacementToken(tokens=tokens), None)
        return self._current(seen)

    def mark_lost(self, seen: LoadedCredential, reason: str) -> NeedsReauth:
        """Note that the token is lost, and tell; no effect on a token that took its place meanwhile."""
        current = self._current(seen)
        if current.credential.generation == seen.credential.generation:
            # Told before it is noted: a crash in between tells twice, and never not at all.
            self._alerts.needs_reauth(seen.integration.id, seen.credential.id, reason)
            self._store.change(seen.integration.id, lambda before: self._lost(before, seen))
        return lost(reason)

    def report_trouble(self, seen: LoadedCredential, trouble: GitLabError) -> None:
        """Let a person know that a token is not renewed; the next one that takes its place ends that."""
        integration_id, credential = seen.integration.id, seen.credential
        reason = code_of(trouble)
        if self._incidents.get(NOT_RENEWED, integration_id, credential.id) is None:
            self._alerts.not_renewed(integration_id, credential.id, reason)
        self._incidents.open(not_renewed(credential, reason, str(trouble), at=int(self._now())))

    def _activate(
        self, seen: LoadedCredential, successor: ReplacementToken, prepared: Prepared | None
    ) -> IntegrationWithCredentials:
        def decide(before: IntegrationWithCredentials) -> Change | None:
            return self._activation(before, seen, successor, prepared)

        try:
            return self._store.change(seen.integration.id, decide, known=seen.holding)
        except NotFound:
            raise Unauthorized("The integration was removed meanwhile.") from None

    def _activation(
        self,
        before: IntegrationWithCredentials,
        seen: LoadedCredential,
        successor: ReplacementToken,
        prepared: Prepared | None,
    ) -> Change | None:
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
        change = apply_verification(before, renewed, works=works, now=now)
        return replace(change, tokens={current.id: tokens}, prepared=prepared, renewed=True)

    def _lost(self, before: IntegrationWithCredentials, seen: LoadedCredential) -> Change | None:
        current = before.credential(seen.credential.id)
        if current is None or current.generation != seen.credential.generation:
            return None
        now = int(self._now())
        failed = replace(current, status=CredentialStatus.REFRESH_FAILED, updated_at=now)
        return apply_verification(before, failed, works=False, now=now)

    def _current(self, seen: LoadedCredential) -> LoadedCredential:
        return load_credential(self._store, seen.integration.id, seen.credential.id)


def lost(reason: str) -> NeedsReauth:
    """The refusal to go on with a lost token."""
    return NeedsReauth(
        "The token was lost while it was renewed. Authorize the integration again, or give a new token.",
        details={"reason": "refresh_failed", "cause": reason},
    )


def _successor_version(seen: LoadedCredential) -> str:
    return successor_version(seen.integration.id, seen.credential.id, seen.credential.generation)
