"""The repositories a token reaches, read live from GitLab a page at a time."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gitlab_hub.gitlab.client import GitLab, Page
from gitlab_hub.gitlab.errors import HostUnreachable
from gitlab_hub.gitlab.messages import group_path
from gitlab_hub.integrations.connector import Connector
from gitlab_hub.integrations.health import primary_credential_of
from gitlab_hub.integrations.model import IntegrationWithCredentials
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential
from gitlab_hub.integrations.tokens.source import CredentialTokens, TokenSource
from gitlab_hub.integrations.verification.refusals import NoCredential

LARGEST_PAGE = 100
"""GitLab's own upper limit."""

DEADLINE_SECONDS = 25.0
Param = str | int | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryFilters:
    """What a caller wants to see."""

    q: str | None = None
    visibility: str | None = None
    archived: bool | None = None

    def named(self) -> str:
        """The filters as part of a list's name."""
        return repr((self.q, self.visibility, self.archived))

    def params(self) -> dict[str, Param]:
        """The filters as GitLab spells them."""
        given: dict[str, Param | None] = {
            "search": self.q or None,
            "visibility": self.visibility,
            "archived": self.archived,
        }
        return {name: value for name, value in given.items() if value is not None}

    def keep(self, row: Mapping[str, Any]) -> bool:
        """Whether a row satisfies them: old servers ignore a filter they do not know."""
        if self.visibility is not None and row.get("visibility") != self.visibility:
            return False
        return self.archived is None or (row.get("archived") is True) == self.archived


class Repositories:
    """Lists repositories of integrations."""

    def __init__(
        self,
        store: IntegrationStore,
        connector: Connector,
        source: TokenSource,
        refused: Callable[[LoadedCredential], None] | None = None,
    ) -> None:
        self._store, self._connector, self._source, self._refused = store, connector, source, refused

    def page(
        self, integration_id: str, filters: RepositoryFilters, *, limit: int, cursor: str | None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """At most `limit` rows as GitLab has them, and where to go on."""
        holding = self._store.holding(integration_id)
        return asyncio.run(self._read(holding, filters, limit, cursor))

    async def _read(
        self, holding: IntegrationWithCredentials, filters: RepositoryFilters, limit: int, cursor: str | None
    ) -> tuple[list[dict[str, Any]], str | None]:
        credential = primary_credential_of(holding)
        if credential is None:
            raise NoCredential
        tokens = CredentialTokens(self._source, holding.integration.id, credential.id, refused=self._refused)
        path, params = _listing(holding, is_admin=credential.account.is_admin)
        async with self._connector.open(self._connector.address(holding.integration.host_url), tokens) as gitlab:
            return await _rows(gitlab, path, params | filters.params(), filters, limit, cursor)


async def _rows(
    gitlab: GitLab, path: str, params: Mapping[str, Param], filters: RepositoryFilters, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    # More than GitLab's page are two of its pages: never more rows than were asked for.
    pages = 1 if limit <= LARGEST_PAGE else 2
    rows: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            for _ in range(pages):
                page = await _one(gitlab, path, params, per_page=limit // pages, cursor=cursor)
                rows += [row for row in page.rows if filters.keep(row)]
                cursor = page.next
                if cursor is None:
                    break
    except TimeoutError:
        raise HostUnreachable("GitLab took too long to list repositories; ask for fewer at a time.") from None
    return rows, cursor


async def _one(gitlab: GitLab, path: str, params: Mapping[str, Param], *, per_page: int, cursor: str | None) -> Page:
    return await anext(gitlab.pages(path, params, cursor=cursor, per_page=per_page))


def _listing(holding: IntegrationWithCredentials, *, is_admin: bool) -> tuple[str, dict[str, Param]]:
    integration = holding.integration
    if integration.group is not None:
        path = f"{group_path(integration.group, integration.group_id)}/projects"
        return path, {"include_subgroups": True, "with_shared": False, "order_by": "id"}
    # An administrator sees everything; everybody else would also see all public projects.
    return "/projects", {"order_by": "id"} if is_admin else {"order_by": "id", "membership": True}
