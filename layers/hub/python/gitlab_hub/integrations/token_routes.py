"""The routes that ask GitLab something on behalf of an integration: verify, its token, its repositories."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from gitlab_hub.gitlab.fields import mapping, number, part
from gitlab_hub.integrations.repositories import Repositories, RepositoryFilters
from gitlab_hub.integrations.requests import TokenBody
from gitlab_hub.integrations.responses import RepositoryHook, RepositoryList, RepositoryView, TokenAnswer
from gitlab_hub.integrations.token_rotation import TokenRotation
from gitlab_hub.integrations.token_service import TokenHealth, TokenService
from gitlab_hub.integrations.views import VerificationView
from gitlab_hub.web.api import Route, Seed
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor

ONE = "/v1/integrations/<integration_id>"

IntegrationId = Annotated[str, Path()]
SearchText = Annotated[str | None, Query(min_length=1, max_length=200)]
Visibility = Annotated[Literal["public", "internal", "private"] | None, Query()]
Archived = Annotated[bool | None, Query()]

HooksOfProjects = Callable[[str, Sequence[int]], Mapping[int, tuple[str, str]]]
"""Integration and ids of projects → id and status of the hook on each that has one."""


class GitLabTokenRoutes:
    """An integration's token and what it reaches."""

    def __init__(
        self,
        *,
        token_service: TokenService,
        token_rotation: TokenRotation,
        repositories: Repositories,
        hooks_of: HooksOfProjects,
        cursors: Cursors,
    ) -> None:
        self._token_service, self._token_rotation, self._repositories, self._cursors = (
            token_service,
            token_rotation,
            repositories,
            cursors,
        )
        self._hooks_of = hooks_of

    def routes(self) -> list[Route]:
        """Give all routes."""
        return [
            Route(method="POST", path=f"{ONE}/verify", handler=self.verify, role=Role.ADMIN,
                  summary="Verify the stored token"),
            Route(method="POST", path=f"{ONE}/gitlab-token/check", handler=self.check, role=Role.ADMIN,
                  summary="Ask GitLab about the stored token alone"),
            Route(method="POST", path=f"{ONE}/gitlab-token/rotate", handler=self.rotate, role=Role.ADMIN,
                  summary="Have GitLab put a new token in the place of the stored one"),
            Route(method="PUT", path=f"{ONE}/gitlab-token", handler=self.replace, role=Role.ADMIN,
                  summary="Replace the token"),
            Route(method="GET", path=f"{ONE}/repositories", handler=self.list_repositories, role=Role.VIEWER,
                  summary="List the repositories the token reaches"),
        ]  # fmt: skip

    def verify(self, integration_id: IntegrationId) -> VerificationView:
        """Take every step with the stored token. Only definite answers change its status."""
        return VerificationView.of(self._token_service.verify(integration_id))

    def check(self, integration_id: IntegrationId) -> TokenAnswer:
        """Ask GitLab about the token alone; `unknown` where it did not say."""
        return _token_answer(self._token_service.check(integration_id))

    def replace(self, integration_id: IntegrationId, body: TokenBody, caller: Caller, seed: Seed) -> TokenAnswer:
        """Put another token of the same GitLab user in the place of the one in use, if any, after verifying it."""
        token = body.access_token.get_secret_value()
        return _token_answer(self._token_service.replace_token(integration_id, token, actor=caller.token_id, seed=seed))

    def rotate(self, integration_id: IntegrationId, caller: Caller) -> TokenAnswer:
        """Rotate the token by itself, or renew an OAuth pair. The old one is dead from then on."""
        return _token_answer(self._token_rotation.rotate(integration_id, actor=caller.token_id))

    def list_repositories(
        self,
        integration_id: IntegrationId,
        q: SearchText = None,
        visibility: Visibility = None,
        archived: Archived = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> RepositoryList:
        """List repositories live from GitLab, in its order."""
        filters = RepositoryFilters(q=q, visibility=visibility, archived=archived)
        listing = f"repositories/{integration_id}/{filters.named()}"
        position = self._cursors.open(listing, cursor)
        rows, following = self._repositories.page(integration_id, filters, limit=limit, cursor=position)
        hooks = self._hooks_of(integration_id, [row["id"] for row in rows]) if rows else {}
        return RepositoryList(
            repositories=[_repository(row, hooks.get(row["id"])) for row in rows],
            next_cursor=self._cursors.following(listing, following),
        )


def _token_answer(health: TokenHealth) -> TokenAnswer:
    return TokenAnswer(status=health.status, expires_at=health.expires_at, checked_at=health.checked_at)


def _repository(row: Mapping[str, Any], hook: tuple[str, str] | None) -> RepositoryView:
    visibility = str(row.get("visibility") or "private")
    return RepositoryView(
        id=row["id"],
        external_id=str(row["id"]),
        full_name=str(row.get("path_with_namespace") or ""),
        default_branch=row.get("default_branch"),
        # Whoever is not signed in cannot see it: `internal` is private to the outside.
        is_private=visibility != "public",
        visibility=visibility,
        archived=row.get("archived") is True,
        web_url=row.get("web_url"),
        http_url_to_repo=row.get("http_url_to_repo"),
        access_level=_access_level(row.get("permissions")),
        hook=None if hook is None else RepositoryHook(id=hook[0], status=hook[1]),
    )


def _access_level(permissions: Any) -> int | None:
    """The higher of what the project and its group give the token's user; None where GitLab does not say."""
    entries = (part(mapping(permissions), name) for name in ("project_access", "group_access"))
    levels = (number(entry.get("access_level")) for entry in entries)
    return max((level for level in levels if level is not None), default=None)
