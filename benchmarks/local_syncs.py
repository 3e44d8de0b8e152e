"""Access syncs through the whole local stack: what somebody who tries the hub on a laptop waits for.

The emulator is one process that looks at every item of a partition for each query, so these figures say more of it and
of how rows are laid out than of AWS.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.bundle import Bundle, running_bundle
from benchmarks.tables import table
from local.problems import Problem

LARGE, SMALL = (2_000, 200, 1_000), (200, 20, 100)
"""Users, groups, projects."""

LOOK_EVERY_SECONDS = 0.5
PATIENCE_SECONDS = 600.0
COLUMNS = ("projects", "what", "s", "requests", "rows", "rows written")
LISTS = ("accounts", "grants", "projects")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """How long something took (seconds), and the counts of the sync where it was one."""

    projects: int
    what: str
    seconds: float
    counts: dict[str, int]


def figures(*, quick: bool) -> Iterator[Waited]:
    """Sync one company twice, then list what came of it."""
    users, groups, projects = SMALL if quick else LARGE
    sizes = ("--users", str(users), "--groups", str(groups), "--projects", str(projects))
    with running_bundle(*sizes, "--pipelines", "1", "--jobs", "1") as bundle:
        for ordinal in ("first", "second"):
            started = time.monotonic()
            counts = _sync(bundle)
            yield Waited(
                projects=projects, what=f"access, {ordinal}", seconds=time.monotonic() - started, counts=counts
            )  # fmt: skip
        for what in LISTS:
            started = time.monotonic()
            number = sum(1 for _ in bundle.hub.all(bundle.integration_id, what))
            told = f"list all {number:,} {what}, 200 a page"
            yield Waited(projects=projects, what=told, seconds=time.monotonic() - started, counts={})


def waited_table(waited: Sequence[Waited]) -> str:
    """One row for each."""
    return table(COLUMNS, [_row(one) for one in waited])


def _row(one: Waited) -> list[str]:
    counts = [
        f"{one.counts[name]:,}" if name in one.counts else "" for name in ("requests", "rows_read", "rows_written")
    ]
    return [f"{one.projects:,}", one.what, f"{one.seconds:.1f}", *counts]


def _sync(bundle: Bundle) -> dict[str, int]:
    path = f"/v1/integrations/{bundle.integration_id}/sync"
    sync_id = bundle.hub.call("POST", path, {"kinds": ["access"]}, expected=(202,))["sync_id"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        state = _state(bundle)
        if state.get("sync_id") == sync_id and state.get("finished_at"):
            if state["status"] != "idle":
                raise Problem(f"the access sync ended as {state['status']}: {state['last_error']}")
            return dict(state["counts"])
        time.sleep(LOOK_EVERY_SECONDS)
    raise Problem("the access sync did not end")


def _state(bundle: Bundle) -> dict[str, Any]:
    try:
        return dict(bundle.hub.sync_state(bundle.integration_id)["access"])
    except Problem:
        return {}  # The emulator answers 500 where it is too busy; the next look may find it idle.
