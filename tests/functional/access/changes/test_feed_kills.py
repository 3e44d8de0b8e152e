"""A worker that dies, freezes or meets a table that is away at any call: what changed is told once all the same."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import pytest

from gitlab_hub.access.changes.model import Entry
from gitlab_hub.access.feature import AccessFeature
from gitlab_hub.access.store import partitions
from gitlab_hub.sync.message import purge_message
from gitlab_hub.sync.ports import Kind, SyncTarget
from gitlab_hub.sync.run import LEASE_SECONDS, RunStatus
from gitlab_hub.sync.store import RunStore
from gitlab_hub.sync.worker import Area, PurgeBook, Purger
from tests.fakes.engine import Driver
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, Plan, every_call, faulty
from tests.fakes.mirrored_source import FakeGitLab
from tests.functional.access.changes.replay import View, brief, replayed, stored, told
from tests.functional.access.company import ADMIN, BOT, JANE, MEMBER, OLE, STEP, group, member, project, user
from tests.functional.access.hinted_company import NEW, HintedCompany

WHO = pytest.mark.parametrize("who", [ADMIN, MEMBER], ids=["admin", "member"])
TEAMS = {"id": 2, "kind": "group"}
TOLD = Counter({
    ("resource_moved", "group 1"): 1,
    ("resource_added", f"project {NEW}"): 1,
    ("resource_changed", "project 8"): 1,
    ("share_removed", "group 1"): 1,
    ("grant_added", f"project {NEW}", JANE): 1,
    ("grant_added", "project 8", OLE): 1,
    ("grant_changed", "project 8", JANE): 1,
    ("grant_removed", "project 8", BOT): 1,
    ("grant_removed", "project 9", OLE): 1,
    ("resource_removed", "project 9"): 1,
})  # fmt: skip


def happen(company: HintedCompany, *, who: SyncTarget) -> None:
    """A group is renamed, a project comes, one goes, one opens; somebody joins, leaves, rises; a share ends."""
    script = company.script
    fresh, store = project(NEW, "ember/fresh"), project(8, "ember/store", visibility="public")
    teams = group(2, "ember/teams", parent_id=1)
    script["/groups"], script["/groups/1/subgroups"] = [group(1, "ember"), teams], [teams]
    script["/groups/1"] = group(1, "ember", shared_with_groups=[])
    script["/groups/2"] = {**teams, "shared_with_groups": []}
    for path in ("/projects", "/groups/1/projects"):
        script[path] = [store, fresh]
    script |= {"/projects/8": store, f"/projects/{NEW}": fresh, f"/projects/{NEW}/members": [member(JANE, "jane")]}
    script["/projects/8/members"] = [member(JANE, "jane", 50), member(OLE, "ole")]
    script[f"/projects/8/members/{OLE}"] = member(OLE, "ole")
    script.pop(f"/projects/8/members/{BOT}", None)
    script["/projects/9/members"] = []
    del script["/projects/9"]
    if who is ADMIN:
        script["/users"] = [user(JANE, "jane.doe"), *script["/users"][1:]]


def expected(who: SyncTarget) -> Counter[Any]:
    """What is to be told; that an account has another name is seen where accounts are listed."""
    return TOLD + Counter({("account_changed", JANE): int(who is ADMIN)})


@dataclass
class Scene:
    """A synced company in which all that has happened, and a run that is about to begin."""

    company: HintedCompany
    driver: Driver
    message: dict[str, Any]
    baseline: View
    seen: int
    """How many entries there are from before."""

    def entries(self) -> list[Entry]:
        return told(self.company.table, after=self.seen)

    def another_run(self) -> None:
        self.driver.work(self.driver.start("s2"))


def scenario(who: SyncTarget) -> Scene:
    company = HintedCompany(who)
    wiki = project(9, "acme/teams/wiki", namespace=TEAMS)
    people = {JANE: "jane", OLE: "ole", BOT: "project_8_bot_ab12"}
    company.script["/groups/2/members"] = [member(number, name, 20) for number, name in people.items()]
    company.script.update({"/user": {"id": 7}, "/projects": [project(8, "acme/store"), wiki], "/projects/9": wiki})
    driver = Driver(company.table, company.feature, cast("FakeGitLab", company.gitlab))
    driver.targets = company.hint_worker.targets
    driver.work(driver.start("s0"))
    baseline, seen = stored(company.table), len(told(company.table))
    happen(company, who=who)
    return Scene(company, driver, driver.start("s1"), baseline, seen)


def work_until(scene: Scene, plan: Plan) -> None:
    view = faulty(scene.company.table, plan)
    scene.driver.feature = AccessFeature(view)
    with suppress(Crash):
        scene.driver.engine(view).handle(scene.message, remaining=scene.driver.remaining)
    scene.driver.feature = scene.company.feature


def check(scene: Scene, who: SyncTarget, plan: Plan | None = None, *, aside: Any = ()) -> None:
    entries = scene.entries()
    assert Counter(one for one in brief(entries) if one not in aside) == expected(who), plan
    assert replayed(scene.baseline, entries) == stored(scene.company.table), plan


@WHO
def test_this_is_what_happens(who: SyncTarget) -> None:
    scene = scenario(who)
    assert scene.driver.work(scene.message).status is RunStatus.IDLE
    check(scene, who)


@WHO
@BEFORE_OR_AFTER
def test_a_kill_at_every_call_tells_everything_once(who: SyncTarget, *, applied: bool) -> None:
    for plan in every_call(first=1 + 2 * applied + (who is MEMBER), step=STEP, applied=applied, repeat=True):
        scene = scenario(who)
        work_until(scene, plan)
        scene.driver.now += LEASE_SECONDS + 1
        scene.driver.work(scene.message)
        check(scene, who, plan)
    assert plan.at > 60


@WHO
def test_a_worker_that_is_frozen_at_any_call_tells_nothing_when_it_wakes(who: SyncTarget) -> None:
    for plan in every_call(first=1 + 5 * (who is MEMBER), step=STEP):
        scene = scenario(who)

        def another(scene: Scene = scene) -> None:
            scene.driver.now += LEASE_SECONDS
            scene.driver.feature = scene.company.feature
            scene.driver.work(scene.message)

        plan.meanwhile = another
        work_until(scene, plan)
        scene.another_run()
        check(scene, who, plan)
    assert plan.at > 60


@WHO
def test_a_hint_at_any_call_of_a_run_tells_nothing_twice(who: SyncTarget) -> None:
    for plan in every_call(first=2 + 5 * (who is MEMBER), step=STEP):
        scene = scenario(who)

        def hints(company: HintedCompany = scene.company) -> None:
            company.hint(project=8, group=1)
            company.hint(project=NEW)

        plan.meanwhile = hints
        work_until(scene, plan)
        scene.another_run()
        # A hint about a project may come before anybody has seen that its group is renamed.
        check(scene, who, plan, aside={("resource_moved", "project 8")})
    assert plan.at > 60


def test_what_a_hint_notices_names_no_sync() -> None:
    scene = scenario(ADMIN)
    scene.company.hint(project=8)
    assert {entry.sync_id for entry in scene.entries()} == {None}


def test_a_removed_integration_leaves_nothing_of_its_feed() -> None:
    scene = scenario(ADMIN)
    table = scene.company.table
    scene.driver.work(scene.message)
    assert {"i1#changes", "i1#feed"} <= {row["pk"] for row in table.dump()}
    RunStore(table).delete("i1")
    book = PurgeBook(table, Kind.ACCESS)
    purger = Purger(areas=[Area(table, partitions)], queue=scene.driver.queue, book=book, now=lambda: 0.0)
    purger.handle(purge_message("i1"), remaining=lambda: 900.0)
    assert [row for row in table.dump() if row["pk"] in {"i1#changes", "i1#feed"}] == []
