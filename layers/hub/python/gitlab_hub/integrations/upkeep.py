"""Looking after the token of an integration: is it still good, and replacing it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from gitlab_hub.audit import AuditLog
from gitlab_hub.errors import InvalidInput
from gitlab_hub.gitlab.errors import GitLabError, Unauthorized
from gitlab_hub.integrations import codes
from gitlab_hub.integrations.care.held import Held
from gitlab_hub.integrations.care.succession import NeedsReauth
from gitlab_hub.integrations.care.tokens import Source
from gitlab_hub.integrations.checks import Verification, not_verified, nothing_to_verify
from gitlab_hub.integrations.errors import AccountMismatch, CredentialNotFound, refusal
from gitlab_hub.integrations.health import primary_of, token_status
from gitlab_hub.integrations.model import (
    Account,
    Credential,
    CredentialKind,
    CredentialStatus,
    Holding,
    Integration,
)
from gitlab_hub.integrations.neighbours import Neighbours
from gitlab_hub.integrations.outcome import concluded, informed, settled
from gitlab_hub.integrations.store import Change, IntegrationStore
from gitlab_hub.integrations.verifier import Subject, Verifier


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenHealth:
    """How a token is, as of now."""

    status: str
    expires_at: int | None
    checked_at: int


class Upkeep:
    """Verifies stored tokens and takes new ones."""

    def __init__(
        self,
        *,
        store: IntegrationStore,
        neighbours: Neighbours,
        verifier: Verifier,
        audit: AuditLog,
        source: Source,
        now: Callable[[], float],
    ) -> None:
        self._store, self._neighbours, self._verifier, self._source = store, neighbours, verifier, source
        self._audit, self._now = audit, now

    def verify(self, integration_id: str) -> Verification:
        """Take every step with the stored token, and keep what is definite."""
        if primary_of(self._store.holding(integration_id)) is None:
            return nothing_to_verify()
        try:
            held = self._held(integration_id)
        except GitLabError as error:
            return not_verified(error)
        verification = self.verified(held.integration, held.tokens.access_token, held.credential)
        self._keep(held.credential, verification, complete=True)
        return verification

    def check(self, integration_id: str) -> TokenHealth:
        """Ask GitLab about the stored token alone, and keep what is definite."""
        try:
            held = self._held(integration_id)
        except GitLabError as error:
            return self._unchecked(integration_id, error)
        credential, token = held.credential, held.tokens.access_token
        oauth = credential.kind == CredentialKind.OAUTH
        subject = Subject(host_url=held.integration.host_url, token=token, oauth=oauth)
        verification = self._verifier.check_token(subject)
        kept = self._keep(credential, verification, complete=False).credential(credential.id) or credential
        if not verification.ok and codes.family(verification.code) is None:
            return TokenHealth(status=CredentialStatus.UNKNOWN, expires_at=kept.token_expires_at, checked_at=self._at())
        return self._health(kept)

    def replace_token(self, integration_id: str, token: str, *, actor: str) -> TokenHealth:
        """Verify a new token and put it in the place of the one in use; any failure leaves that one alone."""
        integration, credential = self._in_use(integration_id)
        only_access_tokens(credential)
        verification = self.accepted(integration, token, credential)
        self._audit.record("gitlab_token.replace", actor=actor, integration_id=integration_id)
        holding = self._store.change(
            integration_id, lambda before: self.replacement(before, credential.id, token, verification)
        )
        return self._health(holding.credential(credential.id) or credential)

    def accepted_as_stored(self, integration: Integration, credential: Credential | None) -> Verification:
        """Verify a stored credential for an integration as it is to become. Raises what is wrong with it."""
        if credential is None:
            raise CredentialNotFound("The integration has no credential; create one.")
        return self.accepted(integration, self.stored_token(integration, credential), credential)

    def accepted(self, integration: Integration, token: str, credential: Credential | None) -> Verification:
        """Verify a token for an integration. Raises what is wrong with it."""
        verification = self.verified(integration, token, credential)
        if error := refusal(verification):
            raise error
        return verification

    def verified(self, integration: Integration, token: str, credential: Credential | None) -> Verification:
        """Verify a token for an integration, in the place of one of its credentials if one is named."""
        subject = Subject(
            host_url=integration.host_url,
            token=token,
            group=integration.group,
            features=integration.features,
            oauth=credential is not None and credential.kind == CredentialKind.OAUTH,
        )
        credential_id = "" if credential is None else credential.id
        return self._verifier.verify(
            subject,
            lambda host_url, account: self._neighbours.share(
                host_url, account, integration_id=integration.id, credential_id=credential_id
            ),
        )

    def replacement(self, before: Holding, credential_id: str, token: str, verification: Verification) -> Change:
        """The change that puts a verified token in the place of another one of the same GitLab user."""
        credential = before.credential(credential_id)
        if credential is None:
            raise CredentialNotFound("The credential was deleted meanwhile.")
        same_user(credential, verification.facts.account)
        now = self._at()
        change = settled(before, informed(credential, verification.facts, now=now), works=True, now=now)
        return replace(change, tokens={credential_id: token})

    def _in_use(self, integration_id: str) -> tuple[Integration, Credential]:
        holding = self._store.holding(integration_id)
        credential = primary_of(holding)
        if credential is None:
            raise CredentialNotFound("The integration has no credential; create one.")
        return holding.integration, credential

    def stored_token(self, integration: Integration, credential: Credential) -> str:
        """The token that a credential stands for, fresh where it can be renewed."""
        if credential.kind == CredentialKind.OAUTH:
            return self._source.fresh(integration.id, credential.id).tokens.access_token
        token = self._store.token(integration, credential.id)
        if token is None:
            raise CredentialNotFound("The token was replaced or removed at this very moment; try again.")
        return token

    def _held(self, integration_id: str) -> Held:
        """The credential in use with a token that can be used. Raises NotFound, CredentialNotFound or GitLabErrors."""
        _, credential = self._in_use(integration_id)
        try:
            return self._source.fresh(integration_id, credential.id)
        except NeedsReauth:
            raise
        except Unauthorized:
            self._store.require(integration_id)
            raise CredentialNotFound("The token was replaced or removed at this very moment; try again.") from None

    def _unchecked(self, integration_id: str, error: GitLabError) -> TokenHealth:
        lost = isinstance(error, NeedsReauth)
        status = CredentialStatus.REFRESH_FAILED if lost else CredentialStatus.UNKNOWN
        expires_at = self._in_use(integration_id)[1].token_expires_at
        return TokenHealth(status=status, expires_at=expires_at, checked_at=self._at())

    def _keep(self, seen: Credential, verification: Verification, *, complete: bool) -> Holding:
        now = self._at()
        return self._store.change(
            seen.integration_id, lambda before: concluded(before, seen, verification, complete=complete, now=now)
        )

    def _health(self, credential: Credential) -> TokenHealth:
        now = self._at()
        status = token_status(credential.status, credential.token_expires_at, now)
        return TokenHealth(status=status, expires_at=credential.token_expires_at, checked_at=now)

    def _at(self) -> int:
        return int(self._now())


def only_access_tokens(credential: Credential) -> None:
    """Refuse to put a token in the place of what an OAuth application brought."""
    if credential.kind == CredentialKind.OAUTH:
        raise InvalidInput("This credential is an OAuth application's: authorize the integration again instead.")


def same_user(credential: Credential, account: Account | None) -> None:
    """Refuse a token of another GitLab user: what was synced belongs to the eyes of the first."""
    if account is None or account.id != credential.account.id:
        raise AccountMismatch(
            "This token belongs to another GitLab user. Connect it as an integration or a credential of its own.",
            details={"expected_user_id": credential.account.id, "user_id": account.id if account else None},
        )
