"""Builds as rows of the deliveries table, and their numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from gitlab_hub.builds.runs.claims import Claim, claim_item
from gitlab_hub.builds.runs.model import SUPERSEDED, Build, BuildStatus, concurrency_key, concurrency_keys
from gitlab_hub.errors import NotFound
from gitlab_hub.ids import owner_of
from gitlab_hub.storage.ports import (
    ABSENT,
    Condition,
    ConditionFailed,
    Delete,
    Item,
    Key,
    Put,
    StorageUnavailable,
    Table,
    UnknownSchema,
)
from gitlab_hub.storage.rows import Range, at_version, query_all

SCHEMA = 1
BY_TIME, PENDING = "by_time", "pending"
KEPT_SECONDS = 400 * 24 * 3600
"""A build is deleted after a good year."""
_WAITING = "BUILDS"
_COUNTER = "COUNTER#builds"
_TRIES = 20
_MOST_RUNNING = 100
_EXTRA = "extra"
_FIELDS = tuple(field.name for field in fields(Build) if field.name != _EXTRA)
_POSITIONS = ("by_time_pk", "by_time_sk", "pending_pk", "pending_sk")
_LEFT_BEFORE = "left_pipeline_id"
_OWN = frozenset({"pk", "sk", "schema_version", "expires_at", _LEFT_BEFORE, *_POSITIONS, *_FIELDS})


@dataclass(frozen=True, slots=True)
class CreateResult:
    """A build as it is stored; `is_new` where this call stored it."""

    build: Build
    is_new: bool


class BuildStore:
    """Every build once, by its id; changes are compare-and-set by `version`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, build_id: str) -> Build | None:
        """Read one build, strongly consistent. Raises UnknownSchema."""
        row = self._table.get(*_key(build_id))
        return None if row is None else _build(row)

    def require(self, build_id: str) -> Build:
        """Read one build. Raises NotFound."""
        build = self.get(build_id)
        if build is None:
            raise NotFound("There is no such build.")
        return build

    def create(self, build: Build) -> CreateResult:
        """Number a build and keep it, all or nothing; a build of this id that is already kept is given instead."""
        for _ in range(_TRIES):
            try:
                return CreateResult(self._created(build), is_new=True)
            except ConditionFailed:  # Another build took the number, or this very one is there by now.
                kept = self.get(build.id)
                if kept is not None:
                    return CreateResult(kept, is_new=False)
        raise StorageUnavailable("Too many builds are made at this moment; try again.", retry_after=5)

    def claim(self, first_id: str) -> Claim | None:
        """The claim whose first build has this id; None where there is none yet."""
        first = self.get(first_id)
        if first is None:
            return None
        row = self._table.get(f"BUILD#{first_id}", "CLAIM")
        if (
            row is None or row["first_number"] != first.number
        ):  # None yet, or left over from an earlier build of this id.
            return Claim(first=first, current=first, version=row["version"] if row else 0)
        current = first if row["build_id"] == first_id else self.get(str(row["build_id"]))
        return Claim(first=first, current=current or first, rejected=tuple(row["heard"]), version=row["version"])

    def record_rejected(self, claim: Claim, delivery_id: str) -> None:
        """Note that a delivery was refused another build. Raises ConditionFailed where the claim has changed."""
        put = _claimed(claim, claim.current.id, (*claim.rejected, delivery_id))
        self._table.put(put.item, put.condition)

    def supersede(self, claim: Claim, build: Build) -> Build:
        """Keep a further build of a claimed commit, which counts from now on.

        Raises ConditionFailed where the claim, or the number of builds, has changed.
        """
        return self._created(build, _claimed(claim, build.id, claim.rejected))

    def count(self, integration_id: str) -> int:
        """The number of the newest build."""
        counter = self._table.get(*_counter_key(integration_id))
        return 0 if counter is None else int(counter["value"])

    def _created(self, build: Build, *more: Put) -> Build:
        number = self.count(build.integration_id)
        numbered = replace(build, number=number + 1)
        self._table.transact([_counted(numbered), Put(_row(numbered), ABSENT), Put(_running(numbered)), *more])
        return numbered

    def save(self, before: Build, after: Build) -> Build:
        """Write a change of what was read; gives the build as stored. Raises ConditionFailed."""
        saved = replace(after, version=before.version + 1)
        put = Put(_row(saved), at_version(before.version))
        if saved.finished and not before.finished:
            positions = ((_of(saved.integration_id), f"{key}{saved.id}") for key in concurrency_keys(saved))
            self._table.transact([put, *map(Delete, positions)])
        else:
            self._table.put(put.item, put.condition)
        return saved

    def due(self, *, now: int, limit: int) -> list[str]:
        """Ids of builds whose messages are to be sent again, the longest waiting first."""
        rows = self._table.query(_WAITING, until=_moment(now * 1000, "~"), limit=limit, index=PENDING)
        return [str(row["pk"]).removeprefix("BUILD#") for row in rows.items]

    def concurrent_with(self, build: Build) -> list[str]:
        """Ids of the unfinished builds of the same trigger, project and ref, this one among them.

        Rows of the release before may be of another kind of ref: compare concurrency keys.
        """
        found = (
            self._table.query(_of(build.integration_id), prefix=key, limit=_MOST_RUNNING)
            for key in concurrency_keys(build)
        )
        return [str(row["build_id"]) for rows in found for row in rows.items]

    def any_active(self, integration_id: str) -> bool:
        """Whether an integration has builds that wait for their target or run; one that waits for a person is none."""
        rows = self._table.query(_of(integration_id), prefix="RUNNING#", limit=_MOST_RUNNING)
        builds = self._table.get_many([_key(str(row["build_id"])) for row in rows.items])
        return rows.last is not None or any(_is_active(_build(row)) for row in builds)

    def list_positions(self, integration_id: str, *, after: str | None, batch: int) -> Iterator[str]:
        """Where an integration's builds stand in lists, newest first, behind one of them; read `batch` by `batch`.

        A look into the index alone: what stands there is read by `at`.
        """
        wanted = Range(after=after, limit=batch, forward=False, index=BY_TIME, attributes=("by_time_sk",))
        return (str(row["by_time_sk"]) for row in query_all(self._table, f"BUILDS#{integration_id}", **wanted))

    def at(self, positions: Sequence[str]) -> list[Build]:
        """The builds that stand at some places, in that order; read from the table, so that no status is an old one."""
        found = self._table.get_many([_key(position.partition("#")[2]) for position in positions])
        return sorted(map(_build, found), key=list_position, reverse=True)

    def partitions(self, integration_id: str) -> Iterator[str]:
        """All partitions to empty once it is gone: each build's, and then the one with numbers, triggers and hooks."""
        rows = query_all(self._table, f"BUILDS#{integration_id}", limit=200, index=BY_TIME, attributes=("pk",))
        yield from (str(row["pk"]) for row in rows)
        yield _of(integration_id)


