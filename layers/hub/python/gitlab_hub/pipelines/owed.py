"""Pipelines that are to be asked for again: ever more rarely, a bounded number at a time, and in nobody's way.

Some GitLab lists and does not show: a route can answer 500 for one pipeline for weeks, and whoever insisted on it would
never get to those behind it. Others were stored before they had ended. Their jobs change while they stay as they are:
only another status moves a pipeline (`update_pipeline!` in GitLab's
app/services/ci/pipeline_processing/atomic_processing_service.rb), and its end may be missed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import Any

from gitlab_hub.gitlab.errors import GitLabError, HostUnreachable, NotGitLab, Unavailable, UnexpectedResponse
from gitlab_hub.gitlab.fields import padded, seconds, text
from gitlab_hub.incidents import Incident
from gitlab_hub.pipelines.keys import owed_key, owed_pk
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import query_all

OF_ONE_PIPELINE = (Unavailable, UnexpectedResponse, HostUnreachable, NotGitLab)
"""Errors that may be those of one pipeline, as long as the list of its project can be read."""

FIRST_PAUSE_SECONDS = 900
LONGEST_PAUSE_SECONDS = 86_400
MOST_IN_A_ROW = 16
"""So many pipelines in a row without one that can be read are the trouble of the project, or of GitLab."""

MOST_WITHOUT_JOBS = 32
"""Where more pipelines of a project have no job, that is how they are."""

MOST_TRIED = 8
"""Owed pipelines of one project that a run tries again."""

MOST_UNFINISHED = 256
"""Unfinished ones that a worker asks for again, over all projects; the next run asks for the others."""

INCIDENT = "pipelines_owed"
_MOST_NAMED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A pipeline that could not be read, or not to its end, and is asked for again. Times are unix seconds."""

    project_id: int
    pipeline_id: int
    code: str
    reason: str
    since: int
    tries: int = 1
    due_at: int = 0
    updated_at: str | None = None
    """As it was listed: a pipeline that has changed since is tried at once."""
    sha: str | None = None
    http_status: int | None = None
    """What GitLab answered at the last try."""
    stored_by: str | None = None
    """The run that has stored it without any job, which one answer does not prove: a later run reads it once more."""
    unfinished: bool = False
    """Whether it is stored, and had not ended when it was read last, or was read in outline."""
    outline: bool = False
    """Whether it is stored as lists tell it: its details are to be read."""

    @property
    def is_stored(self) -> bool:
        """Whether it was read, and is to be read once more all the same."""
        return self.unfinished or self.stored_by is not None

    @property
    def row(self) -> Mapping[str, Any]:
        """What is known of the pipeline's row in GitLab's list."""
        return {"id": self.pipeline_id, "updated_at": self.updated_at, "sha": self.sha}

    def retried(self, error: GitLabError, *, now: int) -> "Owed":
        """Owed after one more try that failed."""
        after = replace(self, code=error.code, reason=str(error), http_status=error.http_status)
        return after.later(now=now)

    def later(self, *, now: int) -> "Owed":
        """To be tried once more, after a pause that grows."""
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS << min(self.tries - 1, 10))
        return replace(self, tries=self.tries + 1, due_at=now + pause)


def new_owed(
    row: Mapping[str, Any], project_id: int, error: GitLabError, *, now: int, stored_by: str | None = None
) -> Owed:
    """A listed pipeline that no run before could not read: the next one tries it again, as most trouble passes."""
    updated_at, sha = (text(row.get(name), None) for name in ("updated_at", "sha"))
    return Owed(
        project_id=project_id,
        pipeline_id=row["id"],
        code=error.code,
        reason=str(error),
        since=now,
        due_at=now,
        updated_at=updated_at,
        sha=sha,
        http_status=error.http_status,
        stored_by=stored_by,
    )


def unfinished(row: Mapping[str, Any], project_id: int, *, now: int, is_outline: bool = False) -> Owed:
    """A pipeline that is stored as it was before its end, or without its details."""
    updated_at, sha = (text(row.get(name), None) for name in ("updated_at", "sha"))
    return Owed(
        project_id=project_id,
        pipeline_id=row["id"],
        code="",
        reason="",
        since=now,
        due_at=now + FIRST_PAUSE_SECONDS,
        updated_at=updated_at,
        sha=sha,
        unfinished=True,
        outline=is_outline,
    )


def is_waiting(owed: Owed | None, row: Mapping[str, Any], *, now: int) -> bool:
    """Whether a listed pipeline is owed, unchanged, and not to be tried yet."""
    if owed is None or owed.unfinished:
        return False
    # In whole seconds, as GraphQL tells them.
    return owed.due_at > now and seconds(owed.updated_at) == seconds(row.get("updated_at"))


def are_hidden(owed: Iterable[Owed]) -> bool:
    """Whether GitLab says 404 for every one: its answer for what a token may not see (lib/api/helpers.rb).

    Where a project shows no pipeline at all this is a refusal of the project's, as a 403 would be.
    """
    return all(one.http_status == HTTPStatus.NOT_FOUND for one in owed)


def describe(owed: Mapping[int, Owed]) -> str:
    """What a person reads about the owed pipelines of a project."""
    some = next(iter(owed.values()))
    ids = ", ".join(str(number) for number in sorted(owed)[:_MOST_NAMED])
    return f"GitLab lists and does not show pipelines: {ids}. {some.reason} They are tried again ever more rarely."


def incident_of(integration_id: str, project_id: int, path: str | None, owed: Mapping[int, Owed]) -> Incident:
    """What needs a person where pipelines of a project are owed."""
    some = next(iter(owed.values()))
    return Incident(
        kind=INCIDENT,
        integration_id=integration_id,
        subject=str(project_id),
        at=min(one.since for one in owed.values()),
        hint=f"{describe(owed)} GitLab's log says why; all other pipelines of the project are read.",
        details={
            "project_id": project_id,
            "project": path,
            "pipeline_ids": sorted(owed)[:_MOST_NAMED],
            "count": len(owed),
            "code": some.code,
        },
    )


class OwedRows:
    """The owed pipelines of one integration. All calls block."""

    def __init__(self, table: Table, integration_id: str) -> None:
        self._table, self._integration_id = table, integration_id

    def of(self, project_id: int) -> dict[int, Owed]:
        """Those of a project, by id."""
        rows = query_all(self._table, owed_pk(self._integration_id), prefix=f"{padded(project_id)}#")
        return {item["pipeline_id"]: _owed(item) for item in rows}

    def keep(self, owed: Owed) -> None:
        """Keep that a pipeline is owed."""
        pk, sk = owed_key(self._integration_id, owed.project_id, owed.pipeline_id)
        self._table.put({"pk": pk, "sk": sk, "schema_version": 1, **asdict(owed)})

    def drop(self, project_id: int, pipeline_id: int) -> None:
        """It was read, or is gone."""
        self._table.delete(*owed_key(self._integration_id, project_id, pipeline_id))


def _owed(item: Item) -> Owed:
    return Owed(**{name: item[name] for name in Owed.__dataclass_fields__ if name in item})
