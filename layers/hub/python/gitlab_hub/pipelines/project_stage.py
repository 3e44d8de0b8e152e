"""The first and the last step of a run: which projects there are, and which are no more."""

from collections.abc import Mapping
from typing import Any

from gitlab_hub.gitlab.errors import Forbidden, Missing, NothingSeen
from gitlab_hub.gitlab.messages import group_path
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.pipelines.owed import INCIDENT
from gitlab_hub.pipelines.project_store import ProjectRows, project_number, project_row
from gitlab_hub.sync.odd_rows import understood
from gitlab_hub.sync.one_scope import OneScope
from gitlab_hub.sync.ports import Scope, Session, Target

DATASET = "projects"

Params = dict[str, str | int | bool]


def listing_of(target: Target) -> tuple[str, Params]:
    """Where the projects that the integration reaches are listed; archived ones are among them."""
    params: Params = {"simple": True, "pagination": "keyset", "order_by": "id", "sort": "asc"}
    if target.group is not None:
        path = f"{group_path(target.group, target.group_id)}/projects"
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
        self._session, self._rows = session, rows
        self._mirror = session.mirror(DATASET, rows)

    async def read(self, scope: Scope) -> None:
        """Read the list page by page."""
        path, params = listing_of(self._session.target)
        session = self._session
        async for page in session.gitlab.pages(path, params, cursor=session.cursor(scope)):
            rows = await understood(session, scope, page.rows, project_row)
            await self._mirror.upsert(scope.key, [project for _, project in rows])
            if page.next is not None:
                await session.checkpoint(scope, page.next)
        if not await self._mirror.complete(scope.key):
            raise NothingSeen("The token sees no project. Add its user to one, or give another token.")


class SweepStage(OneScope):
    """Marks projects as gone that a complete list did not show, and that GitLab confirms gone one by one."""

    name = "sweep"

    def __init__(self, session: Session, rows: ProjectRows, incidents: IncidentStore | None = None) -> None:
        self._session, self._incidents = session, incidents
        self._mirror = session.mirror(DATASET, rows)

    async def read(self, scope: Scope) -> None:  # noqa: ARG002 - there is one
        """Sweep the projects."""
        await self._mirror.sweep(self._goes)

    async def _goes(self, scope: str, key: str) -> bool:
        """Say whether a project is gone; then nothing of it is owed any more."""
        gone = await self._is_gone(scope, key)
        if gone and self._incidents is not None:
            about = (INCIDENT, self._session.target.integration_id, str(project_number(key)))
            await self._session.write(self._incidents.close, *about)
        return gone

    async def _is_gone(self, _scope: str, key: str) -> bool:
        try:
            reply = await self._session.gitlab.get(f"/projects/{project_number(key)}")
        except Missing:
            return True
        except Forbidden:
            return False
        return isinstance(reply.body, Mapping) and is_outside(reply.body, self._session.target)
