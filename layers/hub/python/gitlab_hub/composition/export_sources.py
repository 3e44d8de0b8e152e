"""The rows of exports: what the features show in their lists, in the order in which it is stored."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gitlab_hub.access.changes.reader import ChangeFilter, ChangeReader
from gitlab_hub.access.changes.views import ChangeAnswer
from gitlab_hub.access.credentials.reader import CredentialFilter, CredentialReader
from gitlab_hub.access.credentials.views import GitLabCredentialAnswer
from gitlab_hub.access.effective.graph import Place as ResourcePlace
from gitlab_hub.access.grant_views import GrantAnswer
from gitlab_hub.access.model import Grant
from gitlab_hub.access.reader import AccessReader
from gitlab_hub.access.wanted import AccountFilter, GrantFilter
from gitlab_hub.exports.model import UNDATED, Asked, Batch, Dataset, Partition, Place
from gitlab_hub.exports.ports import Source
from gitlab_hub.exports.store import ExportStore
from gitlab_hub.exports.worker import Exporter
from gitlab_hub.gitlab.fields import day_of
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.pipelines.deployments.reader import DeploymentFilter, DeploymentReader
from gitlab_hub.pipelines.walk import KnownProject, PipelineWalk, job_row, pipeline_row
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import item_of
from gitlab_hub.sync.scope_list import ScopeList

if TYPE_CHECKING:
    from gitlab_hub.composition.container import Container

PAGE = 200
_BEHIND_ALL = "~"
"""Behind the last row of a project."""


def exporter_of(container: "Container", access: Table, pipelines: Table) -> Exporter:
    """What makes exports of the rows of two tables."""
    now, state = container.now, container.integrations_table
    return Exporter(
        store=ExportStore(state),
        sources=export_sources(access, pipelines, ScopeList(state), now),
        objects=container.objects("exports_bucket"),
        incidents=container.incidents,
        exists=container.integration_store.exists,
        now=now,
    )


def export_sources(
    access: Table, pipelines: Table, scopes: ScopeList, now: Callable[[], float]
) -> Mapping[Dataset, Source]:
    """Where the rows of each dataset are. `access`, `pipelines`: the tables."""
    walk, reader = PipelineWalk(pipelines), AccessReader(access, now=now)
    return {
        Dataset.PIPELINES: PipelineSource(walk),
        Dataset.JOBS: JobSource(walk),
        Dataset.DEPLOYMENTS: DeploymentSource(walk, DeploymentReader(pipelines)),
        Dataset.ACCOUNTS: AccountSource(reader),
        Dataset.GRANTS: GrantSource(reader),
        Dataset.CHANGES: ChangeSource(ChangeReader(access)),
        Dataset.GITLAB_CREDENTIALS: CredentialSource(CredentialReader(access, scopes, now=now)),
    }


class PipelineSource:
    """Pipelines, each in the file of its project and of the day (UTC) of its creation."""

    def __init__(self, walk: PipelineWalk) -> None:
        self._walk = walk

    def total(self, asked: Asked) -> int | None:
        """How many projects there are to go through."""
        return sum(1 for _ in self._walk.projects(asked.integration_id, asked.project_id))

    def batches(self, asked: Asked, behind: Place) -> Iterator[Batch]:
        """The pipelines behind a place, one by one."""
        for project in self._walk.projects(asked.integration_id, asked.project_id, since=behind.project):
            after = behind.after if project.key == behind.project else None
            for row, rows in self._rows(asked, project, after):
                place = Place(project=project.key, after=str(row["sk"]))
                kept = rows if asked.holds(row["created_at"]) else []
                yield Batch(rows=kept, place=place, partition=_partition(row))
            if after != _BEHIND_ALL:
                yield Batch(place=Place(project=project.key, after=_BEHIND_ALL), ends_project=True)

    def _rows(self, asked: Asked, project: KnownProject, after: str | None) -> Iterator[tuple[Item, list[Item]]]:
        for row in self._walk.pipelines(asked.integration_id, project, after=after):
            yield row, [pipeline_row(row, project)]


class JobSource(PipelineSource):
    """Jobs, every attempt, in the file of their pipeline's project and day."""

    def _rows(self, asked: Asked, project: KnownProject, after: str | None) -> Iterator[tuple[Item, list[Item]]]:
        def is_wanted(row: Item) -> bool:
            return asked.holds(row["created_at"])

        for row, jobs in self._walk.with_jobs(asked.integration_id, project, after=after, of=is_wanted):
            yield row, [job_row(job, row, project) for job in jobs]


