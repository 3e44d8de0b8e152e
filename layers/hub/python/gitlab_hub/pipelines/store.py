"""Stored pipelines with their jobs: written so that a pipeline's row never promises jobs that are not there."""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gitlab_hub.gitlab.fields import day_of, padded, seconds
from gitlab_hub.pipelines.attempts import pipeline_failure_class, with_attempts
from gitlab_hub.pipelines.freshness import StoredPipeline
from gitlab_hub.pipelines.keys import BY_CHANGE, change_sk, changed_key, chunk_key, pipelines_pk
from gitlab_hub.pipelines.model import ACTIVE, in_seconds, is_in_progress, is_terminal
from gitlab_hub.storage.ports import ABSENT, Condition, Delete, Item, Key, Put, Table
from gitlab_hub.storage.rows import Action, content_hash, fit_together, is_written, query_all

# Many small rows as few items: compressed JSON, in chunks that a table takes and a reader can bound.

MAX_CHUNK = 300_000
"""Compressed bytes of a chunk; an item of the table may have 400 KB."""

MAX_RAW = 1_000_000
"""Bytes of a chunk before compression, so that reading one back has a known cost."""


def pack(rows: Sequence[Item]) -> list[bytes]:
    """Pack rows in their order; no rows make no chunk."""
    return [chunk for group in _groups(rows) for chunk in _compressed(group)]


def pack_one(row: Any) -> bytes:
    """Pack a single row, or any other JSON."""
    return zlib.compress(_text(row))


def unpack(chunk: bytes, most: int = MAX_RAW) -> Any:
    """Unpack a chunk, refusing one that would unfold to more than was ever packed (`most` bytes)."""
    inflater = zlib.decompressobj()
    raw = inflater.decompress(chunk, most + 2)
    if inflater.unconsumed_tail or not inflater.eof:
        raise ValueError("a packed chunk is damaged or larger than any chunk written here")
    return json.loads(raw)


def _text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _groups(rows: Sequence[Item]) -> Iterator[list[Item]]:
    group: list[Item] = []
    left = MAX_RAW
    for row in rows:
        size = len(_text(row)) + 1
        if group and size > left:
            yield group
            group, left = [], MAX_RAW
        group.append(row)
        left -= size
    if group:
        yield group


def _compressed(group: list[Item]) -> list[bytes]:
    chunk = zlib.compress(_text(group))
    if len(chunk) <= MAX_CHUNK or len(group) == 1:
        return [chunk]
    half = len(group) // 2
    return _compressed(group[:half]) + _compressed(group[half:])


JOBS, BRIDGES = "jobs", "bridges"
CHILD_SOURCE = "parent_pipeline"
"""GitLab's word for what started a child pipeline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A pipeline as GitLab has it, with everything that belongs to it."""

    pipeline: Item
    jobs: Sequence[Item]
    bridges: Sequence[Item] | None
    """None = GitLab did not let us see them: what is stored stays."""
    settled: bool
    bridges_refused: str | None = None
    """Why not: an error code."""
    is_outline: bool = False
    """Whether it is what lists tell: without times and duration, and what is null may not be."""

    @property
    def has_children(self) -> bool:
        """Whether one of its trigger jobs started a pipeline in the same project."""
        started = (bridge["downstream_pipeline"] or {} for bridge in self.bridges or ())
        return any(pipeline.get("project_id") == self.pipeline["project_id"] for pipeline in started)

    @property
    def is_unfinished(self) -> bool:
        """Whether it, or one of its jobs, goes on by itself, so that what is stored of it will not stay true."""
        return is_in_progress(self.pipeline["status"]) or any(job["status"] in ACTIVE for job in self.jobs)

    @property
    def lacks_jobs(self) -> bool:
        """Whether it has ended without any job, and nothing says why.

        What other systems report has statuses instead of jobs (app/models/generic_commit_status.rb), an invalid
        configuration makes none, and a skipped pipeline may have none.
        """
        explained = self.pipeline["source"] == "external" or self.pipeline["yaml_errors"]
        ended = is_terminal(self.pipeline["status"]) and self.pipeline["status"] != "skipped"
        return not (self.jobs or self.bridges or self.bridges_refused or explained) and ended


