"""The first and the last step of a run: which projects there are, and which are no more."""

from gitlab_hub.gitlab.errors import NothingVisible
from gitlab_hub.gitlab.keyset import keyset_pages
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.inventory.coverage import project_is_gone
from gitlab_hub.inventory.listing import Params, projects_list
from gitlab_hub.pipelines.deleted import mark_all_deleted
from gitlab_hub.pipelines.figures.alerts import KINDS
from gitlab_hub.pipelines.owed import INCIDENT
from gitlab_hub.pipelines.projects import DATASET, ProjectRows, project_number, project_row
from gitlab_hub.pipelines.read_states import ReadState, ReadStates
from gitlab_hub.pipelines.store import PipelineStore
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.ports import Scope, Session, SingleScopeStage
from gitlab_hub.sync.unreadable_rows import read_skipping_unreadable

SIMPLE: Params = {"simple": "true"}
"""A project's names and its default branch are enough."""


class ProjectsStage(SingleScopeStage):
    """Keeps the projects equal to GitLab's list."""

    name = "projects"

    def __init__(self, session: Session, rows: ProjectRows) -> None:
        self._session, self._rows = session, rows
        self._mirror = session.mirror(DATASET, rows)

    async def read(self, scope: Scope) -> None:
        """Read the list page by page."""
        path, params = projects_list(self._session.target)
        session = self._session
        async for page in keyset_pages(session.gitlab, path, {**params, **SIMPLE}, cursor=session.cursor(scope)):
            rows = await read_skipping_unreadable(session, scope, page.rows, project_row)
            await self._mirror.upsert(scope.key, [project for _, project in rows])
            if page.next is not None:
                await session.checkpoint(scope, page.next)
        if not await self._mirror.complete(scope.key):
            raise NothingVisible("The token sees no project. Add its user to one, or give another token.")


class SweepStage(SingleScopeStage):
    """Marks projects as gone that a complete list did not show, and that GitLab confirms gone one by one.

    Their pipelines are gone with them, and read anew where a project comes back.
    """

    name = "sweep"

    def __init__(
        self, session: Session, rows: ProjectRows, table: Table, incidents: IncidentStore | None = None
    ) -> None:
        self._session, self._incidents = session, incidents
        self._states = ReadStates(table, session.target.integration_id)
        self._store = PipelineStore(table, session.target.integration_id)
        self._mirror = session.mirror(DATASET, rows)

    async def read(self, scope: Scope) -> None:  # noqa: ARG002 - there is one
        """Sweep the projects."""
        await self._mirror.delete_missing(self._goes)

    async def _goes(self, _scope: str, key: str) -> bool:
        """Say whether a project is gone; then its pipelines are, and nothing of it is owed any more."""
        project_id, session = project_number(key), self._session
        if not await project_is_gone(session.gitlab, session.target, project_id):
            return False
        if self._incidents is not None:
            for kind in (INCIDENT, *KINDS):
                await session.write(self._incidents.close, kind, session.target.integration_id, str(project_id))
        # First, so that nothing is taken for read of a project that comes back.
        await session.write(self._states.save, project_id, ReadState())
        await mark_all_deleted(session, self._store, project_id)
        return True
