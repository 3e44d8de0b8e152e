"""The first and the last step of a run: which projects there are, and which are no more."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from gitlab_hub.gitlab.errors import Forbidden, Missing
from gitlab_hub.pipelines.project_store import ProjectRows, project_number, project_row
from gitlab_hub.sync.one_scope import OneScope
from gitlab_hub.sync.ports import Scope, Session, Target

DATASET = "projects"

Params = dict[str, str | int | bool]


def listing_of(target: Target) -> tuple[str, Params]:
    """Where the projects that the integration reaches are listed; archived ones are among them."""
    params: Params = {"simple": True, "pagination": "keyset", "order_by": "id", "sort": "asc"}
    if target.group is not None:
        path = f"/groups/{quote(target.group, safe='')}/projects"
        return path, {**params, "include_subgroups": True, "with_shared": False}
    return "/projects", params if target.is_admin else {**params, "membership": True}


def is_outside(project: Mapping[str, Any], target: Target) -> bool:
    """Say whether a project that can still be seen has left what the integration reaches."""
    if target.group is not None:
        return not str(project.get("path_with_namespace")).lower().startswith(f"{target.group.lower()}/")
    rights = project.get("permissions")
    return not target.is_admin and isinstance(rights, Mapping) and not any(rights.values())


class ProjectsStage(OneScope):
    """Keeps the projects equal to GitLab's list."""

    name = "projects"

    def __init__(self, session: Session, rows: ProjectRows) -> None:
        self._session = session
        self._mirror = session.mirror(DATASET, rows)

    async def read(self, scope: Scope) -> None:
        """Read the list page by page."""
        path, params = listing_of(self._session.target)
        async for page in self._session.gitlab.pages(path, params, cursor=self._session.cursor(scope)):
            await self._mirror.upsert(scope.key, [project_row(row) for row in page.rows])
            if page.next is not None:
                await self._session.checkpoint(scope, page.next)
        await self._mirror.complete(scope.key)


class SweepStage(OneScope):
    """Marks projects as gone that a complete list did not show, and that GitLab confirms gone one by one."""

    name = "sweep"

    def __init__(self, session: Session, rows: ProjectRows) -> None:
        self._session = session
        self._mirror = session.mirror(DATASET, rows)

    async def read(self, scope: Scope) -> None:  # noqa: ARG002 - there is one
        """Sweep the projects."""
        await self._mirror.sweep(self._is_gone)

    async def _is_gone(self, _scope: str, key: str) -> bool:
        try:
            reply = await self._session.gitlab.get(f"/projects/{project_number(key)}")
        except Missing:
            return True
        except Forbidden:
            return False
        return isinstance(reply.body, Mapping) and is_outside(reply.body, self._session.target)
