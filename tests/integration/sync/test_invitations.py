"""Invitations beside the access sync, over the wire: what there is, once a day, and no run suffers from a refusal."""

from typing import Any

import pytest

from gitlab_hub.sync.asides import MOST_REFUSED
from gitlab_hub.sync.incidents import incidents_of
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.scope_list import ListedScope
from stand_in_gitlab.process import Running, running
from tests.fakes.sync_worker import ID, NEVER, SyncHub
from tests.integration.sync.conftest import EPOCH
from tests.integration.sync.stored_rows import access, ends, reach, truth

Invited = dict[tuple[str, int, str], tuple[int, int | None, str | None]]
STAGES = ("group_invitations", "project_invitations")


@pytest.fixture
def inviting(fresh: Running) -> Running:
    """A company that has asked somebody to join each of its groups and projects."""
    for kind in ("group", "project"):
        for row in fresh.truth(f"{kind}s"):
            fresh.change(
                "invite", source=kind, source_id=row["id"], email=f"new.{kind}.{row['id']}@example.com", level=30,
                expires_at="2026-12-24" if row["id"] % 2 else None,
            )  # fmt: skip
    return fresh


def stored(hub: SyncHub) -> Invited:
    return {
        (row["resource_type"], row["resource_id"], row["email"]): (
            row["access_level"], row["ends_at"], row["created_by"],
        )
        for row in hub.rows[Kind.ACCESS].dump()
        if row["pk"].startswith(f"{ID}#invitations#")
    }  # fmt: skip


def real(hub: SyncHub) -> Invited:
    """Those that GitLab has where the token's user may invite."""
    groups, projects = reach(hub)
    levels: dict[str, dict[str, int]] = {}
    if not hub.targets.only.is_admin:
        name = next(name for name, value in hub.server.control("GET", "tokens").items() if value == hub.targets.token)
        levels = hub.server.control("GET", f"ground-truth/visibility?token={name}")

    def may_invite(row: dict[str, Any]) -> bool:
        kind, number = row["source"], row["source_id"]
        if number not in (groups if kind == "group" else projects):
            return False
        return not levels or levels[f"{kind}s"][str(number)] >= (50 if kind == "group" else 40)

    return {
        (row["source"], row["source_id"], row["invite_email"]): (
            row["access_level"], ends(row["expires_at"]), row["created_by_name"],
        )
        for row in hub.server.truth("invitations")
        if may_invite(row)
    }  # fmt: skip


def asked(hub: SyncHub) -> int:
    """How often invitations were asked for so far."""
    return sum(url.path.endswith("/invitations") for url in hub.requests)


def noted(hub: SyncHub) -> list[ListedScope]:
    """What is kept of the stages of invitations."""
    notes, _ = hub.service.scopes(ID, kind=Kind.ACCESS, status=None, after=None, limit=200)
    return [note for note in notes if note.stage in STAGES]


def assert_whole(hub: SyncHub, run: Run) -> None:
    """The run is what it would be without invitations."""
    assert (run.status, run.incomplete, run.last_error, list(incidents_of(run))) == (RunStatus.IDLE, 0, None, [])
    completeness = hub.service.view(ID)[Kind.ACCESS]["completeness"]
    assert completeness == {"complete": True, "forbidden": 0, "gone": 0, "failed": 0, "partial": 0, "disabled": 0}
    assert access(hub) == truth(hub, Kind.ACCESS)


@pytest.mark.parametrize("token", ["admin", "admin-read", "owner-read", "group", "fine-grained"])
def test_what_the_token_may_see_of_them_is_stored(inviting: Running, token: str) -> None:
    hub = SyncHub(inviting, token)
    assert_whole(hub, hub.sync(Kind.ACCESS))
    assert stored(hub) == real(hub) != {}
    assert "invite-token" not in repr([table.dump() for table in (hub.state, *hub.rows.values())])


def test_what_came_changed_and_went_is_found_a_day_later(inviting: Running) -> None:
    hub = SyncHub(inviting)
    hub.sync(Kind.ACCESS)
    before = stored(hub)
    for source in ("group", "project"):
        inviting.change("end_invitation", source=source, source_id=1, email=f"new.{source}.1@example.com")
        inviting.change("invite", source=source, source_id=2, email="another@example.com", level=20)
    inviting.change("end_invitation", source="project", source_id=3, email="new.project.3@example.com")
    inviting.change("invite", source="project", source_id=3, email="new.project.3@example.com", level=50)
    inviting.change("remove_project", id=4)
    hub.now += 3_600
    count = asked(hub)
    assert hub.sync(Kind.ACCESS).status is RunStatus.IDLE
    assert (asked(hub), stored(hub)) == (count, {key: row for key, row in before.items() if key[:2] != ("project", 4)})
    hub.now += 23 * 3_600
    run = hub.sync(Kind.ACCESS)
    assert_whole(hub, run)
    assert stored(hub) == real(hub)
    assert run.counts["invitations"] == len(real(hub))


