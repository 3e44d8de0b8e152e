"""Fine-grained tokens: both syncs read what the grant covers, and what lies outside of it is never called gone."""

from typing import Any

import httpx
import pytest

from gitlab_hub.integrations.permissions import need_of
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from gitlab_hub.sync.scope_notes import partition
from stand_in_gitlab.process import Running
from tests.fakes.sync_worker import ID, SyncHub
from tests.integration.sync.conftest import BOTH, KINDS
from tests.integration.sync.stored_rows import stored, truth


def granted(server: Running, hub: SyncHub, name: str, permissions: tuple[str, ...], **where: Any) -> None:
    """Give the hub another token of the same user, with this grant only."""
    scope = {"access": "selected_memberships", **where} if where else {"access": "all_memberships"}
    grants = [{"access": access, "permissions": permissions} for access in ("user", "instance")]
    grants.append({**scope, "permissions": permissions})
    user = hub.targets.only.user_id
    server.change("add_token", name=name, user_id=user, scopes=["granular"], grants=grants)
    hub.targets.token = server.control("GET", "tokens")[name]


@KINDS
def test_the_published_permissions_are_enough(server: Running, kind: Kind) -> None:
    """What `docs/tokens.md` says that the sync needs, and nothing else."""
    hub = SyncHub(server, "owner-read")
    granted(server, hub, f"least-{kind}", need_of(str(kind)).permissions)
    run = hub.sync(kind)
    assert (run.status, run.incomplete, run.last_error) == (RunStatus.IDLE, 0, None)
    assert stored(hub, kind) == truth(hub, kind)
    assert stored(hub, kind)["projects"]


NEEDED = [(kind, name) for kind in BOTH for name in need_of(str(kind)).permissions if name != "User: Read"]


@pytest.mark.parametrize(("kind", "permission"), NEEDED)
def test_a_permission_that_is_lost_costs_no_row(server: Running, kind: Kind, permission: str) -> None:
    """And each one that is published is needed: without it, something cannot be read."""
    hub = SyncHub(server, "owner-read")
    hub.sync(kind)
    before = stored(hub, kind)
    left = tuple(name for name in need_of(str(kind)).permissions if name != permission)
    granted(server, hub, f"without-{permission.partition(':')[0]}-{kind}", left)
    run = hub.sync(kind)
    assert stored(hub, kind) == before
    assert run.incomplete > 0
    assert hub.targets.verdicts == ["accepted"] * len(hub.targets.verdicts)


@KINDS
def test_a_grant_of_one_project_makes_nothing_else_gone(server: Running, kind: Kind) -> None:
    hub = SyncHub(server, "owner-read")
    hub.sync(kind)
    before, mine = stored(hub, kind), min(stored(hub, kind)["projects"])
    granted(server, hub, f"one-project-{kind}", need_of(str(kind)).permissions, project_id=mine)
    for full in (False, True):
        hub.service.request(ID, [kind], full=full)
        hub.work(kind)
        assert stored(hub, kind) == before
    others = [number for number in before["projects"] if number != mine]
    stage = "project_members" if kind is Kind.ACCESS else "pipelines"
    notes = {n: hub.state.get(partition(ID), f"SCOPE#{kind}#{stage}#{n:012d}") for n in (mine, *others)}
    assert notes[mine] is None
    assert others
    for number in others:
        note = notes[number]
        assert note is not None
        assert note["status"] == "forbidden"


@KINDS
def test_a_classic_token_that_a_group_refuses_from_now_on_costs_no_row(server: Running, kind: Kind) -> None:
    hub = SyncHub(server, "owner-read")
    hub.sync(kind)
    before = stored(hub, kind)
    for group in (row["id"] for row in server.truth("groups") if row["parent_id"] is None):
        server.change("enforce_fine_grained", group_id=group)
    run = hub.sync(kind)
    for group in (row["id"] for row in server.truth("groups") if row["parent_id"] is None):
        server.change("enforce_fine_grained", group_id=group, on=False)
    assert stored(hub, kind) == before
    assert run.incomplete > 0
    assert "rejected" not in hub.targets.verdicts


@KINDS
def test_a_list_that_leaves_out_what_is_outside_of_the_grant_makes_nothing_gone(server: Running, kind: Kind) -> None:
    """So few are missing that it is not suspicious: each is asked for by its id, and a refusal is no proof."""
    hub = SyncHub(server, "owner-read")
    hub.sync(kind)
    before = stored(hub, kind)
    hidden, *shown = sorted(before["projects"], reverse=True)
    assert len(shown) > 2
    for number in shown:
        server.change("update_project", id=number, name=f"shown {number}")
    permissions = need_of(str(kind)).permissions
    selected = {"access": "selected_memberships"}
    in_the_group = [name for name in permissions if name != "Project: Read"]
    grants: list[dict[str, Any]] = [
        {"access": "user", "permissions": permissions},
        {**selected, "group_id": 1, "permissions": in_the_group},
        *({**selected, "project_id": number, "permissions": permissions} for number in shown),
    ]
    user = hub.targets.only.user_id
    server.change("add_token", name=f"shorter-{kind}", user_id=user, scopes=["granular"], grants=grants)
    hub.targets.token = server.control("GET", "tokens")[f"shorter-{kind}"]

    def shorten(request: httpx.Request) -> httpx.Request:
        if request.url.path.endswith("/api/v4/projects"):
            request.url = request.url.copy_merge_params({"search": "shown"})
        return request

    hub.watch = shorten
    run = hub.sync(kind)
    assert run.status is RunStatus.IDLE
    assert (hidden in stored(hub, kind)["projects"], stored(hub, kind)) == (True, before)
