"""How complete the stored pipelines of each project are: what GitLab counts, what is stored, and what is owed."""

import json
from collections.abc import Callable, Sequence
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import BaseModel, Field

from gitlab_hub.pipelines.keys import cursors_pk, projects_pk
from gitlab_hub.pipelines.owed import OwedRows
from gitlab_hub.pipelines.read_states import ReadState
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.web.auth import Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor
from gitlab_hub.web.route import Route

COMPLETENESS = "/v1/integrations/<integration_id>/pipelines/completeness"

IntegrationId = Annotated[str, Path()]


class ProjectCompleteness(BaseModel):
    """How complete the stored pipelines of one project are."""

    project_id: int = Field(description="GitLab's id of the project.", examples=[7])
    full_path: str | None = Field(description="Where the project was when it was listed.", examples=["acme/harbor"])
    stored: int | None = Field(
        description="Pipelines stored, children included; null before they were counted.", examples=[160]
    )
    listed: int | None = Field(
        description="Pipelines that GitLab counts; null before that, and above 10,000, where it does not count.",
        examples=[161],
    )
    last_reconciled_at: int | None = Field(
        description="When both were last compared, in unix seconds.", examples=[1_790_000_000]
    )
    owed: list[int] = Field(
        description="Ids of pipelines that GitLab lists and does not show; they are tried again.", examples=[[503]]
    )
    unfinished: int | None = Field(
        description="Pipelines stored before their end; they are asked for again ever more rarely. Null before they "
        "were looked for.",
        examples=[2],
    )
    without_details: int = Field(
        description="Pipelines of which only lists were read so far: their times, durations and trigger jobs follow.",
        examples=[0],
    )
    next_look_at: int | None = Field(
        description="When GitLab is asked again for what is new in a project in which nothing happened lately, or "
        "CI/CD is switched off, in unix seconds; null: in each sync. Webhooks and full syncs do not wait for it.",
        examples=[1_790_020_000],
    )
    lag_seconds: int | None = Field(
        description="Seconds since the moment up to which all changes are stored.", examples=[240]
    )
    error: str | None = Field(
        description="Why the project could not be read the last time: an error code.", examples=["invalid_permissions"]
    )


class CompletenessList(BaseModel):
    """A page of projects."""

    completeness: list[ProjectCompleteness]
    next_cursor: str | None


class CompletenessReader:
    """Reads how far every project was read. Every call reads a bounded number of rows."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table, self._now = table, now

    def page(
        self, integration_id: str, *, after: str | None, limit: int
    ) -> tuple[list[ProjectCompleteness], str | None]:
        """Projects behind a key, and the key to go on behind; None at the end. A page may be short."""
        rows = self._table.query(projects_pk(integration_id), after=after, limit=limit)
        projects = [item for item in rows.items if "gone_at" not in item]
        states = self._states(integration_id, projects)
        shown = [self._shown(integration_id, item, states.get(item["sk"], ReadState())) for item in projects]
        return shown, None if rows.last is None else rows.last[1]

    def _states(self, integration_id: str, projects: Sequence[Item]) -> dict[str, ReadState]:
        items = self._table.get_many([(cursors_pk(integration_id), item["sk"]) for item in projects])
        names = ReadState.__dataclass_fields__
        return {item["sk"]: ReadState(**{name: item.get(name) for name in names}) for item in items}

    def _shown(self, integration_id: str, project: Item, state: ReadState) -> ProjectCompleteness:
        rows = OwedRows(self._table, integration_id).of(project["id"]) if state.owed else {}
        owed = sorted(number for number, one in rows.items() if not one.unfinished)
        watermark = state.default_watermark
        return ProjectCompleteness(
            project_id=project["id"],
            full_path=project.get("path_with_namespace"),
            stored=_sum(state.default_stored, state.child_stored),
            listed=_sum(state.default_listed, state.child_listed),
            last_reconciled_at=state.reconciled_at,
            owed=owed,
            unfinished=state.unfinished,
            without_details=state.outlined or 0,
            next_look_at=state.next_look,
            lag_seconds=None if watermark is None else max(0, int(self._now()) - watermark // 1000),
            error=state.error,
        )


class CompletenessRoutes:
    """Shows how complete the stored pipelines are."""

    def __init__(self, reader: CompletenessReader, cursors: Cursors) -> None:
        self._reader, self._cursors = reader, cursors

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        summary = "Show how complete the pipelines of each project are"
        return (Route(method="GET", path=COMPLETENESS, handler=self.show, role=Role.VIEWER, summary=summary),)

    def show(
        self, integration_id: IntegrationId, limit: Limit = DEFAULT_LIMIT, cursor: PageCursor = None
    ) -> CompletenessList:
        """Show of each project what GitLab lists, what is stored, what is owed and how old it is."""
        listing = json.dumps(["completeness", integration_id])
        after = self._cursors.open(listing, cursor)
        shown, last = self._reader.page(integration_id, after=after, limit=limit)
        following = self._cursors.following(listing, last)
        return CompletenessList(completeness=shown, next_cursor=following)


def _sum(first: int | None, second: int | None) -> int | None:
    return first if first is None else first + (second or 0)
