"""What the function of the access sync works on, and what its tick does besides."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from gitlab_hub.access.credentials.feature import CredentialsFeature
from gitlab_hub.access.feature import AccessFeature
from gitlab_hub.access.hints import AccessHints
from gitlab_hub.access.reader import AccessReader
from gitlab_hub.access.store import partitions as access_partitions
from gitlab_hub.builds.runs.store import BuildStore
from gitlab_hub.composition.container import Container
from gitlab_hub.composition.desired_mirror import DesiredMirror
from gitlab_hub.composition.history import HistoryWorkers
from gitlab_hub.composition.sync_entry import SyncWork
from gitlab_hub.exports.keys import partitions as export_partitions
from gitlab_hub.provisioning.desired.store import DesiredStore, DriftWatch
from gitlab_hub.provisioning.keys import partitions as plan_partitions
from gitlab_hub.provisioning.keys import start_where_due
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.history import history_partition
from gitlab_hub.webhooks.deliveries.store import delivery_partitions

Jobs = Sequence[Callable[[], object]]


def access_work(container: Container, table: Table, others: Table) -> tuple[SyncWork, Jobs]:
    """The work, and the jobs of its tick. `others`: the table of deliveries and builds, which go with integrations."""
    queue = container.syncs.queues[AccessFeature.kind]
    history = HistoryWorkers(container, table, queue)
    mirror = DesiredMirror(AccessReader(table, now=container.now))
    drift = DriftWatch(DesiredStore(table), mirror, container.incidents, container.now)

    def note_end(integration_id: str, sync_id: str) -> None:
        history.note_end(integration_id, sync_id)
        drift.look(integration_id)

    credentials = CredentialsFeature(table, partial(container.syncs.runs.load, kind=AccessFeature.kind))
    work = SyncWork(
        feature=AccessFeature(table, note_end),
        hints=AccessHints(table, queue, container.now).hint_queue,
        purges=[
            (table, _access_and_plans),
            (others, partial(_deliveries_and_builds, others)),
            (container.integrations_table, _history_and_exports),
        ],
        minutes=container.settings.access_interval_minutes,
        beside=[(credentials, container.settings.credentials_interval_minutes)],
        others=history.handlers(),
        emptied_beside=[history.remove],
    )
    # A schedule of the provisioner's own would cost an idle hub more than a look from here.
    start_provisioner = partial(start_where_due, table, container.function("provisioner_function"), container.now)
    return work, [container.lifecycle.cleanup_orphans, history.tick, start_provisioner]


def _access_and_plans(integration_id: str) -> Iterable[str]:
    yield from (*access_partitions(integration_id), *plan_partitions(integration_id))


def _deliveries_and_builds(table: Table, integration_id: str) -> Iterable[str]:
    yield from delivery_partitions(table, integration_id)
    yield from BuildStore(table).partitions(integration_id)


def _history_and_exports(integration_id: str) -> Iterable[str]:
    yield from (history_partition(integration_id), *export_partitions(integration_id))
