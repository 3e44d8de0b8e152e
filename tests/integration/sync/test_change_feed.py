"""The change feed over the wire: what happens in GitLab is told once, and replayed it gives what is stored."""

from collections import Counter
from typing import Any

import pytest

from gitlab_hub.access.changes.model import Entry
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from stand_in_gitlab.process import Running
from tests.fakes.faults import Crash, Plan
from tests.fakes.sync_worker import SyncHub
from tests.functional.access.changes.replay import View, brief, replayed, told
from tests.functional.access.changes.replay import stored as rows
from tests.integration.sync import hinting as hinted
from tests.integration.sync.company_changes import happen
from tests.integration.sync.stored_rows import access, truth

TOKENS = pytest.mark.parametrize("token", ["admin", "owner-read"])


class Followed:
    """A hub that has synced once, and how far its feed was read."""

    def __init__(self, server: Running, token: str = "admin") -> None:
        self.hub = SyncHub(server, token)
        assert self.hub.sync(Kind.ACCESS).status is RunStatus.IDLE
        self.table = self.hub.rows[Kind.ACCESS]
        assert told(self.table) == []
        self.baseline: View = rows(self.table)
        self._seen = 0

    def sync(self) -> list[Entry]:
        """What one more sync tells; an owner accepts what goes."""
        if self.hub.sync(Kind.ACCESS).status is RunStatus.SUSPECT:
            self.hub.service.accept("i1", Kind.ACCESS, actor="t-owner")
            self.hub.work(Kind.ACCESS)
        return self.news()

    def news(self) -> list[Entry]:
        """What was told since the last look."""
        entries = told(self.table, after=self._seen)
        self._seen += len(entries)
        return entries

    def check(self) -> None:
        """The feed gives what is stored, and that is what GitLab has."""
        assert replayed(self.baseline, told(self.table)) == rows(self.table)
        assert access(self.hub) == truth(self.hub, Kind.ACCESS)


@pytest.fixture
def followed(fresh: Running) -> Followed:
    return Followed(fresh)


def test_members_names_and_shares_are_told_as_they_change(followed: Followed) -> None:
    server = followed.hub.server
    group = server.change("add_group", path="crew")["id"]
    below = server.change("add_group", path="below", parent_id=group)["id"]
    project = server.change("add_project", path="boat", group_id=below)["id"]
    user = server.change("add_user", username="new.comer")["id"]
    server.change("add_member", source="project", source_id=project, user_id=user, level=30)
    found = Counter(brief(followed.sync()))
    for one in (
        ("account_added", user),
        ("resource_added", f"group {group}"),
        ("resource_added", f"group {below}"),
        ("resource_added", f"project {project}"),
        ("grant_added", f"project {project}", user),
    ):
        assert found[one] == 1, one
    followed.check()

    def after(verb: str, **what: Any) -> list[tuple[Any, ...]]:
        server.change(verb, **what)
        return brief(followed.sync())

    member = {"source": "project", "source_id": project, "user_id": user}
    assert after("add_member", **member, level=40) == [("grant_changed", f"project {project}", user)]
    assert after("rename_group", id=group, path="gang") == [("resource_moved", f"group {group}")]
    assert access(followed.hub)["projects"][project] == "gang/below/boat"
    assert after("update_user", id=user, state="blocked") == [("account_changed", user)]
    for source, number in (("group", below), ("project", project)):
        share = {"source": source, "source_id": number, "group_id": 1}
        assert after("add_share", **share, level=20) == [("share_added", f"{source} {number}")]
        assert after("add_share", **share, level=30) == [("share_changed", f"{source} {number}")]
        assert after("remove_share", **share) == [("share_removed", f"{source} {number}")]
    assert after("remove_member", **member) == [("grant_removed", f"project {project}", user)]
    assert followed.sync() == []
    followed.check()


def test_a_membership_tells_when_it_began(followed: Followed) -> None:
    server = followed.hub.server
    user = server.change("add_user", username="new.comer")["id"]
    server.change("add_member", source="group", source_id=1, user_id=user, level=30)
    followed.hub.now += 7_200
    (entry,) = [one for one in followed.sync() if one.change.kind == "grant_added"]
    row = next(row for row in server.truth("members", source="group") if row["user_id"] == user)
    assert entry.change.after is not None
    assert entry.change.at == entry.change.after["granted_at"]
    assert row["access_level"] == entry.change.after["access_level"]
    assert entry.change.at is not None
    assert entry.noticed_at >= entry.change.at + 7_000


@TOKENS
def test_everything_that_happens_is_told_so_that_a_replay_gives_it(fresh: Running, token: str) -> None:
    followed = Followed(fresh, token)
    happen(fresh)
    followed.hub.now += 7_200
    assert len(followed.sync()) > 5
    followed.sync()
    assert followed.sync() == []
    if token == "admin":
        followed.check()
    else:  # Its only list of members is gone, and with it what would say that somebody left.
        assert replayed(followed.baseline, told(followed.table)) == rows(followed.table)


def test_what_hints_bring_is_told_once(followed: Followed) -> None:
    happen(followed.hub.server)
    followed.hub.now += 7_200
    hinted.tell_everything(followed.hub, Kind.ACCESS)
    hinted.process(followed.hub, Kind.ACCESS)
    by_hints = followed.news()
    assert by_hints
    assert {entry.sync_id for entry in by_hints} == {None}
    by_the_run = followed.sync()
    assert not set(brief(by_hints)) & set(brief(by_the_run))
    followed.check()


def test_workers_that_die_on_the_way_tell_everything_once(fresh: Running) -> None:
    whole = Followed(fresh)
    hubs = []
    for at in (25, 40, 55, 70, 85, 100):
        other = Followed.__new__(Followed)
        other.__dict__ |= {"hub": whole.hub.clone(), "baseline": whole.baseline, "_seen": 0}
        other.table = other.hub.rows[Kind.ACCESS]
        hubs.append((at, other))
    happen(fresh)
    expected = Counter(brief(whole.sync()))
    for at, other in hubs:
        other.hub.service.request("i1", [Kind.ACCESS], full=False)
        with other.hub.failing(Plan(at=at, error=Crash, repeat=True)), pytest.raises(Crash):
            other.hub.work(Kind.ACCESS)
        other.hub.now += 120
        with other.hub.failing(Plan()):
            other.hub.dispatcher(Kind.ACCESS).tick()
        other.hub.work(Kind.ACCESS)
        assert Counter(brief(other.news())) == expected, at
        other.check()
