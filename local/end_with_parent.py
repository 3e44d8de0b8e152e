"""For child processes: ending when the parent does, however that ended."""

import os
import signal
import threading
import time
from collections.abc import Callable


def end_with_parent(before: Callable[[], None] = lambda: None, *, patience: float = 15.0) -> None:
    """Watch the parent in the background: once it is gone, call `before`, then ask this process to end.

    After `patience` seconds the whole process group is ended, so the process has to lead one of its own. The parent
    gives a pipe as standard input and never writes to it: reading returns only when the parent is gone.
    """
    # os.read, because a buffered read would hold a lock that the interpreter wants when it ends.
    end_with(lambda: os.read(0, 1), before, patience=patience)


def end_with(
    parent_ends: Callable[[], object], before: Callable[[], None] = lambda: None, *, patience: float = 15.0
) -> None:
    """As `end_with_parent`, where `parent_ends` returns once the parent is gone."""
    threading.Thread(target=_watch, args=(parent_ends, before, patience), daemon=True).start()


def end_group() -> None:
    """End this process and every one it has started."""
    os.killpg(0, signal.SIGKILL)


def _watch(parent_ends: Callable[[], object], before: Callable[[], None], patience: float) -> None:
    parent_ends()
    before()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(patience)
    end_group()
