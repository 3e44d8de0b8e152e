"""The HTTP routes of exports."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from gitlab_hub.exports.keys import prefix_of
from gitlab_hub.exports.requests import ExportBody
from gitlab_hub.exports.service import ExportService
from gitlab_hub.exports.views import ExportEnvelope, ExportList, ExportSummary, ExportView
from gitlab_hub.web.api import Route, Seed
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor, listing_name

ALL = "/v1/integrations/<integration_id>/exports"
MOST_FILES = 1_000
"""Files in one answer: each has a link of some 1,700 bytes, and an answer of Lambda's takes 6 MB."""

IntegrationId = Annotated[str, Path()]
ExportId = Annotated[str, Path()]
FileLimit = Annotated[int, Query(alias="limit", ge=1, le=MOST_FILES, description="How many files at most.")]


class ExportRoutes:
    """The exports of an integration."""

    def __init__(self, service: ExportService, cursors: Cursors) -> None:
        self._service, self._cursors = service, cursors

    def routes(self) -> list[Route]:
        """Give all routes."""
        admin = Role.ADMIN
        return [
            Route(method="POST", path=ALL, handler=self.create, role=admin, status=202, summary="Make an export"),
            Route(method="GET", path=ALL, handler=self.list, role=admin, summary="List exports"),
            Route(method="GET", path=f"{ALL}/<export_id>", handler=self.read, role=admin,
                  summary="Show an export with links to its files"),
        ]  # fmt: skip

    def create(self, integration_id: IntegrationId, body: ExportBody, caller: Caller, seed: Seed) -> ExportEnvelope:
        """Have everything of one dataset written into files, as it is stored when its turn comes.

        Look at the export until its `status` is done. Three of an integration may be on their way (409
        `too_many_exports`). It is kept for as many days as the stack says, and removed at `expires_at`.
        """
        export = self._service.create(body.asked(integration_id), caller, seed)
        # Links are made when somebody looks; the answer to a POST is kept for whoever repeats it.
        return ExportEnvelope(export=ExportView.with_files(export, [], None, ""), next_cursor=None)

    def list(
        self, integration_id: IntegrationId, limit: Limit = DEFAULT_LIMIT, cursor: PageCursor = None
    ) -> ExportList:
        """List the exports that are kept, newest first."""
        listing = listing_name("exports", integration_id, {})
        found, last = self._service.page(integration_id, after=self._cursors.open(listing, cursor), limit=limit)
        shown = [ExportSummary.of(export) for export in found]
        return ExportList(exports=shown, next_cursor=self._cursors.following(listing, last))

    def read(
        self,
        integration_id: IntegrationId,
        export_id: ExportId,
        limit: FileLimit = MOST_FILES,
        cursor: PageCursor = None,
    ) -> ExportEnvelope:
        """Show an export, and once it is done its files with links that end after a quarter of an hour.

        Files come a thousand at a time, in the order in which they were written; `manifest` lists all of them.
        """
        export = self._service.get(integration_id, export_id)
        listing = listing_name("export_files", integration_id, {"export": export_id})
        first = self._cursors.open(listing, cursor) or 0
        files = self._service.files(export, first=first, limit=limit)
        following = first + len(files) if files and first + len(files) < export.files else None
        prefix = prefix_of(integration_id, export.id)
        shown = ExportView.with_files(export, files, self._service.manifest(export), prefix)
        return ExportEnvelope(export=shown, next_cursor=self._cursors.following(listing, following))
