"""Connecting a GitLab with a token: verify first, keep nothing where that fails."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from gitlab_hub.audit.log import AuditLog
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.errors import InvalidInput
from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.gitlab.oauth import Application
from gitlab_hub.integrations.factory import FIRST_LABEL, new_credential, new_integration
from gitlab_hub.integrations.health import primary_credential_of
from gitlab_hub.integrations.lifecycle import IntegrationLifecycle
from gitlab_hub.integrations.model import (
    AuthMode,
    Credential,
    CredentialKind,
    CredentialStatus,
    Features,
    Integration,
    IntegrationStatus,
    IntegrationWithCredentials,
    identity_of,
)
from gitlab_hub.integrations.store import Change, IntegrationStore
from gitlab_hub.integrations.token_service import TokenService
from gitlab_hub.integrations.tokens.refresh import TokenNeed
from gitlab_hub.integrations.tokens.source import TokenSource
from gitlab_hub.integrations.tokens.vault import Contents, TokenSet
from gitlab_hub.integrations.verification.checks import Verification
from gitlab_hub.integrations.verification.refusals import refusal
from gitlab_hub.integrations.verification.verifier import Subject, Verifier
from gitlab_hub.web.errors import Unprocessable


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectRequest:
    """What is to be connected: the subject of the verification, and how it is to be called and used."""

    subject: Subject
    features: Features
    display_name: str | None
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectResult:
    """What became of a start: the verification, and the integration unless it was a dry run."""

    verification: Verification
    integration: Integration | None


class IntegrationConnector:
    """Connects GitLabs."""

    def __init__(
        self,
        *,
        lifecycle: IntegrationLifecycle,
        store: IntegrationStore,
        verifier: Verifier,
        audit: AuditLog,
        now: Callable[[], float],
    ) -> None:
        self._lifecycle, self._store, self._verifier = lifecycle, store, verifier
        self._audit, self._now = audit, now

    def connect(self, request: ConnectRequest, *, actor: str, seed: str) -> ConnectResult:
        """Verify, and keep the integration unless it is only a dry run.

        All ids come from the seed: a request that is sent again finds what the first one had begun.
        """
        verification = self._verifier.verify(request.subject, self._store.shares_gitlab_user)
        if error := refusal(verification):
            raise error
        if request.dry_run:
            return ConnectResult(verification=verification, integration=None)
        integration_id, credential_id = f"int_{_derived(seed, 'i')}", f"cred_{_derived(seed, 'c')}"
        now = int(self._now())
        integration = new_integration(
            integration_id, verification.facts, request.features, request.display_name, created_by=actor, now=now
        )
        credential = new_credential(integration_id, credential_id, verification.facts, label=FIRST_LABEL, now=now)
        self._audit.record(
            AuditAction.INTEGRATION_CONNECT, actor=actor, integration_id=integration_id, host_url=integration.host_url
        )
        first = TokenSet(access_token=request.subject.token, expires_at=credential.token_expires_at)
        kept = self._lifecycle.create(integration, credential, Contents(tokens={credential.id: first}))
        return ConnectResult(verification=verification, integration=kept)


def _derived(seed: str, purpose: str) -> str:
    return hashlib.sha256(f"{purpose}:{seed}".encode()).hexdigest()[:20]


# Changing an integration.

_NAMED = ("display_name", "paused", "features", "client_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """What is to be different. `group` counts only where `regroup` is set, as None is a value of it."""

    display_name: str | None = None
    paused: bool | None = None
    regroup: bool = False
    group: str | None = None
    group_id: int | None = None
    """Which group that is, once a verification has looked it up."""
    features: Mapping[str, bool] = field(default_factory=dict)
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)


class IntegrationUpdater:
    """Changes integrations."""

    def __init__(
        self,
        *,
        store: IntegrationStore,
        token_service: TokenService,
        source: TokenSource,
        audit: AuditLog,
        now: Callable[[], float],
    ) -> None:
        self._store, self._token_service, self._source, self._audit, self._now = (
            store,
            token_service,
            source,
            audit,
            now,
        )

    def update(self, integration_id: str, patch: Patch, *, actor: str) -> Integration:
        """Apply a patch. A wider use of the token is verified first, and refused where the token does not do."""
        before = self._store.holding(integration_id)
        application = _application(before.integration, patch)
        wanted = _with_patch(before.integration, patch)
        group, group_id = wanted.group, wanted.group_id
        wider = wanted.features.write and not before.integration.features.write
        # What nobody has authorized yet is verified when somebody does.
        moves = wanted.group != before.integration.group
        if (moves or wider) and wanted.status != IntegrationStatus.INACTIVE:
            facts = self._token_service.still_able(wanted, primary_credential_of(before), moves=moves).facts
            group, group_id = facts.group, facts.group_id
        settled = replace(patch, group=group, group_id=group_id)
        changed = [name for name in _NAMED if getattr(patch, name) not in (None, {})]
        changed += ["group"] if patch.regroup else []
        was, becomes = before.integration, _with_patch(before.integration, settled)
        # Of a secret, only that it was given.
        secret = {} if patch.client_secret is None else {"client_secret": "given"}  # pragma: allowlist secret
        self._audit.record(
            AuditAction.INTEGRATION_CHANGE,
            actor=actor,
            integration_id=integration_id,
            before={name: _plain(getattr(was, name)) for name in changed},
            after={name: _plain(getattr(becomes, name)) for name in changed} | secret,
        )
        after = self._store.change(integration_id, lambda found: self._change(found, settled, application))
        return after.integration if application is None else self._tried(after)

    def _tried(self, after: IntegrationWithCredentials) -> Integration:
        """Renew what waited for the application's secret, as far as it is time; else it waits for its next use."""
        for credential in after.credentials:
            if credential.live and credential.kind == CredentialKind.OAUTH:
                with suppress(GitLabError):
                    self._source.get_credential(after.integration.id, credential.id, TokenNeed(early=True))
        return self._store.require(after.integration.id)

    def _change(self, found: IntegrationWithCredentials, patch: Patch, application: Application | None) -> Change:
        wanted = _with_patch(found.integration, patch)
        identity = identity_of(wanted.host_url, wanted.account.id, wanted.group, wanted.group_id)
        was = (found.integration.group, found.integration.group_id)
        same = (wanted.group, wanted.group_id) == was or wanted.status == IntegrationStatus.INACTIVE
        return Change(
            integration=replace(
                wanted, identity=found.integration.identity if same else identity, updated_at=int(self._now())
            ),
            credentials=tuple(_waiting(found, now=int(self._now()))) if application else (),
            application=application,
        )


