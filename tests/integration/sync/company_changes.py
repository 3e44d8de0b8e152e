"""Things that happen in a company between two syncs, one of every sort."""

from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from stand_in_gitlab.process import Running
from tests.fakes.sync_worker import SyncHub
from tests.integration.sync.stored_rows import View, stored


def happen(server: Running) -> None:
    """Let accounts, groups, projects, memberships and pipelines come, change and go."""
    _people(server)
    _estate(server)
    _builds(server)


def synced_before(server: Running) -> tuple[SyncHub, dict[Kind, View]]:
    """Give a hub that synced a company before all this happened, and what it stored then; its clock has gone on."""
    hub = SyncHub(server)
    for kind in Kind:
        assert hub.sync(kind).status is RunStatus.IDLE
    before = {kind: stored(hub, kind) for kind in Kind}
    happen(server)
    hub.now += 7_200
    return hub, before


def _people(server: Running) -> None:
    users = [row for row in server.truth("users") if not row["bot"] and not row["is_admin"]]
    server.change("remove_user", id=users[-1]["id"])
    server.change("update_user", id=users[0]["id"], username="renamed.person", state="blocked")
    newcomer = server.change("add_user", username="new.comer")["id"]
    members = server.truth("members", source="project")
    server.change("add_member", source="project", source_id=members[0]["source_id"], user_id=newcomer, level=30)
    leaver = next(row for row in server.truth("members", source="group") if row["user_id"] in ids(users[1:-1]))
    server.change("remove_member", source="group", source_id=leaver["source_id"], user_id=leaver["user_id"])


def _estate(server: Running) -> None:
    groups, projects = server.truth("groups"), server.truth("projects")
    parent = groups[0]["id"]
    group = server.change("add_group", path="new-group", parent_id=parent)["id"]
    server.change("add_project", path="new-project", group_id=group)
    server.change("add_share", source="group", source_id=group, group_id=parent, level=20)
    server.change("remove_project", id=projects[-1]["id"])
    server.change("update_group", id=parent, share_with_group_lock=True, membership_lock=True)
    server.change("update_group", id=groups[-1]["id"], marked_for_deletion_on="2026-09-30")
    server.change("update_project", id=projects[1]["id"], marked_for_deletion_on="2026-09-29")
    server.change("update_project", id=projects[0]["id"], full_path=f"{projects[0]['path_with_namespace']}-moved")


def _builds(server: Running) -> None:
    closed = server.control("GET", "ground-truth")["projects_without_builds"]
    project = next(row["id"] for row in server.truth("projects") if row["id"] not in closed)
    server.change("add_pipeline", project_id=project, jobs=3)
    ended = next(row for row in server.truth("jobs") if row["status"] in {"success", "failed"})
    server.change("retry_job", id=ended["id"])
    server.control("POST", "advance", {"seconds": 7_200, "jobs": 3})


def ids(rows: list[dict[str, int]]) -> set[int]:
    """The ids of rows."""
    return {row["id"] for row in rows}
