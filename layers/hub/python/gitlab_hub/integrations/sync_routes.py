"""The routes that ask for a sync of an integration and show how far it is."""

from collections.abc import Sequence
from typing import Annotated, Any, Protocol

from aws_lambda_powertools.event_handler.openapi.params import Path

from gitlab_hub.errors import IntegrationPaused
from gitlab_hub.integrations.requests import AcceptBody, SyncBody
from gitlab_hub.integrations.responses import EndedSync, SyncHistory, SyncRequested, SyncStates
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.web.api import Route
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor

SYNC = "/v1/integrations/<integration_id>/sync"
USUAL_KINDS = ("access", "pipelines")
"""What is synced where nobody says what: credentials cost a request per source, and are read once a day."""

IntegrationId = Annotated[str, Path()]


class Syncs(Protocol):
    """What the routes need of the engine's service."""

    def request(self, integration_id: str, kinds: Sequence[str], *, full: bool = False) -> str:
        """Queue a run of every kind named. Raises SyncInProgress."""

    def accept(self, integration_id: str, kind: str, *, actor: str) -> str:
        """Queue a run that may remove what a suspicious one refused to remove."""

    def reject(self, integration_id: str, kind: str, *, actor: str) -> str:
        """End a suspicious run without what it refused to remove; the answer is its id."""

    def view(self, integration_id: str) -> dict[str, Any]:
        """The state of every kind."""

    def history(self, integration_id: str, *, after: str | None, limit: int) -> tuple[list[dict[str, Any]], str | None]:
        """Runs that have ended, newest first, and the position behind them, None at the end."""

    def scopes(
        self, integration_id: str, *, kind: str | None, status: str | None, after: str | None, limit: int
    ) -> tuple[Sequence[Any], str | None]:
        """What the last runs could not read, see `scope_routes`."""


class SyncRoutes:
    """Syncs of an integration."""

    def __init__(self, syncs: Syncs, *, store: IntegrationStore, cursors: Cursors) -> None:
        self._syncs, self._store, self._cursors = syncs, store, cursors

    def routes(self) -> list[Route]:
        """Give all routes."""
        return [
            Route(method="POST", path=SYNC, handler=self.request, role=Role.ADMIN, status=202, summary="Start a sync"),
            Route(method="GET", path=SYNC, handler=self.view, role=Role.VIEWER, summary="Show the state of the syncs"),
            Route(method="GET", path=f"{SYNC}/history", handler=self.history, role=Role.VIEWER,
                  summary="List syncs that have ended"),
            Route(method="POST", path=f"{SYNC}/accept", handler=self.accept, role=Role.ADMIN, status=202,
                  summary="Accept what a suspect sync would remove"),
            Route(method="POST", path=f"{SYNC}/reject", handler=self.reject, role=Role.ADMIN, status=202,
                  summary="Reject what a suspect sync would remove"),
        ]  # fmt: skip

    def request(self, integration_id: IntegrationId, body: SyncBody) -> SyncRequested:
        """Queue a sync of the kinds named; where none is, of access and pipelines.

        Credentials, which cost GitLab a request for each user, group and project, are read only where they are named,
        and once a day.
        """
        self._unless_paused(integration_id)
        return SyncRequested(sync_id=self._syncs.request(integration_id, body.kinds or USUAL_KINDS, full=body.full))

    def view(self, integration_id: IntegrationId) -> SyncStates:
        """Show the state of every kind of sync."""
        return SyncStates(kinds=self._syncs.view(integration_id))

    def accept(self, integration_id: IntegrationId, body: AcceptBody, caller: Caller) -> SyncRequested:
        """Accept the removals that a suspect sync has held back: another sync is queued, which may do them."""
        self._unless_paused(integration_id)
        return SyncRequested(sync_id=self._syncs.accept(integration_id, body.kind, actor=caller.token_id))

    def reject(self, integration_id: IntegrationId, body: AcceptBody, caller: Caller) -> SyncRequested:
        """Reject the removals that a suspect sync has held back.

        Nothing is removed. The sync that `sync_id` names is `idle` from the answer on, `counts.rows_rejected` says how
        many removals were refused, and the next sync on schedule judges anew.
        """
        self._unless_paused(integration_id)
        return SyncRequested(sync_id=self._syncs.reject(integration_id, body.kind, actor=caller.token_id))

    def history(
        self, integration_id: IntegrationId, limit: Limit = DEFAULT_LIMIT, cursor: PageCursor = None
    ) -> SyncHistory:
        """List syncs of every kind that have ended, newest first; they are kept for 90 days."""
        listing = f"syncs of {integration_id}"
        found, last = self._syncs.history(integration_id, after=self._cursors.open(listing, cursor), limit=limit)
        following = self._cursors.following(listing, last)
        return SyncHistory(syncs=[EndedSync(**one) for one in found], next_cursor=following)

    def _unless_paused(self, integration_id: str) -> None:
        if self._store.require(integration_id).paused:
            raise IntegrationPaused("The integration is paused: resume it, then sync.")