class DeploymentSource:
    """Deployments by project, the newest first: so few that a file holds those of many projects and days."""

    def __init__(self, walk: PipelineWalk, reader: DeploymentReader) -> None:
        self._walk, self._reader = walk, reader

    def total(self, asked: Asked) -> int | None:
        """How many projects there are to go through."""
        return sum(1 for _ in self._walk.projects(asked.integration_id, asked.project_id))

    def batches(self, asked: Asked, behind: Place) -> Iterator[Batch]:
        """The deployments behind a place, a page at a time."""
        for project in self._walk.projects(asked.integration_id, asked.project_id, since=behind.project):
            after = behind.after if project.key == behind.project else None
            while after != _BEHIND_ALL:
                page = self._reader.deployments(
                    asked.integration_id, DeploymentFilter(project_id=project.id), limit=PAGE, after=after, within=None
                )
                rows = [{**row, "project_path": project.path} for row in page.rows if asked.holds(row["created_at"])]
                after = page.last or _BEHIND_ALL
                place = Place(project=project.key, after=after)
                yield Batch(rows=rows, place=place, ends_project=page.last is None)


class _PagedSource:
    """A dataset that is read page by page, and knows no projects to go through."""

    def total(self, asked: Asked) -> int | None:
        """Not known before all is read."""

    def batches(self, asked: Asked, behind: Place) -> Iterator[Batch]:
        """The rows behind a place, a page at a time."""
        after = behind.after
        if after == _BEHIND_ALL:
            return
        while True:
            rows, after = self._page(asked, after)
            yield Batch(rows=rows, place=Place(after=after or _BEHIND_ALL))
            if after is None:
                return

    def _page(self, asked: Asked, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
        raise NotImplementedError


class AccountSource(_PagedSource):
    """Accounts, in the order of their ids."""

    def __init__(self, reader: AccessReader) -> None:
        self._reader = reader

    def _page(self, asked: Asked, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
        page = self._reader.accounts(asked.integration_id, AccountFilter(), after=after, limit=PAGE)
        return [item_of(account) for account in page.values], page.next


class GrantSource(_PagedSource):
    """Direct grants, in the order in which they are stored."""

    def __init__(self, reader: AccessReader) -> None:
        self._reader = reader

    def _page(self, asked: Asked, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
        place = None if asked.project_id is None else (ResourceType.PROJECT, asked.project_id)
        page = self._reader.grants(asked.integration_id, GrantFilter(resource=place), after=after, limit=PAGE)
        paths = self._reader.full_paths(asked.integration_id, page.values)
        ids = {grant.account_id for grant in page.values}
        accounts = self._reader.accounts_of(asked.integration_id, ids, AccountFilter()).values if ids else []
        usernames = {account.id: account.username for account in accounts}
        return [self._row(grant, paths, usernames) for grant in page.values], page.next

    def _row(self, grant: Grant, paths: Mapping[tuple[str, int], str], usernames: Mapping[int, str]) -> dict[str, Any]:
        path = paths.get((grant.resource_type, grant.resource_id))
        shown = GrantAnswer.of_direct(grant, path, now=self._reader.now()).model_dump(mode="json")
        return {**shown, "username": usernames.get(grant.account_id)}


class ChangeSource(_PagedSource):
    """The change feed, oldest first; its time is when the hub noticed a change."""

    def __init__(self, reader: ChangeReader) -> None:
        self._reader = reader

    def _page(self, asked: Asked, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
        place = None if asked.project_id is None else ResourcePlace(ResourceType.PROJECT, asked.project_id)
        until = None if asked.until is None else asked.until - 1
        wanted = ChangeFilter(since=asked.since, until=until, resource=place)
        number = None if after is None else int(after)
        page = self._reader.page(asked.integration_id, wanted, after=number, limit=PAGE)
        rows = [ChangeAnswer.of(entry).model_dump(mode="json") for entry in page.entries]
        return rows, str(page.position) if page.has_more else None


class CredentialSource(_PagedSource):
    """Tokens and keys, what is told of them alone."""

    def __init__(self, reader: CredentialReader) -> None:
        self._reader = reader

    def _page(self, asked: Asked, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
        place = None if asked.project_id is None else ResourcePlace(ResourceType.PROJECT, asked.project_id)
        page = self._reader.page(asked.integration_id, CredentialFilter(resource=place), after=after, limit=PAGE)
        now = self._reader.now()
        return [GitLabCredentialAnswer.of(one, now=now).model_dump(mode="json") for one in page.values], page.next


def _partition(pipeline: Item) -> Partition:
    created = pipeline["created_at"]
    return Partition(project_id=pipeline["project_id"], day=UNDATED if created is None else day_of(created))
