"""Progress bars for syncs under way."""

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from local.problems import Problem

AT_REST = frozenset({"idle", "suspect", "failed"})
LONGEST_SECONDS = 1800.0
Kinds = dict[str, Any]


def follow(console: Console, look: Callable[[], Kinds], *, every: float = 0.3) -> Kinds:
    """Show how far the syncs are until all are at rest; returns their last state."""
    if not console.is_terminal:
        console.print("Syncing accounts, pipelines, tokens and keys …")
    columns = (SpinnerColumn(), TextColumn("{task.description:<11}"), BarColumn(), MofNCompleteColumn())
    deadline = time.monotonic() + LONGEST_SECONDS
    with Progress(*columns, TextColumn("{task.fields[note]}"), TimeElapsedColumn(), console=console) as bars:
        tasks = {kind: bars.add_task(kind, total=None, note="") for kind in look()}
        while time.monotonic() < deadline:
            kinds = look()
            for kind, state in kinds.items():
                done, total = state["progress"]["done"], state["progress"]["total"]
                bars.update(tasks[kind], completed=done, total=total or None, note=_note(state))
            if all(state["status"] in AT_REST for state in kinds.values()):
                return kinds
            time.sleep(every)
    raise Problem(f"the syncs did not end within {LONGEST_SECONDS:.0f} s")


def _note(state: dict[str, Any]) -> str:
    requests = state["counts"].get("requests", 0)
    return f"{state['status']:<8} {requests:>6} requests"
