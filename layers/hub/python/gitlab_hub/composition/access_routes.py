"""The routes of the access function: what the access sync has read, reviews and files of it, and exports."""

from typing import TYPE_CHECKING

from gitlab_hub.access.changes.reader import ChangeReader
from gitlab_hub.access.changes.routes import ChangeRoutes
from gitlab_hub.access.credentials.reader import CredentialReader
from gitlab_hub.access.credentials.routes import GitLabCredentialRoutes
from gitlab_hub.access.effective.loading import GraphReader
from gitlab_hub.access.effective.reader import EffectiveReader
from gitlab_hub.access.grant_routes import GrantRoutes
from gitlab_hub.access.history.files import HistoryFiles
from gitlab_hub.access.history.reader import FileStore, HistoryReader
from gitlab_hub.access.history.routes import HistoryRoutes
from gitlab_hub.access.invitation_routes import InvitationRoutes
from gitlab_hub.access.reader import AccessReader
from gitlab_hub.access.reviews.routes import ReviewRoutes
from gitlab_hub.access.reviews.service import ReviewService
from gitlab_hub.access.reviews.snapshot import Snapshots
from gitlab_hub.access.reviews.store import ReviewStore
from gitlab_hub.access.routes import AccessRoutes
from gitlab_hub.access.summary import AccessSummary
from gitlab_hub.access.summary_routes import SummaryRoutes
from gitlab_hub.composition.review_plans import ReviewPlans
from gitlab_hub.exports.routes import ExportRoutes
from gitlab_hub.exports.service import ExportService
from gitlab_hub.exports.store import ExportStore
from gitlab_hub.integrations.rows import is_live
from gitlab_hub.provisioning.store import PlanStore
from gitlab_hub.sync.scope_list import ScopeList
from gitlab_hub.sync.store import RunStore
from gitlab_hub.web.entry import time_left

if TYPE_CHECKING:
    from gitlab_hub.composition.container import Container
    from gitlab_hub.web.route import Routes


def access_parts(container: "Container") -> "tuple[Routes, ...]":
    """Reading the access sync's rows back, reviews, the history, and exports."""
    table, cursors, now = container.table("access_table"), container.cursors, container.now
    reader = AccessReader(table, now=now)
    scopes = ScopeList(container.integrations_table)
    effective = EffectiveReader(GraphReader(table, scopes), now=now)
    summary = AccessSummary(table, RunStore(container.integrations_table), scopes, now=now)
    return (
        AccessRoutes(reader, cursors),
        GrantRoutes(reader, effective, cursors),
        InvitationRoutes(reader, scopes, cursors),
        GitLabCredentialRoutes(CredentialReader(table, scopes, now=now), reader, cursors),
        SummaryRoutes(summary),
        ChangeRoutes(ChangeReader(table), cursors),
        _review_routes(container, reader, summary, scopes),
        _history_routes(container),
        _export_routes(container),
    )


def _review_routes(container: "Container", reader: AccessReader, summary: AccessSummary, scopes: ScopeList) -> "Routes":
    table, now = container.table("access_table"), container.now
    snapshots = Snapshots(table, scopes, now=now)
    reviews = ReviewService(ReviewStore(table), snapshots, reader, summary, container.audit, now=now, left=time_left)
    return ReviewRoutes(reviews, ReviewPlans(PlanStore(table), None, now), container.cursors)


def _history_routes(container: "Container") -> "Routes":
    table, objects, now = container.table("access_table"), container.objects("exports_bucket"), container.now
    files = HistoryFiles(
        HistoryReader(table, objects, now=now),
        ChangeReader(table),
        FileStore(table),
        objects,
        container.queue("sync_accounts_queue_url"),
        now=now,
        left=time_left,
    )
    return HistoryRoutes(files)


def _export_routes(container: "Container") -> "Routes":
    service = ExportService(
        ExportStore(container.integrations_table),
        container.objects("exports_bucket"),
        container.function("exporter_function"),
        container.audit,
        is_live=is_live,
        kept_days=container.settings.export_retention_days,
        now=container.now,
    )
    return ExportRoutes(service, container.cursors)