def test_all_may_be_answered_within_a_day_and_nothing_is_suspect(inviting: Running) -> None:
    hub = SyncHub(inviting)
    hub.sync(Kind.ACCESS)
    for row in inviting.truth("invitations"):
        inviting.change("end_invitation", source=row["source"], source_id=row["source_id"], email=row["invite_email"])
    hub.now += 86_400
    assert_whole(hub, hub.sync(Kind.ACCESS))
    assert stored(hub) == {}


def test_a_full_run_reads_them_at_once(inviting: Running) -> None:
    hub = SyncHub(inviting)
    hub.sync(Kind.ACCESS)
    inviting.change("invite", source="group", source_id=2, email="another@example.com", level=20)
    hub.sync(Kind.ACCESS)
    assert stored(hub) != real(hub)
    hub.sync(Kind.ACCESS, full=True)
    assert stored(hub) == real(hub)


@pytest.mark.parametrize(("status", "word"), [(403, "forbidden"), (404, "gone"), (500, "failed")])
def test_one_refusal_is_named_and_the_name_stays_until_the_next_reading(
    inviting: Running, status: int, word: str
) -> None:
    hub = SyncHub(inviting)
    hub.sync(Kind.ACCESS)
    before = stored(hub)
    inviting.change("end_invitation", source="group", source_id=2, email="new.group.2@example.com")
    inviting.fault("status", status=status, path="/groups/2/invitations", times=0)
    for hours in (24, 1):
        hub.now += hours * 3_600
        assert_whole(hub, hub.sync(Kind.ACCESS))
        assert stored(hub) == before
        assert [(note.stage, note.status, (note.resource or {})["id"]) for note in noted(hub)] == [
            ("group_invitations", word, 2)
        ]
    inviting.control("DELETE", "faults")
    hub.now += 86_400
    assert_whole(hub, hub.sync(Kind.ACCESS))
    assert (stored(hub), noted(hub)) == (real(hub), [])


def test_an_empty_list_that_is_none_removes_nothing(inviting: Running) -> None:
    hub = SyncHub(inviting)
    hub.sync(Kind.ACCESS)
    before = stored(hub)
    inviting.fault("empty_list", path="/invitations", query="per_page=100$", times=0)
    hub.now += 86_400
    hub.sync(Kind.ACCESS)
    assert stored(hub) == before


@pytest.mark.parametrize("status", [403, 404, 500])
def test_where_all_are_refused_it_is_said_once_and_few_are_asked(status: int) -> None:
    many = ("--users", "20", "--groups", "40", "--projects", "45", "--pipelines", "0", "--jobs", "1", "--seed", "6")
    with running("--frozen", "--epoch", EPOCH, *many) as company:
        company.fault("status", status=status, path="/invitations", times=0)
        hub = SyncHub(company)
        hub.graphql_from = NEVER
        run = hub.sync(Kind.ACCESS)
        assert_whole(hub, run)
        paths = {url.path for url in hub.requests if url.path.endswith("/invitations")}
        assert len(paths) == 2 * MOST_REFUSED
        assert [note.stage for note in noted(hub) if note.key == "all"] == list(STAGES)
        assert len(noted(hub)) == 2 * MOST_REFUSED + 2
        assert all("Owners of a group" in note.reason for note in noted(hub) if note.key == "all")
        count = asked(hub)
        hub.now += 3_600
        assert_whole(hub, hub.sync(Kind.ACCESS))
        assert (asked(hub), len(noted(hub))) == (count, 2 * MOST_REFUSED + 2)


def test_a_worker_without_much_time_hands_them_on(inviting: Running) -> None:
    hub = SyncHub(inviting)
    whole = hub.clone()
    whole.sync(Kind.ACCESS)
    seconds = iter([*([900.0] * 25), *([1.0] * 1), *([900.0] * 12), 1.0])
    hub.remaining = lambda: next(seconds, 900.0)
    assert_whole(hub, hub.sync(Kind.ACCESS))
    assert stored(hub) == stored(whole) == real(hub)
