"""The HTTP route that reads the inventory of tokens and keys back."""

import re
from dataclasses import asdict
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from gitlab_hub.access.credentials.reader import CredentialFilter, CredentialReader
from gitlab_hub.access.credentials.risks import Risk
from gitlab_hub.access.credentials.views import GitLabCredentialAnswer, GitLabCredentialList, unseen
from gitlab_hub.access.effective.graph import Place
from gitlab_hub.access.filters import IdFilter
from gitlab_hub.access.reader import AccessReader
from gitlab_hub.errors import NotInGitLab
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.gitlab.fields import MAX_ID
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.web.api import Route
from gitlab_hub.web.auth import Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor, listing_name

IntegrationId = Annotated[str, Path()]
KindFilter = Annotated[CredentialKind | None, Query()]
RiskFilter = Annotated[Risk | None, Query()]
Days = Annotated[int | None, Query(ge=1, le=36_500)]
ResourceFilter = Annotated[str | None, Query(min_length=1, max_length=1_000)]
_BY_ID = re.compile(r"(group|project):(0|[1-9]\d{0,17})", re.ASCII)


class GitLabCredentialRoutes:
    """The tokens and keys of an integration's GitLab."""

    def __init__(self, reader: CredentialReader, places: AccessReader, cursors: Cursors) -> None:
        self._reader, self._places, self._cursors = reader, places, cursors

    def routes(self) -> list[Route]:
        """Give the route; everybody with access to the integration may read."""
        path = "/v1/integrations/<integration_id>/gitlab-credentials"
        return [Route(method="GET", path=path, handler=self.list, role=Role.VIEWER, summary="List tokens and keys")]

    def list(
        self,
        integration_id: IntegrationId,
        kind: KindFilter = None,
        risk: RiskFilter = None,
        account_id: IdFilter = None,
        resource: ResourceFilter = None,
        expiring_within_days: Days = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> GitLabCredentialList:
        """List the tokens and keys that reach the GitLab: what is told of them, never themselves.

        They are read once a day (`read_at`), as far as the integration's token is shown them; `unseen` names what it is
        not shown, and what would change that. Risks are judged at this moment. Filters narrow one another.
        `expiring_within_days` lists what ends by then and has not ended yet.
        """
        wanted = CredentialFilter(
            kind=kind, risk=risk, account_id=account_id, resource=self._place(integration_id, resource),
            expiring_within_days=expiring_within_days,
        )  # fmt: skip
        listing = listing_name("gitlab-credentials", integration_id, asdict(wanted))
        found = self._reader.page(integration_id, wanted, after=self._cursors.open(listing, cursor), limit=limit)
        now = self._reader.now()
        return GitLabCredentialList(
            gitlab_credentials=[GitLabCredentialAnswer.of(one, now=now) for one in found.values],
            unseen=unseen(self._reader.unseen(integration_id)),
            next_cursor=self._cursors.following(listing, found.next),
            read_at=self._reader.read_at(integration_id),
        )

    def _place(self, integration_id: str, resource: str | None) -> Place | None:
        """The group or project that is asked for. Raises NotInGitLab where there is none at a path."""
        if resource is None:
            return None
        if (found := _BY_ID.fullmatch(resource)) and int(found[2]) <= MAX_ID:
            return Place(ResourceType(found[1]), int(found[2]))
        place = self._places.place_at(integration_id, resource.strip("/"))
        if place is None:
            raise NotInGitLab("There is no group or project at this path.")
        return place
