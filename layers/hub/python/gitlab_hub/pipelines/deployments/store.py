"""Stored environments and deployments of projects, and what is counted of them day by day. All calls block."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from gitlab_hub.gitlab.fields import day_of, padded
from gitlab_hub.pipelines.deployments.changes import Change
from gitlab_hub.pipelines.deployments.model import FAILED, SUCCESS
from gitlab_hub.pipelines.keys import (
    BY_CHANGE,
    change_sk,
    changes_pk,
    deployment_feed,
    deployments_pk,
    environments_pk,
)
from gitlab_hub.pipelines.store import pack_one, unpack
from gitlab_hub.storage.ports import Item, Key, Table
from gitlab_hub.storage.rows import content_hash, query_all, query_pages

HASH = "hash"
OWN = ("merged", "merged_tries", "merged_unknown", HASH)
"""What the hub knows of a deployment beside its row in GitLab's list."""

COUNTED = (
    "id", "environment_id", "environment", "sha", "status", "job_id", "created_at", "finished_at", "merged",
    "merged_tries", "merged_unknown",
)  # fmt: skip
"""What of a deployment decides what it counts as."""

MOST_MERGED = 500
"""Merge requests of one deployment whose times are kept."""

MOST_LEAD_TIMES = 20_000
"""Lead times that are kept of a project's day: it is one item, of at most 400 KB, and read as a whole."""

STORED_EARLY = 90 * 86_400
"""A manual job makes its deployment with its pipeline, and may run so much later (seconds); of others that is noted."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What of some listed deployments is news: the rows to store, and the earliest end that they change."""

    rows: list[Item]
    since: int | None
    late: dict[int, int]
    """When those of the listed deployments ended, by their ids, that did so more than `STORED_EARLY` behind."""


@dataclass(frozen=True, slots=True)
class CountedDay:
    """What a project's deployments to production of a day came to."""

    changes: Sequence[Change]
    successes: int
    """All that succeeded, changes or not."""


