"""Looking after the token of an integration: is it still good, and replacing it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from gitlab_hub.audit.log import AuditLog
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.errors import InvalidInput
from gitlab_hub.gitlab.errors import GitLabError, Unauthorized
from gitlab_hub.gitlab.options import Tokens
from gitlab_hub.integrations.errors import AccountMismatch, TokenChanged
from gitlab_hub.integrations.factory import FIRST_LABEL, credential_id_of, new_credential
from gitlab_hub.integrations.groups import keep_group, place_seen
from gitlab_hub.integrations.health import primary_credential_of, token_status
from gitlab_hub.integrations.model import (
    Credential,
    CredentialKind,
    CredentialStatus,
    GitLabUser,
    Integration,
    IntegrationStatus,
    IntegrationWithCredentials,
)
from gitlab_hub.integrations.store import Change, IntegrationStore
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential
from gitlab_hub.integrations.tokens.replacement import NeedsReauth
from gitlab_hub.integrations.tokens.source import CredentialTokens, TokenSource
from gitlab_hub.integrations.verification import codes
from gitlab_hub.integrations.verification.checks import Verification, not_verified, nothing_to_verify, says_nothing
from gitlab_hub.integrations.verification.outcome import (
    added,
    apply_verification,
    shown_no_pipelines,
    verification_of,
    with_status,
)
from gitlab_hub.integrations.verification.refusals import NoCredential, refusal
from gitlab_hub.integrations.verification.verifier import Subject, Verifier

UNAUTHORIZED = "Nobody has authorized this connection yet; do that first (POST /v1/integrations/gitlab/authorize)."


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenHealth:
    """How a token is, as of now."""

    status: str
    expires_at: int | None
    checked_at: int


class TokenService:
    """Verifies stored tokens and takes new ones."""

    def __init__(
        self,
        *,
        store: IntegrationStore,
        verifier: Verifier,
        audit: AuditLog,
        source: TokenSource,
        now: Callable[[], float],
    ) -> None:
        self._store, self._verifier, self._source = store, verifier, source
        self._audit, self._now = audit, now

    def verify(self, integration_id: str) -> Verification:
        """Take every step with the stored token, and keep what is definite."""
        found = self._store.holding(integration_id)
        if primary_credential_of(found) is None:
            is_new = found.integration.status == IntegrationStatus.INACTIVE
            return nothing_to_verify(UNAUTHORIZED) if is_new else nothing_to_verify()
        try:
            loaded = self._loaded(integration_id)
        except NoCredential:
            return nothing_to_verify()  # It was removed at this very moment.
        except GitLabError as error:
            return not_verified(error)
        tokens = self._tokens(loaded)
        verification = self.verified(loaded.integration, loaded.tokens.access_token, loaded.credential, tokens)
        self._keep(loaded.credential, tokens, verification, complete=True)
        place = place_seen(loaded.integration, verification.facts)
        if place is not None:
            keep_group(self._store, integration_id, place)
        return verification

    def check(self, integration_id: str) -> TokenHealth:
        """Ask GitLab about the stored token alone, and keep what is definite."""
        try:
            loaded = self._loaded(integration_id)
        except NoCredential:
            return TokenHealth(status=CredentialStatus.UNKNOWN, expires_at=None, checked_at=self._at())
        except GitLabError as error:
            return self._unchecked(integration_id, error)
        credential, token, tokens = loaded.credential, loaded.tokens.access_token, self._tokens(loaded)
        oauth = credential.kind == CredentialKind.OAUTH
        subject = Subject(host_url=loaded.integration.host_url, token=token, oauth=oauth, tokens=tokens)
        verification = self._verifier.check_token(subject)
        kept = self._keep(credential, tokens, verification, complete=False).credential(credential.id) or credential
        if not verification.ok and (codes.family(verification.code) is None or says_nothing(verification.worst)):
            return TokenHealth(status=CredentialStatus.UNKNOWN, expires_at=kept.token_expires_at, checked_at=self._at())
        return self._health(kept)

    def replace_token(self, integration_id: str, token: str, *, actor: str, seed: str) -> TokenHealth:
        """Verify a new token and put it in the place of the one in use; any failure leaves that one alone.

        Where there is none left it becomes a new credential, whose id comes from the seed.
        """
        found = self._store.holding(integration_id)
        integration, credential = found.integration, primary_credential_of(found)
        if credential is None:
            return self._first_again(integration, token, actor=actor, seed=seed)
        only_access_tokens(credential)
        verification = _equally_able(self.verified(integration, token, credential), credential.account)
        self._audit.record(AuditAction.GITLAB_TOKEN_REPLACE, actor=actor, integration_id=integration_id)
        holding = self._store.change(
            integration_id, lambda before: self.replacement(before, credential.id, token, verification)
        )
        return self._health(holding.credential(credential.id) or credential)

    def _first_again(self, integration: Integration, token: str, *, actor: str, seed: str) -> TokenHealth:
        must_be_authorized(integration)
        verification = _equally_able(self.verified(integration, token, None), integration.account)
        _same_account(integration.account, verification.facts.account)
        credential_id, now = credential_id_of(seed), self._at()
        created = new_credential(integration.id, credential_id, verification.facts, label=FIRST_LABEL, now=now)
        self._audit.record(AuditAction.GITLAB_TOKEN_REPLACE, actor=actor, integration_id=integration.id)
        holding = self._store.change(integration.id, lambda before: added(before, created, token))
        return self._health(holding.credential(credential_id) or created)

    def accepted_as_stored(self, integration: Integration, credential: Credential) -> Verification:
        """Verify a stored credential for an integration as it is to become. Raises what is wrong with it."""
        return _accepted(self._verified_as_stored(integration, credential))

    def still_able(self, integration: Integration, credential: Credential | None, *, moves: bool) -> Verification:
        """Verify the credential in use for an integration as it is to become, in another group where it `moves`.

        Raises what is wrong with it and was not before.
        """
        if credential is None:
            raise NoCredential
        verification = self._verified_as_stored(integration, credential)
        return _accepted(verification) if moves else _equally_able(verification, credential.account)

    def _verified_as_stored(self, integration: Integration, credential: Credential) -> Verification:
        loaded = self._get_credential(integration.id, credential.id)
        return self.verified(integration, loaded.tokens.access_token, credential, self._tokens(loaded))

    def accepted(self, integration: Integration, token: str, credential: Credential | None) -> Verification:
        """Verify a token for an integration. Raises what is wrong with it."""
        return _accepted(self.verified(integration, token, credential))

    def verified(
        self, integration: Integration, token: str, credential: Credential | None, tokens: Tokens | None = None
    ) -> Verification:
        """Verify a token for an integration, in the place of one of its credentials if one is named.

        `tokens` for a stored one: where GitLab refuses it, it is renewed first.
        """
        subject = Subject(
            host_url=integration.host_url,
            token=token,
            group=integration.group,
            group_id=integration.group_id,
            features=integration.features,
            oauth=credential is not None and credential.kind == CredentialKind.OAUTH,
            tokens=tokens,
        )
        credential_id = "" if credential is None else credential.id
        return self._verifier.verify(
            subject,
            lambda host_url, account: self._store.shares_gitlab_user(
                host_url, account, integration_id=integration.id, credential_id=credential_id
            ),
        )

    def replacement(
        self, before: IntegrationWithCredentials, credential_id: str, token: str, verification: Verification
    ) -> Change:
        """The change that puts a verified token in the place of another one of the same GitLab user."""
        credential = before.credential(credential_id)
        if credential is None:
            raise TokenChanged
        same_user(credential, verification.facts.account)
        now = self._at()
        change = apply_verification(before, with_status(credential, verification.facts, now=now), works=True, now=now)
        return replace(change, tokens={credential_id: token})

    def _in_use(self, integration_id: str) -> tuple[Integration, Credential]:
        holding = self._store.holding(integration_id)
        credential = primary_credential_of(holding)
        if credential is None:
            raise NoCredential
        return holding.integration, credential

    def _loaded(self, integration_id: str) -> LoadedCredential:
        """The credential in use with a token that can be used. Raises NotFound, NoCredential or GitLabErrors."""
        try:
            return self._get_credential(integration_id, self._in_use(integration_id)[1].id)
        except TokenChanged:
            raise NoCredential from None

    def _get_credential(self, integration_id: str, credential_id: str) -> LoadedCredential:
        try:
            return self._source.get_credential(integration_id, credential_id)
        except NeedsReauth:
            raise
        except Unauthorized:
            self._store.require(integration_id)
            raise TokenChanged from None

    def _tokens(self, loaded: LoadedCredential) -> CredentialTokens:
        return CredentialTokens(self._source, loaded.integration.id, loaded.credential.id, loaded)

    def _unchecked(self, integration_id: str, error: GitLabError) -> TokenHealth:
        lost = isinstance(error, NeedsReauth)
        status = CredentialStatus.REFRESH_FAILED if lost else CredentialStatus.UNKNOWN
        credential = primary_credential_of(self._store.holding(integration_id))
        expires_at = None if credential is None else credential.token_expires_at
        return TokenHealth(status=status, expires_at=expires_at, checked_at=self._at())

    def _keep(
        self, credential: Credential, tokens: CredentialTokens, verification: Verification, *, complete: bool
    ) -> IntegrationWithCredentials:
        # The verdict is about the token that was used last: the first one may have been renewed on the way.
        seen, now = replace(credential, token_version=tokens.version or credential.token_version), self._at()
        return self._store.change(
            seen.integration_id, lambda before: verification_of(before, seen, verification, complete=complete, now=now)
        )

    def _health(self, credential: Credential) -> TokenHealth:
        now = self._at()
        status = token_status(credential.status, credential.token_expires_at, now)
        return TokenHealth(status=status, expires_at=credential.token_expires_at, checked_at=now)

    def _at(self) -> int:
        return int(self._now())


def _accepted(verification: Verification) -> Verification:
    if error := refusal(verification):
        raise error
    return verification


def _equally_able(verification: Verification, user: GitLabUser) -> Verification:
    """Refuse a token that does less than one of this user does already.

    Which pipelines GitLab shows is up to the role of the user, so the token in use is shown no more of them.
    """
    account = verification.facts.account
    is_same = account is not None and account.id == user.id
    return verification if is_same and shown_no_pipelines(verification) else _accepted(verification)


def must_be_authorized(integration: Integration) -> None:
    """Refuse a token for what an OAuth application is to connect first: nobody knows yet whose it will be."""
    if integration.status == IntegrationStatus.INACTIVE:
        raise InvalidInput(UNAUTHORIZED)


def only_access_tokens(credential: Credential) -> None:
    """Refuse to put a token in the place of what an OAuth application brought."""
    if credential.kind == CredentialKind.OAUTH:
        raise InvalidInput("This credential is an OAuth application's: authorize the integration again instead.")


def same_user(credential: Credential, account: GitLabUser | None) -> None:
    """Refuse a token of another GitLab user: what was synced belongs to the eyes of the first."""
    _same_account(credential.account, account)


def _same_account(first: GitLabUser, account: GitLabUser | None) -> None:
    if account is None or account.id != first.id:
        raise AccountMismatch(
            "This token belongs to another GitLab user. Connect it as an integration or a credential of its own.",
            details={"expected_user_id": first.id, "user_id": account.id if account else None},
        )
