"""Removing an integration: what GitLab has to know first, then the tombstone, whatever GitLab said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gitlab_hub.audit.log import AuditLog
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.errors import HubError
from gitlab_hub.integrations.errors import ActiveBuildsRemain
from gitlab_hub.integrations.lifecycle import IntegrationLifecycle
from gitlab_hub.integrations.model import Credential, CredentialKind, IntegrationWithCredentials
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.tokens.revocation_queue import RevocationQueue
from gitlab_hub.integrations.tokens.revocations import Revocation, revocation_of


class HookRemoval(Protocol):
    """Takes the hub's hooks out of a GitLab."""

    def remove_all(self, integration_id: str) -> tuple[int, list[str]]:
        """Remove every hook: how many went, and ids or addresses of those that did not."""

    def delete_rows(self, integration_id: str) -> None:
        """Leave the hooks in the GitLab, and keep nothing of them here."""


class ActiveBuilds(Protocol):
    """Knows what is being built."""

    def any(self, integration_id: str) -> bool:
        """Whether a build of the integration is under way."""


class NoHooks:
    """No hooks were ever registered."""

    def remove_all(self, integration_id: str) -> tuple[int, list[str]]:  # noqa: ARG002 - the port's signature
        """Nothing to do."""
        return 0, []

    def delete_rows(self, integration_id: str) -> None:
        """Nothing to do."""


class NoBuilds:
    """Nothing is ever built."""

    def any(self, integration_id: str) -> bool:  # noqa: ARG002 - the port's signature
        """Nothing is."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions:
    """How thoroughly to go. `revoke` None = only what the hub itself was granted: OAuth pairs, no one's own tokens."""

    revoke: bool | None = None
    delete_hooks: bool = True
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteResult:
    """What a removal did in GitLab; `revoked` is about what was in use, `revoke_failed` has ids of credentials."""

    revoked: bool = False
    revoke_failed: Sequence[str] = ()
    hooks_deleted: int = 0
    hooks_failed: Sequence[str] = ()


class Removal:
    """Removes integrations."""

    def __init__(
        self,
        *,
        store: IntegrationStore,
        lifecycle: IntegrationLifecycle,
        revocation_queue: RevocationQueue,
        hooks: HookRemoval,
        builds: ActiveBuilds,
        audit: AuditLog,
    ) -> None:
        self._store, self._lifecycle, self._revocation_queue = store, lifecycle, revocation_queue
        self._hooks, self._builds, self._audit = hooks, builds, audit

    def remove(self, integration_id: str, options: DeleteOptions, *, actor: str) -> DeleteResult:
        """Remove an integration. Raises NotFound, or ActiveBuildsRemain where `force` is not set.

        Hooks go while the token still works. Tokens end behind the tombstone, so that nobody renews them meanwhile or
        takes their end for a loss. What is to end is noted with the tombstone: where GitLab does not answer or the
        process ends in between, the sweep goes on trying before it removes the secret.
        """
        self._store.require(integration_id)
        if not options.force and self._builds.any(integration_id):
            raise ActiveBuildsRemain("Builds are under way; wait for them, cancel them, or set force=true.")
        self._audit.record(AuditAction.INTEGRATION_REMOVE, actor=actor, integration_id=integration_id)
        deleted, failed = self._remove_hooks(integration_id, options)
        due: list[Revocation] = []

        def noted(last: IntegrationWithCredentials) -> list[Revocation]:
            due[:] = _revocations(last, options)
            return due

        self._lifecycle.mark_deleting(integration_id, noted)
        lasting = [] if options.revoke is False else self._revocation_queue.last_tries(integration_id)
        self._lifecycle.purge(integration_id, pending_revocations=bool(lasting))
        alive = {one.key for one in lasting}
        return DeleteResult(
            revoked=bool(due) and alive.isdisjoint(one.key for one in due),
            revoke_failed=list(dict.fromkeys(one.credential_id for one in lasting)),
            hooks_deleted=deleted,
            hooks_failed=failed,
        )

    def _remove_hooks(self, integration_id: str, options: DeleteOptions) -> tuple[int, list[str]]:
        # Also where they stay in GitLab: the rows that lead to them lie where no purge would find them.
        try:
            if options.delete_hooks:
                return self._hooks.remove_all(integration_id)
            self._hooks.delete_rows(integration_id)
        except HubError as error:
            return 0, [f"all: {error.code}"]
        return 0, []


def _revocations(last: IntegrationWithCredentials, options: DeleteOptions) -> list[Revocation]:
    """What is to end of an integration as it was at last."""
    wanted = (one for one in last.credentials if one.deleted_at is None and _is_selected(one, options))
    return [revocation_of(last.integration, one, announced=True, now=last.integration.updated_at) for one in wanted]


def _is_selected(credential: Credential, options: DeleteOptions) -> bool:
    return credential.kind == CredentialKind.OAUTH if options.revoke is None else options.revoke
