"""What is asked of GraphQL about pipelines, and how an answer becomes the rows that REST would have given. Pure.

Field names, arguments and types: docs.gitlab.com/api/graphql/reference (`Project.pipelines`, `Pipeline`). The list is
that of REST's finder (app/finders/ci/pipelines_finder.rb): the newest first, children only where their `source` is
asked for, and empty without a word for whom pipelines are hidden from. Times have whole seconds
(app/graphql/types/time_type.rb), where REST has milliseconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitlab_hub.gitlab.fields import iso, mapping, millis, number, part, text
from gitlab_hub.gitlab.graphql import PAGE, GraphQLQuery, number_of
from gitlab_hub.gitlab.graphql_batches import parts_query, values_of
from gitlab_hub.pipelines.window import PER_PAGE, Stream

MOST = PER_PAGE - 1
"""Pipelines of one stream that are taken from one answer. A window takes a full page for one that more follow."""

FEW = 20
"""Pipelines of one stream that a look shows."""

CHILD_SOURCE = "parent_pipeline"
TYPE = "Project"

PLAIN = (
    "id iid name status sha beforeSha ref refPath source createdAt updatedAt startedAt finishedAt committedAt duration "
    "queuedDuration coverage yamlErrorMessages"
)
"""Fields of a pipeline that are told by themselves."""
_JOBS = f"jobs(first: {PAGE}) {{ count nodes {{ id }} pageInfo {{ hasNextPage }} }}"
_LIST = "count pageInfo { hasNextPage }"
_WHOLE = f"{_LIST} nodes {{ {PLAIN} user {{ id username name }} {_JOBS} }}"
_OUTLINE = f"{_LIST} nodes {{ id status updatedAt source sha }}"
_IDS = "pageInfo { hasNextPage } nodes { id source }"
_SINCE, _CHILD_SINCE = "updatedAfter: $since, first: $size", "updatedAfter: $childSince, first: $size"
_UNTIL = "updatedBefore: $until"
_CHILD = "source: $child"

_VARIABLES = ("$size: Int", "$since: Time", "$childSince: Time", "$child: String")

Since = Mapping[Stream, int | None]
"""From when on each stream is looked at, in milliseconds; None = from the beginning."""

LOOK_COST, DETAIL_COST, COUNT_COST = 50, 175, 12
"""What these parts of a query cost for one resource, by app/graphql/types/base_field.rb: one a field, two for one
that asks Gitaly, for a list one more and one per cent of the sum for each node that it may have."""

YOUNG_MS = 10_000
"""A pipeline that changed so shortly before the answer may change again within the second that its time is told in."""

_TEXTS = {
    "sha": "sha", "name": "name", "beforeSha": "before_sha", "ref": "ref", "source": "source",
    "createdAt": "created_at", "updatedAt": "updated_at", "startedAt": "started_at", "finishedAt": "finished_at",
    "committedAt": "committed_at", "yamlErrorMessages": "yaml_errors",
}  # fmt: skip


def most_looked_at(limit: int, *, counts: bool) -> int:
    """How many projects one look may ask for that may cost so much; a part of a hundred costs twice its resource."""
    return PAGE * max(1, limit // (2 * (LOOK_COST + COUNT_COST * counts)))


def most_read(limit: int) -> int:
    """How many projects may be read at once, all pipelines with everything."""
    return max(1, min(PAGE, int((limit / DETAIL_COST - 1) * 100)))


def look_query(count: int, *, counts: bool) -> GraphQLQuery:
    """Ask so many projects what has changed since a moment, and which pipelines are the newest.

    `counts`: ask also how many pipelines there are, and how many of them have a date.
    """
    told = "jobsEnabled"
    for name, arguments, since in (("", "", _SINCE), ("Children", f"{_CHILD}, ", _CHILD_SINCE)):
        told += f" recent{name}: pipelines({arguments}{since}) {{ {_OUTLINE} }}"
        told += f" newest{name}: pipelines({arguments}first: $size) {{ {_IDS} }}"
    if counts:
        for name, arguments in (("", ""), ("Children", f"{_CHILD}, ")):
            told += f" all{name}: pipelines({arguments}first: 1) {{ count }}"
            told += f" dated{name}: pipelines({arguments}updatedAfter: $epoch, first: 1) {{ count }}"
    variables = (*_VARIABLES, *(["$epoch: Time"] * counts))
    return parts_query("PipelinesChanged", "projects", told, count, variables=variables)


def look_values(numbers: Sequence[int], since: Since, *, counts: bool) -> dict[str, Any]:
    """The values of its variables."""
    epoch = {"epoch": iso(0)} if counts else {}
    return values_of(TYPE, numbers, size=FEW, child=CHILD_SOURCE, **_bounds(since), **epoch)


def detail_query(count: int) -> GraphQLQuery:
    """Ask so many projects for their pipelines with everything, those that changed between two moments or all."""
    told = f"webUrl recent: pipelines({_UNTIL}, {_SINCE}) {{ {_WHOLE} }}"
    told += f" recentChildren: pipelines({_CHILD}, {_UNTIL}, {_CHILD_SINCE}) {{ {_WHOLE} }}"
    return parts_query("Pipelines", "projects", told, count, variables=(*_VARIABLES, "$until: Time"))


def detail_values(numbers: Sequence[int], since: Since, *, until: int | None = None) -> dict[str, Any]:
    """The values of its variables; `until` in milliseconds, None = to the end."""
    end = {} if until is None else {"until": iso(until)}
    return values_of(TYPE, numbers, size=MOST, child=CHILD_SOURCE, **_bounds(since), **end)


def _bounds(since: Since) -> dict[str, str]:
    names = {Stream.DEFAULT: "since", Stream.CHILD: "childSince"}
    return {names[stream]: iso(moment) for stream, moment in since.items() if moment is not None}


Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Detail:
    """A pipeline as REST's `…/pipelines/:id` would tell it but for parts of seconds, and what jobs it has."""

    body: Row
    builds: frozenset[int]
    has_bridges: bool


