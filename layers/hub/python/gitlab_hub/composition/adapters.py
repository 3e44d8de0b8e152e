"""Where what one room needs meets what another offers: the small adapters that let rooms stay strangers."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from gitlab_hub.gitlab.fields import is_below

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitlab_hub.access.credentials.endings import CredentialEndings
    from gitlab_hub.access.credentials.model import Credential
    from gitlab_hub.builds.feature import TriggersFeature
    from gitlab_hub.builds.runs.store import BuildStore
    from gitlab_hub.builds.runs.worker import Builder
    from gitlab_hub.composition.container import Container
    from gitlab_hub.gitlab.client import GitLab
    from gitlab_hub.gitlab.clients import GitLabConnection, GitLabs
    from gitlab_hub.gitlab.credential_kinds import CredentialKind
    from gitlab_hub.integrations.store import IntegrationStore
    from gitlab_hub.pipelines.figures.metrics import MetricSources
    from gitlab_hub.pipelines.projects import ProjectRows
    from gitlab_hub.provisioning.listed import Listed
    from gitlab_hub.storage.ports import Table
    from gitlab_hub.web.principal import Principal
    from gitlab_hub.webhooks.hooks.model import Hook
    from gitlab_hub.webhooks.hooks.removal import HookRemoval
    from gitlab_hub.webhooks.hooks.store import HookStore

_MOST_HOOKS = 1_000
_SILENT = frozenset({"disabled", "missing"})


class LazyGitLabs:
    """Clients for integrations, for functions that seldom ask a GitLab: an HTTP client takes long to load."""

    def __init__(self, make: "Callable[[], GitLabs]") -> None:
        self._make = cache(make)

    def connection(self, integration_id: str) -> "GitLabConnection | None":
        """What is known of an integration."""
        return self._make().connection(integration_id)

    def open(self, connection: "GitLabConnection") -> "GitLab":
        """A client with the integration's own token."""
        return self._make().open(connection)


class IntegrationStates:
    """Integrations as receivers of webhooks. What their credentials are worth does not matter there."""

    def __init__(self, store: "IntegrationStore") -> None:
        self._store = store

    def of(self, integration_id: str) -> str:
        """`active`, `paused` or `gone`."""
        integration = self._store.get(integration_id)
        if integration is None:
            return "gone"
        return "paused" if integration.paused else "active"


class AllIntegrations:
    """Integrations as lists over all of them need them."""

    def __init__(self, store: "IntegrationStore") -> None:
        self._store = store

    def exists(self, integration_id: str) -> bool:
        """Say whether there is an integration of this id."""
        return self._store.exists(integration_id)

    def ids(self, after: str | None = None) -> Iterator[str]:
        """The ids of all integrations, or of those behind an id, read page by page as they are asked for."""
        return (integration.id for integration in self._store.after(after))

    def seen_by(self, caller: "Principal") -> Iterator[str]:
        """The ids of those that a caller may see; of a limited token only its own are looked for."""
        if caller.integration_ids is None:
            return self.ids()
        return (one for one in sorted(caller.integration_ids) if self.exists(one))