def list_position(build: Build) -> str:
    """Where a build stands in lists; no two stand in one place."""
    return _moment(build.created_ms, build.id)


def _key(build_id: str) -> Key:
    return f"BUILD#{build_id}", "BUILD"


def _of(integration_id: str) -> str:
    return f"INTEGRATION#{integration_id}"


def _counter_key(integration_id: str) -> Key:
    return _of(integration_id), _COUNTER


def _counted(build: Build) -> Put:
    pk, sk = _counter_key(build.integration_id)
    unchanged = Condition(equals={"value": build.number - 1}) if build.number > 1 else ABSENT
    return Put({"pk": pk, "sk": sk, "schema_version": SCHEMA, "value": build.number}, unchanged)


def _claimed(claim: Claim, build_id: str, rejected: tuple[str, ...]) -> Put:
    item = claim_item(claim, build_id=build_id, rejected=rejected, expires_at=claim.first.created_at + KEPT_SECONDS)
    return Put(item, at_version(claim.version))


def _is_active(build: Build) -> bool:
    return not build.finished and not build.awaits_approval


def _running(build: Build) -> Item:
    return {
        "pk": _of(build.integration_id),
        "sk": f"{concurrency_key(build)}{build.id}",
        "schema_version": SCHEMA,
        "build_id": build.id,
        "expires_at": build.created_at + KEPT_SECONDS,
    }


def _row(build: Build) -> Item:
    pk, sk = _key(build.id)
    row: Item = {name: getattr(build, name) for name in _FIELDS}
    row |= {"status": str(build.status), "target": dict(build.target), "left_pipelines": dict(build.left_pipelines)}
    row |= {"pk": pk, "sk": sk, "schema_version": SCHEMA, "expires_at": build.created_at + KEPT_SECONDS}
    # A later release's rows stay its own.
    row |= build.extra
    row |= {"by_time_pk": f"BUILDS#{build.integration_id}", "by_time_sk": list_position(build)}
    if build.due_at is not None:
        row |= {"pending_pk": _WAITING, "pending_sk": _moment(build.due_at * 1000, build.id)}
    return row


def _build(row: Mapping[str, Any]) -> Build:
    """Read a row; what a later release added is not looked at, and kept. Raises UnknownSchema."""
    known = {name: row[name] for name in _FIELDS if name in row}
    later = {"schema_version": row["schema_version"]} if row["schema_version"] > SCHEMA else {}
    try:
        status = BuildStatus(row["status"])
    except ValueError:
        raise UnknownSchema("This version does not know the status of this build.") from None
    # The release before said so in words only.
    known["superseded"] = bool(known.get("superseded")) or known.get("description") == SUPERSEDED
    # It remembered one pipeline only, and took it for one of the build's commit.
    if row.get(_LEFT_BEFORE) is not None:
        known["left_pipelines"] = {str(row[_LEFT_BEFORE]): row["sha"], **known.get("left_pipelines", {})}
    extra = {name: value for name, value in row.items() if name not in _OWN} | later
    return Build(**{**known, "status": status, _EXTRA: extra})


def _moment(milliseconds: int, build_id: str) -> str:
    return f"{milliseconds:013d}#{build_id}"


def integration_of(build_id: str) -> str:
    """The integration that a build's id names. Raises NotFound for what is no such id."""
    integration_id = owner_of(build_id)
    if integration_id is None:
        raise NotFound("There is no such build.")
    return integration_id
