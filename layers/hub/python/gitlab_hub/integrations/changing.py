"""Changing an integration."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from gitlab_hub.audit import AuditLog
from gitlab_hub.integrations.health import primary_of
from gitlab_hub.integrations.model import Features, Holding, Integration, Status, identity_of
from gitlab_hub.integrations.store import Change, IntegrationStore
from gitlab_hub.integrations.upkeep import Upkeep


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """What is to be different. `group` counts only where `regroup` is set, as None is a value of it."""

    display_name: str | None = None
    paused: bool | None = None
    regroup: bool = False
    group: str | None = None
    features: Mapping[str, bool] = field(default_factory=dict)


class Changing:
    """Changes integrations."""

    def __init__(self, *, store: IntegrationStore, upkeep: Upkeep, audit: AuditLog, now: Callable[[], float]) -> None:
        self._store, self._upkeep, self._audit, self._now = store, upkeep, audit, now

    def patch(self, integration_id: str, patch: Patch, *, actor: str) -> Integration:
        """Apply a patch. A wider use of the token is verified first, and refused where the token does not do."""
        before = self._store.holding(integration_id)
        wanted = _patched(before.integration, patch)
        group = wanted.group
        wider = wanted.features.write and not before.integration.features.write
        # What nobody has authorized yet is verified when somebody does.
        if (wanted.group != before.integration.group or wider) and wanted.status != Status.INACTIVE:
            group = self._upkeep.accepted_as_stored(wanted, primary_of(before)).facts.group
        settled = replace(patch, group=group)
        changed = [name for name in ("display_name", "paused", "features") if getattr(patch, name) not in (None, {})]
        changed += ["group"] if patch.regroup else []
        was, becomes = before.integration, _patched(before.integration, settled)
        self._audit.record(
            "integration.change",
            actor=actor,
            integration_id=integration_id,
            before={name: _plain(getattr(was, name)) for name in changed},
            after={name: _plain(getattr(becomes, name)) for name in changed},
        )
        return self._store.change(integration_id, lambda found: self._change(found, settled)).integration

    def _change(self, found: Holding, patch: Patch) -> Change:
        wanted = _patched(found.integration, patch)
        identity = identity_of(wanted.host_url, wanted.account.id, wanted.group)
        same = wanted.group == found.integration.group or wanted.status == Status.INACTIVE
        return Change(
            integration=replace(
                wanted, identity=found.integration.identity if same else identity, updated_at=int(self._now())
            )
        )


def _plain(value: Any) -> Any:
    """A value as a row can hold it."""
    return asdict(value) if isinstance(value, Features) else value


def _patched(integration: Integration, patch: Patch) -> Integration:
    features = integration.features
    return replace(
        integration,
        display_name=integration.display_name if patch.display_name is None else patch.display_name,
        paused=integration.paused if patch.paused is None else patch.paused,
        group=patch.group if patch.regroup else integration.group,
        features=Features(
            manage_webhooks=patch.features.get("manage_webhooks", features.manage_webhooks),
            report_statuses=patch.features.get("report_statuses", features.report_statuses),
            provisioning=patch.features.get("provisioning", features.provisioning),
        ),
    )