def _plain(value: Any) -> Any:
    """A value as a row can hold it."""
    return asdict(value) if isinstance(value, Features) else value


def _application(integration: Integration, patch: Patch) -> Application | None:
    """The application that a patch gives; None where it gives none. Raises InvalidInput or Unprocessable."""
    if patch.client_id is None and patch.client_secret is None:
        return None
    if integration.auth_mode != AuthMode.OAUTH_APP:
        raise InvalidInput("This integration uses an access token, so it has no client_id and no client_secret.")
    if patch.client_secret is None:
        problem = [{"field": "body.client_secret", "problem": "missing"}]
        raise Unprocessable("Give the client_secret that belongs to the client_id.", details={"fields": problem})
    return Application(client_id=patch.client_id or integration.client_id or "", client_secret=patch.client_secret)


def _waiting(found: IntegrationWithCredentials, *, now: int) -> Iterator[Credential]:
    """Pairs that were given up for lost, which releases before did when only the application was refused."""
    for one in found.credentials:
        if one.live and one.kind == CredentialKind.OAUTH and one.status == CredentialStatus.REFRESH_FAILED:
            yield replace(one, status=CredentialStatus.UNKNOWN, updated_at=now)


def _with_patch(integration: Integration, patch: Patch) -> Integration:
    # The path that is shown is the group that is stored, whatever has that path by now.
    stays = not patch.regroup or (patch.group_id is None and patch.group == integration.group)
    return replace(
        integration,
        display_name=integration.display_name if patch.display_name is None else patch.display_name,
        paused=integration.paused if patch.paused is None else patch.paused,
        group=integration.group if stays else patch.group,
        group_id=integration.group_id if stays else patch.group_id,
        client_id=patch.client_id or integration.client_id,
        features=integration.features.changed(patch.features),
    )
