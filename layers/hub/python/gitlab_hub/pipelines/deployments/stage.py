"""The step of a run that reads deployments, in projects where something may have been deployed.

GitLab makes a deployment with a job, so only where pipelines have changed there is anything to ask, and a project that
does not deploy is asked once a day. What is refused here is noted and leaves the run complete: pipelines are its
purpose.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from gitlab_hub.gitlab.errors import CiDisabled, Forbidden, GitLabError, ResourceNotFound
from gitlab_hub.gitlab.fields import ci_is_off, from_datetime, mapping, padded
from gitlab_hub.pipelines.deployments.reading import DeploymentReading
from gitlab_hub.pipelines.deployments.state import DeploymentState, DeploymentStates
from gitlab_hub.pipelines.deployments.store import DeploymentStore
from gitlab_hub.pipelines.keys import deployments_due_pk, projects_pk
from gitlab_hub.pipelines.project_marks import Marked, ProjectMarks
from gitlab_hub.pipelines.projects import ProjectRows, project_number
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.sync.asides import ENDS_SLICE, SHOWN, Attempts
from gitlab_hub.sync.ports import Scope, Session

NOT_SHOWN = (
    "GitLab shows the deployments of none of the projects that were asked, so the others are not asked. Give the "
    "token's user Reporter (a fine-grained token Deployment: Read and Environment: Read)."
)
MOST_NEW = 100
"""So many projects that were never asked a run asks: a first sync is long enough without all of them. As many that
failed the last time are asked beside them."""

AT_ONCE = 100

STILL = "GitLab did not show its deployments within the last day; it is asked again once that is over."
FAILED = "GitLab failed to show its deployments, like those of many others; it is asked again in one of the next runs."
_STATUSES = {CiDisabled.code: "disabled", ResourceNotFound.code: "gone"}

OFF = "Environments are switched off in this project."


class DeploymentsStage:
    """Reads the deployments of marked projects, each on its own; those of all in a full sync."""

    name = "deployments"

    def __init__(self, session: Session, rows: ProjectRows, table: Table, marks: ProjectMarks) -> None:
        self._session, self._rows, self._table, self._marks = session, rows, table, marks
        integration_id = session.target.integration_id
        self._store, self._states = DeploymentStore(table, integration_id), DeploymentStates(table, integration_id)
        self._attempts = Attempts()
        # Single lists that GitLab fails to show say nothing of the others, which would never have their turn.
        self._failed, self._further_attempts = set[int](), Attempts(answers=SHOWN)

    async def size(self) -> int | None:
        """Not known without reading all marks."""
        return None

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        """The projects that are due, by id."""
        if self._session.full:
            listed = self._rows.listed(after)
            while (page := await self._session.io(next, listed, None)) is not None:
                states = await self._session.io(self._states.load_many, [item["id"] for item in page])
                self._failed |= {number for number, state in states.items() if state.failed_at is not None}
                for item in page:
                    yield _scope(item)
            return
        due, refused = await self._marked(after)
        if after is None and not due:
            self._session.keep_notes()
            return
        for project_id, state in refused.items():
            # What was refused within a day is refused still: it is said anew, as a run drops the notes before its own.
            about, code = Scope(padded(project_id), {"type": "project", "id": project_id}), state.error or ""
            status, why = _STATUSES.get(code, "forbidden"), STILL
            if state.failed_at is not None:
                status, why = "failed", FAILED
            await self._session.aside(about, status, code, why)
        for start in range(0, len(due), AT_ONCE):
            for item in await self._here(due[start : start + AT_ONCE]):
                yield _scope(item)

    async def read(self, scope: Scope) -> None:
        """Read one project's deployments, or note why not."""
        attempts = self._further_attempts if project_number(scope.key) in self._failed else self._attempts
        await attempts.read(self._session, scope, self._read, given_up=NOT_SHOWN)

    async def _marked(self, after: str | None) -> tuple[list[Marked], dict[int, DeploymentState]]:
        """The marked projects that are to be asked now, and those of others that GitLab has not shown lately."""
        now, marked, due = from_datetime(self._session.now()) // 1000, list[Marked](), dict[int, DeploymentState]()
        pages, unread = self._marks.pages(after), dict[int, DeploymentState]()
        while (page := await self._session.io(next, pages, None)) is not None:
            states = await self._session.io(self._states.load_many, [one.project_id for one in page])
            for one in page:
                state = states.get(one.project_id, DeploymentState())
                if state.is_due(now):
                    marked.append(one)
                    due[one.project_id] = state
                elif state.error is not None:
                    unread[one.project_id] = state
        now_asked = in_turn(due)
        self._failed |= {number for number in now_asked if due[number].failed_at is not None}
        unread |= {
            number: state for number, state in due.items() if number not in now_asked and state.error is not None
        }
        return [one for one in marked if one.project_id in now_asked], unread

    async def _here(self, marked: Sequence[Marked]) -> list[Item]:
        """Those of marked projects that GitLab lists; of the others the mark is dropped."""
        pk = projects_pk(self._session.target.integration_id)
        found = await self._session.io(self._table.get_many, [(pk, padded(one.project_id)) for one in marked])
        here = {item["id"]: item for item in found if "gone_at" not in item}
        for one in marked:
            if one.project_id not in here:
                await self._session.write(self._marks.drop, one)
        return [here[number] for number in sorted(here)]

    async def _read(self, scope: Scope) -> None:
        project_id = project_number(scope.key)
        marked = await self._session.io(self._marks.get, project_id)
        try:
            is_done = await DeploymentReading(self._session, scope, project_id, self._store, self._states).run()
        except ENDS_SLICE:
            raise
        except GitLabError as error:
            reason = await self._why(project_id, error) if isinstance(error, Forbidden) else error
            await self._note(project_id, reason)
            raise reason from None
        if marked is not None and is_done:
            await self._session.write(self._marks.drop, marked)

    async def _note(self, project_id: int, error: GitLabError) -> None:
        """Note why a project could not be read; a refusal is not tried again before a day is over."""
        state = await self._session.io(self._states.load, project_id)
        now = from_datetime(self._session.now()) // 1000
        is_closed = isinstance(error, Forbidden | ResourceNotFound)
        read_at, failed_at = (now, None) if is_closed else (state.read_at, now)
        after = replace(state, error=error.code, has_more=False, read_at=read_at, failed_at=failed_at)
        await self._session.write(self._states.save, project_id, after)

    async def _why(self, project_id: int, refusal: Forbidden) -> Forbidden:
        """Tell a project that has no environments for anybody from one that hides them from the token.

        `environments_disabled`, `builds_disabled` and `repository_disabled` in app/policies/project_policy.rb.
        """
        if isinstance(refusal, CiDisabled):
            return refusal
        try:
            project = mapping((await self._session.gitlab.get(f"/projects/{project_id}")).body)
        except (Forbidden, ResourceNotFound):
            return refusal
        if ci_is_off(project) or project.get("environments_access_level") == "disabled":
            return CiDisabled(OFF, http_status=refusal.http_status)
        return refusal


async def note_deployment(session: Session, table: Table, project_id: int) -> None:
    """Mark a project, if it is known: what was deployed without a pipeline is told by nothing but a webhook.

    One that is not known yet is marked once a run has read its pipelines.
    """
    integration_id, now = session.target.integration_id, from_datetime(session.now())
    if await session.io(table.get, projects_pk(integration_id), padded(project_id)) is not None:
        marks = ProjectMarks(table, deployments_due_pk(integration_id))
        await session.write(marks.add, [project_id], now=now)


def in_turn(due: Mapping[int, DeploymentState]) -> set[int]:
    """Those of due projects that one run asks: of those that never were, and of those that failed, so many each."""
    failed = sorted((one for one in due if due[one].failed_at is not None), key=lambda one: (due[one].failed_at, one))
    never = sorted(one for one in due if due[one].failed_at is None and due[one].read_at is None)
    return due.keys() - {*failed[MOST_NEW:], *never[MOST_NEW:]}


def _scope(item: Item) -> Scope:
    return Scope(item["sk"], {"type": "project", "id": item["id"], "path": item["path_with_namespace"]})
