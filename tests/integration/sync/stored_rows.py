"""What the hub stored and what GitLab really has, in one form, to be compared."""

import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gitlab_hub.access.shards import Shards
from gitlab_hub.storage.ports import Item
from gitlab_hub.sync.fence import fence_partition
from gitlab_hub.sync.ports import Kind
from tests.fakes.sync_worker import ID, SyncHub
from tests.fakes.table import MemoryTable

View = dict[str, Any]

STATUSES = {"active": "active", "blocked_pending_approval": "pending"}
"""How the hub words a state of GitLab; every other state of the company means disabled."""


TRAITS = ("share_with_group_lock", "membership_lock", "marked_for_deletion_on", "owner_id")
"""What is kept of groups and projects beside their paths; null where GitLab has no such thing."""


def mirrored(hub: SyncHub, kind: Kind) -> list[Item]:
    """Everything stored of GitLab; beside it lie the fence, which goes up with every run, and what was told of it."""
    beside = (fence_partition(ID), f"{ID}#changes", f"{ID}#feed")
    return [row for row in hub.rows[kind].dump() if row["pk"] not in beside]


def access(hub: SyncHub) -> View:
    """The access rows of a hub."""
    table = hub.rows[Kind.ACCESS]
    resources = {name: _all(table, f"{ID}#{name}") for name in ("groups", "projects")}
    shares = {
        (name[:-1], row["id"], share["group_id"]): (share["access_level"], share["ends_at"], share["member_role_id"])
        for name, rows in resources.items()
        for row in rows
        for share in row["shared_with"]
    }
    grants = [row for pk in Shards(ID, "grants").every for row in _all(table, pk)]
    return {
        "accounts": {row["id"]: (row["username"], row["status"]) for row in _all(table, f"{ID}#accounts")},
        **{name: {row["id"]: row["full_path"] for row in rows} for name, rows in resources.items()},
        "traits": {
            (name[:-1], row["id"], trait): row[trait]
            for name, rows in resources.items()
            for row in rows
            for trait in TRAITS
        },
        "grants": {
            (row["resource_type"], row["resource_id"], row["account_id"]): (row["access_level"], row["ends_at"])
            for row in grants
        },
        "shares": shares,
    }


def pipelines(hub: SyncHub) -> View:
    """The pipelines rows of a hub, with all attempts; those of projects that are gone stay stored, and do not count."""
    found: View = {"projects": {}, "pipelines": {}, "jobs": {}, "bridges": {}}
    for item in hub.rows[Kind.PIPELINES].dump():
        match item["pk"].split("#")[1:]:
            case ["projects"] if "gone_at" not in item:
                found["projects"][item["id"]] = item["path_with_namespace"]
            case ["pipelines", project]:
                key = (int(project), item["id"])
                found["pipelines"][key] = (item["status"], in_seconds(item["updated_at"]), item["source"])
                assert json.loads(zlib.decompress(item["body"]))["status"] == item["status"]
            case ["jobs", project]:
                pipeline, part, _ = item["sk"].split("#")
                for job in json.loads(zlib.decompress(item["data"])):
                    attempt = (job["name"], job["status"], job["retried"])
                    found[part][int(project), int(pipeline), job["id"]] = attempt if part == "jobs" else job["status"]
    rest = {
        name: {key: row for key, row in found[name].items() if key[0] in found["projects"]}
        for name in ("pipelines", "jobs", "bridges")
    }
    return {**rest, "projects": found["projects"]}


def stored(hub: SyncHub, kind: Kind) -> View:
    """The rows of one kind."""
    return access(hub) if kind is Kind.ACCESS else pipelines(hub)


def truth(hub: SyncHub, kind: Kind) -> View:
    """What the hub ought to have, as GitLab's own books say."""
    return access_truth(hub) if kind is Kind.ACCESS else pipelines_truth(hub)


def access_truth(hub: SyncHub) -> View:
    """Everything for administrators; else the groups and projects in sight, and whoever is a member of them."""
    server = hub.server
    groups, projects = reach(hub)
    members = {
        (row["source"], row["source_id"], row["user_id"]): (row["access_level"], ends(row["expires_at"]))
        for row in server.truth("members")
        if row["source_id"] in (groups if row["source"] == "group" else projects)
    }
    met = {user_id for _, _, user_id in members} | met_outside(hub, groups, projects)
    seen = seen_groups(hub)
    everybody = hub.targets.only.is_admin and hub.targets.only.group is None
    return {
        "accounts": {
            row["id"]: (row["username"], STATUSES.get(row["state"], "disabled"))
            for row in server.truth("users")
            if everybody or row["id"] in met
        },
        "groups": groups,
        "projects": projects,
        "traits": {
            (kind, row["id"], trait): row.get(trait)
            for kind, reached in (("group", groups), ("project", projects))
            for row in server.truth(f"{kind}s")
            if row["id"] in reached
            for trait in TRAITS
        },
        "grants": members,
        "shares": {
            (row["source"], row["source_id"], row["group_id"]): (
                row["group_access_level"],
                ends(row["expires_at"]),
                row["member_role_id"],
            )
            for row in server.truth("shares")
            if row["source_id"] in (groups if row["source"] == "group" else projects) and row["group_id"] in seen
        },
    }


