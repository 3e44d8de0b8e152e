"""How fast triggers are decided: `python -m benchmarks.triggers` prints a table.

Every case has 1,000 triggers of one integration, and one event that comes again and again. `met` are those that the
index leaves to be decided. The floor is the least that could give an answer without saying why: for every trigger met
compare the project and match the patterns, each compiled once with `re`.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchmarks.machine import facts
from benchmarks.tables import table
from gitlab_hub.builds.triggers.changed_paths import listed_paths
from gitlab_hub.builds.triggers.evaluation import Facts, decide
from gitlab_hub.builds.triggers.matching import TriggerIndex
from gitlab_hub.builds.triggers.model import Globs, Trigger
from gitlab_hub.gitlab.webhooks.parse import Commit, HookEvent

TRIGGERS = 1_000
SECONDS = 1.0
"""How long each figure is measured, at least."""

COLUMNS = ("case", "met", "builds", "events/s", "decisions/s", "µs/decision", "floor µs", "ratio")
SHA = "a" * 40

_TRIGGER = Trigger(
    id="trg_0a1b_0",
    integration_id="int_0a1b",
    project_id=1,
    group=None,
    events=("push", "merge_request"),
    branches=Globs(include=("main",)),
    target={"type": "eventbridge"},
    created_by="t-bench",
    created_at=0,
    updated_at=0,
)
_PUSH = HookEvent(
    kind="push", project_id=1, project_path="acme/tools/app", ref="main", sha=SHA, before="b" * 40, after=SHA
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Triggers and an event."""

    name: str
    make: Callable[[int], Trigger]
    event: HookEvent = _PUSH


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Times in seconds for one event."""

    case: Case
    met: int
    builds: int
    wall: float
    floor: float


def cases() -> Sequence[Case]:
    """What is measured."""
    return [
        Case(name="one project, one pattern each", make=lambda n: _numbered(n, branches=_include("main", f"v{n}"))),
        Case(name="one project, five patterns each", make=lambda n: _numbered(n, branches=_five(n))),
        Case(name="a group, one pattern each", make=lambda n: _numbered(n, project_id=None, group="acme")),
        Case(name="200 changed paths, a hit at once", make=lambda n: _numbered(n, paths=_include("**")), event=_many()),
        Case(
            name="200 changed paths, no hit",
            make=lambda n: _numbered(n, paths=_include(f"services/{n}/**", f"**/*.{n}")),
            event=_many(),
        ),
        Case(name="1,000 projects", make=lambda n: _numbered(n, project_id=n)),
    ]


def figures_of(case: Case) -> Figures:
    """Measure one case."""
    index = TriggerIndex(case.make(number) for number in range(TRIGGERS))
    found = Facts(changed_paths=listed_paths(case.event))
    met = list(index.concerned(case.event))

    def decided() -> int:
        return sum(decide(one, case.event, found).would_build for one in index.concerned(case.event))

    return Figures(
        case=case, met=len(met), builds=decided(), wall=_best(decided), floor=_best(_floor(met, case.event, found))
    )


def _floor(met: Sequence[Trigger], event: HookEvent, found: Facts) -> Callable[[], object]:
    plans = [(one.project_id, _compiled(one.branches), _compiled(one.paths)) for one in met]
    ref, changed = event.ref or "", found.changed_paths or ()

    def least() -> int:
        return sum(
            project in {None, event.project_id}
            and any(one.fullmatch(ref) for one in branches)
            and (not paths or any(one.fullmatch(path) for path in changed for one in paths))
            for project, branches, paths in plans
        )

    return least


def _compiled(globs: Globs) -> Sequence["re.Pattern[str]"]:
    spelled = (re.escape(glob).replace(r"\*\*", ".*").replace(r"\*", "[^/]*") for glob in globs.include)
    return [re.compile(one) for one in spelled]


def _best(work: Callable[[], object]) -> float:
    """The quickest of the runs of a second: the others were disturbed."""
    work()
    quickest, end = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        started = time.perf_counter()
        work()
        quickest = min(quickest, time.perf_counter() - started)
    return quickest


def _numbered(number: int, **changes: object) -> Trigger:
    return replace(_TRIGGER, id=f"trg_0a1b_{number}", **changes)  # type: ignore[arg-type] # fields by their names


def _include(*patterns: str) -> Globs:
    return Globs(include=patterns)


def _five(number: int) -> Globs:
    return Globs(include=(f"release/{number}/*", "hotfix/**", f"user/*/{number}/*", "**/main", "v?.*"))


def _many() -> HookEvent:
    paths = [tuple(f"src/part{commit}/module{file}.py" for file in range(10)) for commit in range(20)]
    commits = tuple(Commit(id=SHA, message="work", paths=found) for found in paths)
    return replace(_PUSH, commits=commits, total_commits=20)


def _row(one: Figures) -> list[str]:
    each, least = one.wall / one.met, one.floor / one.met
    return [
        one.case.name, f"{one.met:,}", f"{one.builds:,}", f"{1 / one.wall:,.0f}", f"{one.met / one.wall:,.0f}",
        f"{each * 1e6:.1f}", f"{least * 1e6:.1f}", f"{each / least:.1f}",
    ]  # fmt: skip


def triggers_table() -> str:
    """Measure, and show."""
    return table(COLUMNS, [_row(figures_of(one)) for one in cases()])


if __name__ == "__main__":
    print("\n".join(f"- {fact}" for fact in facts()), triggers_table(), sep="\n\n")
