"""Invitations where GraphQL tells the members: asked for where something has changed, in any run, and nowhere else."""

from collections.abc import Iterator

import pytest

from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from stand_in_gitlab.process import Running, running
from tests.fakes.sync_worker import NEVER, SyncHub
from tests.integration.sync.conftest import EPOCH
from tests.integration.sync.test_invitations import asked, assert_whole, real, stored

SIZES = ("--users", "20", "--groups", "14", "--projects", "14", "--pipelines", "0", "--jobs", "1", "--seed", "11")


@pytest.fixture
def server() -> Iterator[Running]:
    """A company of which GraphQL tells nearly all, some of whose groups and projects have invited somebody."""
    with running("--frozen", "--epoch", EPOCH, *SIZES) as stand_in:
        for number in (2, 5, 9):
            for kind in ("group", "project"):
                stand_in.change("invite", source=kind, source_id=number, email=f"new.{number}@example.com", level=30)
        yield stand_in


@pytest.mark.parametrize(("token", "community"), [("admin", False), ("admin", True), ("owner-read", True)])
def test_both_ways_store_the_same(server: Running, token: str, *, community: bool) -> None:
    server.control("POST", "behaviour", {"community": community})
    rest, hub = SyncHub(server, token), SyncHub(server, token)
    rest.graphql_from, hub.graphql_from = NEVER, 1
    assert rest.sync(Kind.ACCESS).status is RunStatus.IDLE
    assert hub.sync(Kind.ACCESS).status is RunStatus.IDLE
    assert stored(hub) == stored(rest) == real(hub) != {}
    assert 0 < asked(hub) < asked(rest)


def test_what_came_changed_and_went_is_found_by_the_next_run(server: Running) -> None:
    hub = SyncHub(server)
    hub.sync(Kind.ACCESS)
    hub.now += 60
    before = asked(hub)
    assert hub.sync(Kind.ACCESS).counts["rows_written"] == 0
    assert asked(hub) == before
    server.change("end_invitation", source="project", source_id=2, email="new.2@example.com")
    server.change("end_invitation", source="project", source_id=5, email="new.5@example.com")
    server.change("invite", source="project", source_id=5, email="new.5@example.com", level=40)
    server.change("invite", source="project", source_id=7, email="another@example.com", level=20)
    hub.now += 60
    assert_whole(hub, hub.sync(Kind.ACCESS))
    assert stored(hub) == real(hub)
    # One request for each project, and one more to ask for the address that is missing.
    assert asked(hub) == before + 4


def test_nobody_loses_an_invitation_on_the_word_of_graphql(server: Running) -> None:
    hub = SyncHub(server)
    hub.sync(Kind.ACCESS)
    server.fault(path="^/api/graphql$", kind="graphql_short", times=0, skip=2)
    hub.now += 60
    assert_whole(hub, hub.sync(Kind.ACCESS))
    assert stored(hub) == real(hub)


def test_groups_at_the_top_are_read_by_rest_only_where_minimal_access_may_be_hidden(server: Running) -> None:
    top = next(row for row in server.truth("groups") if row["parent_id"] is None)
    server.change("add_member", source="group", source_id=top["id"], user_id=9, level=5)
    by_rest = []
    for hides in (False, True):
        server.control("POST", "behaviour", {"graphql_hides_minimal": hides})
        hub = SyncHub(server)
        assert_whole(hub, hub.sync(Kind.ACCESS))
        by_rest.append(hub.service.view("i1")[Kind.ACCESS]["counts"]["lists_by_rest"])
    tops = sum(row["parent_id"] is None for row in server.truth("groups"))
    assert by_rest[1] - by_rest[0] >= tops - 2
