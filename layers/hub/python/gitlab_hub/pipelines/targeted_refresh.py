"""Refreshing what a hint names: one pipeline is read by its id. What the webhook said of it is not even known here."""

from collections.abc import Mapping

from gitlab_hub.gitlab.errors import Forbidden, ResourceNotFound
from gitlab_hub.gitlab.fields import from_datetime, padded
from gitlab_hub.inventory.coverage import covers_project
from gitlab_hub.pipelines.batches import PipelineCopier
from gitlab_hub.pipelines.model import identity
from gitlab_hub.pipelines.projects import DATASET, ProjectRows, project_row
from gitlab_hub.pipelines.read_states import ReadStates
from gitlab_hub.pipelines.source import ProjectSource
from gitlab_hub.pipelines.store import PipelineStore
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.ports import ALL, Session


class TargetedRefresh:
    """Reads one pipeline."""

    def __init__(self, session: Session, table: Table) -> None:
        self._session = session
        self._projects = ProjectRows(table, session.target.integration_id)
        self._store = PipelineStore(table, session.target.integration_id)
        self._states = ReadStates(table, session.target.integration_id)

    async def run(self, project_id: int, pipeline_id: int) -> None:
        """Store the pipeline as GitLab has it now, if the integration reaches its project.

        A pipeline that is not there is left as it is stored: one 404 removes nothing, here as in a run.
        """
        if not await self._reaches(project_id):
            self._session.count(out_of_reach=1)
            return
        known = await self._session.io(self._store.known, project_id, [pipeline_id])
        source = ProjectSource(self._session.gitlab, self._session.gather, project_id)
        try:
            await PipelineCopier(self._session, source, self._store, hinted=True).copy(
                pipeline_id, known.get(pipeline_id)
            )
        except ResourceNotFound:
            self._session.count(pipelines_vanished=1)
        else:
            await self._wake(project_id)

    async def _wake(self, project_id: int) -> None:
        """Let a project rest no longer: where one thing has happened, there may be more that no hint tells of."""
        now = from_datetime(self._session.now()) // 1000
        if (resting := await self._session.io(self._states.at_rest, project_id, now)) is not None:
            await self._session.write(self._states.wake, resting)

    async def _reaches(self, project_id: int) -> bool:
        """Say whether the project is one of the integration's; a new one is taken in first, as its rows hang on it."""
        if await self._session.io(self._projects.stored_of, ALL, [padded(project_id)]):
            return True
        try:
            project = (await self._session.gitlab.get(f"/projects/{project_id}")).body
        except (ResourceNotFound, Forbidden):
            return False
        if not isinstance(project, Mapping) or identity(project) != project_id:
            return False
        if not await covers_project(self._session.gitlab, self._session.target, project):
            return False
        await self._session.mirror(DATASET, self._projects).upsert(ALL, [project_row(project)])
        return True