@dataclass(frozen=True, slots=True)
class Newest:
    """The ids of the newest pipelines of a stream; `whole`: there are no others."""

    ids: tuple[int, ...]
    whole: bool


def recent_of(project: Row, stream: Stream, *, at: int) -> list[dict[str, Any]] | None:
    """The rows of a stream that changed since a moment, in the order of time, as REST lists them.

    None where not all of them are there, or one has changed so shortly before (`at`: when GitLab answered, in
    milliseconds) that it may change once more in the same second.
    """
    rows = _rows(project, f"recent{_suffix(stream)}", counted=True)
    listed = [_listed(row) for row in rows or ()]
    whole = [row for row in listed if row is not None]
    if rows is None or len(whole) < len(listed):
        return None
    if any(_is_young(row, at) for row in whole):
        return None
    return sorted(whole, key=lambda row: (millis(row["updated_at"]), row["id"]))


def newest_of(project: Row, stream: Stream) -> Newest | None:
    """The newest pipelines of a stream; None where that is not known."""
    connection = part(project, f"newest{_suffix(stream)}")
    nodes, more = connection.get("nodes"), part(connection, "pageInfo").get("hasNextPage")
    if not isinstance(nodes, list) or not isinstance(more, bool):
        return None
    rows = [mapping(node) for node in nodes]
    if stream is Stream.CHILD and any(row.get("source") != CHILD_SOURCE for row in rows):
        return None
    ids = [number_of(row.get("id"), "Ci::Pipeline") for row in rows]
    known = [one for one in ids if one is not None]
    return Newest(tuple(known), not more) if len(known) == len(ids) else None


def counts_of(project: Row, stream: Stream) -> tuple[int, bool] | None:
    """How many pipelines of a stream there are, and whether each has a date; None where it was not told."""
    names = (f"{name}{_suffix(stream)}" for name in ("all", "dated"))
    everything, dated = (number(part(project, name).get("count")) for name in names)
    return None if everything is None or dated is None else (everything, everything == dated)