def changed_marks(integration_id: str, row: Item, known: StoredPipeline | None) -> Iterator[Item]:
    """What says that the figures of a stored pipeline's day are to be made again; none for one that has no day.

    Where GitLab corrects when it was created, the day on which it was counted before is to be made again as well.
    """
    created = (row["created_at"], None if known is None else known.created_at)
    for day in sorted({day_of(moment) for moment in created if moment is not None}):
        pk, sk = changed_key(integration_id, row["project_id"], day, row["id"])
        about = {"project_id": row["project_id"], "day": day, "id": row["id"]}
        yield {"pk": pk, "sk": sk, "schema_version": 1, **about, "token": f"{row['written_at']}#{row['digest']}"}


class PipelineStore:
    """The pipelines of one integration, as the sync writes them."""

    def __init__(self, table: Table, integration_id: str) -> None:
        self._table, self._integration_id = table, integration_id

    def known(self, project_id: int, ids: Iterable[int]) -> dict[int, StoredPipeline]:
        """What is stored of some pipelines."""
        pk = pipelines_pk(self._integration_id, project_id)
        names = tuple(StoredPipeline.__dataclass_fields__)
        items = self._table.get_many([(pk, padded(number)) for number in ids], attributes=("id", *names))
        # Rows of an earlier release lack what was added since.
        return {item["id"]: StoredPipeline(**{name: item[name] for name in names if name in item}) for item in items}

    def has_any(self, project_id: int) -> bool:
        """Whether anything of a project is stored."""
        rows = self._table.query(pipelines_pk(self._integration_id, project_id), limit=1, attributes=("sk",))
        return bool(rows.items)

    def here(
        self, project_id: int, *, children: bool | None = None, after: int | None = None, until: int | None = None
    ) -> list[int]:
        """The ids of stored pipelines that are not gone, behind `after` up to `until`, in their order.

        `children`: only child pipelines, or only all others; None = both.
        """
        behind, last = (None if number is None else padded(number) for number in (after, until))
        pk, names = pipelines_pk(self._integration_id, project_id), ("id", "sk", "source", "deleted_at_source")
        rows = query_all(self._table, pk, after=behind, until=last, attributes=names)
        here = (item for item in rows if item.get("deleted_at_source") is None)
        return [item["id"] for item in here if children is None or (item.get("source") == CHILD_SOURCE) is children]

    def in_progress(self, project_id: int) -> list[Item]:
        """The stored pipelines that are not gone and go on by themselves: their id, sha and `updated_at`.

        It reads all pipelines of the project.
        """
        names = ("id", "status", "updated_at", "deleted_at_source", "body")
        rows = query_all(self._table, pipelines_pk(self._integration_id, project_id), attributes=names)
        found = (row for row in rows if row.get("deleted_at_source") is None and is_in_progress(row["status"]))
        return [{**row, "sha": unpack(row["body"])["sha"]} for row in found]

    def rows(self, project_id: int, ids: Iterable[int]) -> list[Item]:
        """The rows of some pipelines, in the order of their ids; those that are not stored are left out."""
        pk = pipelines_pk(self._integration_id, project_id)
        return sorted(self._table.get_many([(pk, padded(number)) for number in ids]), key=lambda row: int(row["id"]))

    def mark_deleted(self, rows: Iterable[Item], *, now: int) -> int:
        """Note that GitLab has pipelines no more (`now` in milliseconds), and how many that was news of.

        `rows` are theirs as they were before GitLab was asked: what another worker has written since then is younger
        than the answer, and stays.
        """
        marked = 0
        for row in rows:
            if row["deleted_at_source"] is None:
                names = row.keys() & {"digest", "changed_at", "written_at"}
                unchanged = Condition(equals={name: row[name] for name in names})
                about = {"deleted_at_source": now // 1000, "changed_at": now, "written_at": now}
                feed = {f"{BY_CHANGE}_sk": change_sk(now, row["project_id"], row["id"])}
                marked += is_written(self._table.put, {**row, **about, **feed}, unchanged)
        return marked

    def save(self, copy: Copy, known: StoredPipeline | None, *, now: int, hinted: bool = False) -> bool:
        """Keep a pipeline (`now` in milliseconds); False where nothing had changed.

        Raises ConditionFailed where what is stored is not what was `known`: another worker was faster. Chunks are
        written with the row; of a pipeline too large for one transaction they go first: a crash before the row leaves
        the old row, whose difference makes the next run read it again. Where two workers may have written chunks
        (`hinted`, now or before), they are written even if nothing seems to have changed.
        """
        project_id, number = copy.pipeline["project_id"], copy.pipeline["id"]
        jobs = with_attempts(copy.jobs)
        bridges = self._bridges(project_id, number, copy, known)
        sizes = {"job_count": len(jobs), "bridge_count": None if copy.is_outline else len(bridges)}
        body = {**copy.pipeline, **sizes, "failure_class": pipeline_failure_class(copy.pipeline, jobs)}
        parts = {"jobs": jobs, "bridges": bridges}
        # Whichever way a pipeline was read: GraphQL tells its times in whole seconds.
        digest = content_hash({"pipeline": in_seconds(body), **parts})
        # The release before took the times as they came.
        digests = {digest, *([content_hash({"pipeline": body, **parts})] if known and known.digest != digest else [])}
        same = known is not None and known.digest in digests and known.deleted_at_source is None
        reliable = same and not hinted and not (known is not None and known.hinted)
        if known is not None and reliable and known.settled == copy.settled:
            return False
        packed = {JOBS: pack(jobs), BRIDGES: pack(bridges)}
        changed_at = known.changed_at if known is not None and same else now
        counts = {"job_chunks": len(packed[JOBS]), "bridge_chunks": len(packed[BRIDGES])}
        state = {"settled": copy.settled, "digest": digest, "hinted": hinted, "written_at": now}
        row = {**self._row(body, known, changed_at=changed_at, is_outline=copy.is_outline), **counts, **state}
        condition = ABSENT if known is None else known.unchanged
        marks = [] if same else [Put(mark) for mark in changed_marks(self._integration_id, row, known)]
        chunks = [] if reliable else [Put(chunk) for chunk in self._chunks(project_id, number, packed)]
        # In one transaction: the figures of a day may be late, and never miss what is stored.
        actions: list[Action] = [Put(row, condition), *marks]
        left_over = self._left_over(project_id, number, packed, known)
        # Whoever writes the pipeline next may need the very chunks that this writer does not.
        if is_whole := fit_together([*actions, *chunks, *map(Delete, left_over)]):
            actions += [*chunks, *map(Delete, left_over)]
        else:
            self._table.write(puts=[chunk.item for chunk in chunks])
        if len(actions) == 1:
            self._table.put(row, condition)
        else:
            self._table.transact(actions)
        if not is_whole:
            self._table.write(deletes=left_over)
        return not same

    def _bridges(self, project_id: int, number: int, copy: Copy, known: StoredPipeline | None) -> list[Item]:
        if copy.bridges is not None:
            return with_attempts(copy.bridges)
        count = known.bridge_chunks if known else 0
        keys = [chunk_key(self._integration_id, project_id, number, BRIDGES, n) for n in range(count)]
        items = sorted(self._table.get_many(keys), key=lambda item: str(item["sk"]))
        return [bridge for item in items for bridge in unpack(item["data"])]

    def _row(self, body: Item, known: StoredPipeline | None, *, changed_at: int, is_outline: bool) -> Item:
        project_id, number, status = body["project_id"], body["id"], body["status"]
        ended_at = seconds(body["finished_at"] or body["updated_at"]) if is_terminal(status) else None
        ended = {
            "first_terminal_status": status if is_terminal(status) else None,
            "first_terminal_at": None if is_outline else ended_at,
        }
        if known is not None and known.first_terminal_status is not None:
            ended = {
                "first_terminal_status": known.first_terminal_status,
                # An outline does not know when.
                "first_terminal_at": known.first_terminal_at or ended["first_terminal_at"],
            }
        return {
            "pk": pipelines_pk(self._integration_id, project_id),
            "sk": padded(number),
            f"{BY_CHANGE}_pk": self._integration_id,
            f"{BY_CHANGE}_sk": change_sk(changed_at, project_id, number),
            "schema_version": 1,
            "changed_at": changed_at,
            "deleted_at_source": None,
            "id": number,
            "project_id": project_id,
            "status": status,
            **{name: body[name] for name in ("ref", "source", "updated_at")},
            "created_at": seconds(body["created_at"]),
            **ended,
            "body": pack_one(body),
        }

    def _chunks(self, project_id: int, number: int, packed: dict[str, list[bytes]]) -> list[Item]:
        items: list[dict[str, Any]] = []
        for part, chunks in packed.items():
            for n, data in enumerate(chunks):
                pk, sk = chunk_key(self._integration_id, project_id, number, part, n)
                items.append({"pk": pk, "sk": sk, "schema_version": 1, "data": data})
        return items

    def _left_over(
        self, project_id: int, number: int, packed: dict[str, list[bytes]], known: StoredPipeline | None
    ) -> list[Key]:
        before = {JOBS: known.job_chunks, BRIDGES: known.bridge_chunks} if known else {}
        return [
            chunk_key(self._integration_id, project_id, number, part, n)
            for part, count in before.items()
            for n in range(len(packed[part]), count)
        ]
