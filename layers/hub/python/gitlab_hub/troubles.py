"""What each room knows that needs a person, in the words of the list of incidents."""

from collections.abc import Iterator

from gitlab_hub.integrations.care.incidents import EXPIRING, Incident, Incidents
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from gitlab_hub.sync.store import RunStore
from gitlab_hub.web.incident_routes import Finding
from gitlab_hub.webhooks.hook_store import HookStore
from gitlab_hub.webhooks.model import HookStatus

_FINE = {HookStatus.ACTIVE, HookStatus.MANUAL}
_HOOK_HINTS: dict[str, str] = {
    HookStatus.TEMPORARILY_DISABLED: "GitLab pauses this webhook because deliveries failed; it tries again by itself.",
    HookStatus.DISABLED: "GitLab switched this webhook off because deliveries failed: repair it.",
    HookStatus.MISSING: "Somebody removed this webhook in GitLab: repair it, or delete it here.",
    HookStatus.DRIFTED: "Somebody changed this webhook in GitLab: repair it.",
}


class CredentialTroubles:
    """Tokens that are lost, or expire soon."""

    def __init__(self, incidents: Incidents) -> None:
        self._incidents = incidents

    def __call__(self, integration_id: str) -> Iterator[Finding]:
        """What the caretaker has noted."""
        return map(_of_credential, self._incidents.of(integration_id))


class HookTroubles:
    """Webhooks that do not deliver as they should."""

    def __init__(self, hooks: HookStore) -> None:
        self._hooks = hooks

    def __call__(self, integration_id: str) -> Iterator[Finding]:
        """Hooks that were not in order when they were last looked at."""
        for hook in self._hooks.of_integration(integration_id):
            if hook.status not in _FINE:
                # Rows of a later release may name other statuses.
                hint, details = _HOOK_HINTS.get(hook.status, "Look after this webhook."), {"target": hook.target}
                kind = f"hook_{hook.status}"
                yield Finding(kind=kind, subject=hook.id, at=hook.checked_at, hint=hint, details=details)


class SyncTroubles:
    """Syncs that wait for an owner, or fail."""

    def __init__(self, runs: RunStore) -> None:
        self._runs = runs

    def __call__(self, integration_id: str) -> Iterator[Finding]:
        """Kinds of sync whose last run was suspect, or failed."""
        for kind in Kind:
            run = self._runs.load(integration_id, kind)
            if run.status is RunStatus.SUSPECT:
                hint = "Too much was missing at once, so nothing was removed: look in GitLab, then accept it or not."
                yield Finding(kind="sync_suspect", subject=kind, at=run.finished_at, hint=hint, details=run.suspected)
            elif run.status is RunStatus.FAILED:
                error = run.last_error or {"code": "internal_error", "hint": "Look at the worker's log."}
                details = {"code": error["code"]}
                yield Finding(kind="sync_failed", subject=kind, at=run.finished_at, hint=error["hint"], details=details)


def _of_credential(incident: Incident) -> Finding:
    details = {"expires_at": incident.token_expires_at, "days": incident.days}
    hint = "This token is lost: authorize again, or give a new one."
    if incident.kind == EXPIRING:
        hint = "This token expires soon: rotate it, or give a new one."
    return Finding(kind=incident.kind, subject=incident.credential_id, at=incident.first_at, hint=hint, details=details)
