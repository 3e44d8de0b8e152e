"""A small company's GitLab, written down as its API answers."""

from collections.abc import Iterable
from typing import Any

from gitlab_hub.access.feature import AccessFeature
from gitlab_hub.access.shards import Shards
from gitlab_hub.storage.ports import Item, Key
from gitlab_hub.sync.ports import SyncTarget
from tests.fakes.scripted_client import ScriptedClient
from tests.fakes.session import FakeSession, run
from tests.fakes.table import MemoryTable


def target(**changes: Any) -> SyncTarget:
    base: dict[str, Any] = {"integration_id": "i1", "credential_id": "c1", "user_id": 1, "is_admin": True}
    return SyncTarget(base_url="https://gitlab.example", **base | changes)


STEP = 11
"""Of a run's calls, most of which read one of sixteen alike partitions, each test takes every eleventh."""

ADMIN, MEMBER, TOP_GROUP = target(), target(is_admin=False), target(is_admin=False, group="Acme")


def user(number: int, username: str, **more: Any) -> dict[str, Any]:
    """A row of `/users` as administrators get it."""
    return {
        "id": number,
        "username": username,
        "name": username.title(),
        "state": "active",
        "email": f"{username}@example.com",
        "is_admin": False,
        "bot": False,
        "last_activity_on": "2026-02-01",
        "created_at": "2020-01-01T00:00:00Z",
        "web_url": f"https://gitlab.example/{username}",
        **more,
    }


def member(number: int, username: str, level: int = 30, **more: Any) -> dict[str, Any]:
    """A row of a member list."""
    row = {"id": number, "username": username, "name": username.title(), "state": "active", "access_level": level}
    return {**row, "web_url": f"https://gitlab.example/{username}", "expires_at": None, **more}


def group(number: int, path: str, **more: Any) -> dict[str, Any]:
    """A group, as lists show it; with `shared_with_groups` it is its own page."""
    return {"id": number, "full_path": path, "name": path.rpartition("/")[2], "visibility": "private", **more}


def project(number: int, path: str, **more: Any) -> dict[str, Any]:
    """A row of a project list."""
    row = {"id": number, "path_with_namespace": path, "name": path.rpartition("/")[2], "visibility": "private"}
    return {**row, "namespace": {"id": 1, "kind": "group"}, "archived": False, "shared_with_groups": [], **more}


JANE, OLE, BOT = 5, 6, 7

BESIDE = ("i1#hints", "i1#fence", "i1#changes", "i1#feed", "i1#readings")
"""Partitions with what is no state of GitLab's, but how it was come by."""


def answers() -> dict[str, Any]:
    """Acme has two groups, two projects and three accounts; Ole is in one project only."""
    teams = group(2, "acme/teams", parent_id=1)
    share = {"group_id": 2, "group_full_path": "acme/teams", "group_access_level": 20, "expires_at": None}
    return {
        "/users": [user(JANE, "jane"), user(OLE, "ole"), user(BOT, "project_8_bot_ab12", bot=True)],
        "/users/5": user(JANE, "jane"),
        "/users/6": user(OLE, "ole"),
        "/service_accounts": [],
        "/users/7": user(BOT, "project_8_bot_ab12", bot=True),
        "/groups": [group(1, "acme"), teams],
        "/groups/Acme": group(1, "acme", shared_with_groups=[share]),
        "/groups/1": group(1, "acme", shared_with_groups=[share]),
        "/groups/2": {**teams, "shared_with_groups": []},
        "/groups/1/descendant_groups": [teams],
        "/groups/1/members": [member(JANE, "jane", 50)],
        "/groups/2/members": [],
        "/groups/1/members/all/1": member(1, "root"),
        "/groups/2/members/all/1": member(1, "root"),
        "/projects": [project(8, "acme/store"), project(9, "acme/teams/wiki", archived=True)],
        "/groups/Acme/projects": [project(8, "acme/store"), project(9, "acme/teams/wiki", archived=True)],
        "/groups/1/projects": [project(8, "acme/store"), project(9, "acme/teams/wiki", archived=True)],
        "/projects/8": project(8, "acme/store"),
        "/projects/9": project(9, "acme/teams/wiki"),
        "/projects/8/members": [member(JANE, "jane"), member(BOT, "project_8_bot_ab12", 40)],
        "/projects/9/members": [member(OLE, "ole", 20, expires_at="2026-02-28")],
        **{f"{path}/invitations": [] for path in ("/groups/1", "/groups/2", "/projects/8", "/projects/9")},
    }


class BatchTable(MemoryTable):
    """As DynamoDB does it: a batch that names one item twice is refused."""

    def write(self, puts: Iterable[Item] = (), deletes: Iterable[Key] = ()) -> None:
        puts, deletes = list(puts), list(deletes)
        keys = [(item["pk"], item["sk"]) for item in puts] + deletes
        assert len(keys) == len(set(keys))
        super().write(puts, deletes)


class Company:
    """The script, the table, and runs of the access sync over them."""

    def __init__(self, *, page_size: int = 100) -> None:
        self.gitlab = ScriptedClient(answers(), page_size=page_size)
        self.table = BatchTable()
        self.feature = AccessFeature(self.table)

    @property
    def script(self) -> dict[str, Any]:
        return self.gitlab.answers

    def session(self, who: SyncTarget = ADMIN, *, stop_after: int | None = None) -> FakeSession:
        return FakeSession(who, self.gitlab, stop_after=stop_after)

    async def sync(self, who: SyncTarget = ADMIN) -> FakeSession:
        session = self.session(who)
        await run(self.feature, session)
        return session

    def rows(self, collection: str) -> dict[str, Item]:
        """The rows of a collection by their sort keys."""
        shards = Shards("i1", collection)
        found = {row["sk"]: row for row in self.table.dump() if shards.holds(row["pk"])}
        return dict(sorted(found.items()))

    def ids(self, collection: str) -> list[int]:
        return [row["id"] for row in self.rows(collection).values()]

    def grants(self) -> list[tuple[str, int, int, int]]:
        """(what, which, who, level) of every grant."""
        rows = self.rows("grants").values()
        return [(row["resource_type"], row["resource_id"], row["account_id"], row["access_level"]) for row in rows]