def details_of(project: Row, project_id: int, *, at: int) -> dict[int, Detail]:
    """The pipelines that came with everything, by id; but those that have changed shortly before (`at` as above)."""
    web_url = text(project.get("webUrl"), None)
    found = (
        _detail(mapping(node), project_id, web_url)
        for stream in Stream
        for node in _rows(project, f"recent{_suffix(stream)}", counted=False) or ()
    )
    return {one.body["id"]: one for one in found if one is not None and not _is_young(one.body, at)}


def _is_young(row: Row, at: int) -> bool:
    return at - (millis(row["updated_at"]) or at) < YOUNG_MS


def _suffix(stream: Stream) -> str:
    return "" if stream is Stream.DEFAULT else "Children"


def _rows(project: Row, name: str, *, counted: bool) -> list[Any] | None:
    """The nodes of a connection that has no further page, and as many nodes as it counts."""
    connection = part(project, name)
    nodes, more = connection.get("nodes"), part(connection, "pageInfo").get("hasNextPage")
    if not isinstance(nodes, list) or more is not False:
        return None
    return nodes if not counted or connection.get("count") == len(nodes) else None


def _listed(node: Any) -> dict[str, Any] | None:
    row = mapping(node)
    pipeline, moment, status = number_of(row.get("id"), "Ci::Pipeline"), row.get("updatedAt"), text(row.get("status"))
    if pipeline is None or millis(moment) is None or status is None:
        return None
    return {
        "id": pipeline, "status": status.lower(), "updated_at": moment, "source": row.get("source"),
        "sha": row.get("sha"),
    }  # fmt: skip


def _detail(node: Row, project_id: int, web_url: str | None) -> Detail | None:
    listed, user, jobs = _listed(node), mapping(node.get("user")), _job_ids(node)
    user_id, iid, ref = number_of(user.get("id"), "User"), text(node.get("iid")), text(node.get("refPath"), None)
    if listed is None or user_id is None or jobs is None or not web_url or not (iid or "").isdecimal() or not ref:
        return None
    body = {
        **{rest: node.get(name) for name, rest in _TEXTS.items()},
        "id": listed["id"],
        "iid": int(iid or 0),
        "project_id": project_id,
        "status": listed["status"],
        # `source_ref_path` in app/models/ci/pipeline.rb; it is null for what is neither branch, tag nor merge request.
        "tag": ref.startswith("refs/tags/"),
        "duration": node.get("duration"),
        "queued_duration": _whole_number(node.get("queuedDuration")),
        "coverage": _coverage(node.get("coverage")),
        "web_url": f"{web_url}/-/pipelines/{listed['id']}",
        "user": {"id": user_id, "username": user.get("username"), "name": user.get("name")},
    }
    kinds = {kind: frozenset(one for of, one in jobs if of == kind) for kind in ("Ci::Build", "Ci::Bridge")}
    return Detail(body, kinds["Ci::Build"], bool(kinds["Ci::Bridge"]))


def _job_ids(node: Row) -> list[tuple[str, int]] | None:
    """The kinds and ids of a pipeline's jobs: what its Global IDs say (`id` in app/graphql/types/ci/job_type.rb)."""
    found: list[tuple[str, int]] = []
    rows = _rows(node, "jobs", counted=True)
    for row in rows or ():
        name = mapping(row).get("id")
        kinds = ((kind, number_of(name, kind)) for kind in ("Ci::Build", "Ci::Bridge", "GenericCommitStatus"))
        kind, job = next(((kind, job) for kind, job in kinds if job is not None), ("", None))
        if job is None:
            return None
        found.append((kind, job))
    return None if rows is None else found


def _whole_number(value: Any) -> Any:
    """Take `12.0` for `12`: GitLab computes whole seconds and its GraphQL writes them as `Duration`."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _coverage(value: Any) -> Any:
    """The text that REST makes of a coverage (`coverage` in app/presenters/ci/pipeline_presenter.rb)."""
    return f"{value:.2f}" if isinstance(value, int | float) and not isinstance(value, bool) else None
