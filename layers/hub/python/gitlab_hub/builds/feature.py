"""The parts of builds put together over their ports; nothing is read or sent by putting them together."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from gitlab_hub.builds.book import BuildBook
from gitlab_hub.builds.build_routes import BuildRoutes
from gitlab_hub.builds.build_store import BuildStore
from gitlab_hub.builds.builder import Builder
from gitlab_hub.builds.commits import Commits
from gitlab_hub.builds.controls import Controls
from gitlab_hub.builds.deciding import Deciding
from gitlab_hub.builds.intake import Builds
from gitlab_hub.builds.ports import Audit, Integrations
from gitlab_hub.builds.signing import SecretVersions, TargetSecrets, TargetSigner
from gitlab_hub.builds.signing_routes import SigningRoutes
from gitlab_hub.builds.sources import Sources
from gitlab_hub.builds.starter import Starter
from gitlab_hub.builds.state_changes import StateChanges
from gitlab_hub.builds.statuses import StatusReporter
from gitlab_hub.builds.targets.port import Target
from gitlab_hub.builds.trigger_store import TriggerStore
from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.storage.queue import OrderedQueue
from gitlab_hub.storage.table import Table
from gitlab_hub.web.cursors import Cursors
from gitlab_hub.web.route import Routes


class BuildsFeature:
    """Everything between an event and a build in AWS, and back."""

    def __init__(
        self,
        *,
        table: Table,
        queue: OrderedQueue,
        gitlabs: GitLabs,
        sources: Sources,
        now: Callable[[], float],
    ) -> None:
        self.store, self.triggers = BuildStore(table), TriggerStore(table)
        self.book = BuildBook(self.store, queue, now)
        self._table, self._gitlabs, self._sources, self._now = table, gitlabs, sources, now

    @cached_property
    def builds(self) -> Builds:
        """What takes the events of webhooks."""
        return Builds(Deciding(self.triggers, self._sources), self.book)

    def builder(self, targets: Mapping[str, Target], *, draw: Callable[[], float]) -> Builder:
        """What works on the builds queue, on the schedule and on state changes; `targets` by their type."""
        starter = Starter(book=self.book, store=self.store, targets=targets, gitlabs=self._gitlabs, now=self._now)
        return Builder(
            book=self.book,
            store=self.store,
            starter=starter,
            reporter=StatusReporter(book=self.book, store=self.store, gitlabs=self._gitlabs, now=self._now, draw=draw),
            changes=StateChanges(self.book, self._now),
            now=self._now,
        )

    def signer(self, key: Callable[[], bytes]) -> TargetSigner:
        """What signs requests to HTTPS targets; `key` belongs to build targets alone."""
        return TargetSigner(TargetSecrets(key), SecretVersions(self._table), self._now)

    def routes(
        self, *, cursors: Cursors, integrations: Integrations, audit: Audit, key: Callable[[], bytes]
    ) -> Sequence[Routes]:
        """All parts of the API that belong to builds."""
        controls = Controls(
            book=self.book,
            store=self.store,
            triggers=self.triggers,
            commits=Commits(self._gitlabs),
            audit=audit,
            now=self._now,
        )
        return (
            BuildRoutes(
                store=self.store,
                controls=controls,
                triggers=self.triggers,
                integrations=integrations,
                cursors=cursors,
            ),
            SigningRoutes(
                triggers=self.triggers,
                secrets=TargetSecrets(key),
                versions=SecretVersions(self._table),
                audit=audit,
                now=self._now,
            ),
        )

    def any_unfinished(self, integration_id: str) -> bool:
        """Whether an integration has builds that wait or run: then it is not simply removed."""
        return self.store.any_unfinished(integration_id)

    def partitions(self, integration_id: str) -> Sequence[str]:
        """What a removed integration leaves behind: its builds, and then what lists them, with triggers and numbers."""
        return (*self.store.partitions(integration_id), f"INTEGRATION#{integration_id}")
