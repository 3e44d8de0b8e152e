"""Several credentials for one integration: create, update, delete, look."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gitlab_hub.audit.log import AuditLog
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.gitlab.errors import HostNotAllowed
from gitlab_hub.integrations.connector import Connector
from gitlab_hub.integrations.errors import CredentialNotFound
from gitlab_hub.integrations.factory import credential_id_of, new_credential
from gitlab_hub.integrations.model import Credential, CredentialKind, Integration, IntegrationWithCredentials
from gitlab_hub.integrations.store import Change, IntegrationStore
from gitlab_hub.integrations.token_service import TokenService, must_be_authorized, only_access_tokens, same_user
from gitlab_hub.integrations.tokens.pair_revoker import PairRevoker
from gitlab_hub.integrations.verification.checks import Verification
from gitlab_hub.integrations.verification.outcome import added, apply_verification, with_status


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFields:
    """What a caller gives about a credential; None = not given."""

    label: str | None = None
    api_base_url: str | None = None
    token: str | None = field(default=None, repr=False)
    expiration_date: int | None = None


class Credentials:
    """Manages the credentials of integrations."""

    def __init__(
        self,
        *,
        store: IntegrationStore,
        token_service: TokenService,
        connector: Connector,
        pair_revoker: PairRevoker,
        audit: AuditLog,
        now: Callable[[], float],
    ) -> None:
        self._store, self._token_service, self._connector, self._pair_revoker = (
            store,
            token_service,
            connector,
            pair_revoker,
        )
        self._audit, self._now = audit, now

    def listed(self, integration_id: str) -> list[Credential]:
        """The credentials that have not been deleted, oldest first."""
        found = self._store.holding(integration_id).credentials
        return sorted((one for one in found if one.deleted_at is None), key=lambda one: (one.created_at, one.id))

    def info(self, integration_id: str, credential_id: str) -> tuple[Credential, str]:
        """One credential, a deleted one too, and the address of its GitLab. Raises CredentialNotFound."""
        holding = self._store.holding(integration_id)
        credential = next((one for one in holding.credentials if one.id == credential_id), None)
        return _found(credential), holding.integration.host_url

    def create(self, integration_id: str, given: CredentialFields, token: str, *, actor: str, seed: str) -> Credential:
        """Verify a token and keep it as one more credential; nothing is kept where that fails."""
        holding = self._store.holding(integration_id)
        credential_id = credential_id_of(seed)
        self._check_address(holding.integration, given)
        must_be_authorized(holding.integration)
        verification = self._token_service.accepted(holding.integration, token, None)
        created = new_credential(
            integration_id,
            credential_id,
            verification.facts,
            label=given.label or credential_id,
            now=int(self._now()),
            expiration_date=given.expiration_date,
            api_base_url=given.api_base_url,
        )
        self._log(AuditAction.CREDENTIAL_CREATE, actor, integration_id, credential_id)
        after = self._store.change(integration_id, lambda before: added(before, created, token))
        return _found(after.credential(credential_id))

    def update(self, integration_id: str, credential_id: str, given: CredentialFields, *, actor: str) -> Credential:
        """Verify the new token (or the stored one again) and change what was given; else nothing changes."""
        holding = self._store.holding(integration_id)
        credential = _found(holding.credential(credential_id))
        self._check_address(holding.integration, given)
        if given.token is None:
            verification = self._token_service.accepted_as_stored(holding.integration, credential)
        else:
            only_access_tokens(credential)
            verification = self._token_service.accepted(holding.integration, given.token, credential)
        same_user(credential, verification.facts.account)
        self._log(AuditAction.CREDENTIAL_UPDATE, actor, integration_id, credential_id)
        after = self._store.change(
            integration_id, lambda before: self._updated(before, credential, given, verification)
        )
        return _found(after.credential(credential_id))

    def delete(self, integration_id: str, credential_id: str, *, actor: str) -> None:
        """Delete the token; the row stays and says when. A pair that the hub was granted ends in GitLab too."""
        now, last = int(self._now()), list[tuple[Integration, Credential]]()

        def decide(before: IntegrationWithCredentials) -> Change:
            credential = _found(before.credential(credential_id))
            last.append((before.integration, credential))
            return Change(
                integration=replace(before.integration, updated_at=now),
                credentials=(replace(credential, deleted_at=now, updated_at=now),),
                tokens={credential_id: None},
            )

        self._log(AuditAction.CREDENTIAL_DELETE, actor, integration_id, credential_id)
        self._store.change(integration_id, decide)
        was, credential = last[-1]
        if credential.kind == CredentialKind.OAUTH:
            # Whoever renews it at this moment finds it gone, and ends what it has just been given.
            self._pair_revoker.end(was, credential)

    def _log(self, action: AuditAction, actor: str, integration_id: str, credential_id: str) -> None:
        self._audit.record(action, actor=actor, integration_id=integration_id, credential_id=credential_id)

    def _check_address(self, integration: Integration, given: CredentialFields) -> None:
        """A token may only go where its integration's tokens go (an address of its own would be another GitLab)."""
        if given.api_base_url is None:
            return
        if self._connector.address(given.api_base_url).base_url != integration.host_url:
            raise HostNotAllowed(f"api_base_url must name the connection's own GitLab, {integration.host_url}.")

    def _updated(
        self, before: IntegrationWithCredentials, seen: Credential, given: CredentialFields, verification: Verification
    ) -> Change:
        current, now = _found(before.credential(seen.id)), int(self._now())
        # Without a new token, the verification was about the one that was stored then.
        if given.token is not None or current.token_version == seen.token_version:
            current = with_status(current, verification.facts, now=now)
        change = apply_verification(before, _with_fields(current, given, now), works=True, now=now)
        return change if given.token is None else replace(change, tokens={seen.id: given.token})


def _with_fields(credential: Credential, given: CredentialFields, now: int) -> Credential:
    return replace(
        credential,
        label=given.label or credential.label,
        api_base_url=given.api_base_url or credential.api_base_url,
        expiration_date=credential.expiration_date if given.expiration_date is None else given.expiration_date,
        updated_at=now,
    )


def _found(credential: Credential | None) -> Credential:
    if credential is None:
        raise CredentialNotFound("The connection has no such credential.")
    return credential
