"""The parts of builds put together over their ports; nothing is read or sent by putting them together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

from gitlab_hub.builds.book import BuildBook
from gitlab_hub.builds.build_routes import BuildRoutes
from gitlab_hub.builds.build_store import KEPT_SECONDS, BuildStore
from gitlab_hub.builds.builder import Builder
from gitlab_hub.builds.commits import Commits
from gitlab_hub.builds.controls import Controls
from gitlab_hub.builds.intake import Builds
from gitlab_hub.builds.leaving import ActiveBuilds, partitions
from gitlab_hub.builds.ports import Audit, Hooks, Integrations
from gitlab_hub.builds.ref_history import RefHistories
from gitlab_hub.builds.signing import SecretVersions, TargetSecrets, TargetSigner
from gitlab_hub.builds.signing_routes import SigningRoutes
from gitlab_hub.builds.sources import Sources
from gitlab_hub.builds.starter import Starter
from gitlab_hub.builds.state_changes import StateChanges
from gitlab_hub.builds.statuses import StatusReporter
from gitlab_hub.builds.targets.port import Target
from gitlab_hub.builds.trigger_checks import CheckTarget
from gitlab_hub.builds.trigger_feature import TriggersFeature
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
        sources: Sources | None = None,
        now: Callable[[], float],
    ) -> None:
        self.store = BuildStore(table)
        self.triggers = TriggersFeature(table=table, gitlabs=gitlabs, sources=sources, now=now)
        self.book = BuildBook(self.store, RefHistories(table, kept_seconds=KEPT_SECONDS), queue, now)
        self._table, self._gitlabs, self._now = table, gitlabs, now

    @cached_property
    def builds(self) -> Builds:
        """What takes the events of webhooks."""
        return Builds(self.triggers.deciding, self.book)

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
        self,
        *,
        cursors: Cursors,
        integrations: Integrations,
        audit: Audit,
        key: Callable[[], bytes],
        check_target: CheckTarget,
        hooks: Hooks | None = None,
    ) -> Sequence[Routes]:
        """All parts of the API that belong to triggers and builds; `check_target` refuses targets."""
        return (
            self.triggers.routes(
                integrations=integrations,
                audit=audit,
                cursors=cursors,
                now=self._now,
                check_target=check_target,
                hooks=hooks,
            ),
            self._signing_routes(audit, key),
            BuildRoutes(
                store=self.store,
                controls=self._controls(audit, check_target),
                triggers=self.triggers.store,
                integrations=integrations,
                cursors=cursors,
            ),
        )

    def _controls(self, audit: Audit, check_target: CheckTarget) -> Controls:
        return Controls(
            book=self.book,
            store=self.store,
            triggers=self.triggers.store,
            commits=Commits(self._gitlabs),
            places=self.triggers.places,
            check_target=check_target,
            audit=audit,
            now=self._now,
        )

    def _signing_routes(self, audit: Audit, key: Callable[[], bytes]) -> SigningRoutes:
        return SigningRoutes(
            triggers=self.triggers.store,
            secrets=TargetSecrets(key),
            versions=SecretVersions(self._table),
            audit=audit,
            now=self._now,
        )

    @cached_property
    def active(self) -> ActiveBuilds:
        """What the removal of an integration asks first."""
        return ActiveBuilds(self.store)

    def partitions(self, integration_id: str) -> Iterator[str]:
        """What a removed integration leaves behind."""
        return partitions(self.store, integration_id)
