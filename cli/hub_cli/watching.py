"""Following what the hub does in the background, with a bar on a terminal and a line for each change elsewhere.

A network that is away for a while, or a hub that cannot answer just now, ends no watching: what is watched goes on.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from hub_cli.answers import Row
from hub_cli.invocation import Invocation
from hub_cli.output import console, label
from hub_cli.problems import Refused, Unreachable
from hub_cli.safe_text import visible
from hub_cli.times import iso

EVERY = 2.0
PATIENCE = 600.0
"""Seconds without an answer after which watching ends."""
INTERRUPTED = 130
AT_REST = frozenset({"idle", "suspect", "failed"})
_ENDED = "No longer watching; it goes on by itself."
T = TypeVar("T")


class Watch:
    """Looks again and again, until there is an end to see; `look` is asked every two seconds."""

    def __init__(self, invocation: Invocation, look: Callable[[], T], *, is_over: Callable[[T], bool]) -> None:
        self._invocation, self._look, self._is_over = invocation, look, is_over

    def run(self, show: Callable[[Any], None], trouble: Callable[[str], None]) -> Any:
        """Look until it is over; gives what was seen last. Raises Refused, and Unreachable after `PATIENCE` seconds."""
        world = self._invocation.world
        heard_at = world.now()
        while True:
            try:
                seen = self._look()
            except (Refused, Unreachable) as problem:
                if not _may_pass(problem) or world.now() - heard_at > PATIENCE:
                    raise
                trouble(problem.message)
            else:
                heard_at = world.now()
                show(seen)
                if self._is_over(seen):
                    return seen
            world.sleep(EVERY)


def follow(invocation: Invocation, kinds: list[str]) -> dict[str, Row]:
    """Follow the syncs of these kinds until all are at rest; gives their last states."""

    def look() -> dict[str, Row]:
        states = invocation.hub.get(invocation.at("sync"))["kinds"]
        return {kind: states[kind] for kind in kinds if kind in states}

    def is_over(states: Mapping[str, Row]) -> bool:
        return all(state["status"] in AT_REST for state in states.values())

    with Bars() as bars:
        watch = Watch(invocation, look, is_over=is_over)

        def show(states: Mapping[str, Row]) -> None:
            for kind, state in states.items():
                bars.show(kind, state["progress"]["done"], state["progress"]["total"], _note(state))

        seen: dict[str, Row] = until_interrupted(lambda: watch.run(show, bars.trouble), invocation)
    return seen


def follow_plan(invocation: Invocation, plan_id: str) -> Row:
    """Follow a plan until it is carried out; gives its last state."""

    def look() -> Row:
        plan: Row = invocation.hub.get(invocation.at("plans", plan_id))["plan"]
        return plan

    with Bars() as bars:
        watch = Watch(invocation, look, is_over=lambda plan: plan["status"] != "applying")

        def show(plan: Row) -> None:
            settled = sum(operation["status"] != "pending" for operation in plan["operations"])
            bars.show("plan", settled, plan["operation_count"], plan["status"])

        seen: Row = until_interrupted(lambda: watch.run(show, bars.trouble), invocation)
    return seen


def follow_export(invocation: Invocation, export_id: str) -> Row:
    """Follow an export until it is done or has failed; gives its last state, with its first file."""

    def look() -> Row:
        export: Row = invocation.hub.get(invocation.at("exports", export_id), limit=1)["export"]
        return export

    with Bars() as bars:
        watch = Watch(invocation, look, is_over=lambda export: export["status"] in {"done", "failed"})

        def show(export: Row) -> None:
            progress = export["progress"]
            bars.show("export", progress["done"], progress["total"], export["status"])

        seen: Row = until_interrupted(lambda: watch.run(show, bars.trouble), invocation)
    return seen


class Bars:
    """Bars of progress on standard error; where that is no terminal, a line whenever a status changes."""

    def __init__(self) -> None:
        self._console = console(sys.stderr)
        columns = (TextColumn("{task.description:<12}", markup=False), BarColumn(), MofNCompleteColumn())
        note = TextColumn("{task.fields[note]}", markup=False)
        self._progress = Progress(*columns, note, TimeElapsedColumn(), console=self._console, transient=True)
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, str] = {}
        self._trouble: str | None = None

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._console.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""
        if self._console.is_terminal:
            self._progress.stop()

    def show(self, name: str, done: int, total: int | None, note: str) -> None:
        """Show how far something is."""
        self._trouble = None
        if self._console.is_terminal:
            task = self._tasks.get(name)
            if task is None:
                task = self._tasks[name] = self._progress.add_task(name, total=None, note="")
            self._progress.update(task, completed=done, total=total or None, note=visible(note))
        elif self._said.get(name) != note:
            self._said[name] = note
            self._console.print(label(f"{name}: {note}"))

    def trouble(self, message: str) -> None:
        """Say once that there is no answer just now."""
        if self._trouble != message:
            self._trouble = message
            self._console.print(label(f"{message} Trying again …"))


def until_interrupted(run: Callable[[], Any], invocation: Invocation, *, ended: str | None = _ENDED) -> Any:
    """Watch until Ctrl-C, which is exit code 130 and no error."""
    try:
        return run()
    except KeyboardInterrupt:
        if ended:
            invocation.out.remark(ended)
        raise typer.Exit(INTERRUPTED) from None


def _note(state: Row) -> str:
    until = state.get("rate_limited_until")
    if state["status"] == "parked" and until:
        return f"parked until {iso(until)}: GitLab's rate limit is used up"
    return str(state["status"])


def _may_pass(problem: Refused | Unreachable) -> bool:
    return problem.may_work_later if isinstance(problem, Refused) else True
