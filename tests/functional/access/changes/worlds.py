"""Any states of a GitLab, one after the other, as its API would answer, and syncs of them that fare in any way."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from hypothesis import strategies as some

from gitlab_hub.access.changes.model import Entry
from gitlab_hub.access.feature import AccessFeature
from gitlab_hub.gitlab.errors import ResourceNotFound
from gitlab_hub.storage.ports import StorageUnavailable
from gitlab_hub.sync.ports import SyncTarget
from gitlab_hub.sync.run import LEASE_SECONDS, RunStatus, accept
from gitlab_hub.sync.store import RunStore
from tests.fakes.engine import Driver
from tests.fakes.faults import Crash, Plan, faulty, unavailable
from tests.fakes.hints import HintWorker
from tests.fakes.mirrored_source import FakeGitLab
from tests.fakes.scripted_client import ScriptedClient
from tests.functional.access.changes.replay import View, replayed, stored, told
from tests.functional.access.company import BatchTable, group, member, project, user

ROOT, USERS, GROUPS, PROJECTS = 1, (5, 6, 7), (1, 2, 3, 4), (8, 9, 10)
GONE = ResourceNotFound("GitLab does not have this.", http_status=404)


@dataclass(frozen=True)
class Thing:
    """A group or project: where it lies, what it is called, who is in it and which groups are invited."""

    parent: int | None
    letter: str
    visibility: str
    members: dict[int, int]
    shares: dict[int, int]


@dataclass(frozen=True)
class World:
    """All of a GitLab."""

    users: dict[int, tuple[str, str]]
    groups: dict[int, Thing]
    projects: dict[int, Thing]

    def path(self, number: int | None) -> str:
        """Where a group lies."""
        if number is None:
            return ""
        thing = self.groups[number]
        return f"{self.path(thing.parent)}/{thing.letter}{number}".removeprefix("/")

    def path_of(self, kind: str, number: int) -> str:
        """Where a group or project lies; a project in no group lies in somebody's namespace."""
        if kind == "groups":
            return self.path(number)
        thing = self.projects[number]
        return f"{self.path(thing.parent) or f'user-{thing.letter}'}/{thing.letter}{number}"

    def answers(self) -> dict[str, Any]:
        """What its API answers; whoever is asked about and is not there is 404."""
        people = {number: user(number, name, state=state) for number, (name, state) in self.users.items()}
        root = user(ROOT, "root", is_admin=True)
        found: dict[str, Any] = {"/user": root, "/users": [root, *people.values()], f"/users/{ROOT}": root}
        found |= {f"/users/{number}": row for number, row in people.items()}
        for kind, things in (("groups", self.groups), ("projects", self.projects)):
            rows = {number: self._row(kind, number) for number in sorted(things)}
            found[f"/{kind}"] = [
                row if kind == "projects" else {name: row[name] for name in row if name != "shared_with_groups"}
                for row in rows.values()
            ]
            for number, row in rows.items():
                members = self._members(things[number])
                found |= {f"/{kind}/{number}": row, f"/{kind}/{number}/members": list(members.values())}
                found |= {f"/{kind}/{number}/members/{who}": one for who, one in members.items()}
                found[f"/{kind}/{number}/members/all/{ROOT}"] = member(ROOT, "root", 50)
        for number in self.groups:
            for kind, things in (("subgroups", self.groups), ("projects", self.projects)):
                listed = [found[f"/{kind.removeprefix('sub')}/{one}"] for one in things if things[one].parent == number]
                found[f"/groups/{number}/{kind}"] = listed
        return found

    def _row(self, kind: str, number: int) -> dict[str, Any]:
        thing = (self.groups if kind == "groups" else self.projects)[number]
        shares = [
            {"group_id": one, "group_full_path": self.path(one), "group_access_level": level, "expires_at": None}
            for one, level in thing.shares.items()
        ]
        more = {"visibility": thing.visibility, "shared_with_groups": shares}
        path = self.path_of(kind, number)
        if kind == "groups":
            return group(number, path, parent_id=thing.parent, **more)
        namespace = {"id": thing.parent or 900, "kind": "group" if thing.parent else "user"}
        return project(number, path, namespace=namespace, **more)

    def _members(self, thing: Thing) -> dict[int, dict[str, Any]]:
        # Whatever lies at the top has an owner; so does a list that the hub takes for whole.
        levels = {**({ROOT: 50} if thing.parent is None else {}), **thing.members}
        names = {ROOT: ("root", "active"), **self.users}
        return {who: member(who, names[who][0], level, state=names[who][1]) for who, level in levels.items()}