def pipelines_truth(hub: SyncHub) -> View:
    """The pipelines of every project in reach that shows any."""
    server = hub.server
    _, projects = reach(hub)
    closed = set(server.control("GET", "ground-truth")["projects_without_builds"])
    readable = projects.keys() - closed
    jobs = [row for row in server.truth("jobs") if row["project_id"] in readable]
    bridges = [row for row in server.truth("bridges") if row["project_id"] in readable]
    return {
        "projects": projects,
        "pipelines": {
            (row["project_id"], row["id"]): (row["status"], in_seconds(row["updated_at"]), row["source"])
            for row in server.truth("pipelines")
            if row["project_id"] in readable
        },
        "jobs": {place(row): (row["name"], row["status"], row["retried"]) for row in jobs},
        "bridges": {place(row): row["status"] for row in bridges},
    }


def met_outside(hub: SyncHub, groups: Mapping[int, str], projects: Mapping[int, str]) -> set[int]:
    """Whoever is a member of a group in sight that is not covered and gives access to what is."""
    server = hub.server
    above = {("group", row["id"]): row["parent_id"] for row in server.truth("groups")}
    above |= {("project", row["id"]): row["group_id"] for row in server.truth("projects")}
    seen = seen_groups(hub)
    covered = [*(("group", number) for number in groups), *(("project", number) for number in projects)]
    left, lines, met = [*covered], set[int](), set[int]()
    while left:
        source = left.pop()
        parent = above[source]
        invited = [row["group_id"] for row in server.truth("shares", source_id=source[1]) if row["source"] == source[0]]
        upwards = {parent} | (set(invited) if source[0] == "project" else set())
        for number in ({parent, *invited} - {None} - groups.keys()) & seen:
            met |= {row["user_id"] for row in server.truth("members", source_id=number) if row["source"] == "group"}
            if number in upwards and number not in lines:
                lines.add(number)
                left.append(("group", number))
    return met


def seen_groups(hub: SyncHub) -> set[int]:
    """The groups that the holder of the hub's token can see, covered or not."""
    if hub.targets.only.is_admin:
        return {row["id"] for row in hub.server.truth("groups")}
    return {int(number) for number in visibility_of(hub)["groups"]}


def visibility_of(hub: SyncHub) -> dict[str, Any]:
    """What the holder of the hub's token sees."""
    name = next(name for name, value in hub.server.control("GET", "tokens").items() if value == hub.targets.token)
    found: dict[str, Any] = hub.server.control("GET", f"ground-truth/visibility?token={name}")
    return found


def reach(hub: SyncHub) -> tuple[dict[int, str], dict[int, str]]:
    """Groups and projects (id → path) that the integration is about."""
    server, target = hub.server, hub.targets.only
    groups = {row["id"]: row["full_path"] for row in server.truth("groups")}
    projects = {row["id"]: row["path_with_namespace"] for row in server.truth("projects")}
    if not target.is_admin:
        visibility = visibility_of(hub)
        groups = {number: path for number, path in groups.items() if visibility["groups"].get(str(number), 0) >= 10}
        projects = {number: path for number, path in projects.items() if visibility["projects"].get(str(number), 0) > 0}
    if target.group is not None:
        inside = f"{target.group}/"
        groups = {number: path for number, path in groups.items() if f"{path}/".startswith(inside)}
        projects = {number: path for number, path in projects.items() if path.startswith(inside)}
    return groups, projects


def lost(before: View, after: View, now: View) -> list[tuple[str, Any]]:
    """Rows that were stored, exist in GitLab, and are not stored any more: there must never be one."""
    return [(name, key) for name, rows in before.items() for key in rows if key in now[name] and key not in after[name]]


def in_seconds(moment: str | None) -> str | None:
    """A time without parts of a second, which GraphQL does not tell."""
    return moment and moment[:19]


def place(row: dict[str, Any]) -> tuple[int, int, int]:
    """Where a job belongs."""
    return row["project_id"], row["pipeline_id"], row["id"]


def ends(day: str | None) -> int | None:
    """The first second without access."""
    return None if day is None else int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def _all(table: MemoryTable, pk: str) -> list[dict[str, Any]]:
    return [item for item in table.dump(pk) if item["pk"] == pk]