class DeploymentStore:
    """The deployments of one integration. Only the worker of a run writes them."""

    def __init__(self, table: Table, integration_id: str) -> None:
        self._table, self._integration_id = table, integration_id

    # ---- Deployments

    def changed(self, project_id: int, listed: Sequence[Item], *, now: int) -> Changed:
        """Compare listed deployments with what is stored (`now` in milliseconds)."""
        known = self.rows(project_id, (one["id"] for one in listed))
        rows, ends, late = [], [], dict[int, int]()
        for one in listed:
            before = known.get(one["id"], {})
            # Whatever touches an ended deployment later moves `updated_at`, but not its end.
            is_same_end = before.get("status") == one["status"] and before.get("finished_at") is not None
            kept = {**one, "finished_at": before["finished_at"]} if is_same_end else one
            if _is_late(kept):
                late[one["id"]] = kept["finished_at"]
            if content_hash(kept) != before.get(HASH):
                rows.append(self._row(project_id, kept, before, now))
                ends += [end for end in (kept["finished_at"], before.get("finished_at")) if end is not None]
        return Changed(rows, min(ends, default=None), late)

    def put(self, rows: Iterable[Item]) -> None:
        """Store deployments as `changed` or `rows` gave them."""
        self._table.write(puts=rows)

    def rows(self, project_id: int, numbers: Iterable[int]) -> dict[int, Item]:
        """Stored deployments by their ids."""
        pk = deployments_pk(self._integration_id, project_id)
        return {item["id"]: item for item in self._table.get_many([(pk, padded(one)) for one in numbers])}

    def since(self, project_id: int, moment: int, late: Sequence[Sequence[int]] = ()) -> Iterator[list[Item]]:
        """What counting needs of the deployments that may have ended since a moment, page by page, the newest first.

        `late`: the ids and ends of those that are too old to be found so.
        """
        pk, first = deployments_pk(self._integration_id, project_id), moment - STORED_EARLY
        for page in query_pages(self._table, pk, forward=False, attributes=COUNTED):
            near = list(takewhile(lambda item: not _is_before(item, first), page))
            yield near
            if len(near) < len(page):
                break
        keys = [(pk, padded(number)) for number, end in late if end >= moment]
        if keys:
            yield [item for item in self._table.get_many(keys, attributes=COUNTED) if _is_before(item, first)]

    def _row(self, project_id: int, deployment: Item, before: Mapping[str, Any], now: int) -> Item:
        own = {name: before[name] for name in OWN if name in before}
        return {
            **own,
            **deployment,
            HASH: content_hash(deployment),
            "pk": deployments_pk(self._integration_id, project_id),
            "sk": padded(deployment["id"]),
            f"{BY_CHANGE}_pk": deployment_feed(self._integration_id),
            f"{BY_CHANGE}_sk": change_sk(now, project_id, deployment["id"]),
            "changed_at": now,
            "schema_version": 1,
        }

    # ---- Environments

    def environments(self, project_id: int) -> dict[int, Item]:
        """The environments of a project that are known, gone ones too."""
        rows = query_all(self._table, environments_pk(self._integration_id), prefix=f"{padded(project_id)}#")
        return {item["id"]: item for item in rows}

    def put_environments(self, project_id: int, rows: Iterable[Item]) -> None:
        """Store environments."""
        pk = environments_pk(self._integration_id)
        keys = ({"pk": pk, "sk": f"{padded(project_id)}#{padded(row['id'])}"} for row in rows)
        about = {"project_id": project_id, "schema_version": 1}
        self._table.write(puts=[{**row, **about, **key} for row, key in zip(rows, keys, strict=True)])

    # ---- What is counted

    def put_days(self, project_id: int, days: Mapping[str, CountedDay], gone: Iterable[str]) -> None:
        """Store what days came to, and remove those that have come to nothing."""
        puts = [self._day_row(project_id, day, counted) for day, counted in days.items()]
        self._table.write(puts=puts, deletes=[self._day_key(project_id, day) for day in gone])

    def days(self, first: str, last: str) -> Iterator[tuple[int, str, CountedDay]]:
        """What was counted of days, of all projects, both days included."""
        rows = query_all(self._table, changes_pk(self._integration_id), after=first, until=f"{last}#~")
        for item in rows:
            yield _counted(item)

    def days_of(self, project_id: int, days: Sequence[str]) -> Iterator[tuple[int, str, CountedDay]]:
        """What was counted of some days of one project."""
        for item in self._table.get_many([self._day_key(project_id, day) for day in days]):
            yield _counted(item)

    def _day_key(self, project_id: int, day: str) -> Key:
        return changes_pk(self._integration_id), f"{day}#{padded(project_id)}"

    def _day_row(self, project_id: int, day: str, counted: CountedDay) -> Item:
        pk, sk = self._day_key(project_id, day)
        packed = pack_one([_packed(one) for one in thinned(counted.changes)])
        about = {"project_id": project_id, "successes": counted.successes, "changes": packed}
        return {"pk": pk, "sk": sk, "schema_version": 1, **about}


def _is_before(row: Item, moment: int) -> bool:
    return row["created_at"] is not None and row["created_at"] < moment


def _is_late(row: Item) -> bool:
    end = row["finished_at"] if row["status"] in {SUCCESS, FAILED} else None
    return end is not None and _is_before(row, end - STORED_EARLY)


def day_of_change(one: Change) -> str:
    """The day (UTC) that a change counts on: that of its end."""
    return day_of(one.at)


def thinned(changes: Sequence[Change]) -> list[Change]:
    """Changes with at most about `MOST_LEAD_TIMES` lead times, so that a table takes their day.

    Whoever releases to each of hundreds of environments has the same merge requests in all of them. Each change keeps
    its share, evenly spaced in their order: quantiles stay as they are, but for what lies between two of them.
    """
    total = sum(len(one.lead_times or ()) for one in changes)
    if total <= MOST_LEAD_TIMES:
        return list(changes)
    return [replace(one, lead_times=one.lead_times and _spaced(one.lead_times, total)) for one in changes]


def _spaced(lead_times: Sequence[int], total: int) -> list[int]:
    count, kept = len(lead_times), max(1, len(lead_times) * MOST_LEAD_TIMES // total)
    return [lead_times[(2 * number + 1) * count // (2 * kept)] for number in range(kept)]


def _packed(one: Change) -> list[Any]:
    lead_times = None if one.lead_times is None else list(one.lead_times)
    return [one.id, one.environment_id, one.at, lead_times, one.is_first, one.failed, one.restored_after]


def _counted(item: Item) -> tuple[int, str, CountedDay]:
    found = unpack(item["changes"])
    names = ("id", "environment_id", "at", "lead_times", "is_first", "failed", "restored_after")
    changes = [Change(**dict(zip(names, one, strict=True))) for one in found]
    return item["project_id"], str(item["sk"])[:10], CountedDay(changes, item["successes"])
