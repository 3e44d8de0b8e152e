"""Whether figures of deployments tell all that GitLab has: which projects are read, up to when, and what is left."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gitlab_hub.gitlab.errors import CiDisabled
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.pipelines.deployments.state import DeploymentState, DeploymentStates
from gitlab_hub.pipelines.figures.asked import Asked
from gitlab_hub.pipelines.figures.completeness import FiguresCompleteness, read_until
from gitlab_hub.pipelines.keys import cursors_pk, deployments_due_pk, projects_pk
from gitlab_hub.pipelines.project_marks import ProjectMarks
from gitlab_hub.pipelines.selection import ProjectSelection
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import query_all

_STATE = ("sk", "default_watermark", "reconciled_at", "error")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the projects that were asked for."""

    pipelines: Mapping[int, Item]
    """How far pipelines were read, of those that ever were."""
    deployments: Mapping[int, DeploymentState]
    marked: Collection[int]

    def is_read(self, project_id: int) -> bool:
        """Whether all deployments of a project are known. One without pipelines has none, as far as jobs make them."""
        state = self.deployments.get(project_id)
        if state is not None and state.read_at is not None:
            return state.is_read
        pipelines = self.pipelines.get(project_id, {})
        if pipelines.get("error") == CiDisabled.code:
            return True  # Without CI/CD nobody is shown any (`builds_disabled` in app/policies/project_policy.rb).
        is_whole = read_until(pipelines) is not None and not pipelines.get("error")
        is_empty = is_whole and pipelines.get("default_watermark") is None
        return is_empty or (state is not None and state.is_read)

    def is_pending(self, project_id: int) -> bool:
        """Whether something is to be read or counted yet; where deployments are switched off, nothing is."""
        state = self.deployments.get(project_id, DeploymentState())
        return state.error != CiDisabled.code and (project_id in self.marked or state.recount_from is not None)

    def until(self, project_id: int) -> int | None:
        """Up to when all is stored (unix seconds): where no pipeline has changed since, nothing was deployed."""
        state = self.deployments.get(project_id, DeploymentState())
        moments = [None if state.watermark is None else state.watermark // 1000, state.read_at]
        if project_id not in self.marked:
            moments.append(read_until(self.pipelines.get(project_id, {})))
        return max((one for one in moments if one is not None), default=None)


def completeness_of(table: Table, selection: ProjectSelection, asked: Asked) -> tuple[FiguresCompleteness, bool]:
    """How whole figures of deployments are, and whether any project's were ever read. Raises NotFound."""
    wanted = _wanted(table, selection, asked)
    known = _known(table, asked, wanted)
    read = [one for one in wanted if known.is_read(one)]
    unread = len(wanted) - len(read)
    pending = any(known.is_pending(one) for one in wanted)
    moments = [moment for one in read if (moment := known.until(one)) is not None]
    shown = FiguresCompleteness(
        complete=bool(read) and not unread and not pending, projects=len(wanted), unread=unread, owed=0,
        without_details=0, pending=pending, until=min(moments, default=None),
    )  # fmt: skip
    return shown, any(state.is_read for state in known.deployments.values())


def _wanted(table: Table, selection: ProjectSelection, asked: Asked) -> list[int]:
    if asked.project_id is not None:
        is_known = table.get(projects_pk(asked.integration_id), padded(asked.project_id)) is not None
        return [asked.project_id] if is_known else []
    here = selection.here(asked.integration_id).keys()
    return sorted(here if asked.group_id is None else here & selection.below(asked.integration_id, asked.group_id))


def _known(table: Table, asked: Asked, wanted: Collection[int]) -> Known:
    """Read it: by their keys of few projects, else of all."""
    integration_id = asked.integration_id
    marks, states = ProjectMarks(table, deployments_due_pk(integration_id)), DeploymentStates(table, integration_id)
    pk = cursors_pk(integration_id)
    if asked.project_id is not None:
        items = table.get_many([(pk, padded(one)) for one in wanted], attributes=_STATE)
        marked = {one for one in wanted if marks.has_any(one)}
        return Known({int(item["sk"]): item for item in items}, states.load_many(list(wanted)), marked)
    pipelines = {int(item["sk"]): item for item in query_all(table, pk, attributes=_STATE)}
    deployments, some = states.load_all(), frozenset(wanted)
    marked = {one.project_id for page in marks.pages() for one in page}
    return Known(pipelines, {number: one for number, one in deployments.items() if number in some}, marked)