@some.composite
def worlds(draw: some.DrawFn) -> World:
    """Any GitLab with at least one group."""
    letters, levels = some.sampled_from("ab"), some.sampled_from((10, 30))
    there = draw(some.sets(some.sampled_from(USERS)))
    users = {one: (f"{draw(letters)}{one}", draw(some.sampled_from(("active", "blocked")))) for one in sorted(there)}
    # Groups are moved below newer ones, too: whatever comes later in a random order may lie in what came before.
    order = draw(some.permutations(sorted({1} | draw(some.sets(some.sampled_from(GROUPS))))))

    def thing(parents: list[int]) -> Thing:
        return Thing(
            parent=draw(some.sampled_from([None, *parents])),
            letter=draw(letters),
            visibility=draw(some.sampled_from(("private", "public"))),
            members=draw(some.dictionaries(some.sampled_from(sorted(users)), levels)) if users else {},
            shares=draw(some.dictionaries(some.sampled_from(order), levels, max_size=2)),
        )

    groups = {number: thing(order[:place]) for place, number in enumerate(order)}
    projects = {number: thing(order) for number in sorted(draw(some.sets(some.sampled_from(PROJECTS))))}
    return World(users, groups, projects)


@dataclass
class Story:
    """One hub over worlds that follow each other."""

    who: SyncTarget
    gitlab: ScriptedClient = field(default_factory=lambda: ScriptedClient({}, page_size=2))
    table: BatchTable = field(default_factory=BatchTable)
    runs: int = 0

    def __post_init__(self) -> None:
        """Prepare the workers."""
        self.driver = Driver(self.table, AccessFeature(self.table), cast("FakeGitLab", self.gitlab))
        self.hints = HintWorker(self.driver.feature.kind, self.table, self.gitlab, self.who)
        self.hints.state = self.table
        self.driver.targets = self.hints.targets

    def become(self, world: World) -> None:
        """Let GitLab be like that."""
        self.gitlab.answers = world.answers()

    def sync(self, plan: Plan | None = None) -> None:
        """Sync to the end, whatever happens to the first worker on the way; an owner accepts what goes."""
        self.runs += 1
        message = self.driver.start(f"s{self.runs}")
        if plan is not None:
            view = faulty(self.table, plan)
            self.driver.feature = AccessFeature(view)
            with suppress(Crash, StorageUnavailable):  # the queue delivers the message again
                self.driver.engine(view).handle(message, remaining=self.driver.remaining)
            plan.heal()
            self.driver.feature = AccessFeature(self.table)
            self.driver.now += LEASE_SECONDS + 1
        run = self.driver.work(message)
        for _ in range(3):
            if run.status is RunStatus.SUSPECT:
                self.runs += 1
                RunStore(self.table).save(accept(run, sync_id=f"s{self.runs}", now=int(self.driver.now)))
                run = self.driver.work({**message, "sync_id": f"s{self.runs}"})

    def hint(self, kind: str, number: int) -> None:
        """Have a hint about something processed."""
        self.hints.now = self.driver.now
        (self.hints.access.group if kind == "group" else self.hints.access.project)("i1", number)
        self.hints.work()

    def baseline(self, world: World) -> View:
        """Sync for the first time."""
        self.become(world)
        self.sync()
        assert told(self.table) == []
        return stored(self.table)

    def entries(self) -> list[Entry]:
        """All that was told."""
        return told(self.table)

    def check(self, baseline: View) -> None:
        """Hold the feed against what is stored."""
        entries = self.entries()
        assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
        times = [entry.noticed_at for entry in entries]
        assert times == sorted(times)
        assert replayed(baseline, entries) == stored(self.table)


ENDS = some.sampled_from([
    {"error": Crash, "applied": False, "repeat": True},
    {"error": Crash, "applied": True, "repeat": True},
    {"error": unavailable, "applied": False},
    {"error": unavailable, "applied": True},
])  # fmt: skip
SOMETHING = some.tuples(some.sampled_from(("group", "project")), some.sampled_from((*GROUPS, *PROJECTS)))