class UnreadLists:
    """GitLab's lists of accounts that the access sync could not read, as what is shown of an integration needs them."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def __call__(self, integration_id: str) -> dict[str, tuple[str, str]]:
        """How the reading of each went, and why, by the name of the list and perhaps its group."""
        from gitlab_hub.gitlab.account_lists import READING
        from gitlab_hub.sync.ports import Kind
        from gitlab_hub.sync.scope_list import ScopeList

        notes = ScopeList(self._table).of_stage(integration_id, Kind.ACCESS, READING)
        return {note.key: (note.status, note.reason) for note in notes}


class TriggeredProjects:
    """The projects that triggers build, as far as the sync knows those of a group."""

    def __init__(self, triggers: "TriggersFeature", projects: "Callable[[str], ProjectRows]") -> None:
        self._triggers, self._projects = triggers, projects

    def __call__(self, integration_id: str) -> Iterable[int]:
        """Ids of projects of one integration, each once."""
        wanted = [trigger for trigger in self._triggers.store.after(integration_id) if trigger.enabled]
        named = {trigger.project_id for trigger in wanted if trigger.project_id is not None}
        groups = self._triggers.groups.paths(wanted)
        yield from sorted(named)
        for page in self._projects(integration_id).listed(None) if groups else ():
            paths = ((row["id"], str(row["path_with_namespace"])) for row in page)
            below = (number for number, path in paths if any(is_below(path, group) for group in groups))
            yield from (project_id for project_id in below if project_id not in named)


class WebhookCoverage:
    """Webhooks as whoever makes a trigger asks for them: whether any brings its events."""

    def __init__(self, hooks: "HookStore") -> None:
        self._hooks = hooks

    def missing(
        self, integration_id: str, events: Collection[str], *, project_id: int | None, groups: Collection[int]
    ) -> Collection[str]:
        """Those of some events that no webhook brings, as far as the first thousand webhooks say."""
        left = set(events)
        for hook in islice(self._hooks.of_integration(integration_id), _MOST_HOOKS):
            if not left:
                break
            if hook.status not in _SILENT and _covers(hook, project_id, groups):
                left -= set(hook.events)
        return left


def _covers(hook: "Hook", project_id: int | None, groups: Collection[int]) -> bool:
    if hook.scope == "system":
        return True
    if hook.scope == "group":
        return hook.target_id in groups
    return project_id is not None and hook.target_id == project_id


class HookRemovalAdapter:
    """Hooks as whoever removes an integration asks for them; few do, so what removes them is made when it is asked."""

    def __init__(self, removal: "Callable[[], HookRemoval]") -> None:
        self._removal = removal

    def remove_all(self, integration_id: str) -> tuple[int, list[str]]:
        """Remove every hook: how many went, and ids or addresses of those that did not."""
        return self._removal().remove_all(integration_id)

    def delete_rows(self, integration_id: str) -> None:
        """Leave every hook in the GitLab, and keep nothing of it here."""
        self._removal().delete_rows(integration_id)


class ActiveBuildsAdapter:
    """Builds as whoever removes an integration asks for them."""

    def __init__(self, store: "Callable[[], BuildStore]") -> None:
        self._store = store

    def any(self, integration_id: str) -> bool:
        """Whether a build of the integration is under way."""
        return self._store().any_active(integration_id)


class _PipelineHints(Protocol):
    def pipeline(self, integration_id: str, project_id: int, pipeline_id: int) -> None: ...
    def deployments(self, integration_id: str, project_id: int) -> None: ...


class _AccessHints(Protocol):
    def project(self, integration_id: str, project_id: int) -> None: ...
    def group(self, integration_id: str, group_id: int) -> None: ...


class SyncHints:
    """Hints to both syncs."""

    def __init__(self, pipelines: _PipelineHints, access: _AccessHints) -> None:
        self._pipelines, self._access = pipelines, access

    def pipeline(self, integration_id: str, project_id: int, pipeline_id: int) -> None:
        """A pipeline, or one of its jobs, may have changed."""
        self._pipelines.pipeline(integration_id, project_id, pipeline_id)

    def deployments(self, integration_id: str, project_id: int) -> None:
        """Something may have been deployed in a project."""
        self._pipelines.deployments(integration_id, project_id)

    def project(self, integration_id: str, project_id: int) -> None:
        """A project or its members may have changed."""
        self._access.project(integration_id, project_id)

    def group(self, integration_id: str, group_id: int) -> None:
        """A group or its members may have changed."""
        self._access.group(integration_id, group_id)


class BuilderMessageRouter:
    """The builder's two queues: what is left to do about builds, and what AWS says about those that run."""

    def __init__(self, builder: "Builder") -> None:
        self._builder = builder

    def __call__(self, message: Mapping[str, Any], *, remaining: "Callable[[], float]") -> None:
        """Work on one message; an event of EventBridge's names its `detail-type`."""
        if "detail-type" in message:
            self._builder.on_event(message)
        else:
            self._builder(message, remaining=remaining)


class ListedCredentials:
    """The inventory of tokens and keys, as plans that revoke some of them need it."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    @cached_property
    def _endings(self) -> "CredentialEndings":
        """Loaded where a plan is about a token or key, which few are."""
        from gitlab_hub.access.credentials.endings import CredentialEndings

        return CredentialEndings(self._table)

    def find(self, integration_id: str, kind: "CredentialKind", number: int) -> "list[Listed]":
        """Those of a kind and an id."""
        return list(map(_listed, self._endings.find(integration_id, kind, number)))

    def of_account(self, integration_id: str, account_id: int) -> "list[Listed]":
        """Those that act as an account."""
        return list(map(_listed, self._endings.of_account(integration_id, account_id)))

    def ended(self, integration_id: str, listed: "Listed") -> None:
        """Note that it opens nothing any more, wherever it is listed."""
        for one in self._endings.find(integration_id, listed.kind, listed.id):
            if listed.resource_id is None or one.resource_id is None or one.resource_id == listed.resource_id:
                self._endings.ended(integration_id, one)


def _listed(credential: "Credential") -> "Listed":
    from gitlab_hub.gitlab.credential_kinds import CredentialKind
    from gitlab_hub.inventory.model import ResourceType
    from gitlab_hub.provisioning.listed import Listed

    kind = credential.resource_type
    return Listed(
        kind=CredentialKind(credential.kind),
        id=credential.id,
        account_id=credential.account_id,
        resource_type=None if kind is None else ResourceType(kind),
        resource_id=credential.resource_id,
    )


class HubTokenUsers:
    """Whose tokens the hub uses, over all integrations."""

    def __init__(self, store: "IntegrationStore") -> None:
        self._store = store

    def besides(self, connection: "GitLabConnection") -> frozenset[int]:
        """The users of all other credentials of the hub for the same GitLab."""
        found: set[int] = set()
        for integration in self._store.after(None):
            if integration.host_url.rstrip("/").lower() == connection.base_url.rstrip("/").lower():
                held = self._store.holding(integration.id).credentials
                found |= {one.account.id for one in held if one.live and one.id != connection.credential_id}
        return frozenset(found - {0})


def metric_sources(container: "Container") -> "MetricSources":
    """Where `/metrics` has integrations, their runs and their incidents from."""
    from gitlab_hub.pipelines.figures.metrics import MetricSources
    from gitlab_hub.sync.store import RunStore

    def incidents(integration_id: str, most: int) -> "Iterator[str]":
        found = container.incidents.after(None, integration_id, page=most)
        return (incident.kind for _, incident in islice(found, most))

    return MetricSources(
        visible=AllIntegrations(container.integration_store).seen_by,
        runs=RunStore(container.integrations_table).load_many,
        incidents=incidents,
    )
