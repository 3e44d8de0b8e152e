"""Whether figures tell all that GitLab has: which projects are read, up to when, and whether all of it is counted."""

from collections.abc import Collection
from dataclasses import dataclass

from gitlab_hub.gitlab.errors import CiDisabled
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.pipelines.figures.asked import Asked
from gitlab_hub.pipelines.figures.store import FigureStore
from gitlab_hub.pipelines.keys import cursors_pk, projects_pk
from gitlab_hub.pipelines.selection import ProjectSelection
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import query_all

_STATE = ("sk", "default_watermark", "reconciled_at", "error", "owed", "outlined")


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresCompleteness:
    """How whole figures are."""

    complete: bool
    projects: int
    unread: int
    """Projects that were never read, or not the last time."""
    owed: int
    """Pipelines that GitLab lists and does not show."""
    without_details: int
    """Pipelines of which only lists were read so far."""
    pending: bool
    """Whether something is stored that the figures do not count yet."""
    until: int | None
    """Up to when all changes are stored (unix seconds), in every project that could be read."""


def completeness_of(table: Table, selection: ProjectSelection, asked: Asked) -> FiguresCompleteness:
    """How whole the figures of a question are; it reads two small rows a project. Raises NotFound."""
    store = FigureStore(table, asked.integration_id)
    states = _states(table, selection, asked)
    pending = store.has_changed(asked.project_id) or (bool(states) and not store.is_current())
    # Where CI/CD is switched off there is nothing to read, for anybody.
    on = [state for state in states if state.get("error") != CiDisabled.code]
    read = [moment for state in on if (moment := read_until(state)) is not None and not state.get("error")]
    unread = len(on) - len(read)
    owed, outlined = (sum(state.get(name) or 0 for state in states) for name in ("owed", "outlined"))
    return FiguresCompleteness(
        complete=bool(states) and not unread and not owed and not outlined and not pending,
        projects=len(states),
        unread=unread,
        owed=owed,
        without_details=outlined,
        pending=pending,
        until=min(read, default=None),
    )


def read_until(state: Item) -> int | None:
    """Up to when all pipelines of a project are stored (unix seconds), by its read state; None before it was read.

    One that has none has no watermark: of it is known when GitLab's count was compared.
    """
    watermark: int | None = state.get("default_watermark")
    return state.get("reconciled_at") if watermark is None else watermark // 1000


def _states(table: Table, selection: ProjectSelection, asked: Asked) -> Collection[Item]:
    """How far each project that was asked for is read; an empty item for one that never was."""
    integration_id, project_id = asked.integration_id, asked.project_id
    pk = cursors_pk(integration_id)
    if project_id is not None:
        if table.get(projects_pk(integration_id), padded(project_id)) is None:
            return []
        return [table.get(pk, padded(project_id)) or {}]
    wanted = set(selection.here(integration_id))
    if asked.group_id is not None:
        wanted &= selection.below(integration_id, asked.group_id).keys()
    found = {item["sk"]: item for item in query_all(table, pk, attributes=_STATE)}
    return [found.get(padded(number), {}) for number in wanted]
