"""The HTTP route of the access summary."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import BaseModel

from gitlab_hub.access.invitation_views import InvitationReadings
from gitlab_hub.access.summary import AccessSummary
from gitlab_hub.web.api import Route
from gitlab_hub.web.auth import Role

IntegrationId = Annotated[str, Path()]


class FigureAnswer(BaseModel):
    """One count, and the list of what is counted."""

    name: str
    count: int
    url: str | None


class AccessCompleteness(BaseModel):
    """How whole the counts are."""

    complete: bool
    status: str
    finished_at: int | None
    unread: dict[str, int]


class SummaryCompleteness(AccessCompleteness):
    """The same, and how fresh the invitations are."""

    reading: InvitationReadings


class SummaryAnswer(BaseModel):
    """What an auditor asks for first, in counts."""

    figures: list[FigureAnswer]
    counted_at: int
    completeness: SummaryCompleteness


class SummaryRoutes:
    """The access summary of an integration."""

    def __init__(self, summary: AccessSummary) -> None:
        self._summary = summary

    def routes(self) -> list[Route]:
        """Give the route; everybody with access to the integration may read."""
        path = "/v1/integrations/<integration_id>/access-summary"
        return [Route(method="GET", path=path, handler=self.read, role=Role.VIEWER, summary="Count who has access")]

    def read(self, integration_id: IntegrationId) -> SummaryAnswer:
        """Count accounts, grants, groups, invitations, and tokens and keys by risk, each with the list of it.

        Accounts are inactive after 90 days; a grant expires soon within 30. What the token is not shown counts as
        neither: `second_factor_unknown` says how many active people that concerns. `complete` is true where the last
        sync read everything. The counts are made at the end of a sync (`counted_at`): what has changed since is in the
        lists, and in the next counts.
        """
        found, counts = self._summary.completeness(integration_id), self._summary.counts(integration_id)
        return SummaryAnswer(
            figures=[FigureAnswer(name=one.name, count=one.count, url=one.url) for one in counts.figures],
            counted_at=counts.counted_at,
            completeness=SummaryCompleteness(
                complete=found.is_complete,
                status=found.status,
                finished_at=found.finished_at,
                unread=dict(found.unread),
                reading=InvitationReadings.of(found.reading),
            ),
        )
