"""The book of builds: every build once, every change once, and a message for whatever is left to do."""

from collections.abc import Callable

from gitlab_hub.builds.build import Build, claimed_id, new_build
from gitlab_hub.builds.build_store import BuildStore, Kept
from gitlab_hub.builds.chores import chores, news, planned
from gitlab_hub.builds.model import BuildRequest, Trigger
from gitlab_hub.errors import Conflict
from gitlab_hub.storage.queue import OrderedQueue
from gitlab_hub.storage.table import ConditionFailed

SCHEMA = 1
_TRIES = 10


class BuildBook:
    """Rows first, messages second: a crash in between leaves a row with `due_at`, which the schedule finds."""

    def __init__(self, store: BuildStore, queue: OrderedQueue, now: Callable[[], float]) -> None:
        self._store, self._queue, self._now = store, queue, now

    def request(self, trigger: Trigger, request: BuildRequest, *, delivery_id: str | None) -> str | None:
        """Have a commit built by a trigger once; gives the build's id, or None where another delivery had it built.

        A repeated delivery gets the same id again, and its message is sent again where the build has not begun.
        """
        build = new_build(trigger, request, build_id=claimed_id(request), now=self._now())
        kept = self.enter(build)
        return kept.build.id if kept.is_new or kept.build.delivery_id == delivery_id else None

    def enter(self, build: Build) -> Kept:
        """Keep a new build and send its messages; a build that is kept already is only sent for."""
        kept = self._store.create(planned(build, build, now=int(self._now())))
        self.send(kept.build, chores(kept.build))
        return kept

    def change(self, build_id: str, decide: Callable[[Build], Build], *, read: Build | None = None) -> Build | None:
        """Change a build by a rule that is given its newest state; gives what it is then, None where it is gone.

        `read`: its state a moment ago; the write finds out whether it still is. Raises Conflict where others change the
        same build again and again.
        """
        for number in range(_TRIES):
            before = read if read and number == 0 else self._store.get(build_id)
            if before is None:
                return None
            after = decide(before)
            if after == before:
                return before
            try:
                saved = self._store.save(before, planned(before, after, now=int(self._now())))
            except ConditionFailed:
                continue
            self.send(saved, news(before, saved))
            return saved
        raise Conflict("The build is being changed by others; try again.", retry_after=1)

    def send(self, build: Build, wanted: tuple[str, ...]) -> None:
        """Send a message for each chore; a repeated one has no effect."""
        for chore in wanted:
            message = {"schema": SCHEMA, chore: build.id}
            self._queue.send(message, group=build.id, once=f"{build.id}-{chore}-{build.version}")
