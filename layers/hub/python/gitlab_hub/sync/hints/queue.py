"""Where hints wait: one message for all hints about one thing that come within seconds of each other.

A mark in the feature's table says that a message is on its way. It is taken away before GitLab is asked, so whatever
happens later makes another one. Only a saving: a mark that outlives its message is no reason to lose a hint.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from gitlab_hub.storage.ports import ABSENT, Condition, Key, Queue, StorageUnavailable, Table
from gitlab_hub.storage.rows import is_written
from gitlab_hub.sync.message import Hint, hint_message

BURST_SECONDS = 5
"""How long a message waits for others about the same thing: GitLab sends an event for every job of a pipeline."""

LOST_AFTER_SECONDS = 60
"""A message this long overdue counts as lost."""

TTL_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class HintQueue:
    """The hints of one kind of sync. All calls block."""

    table: Table
    queue: Queue
    now: Callable[[], float]
    key: Callable[[Hint], Key]
    """Where the mark of a hint lies. Raises UnknownMessage."""

    def send(self, hint: Hint, *, delay_seconds: int = BURST_SECONDS, tries: int = 0) -> None:
        """Have something looked at, unless a message that will is on its way. Raises StorageUnavailable."""
        key, now = self.key(hint), int(self.now() * 1000)
        if not self._mark(key, now=now, due_at=now + delay_seconds * 1000):
            return
        try:
            self.queue.send(hint_message(hint, tries=tries), delay_seconds=delay_seconds)
        except StorageUnavailable:
            # Whoever sends this hint again must not find a mark of a message that there is not.
            with suppress(StorageUnavailable):
                self.table.delete(*key)
            raise

    def clear_mark(self, hint: Hint) -> None:
        """Take the mark away: what happens from now on is not seen yet."""
        self.table.delete(*self.key(hint))

    def _mark(self, key: Key, *, now: int, due_at: int) -> bool:
        """Mark a message as being on its way (times in milliseconds); False where one is already."""
        pk, sk = key
        expires_at = due_at // 1000 + TTL_SECONDS
        mark = {"pk": pk, "sk": sk, "due_at": due_at, "schema_version": 1, "expires_at": expires_at}
        before = self.table.get(pk, sk)
        if before is not None and now <= before["due_at"] + LOST_AFTER_SECONDS * 1000:
            return False
        # Marked by another, or taken away, at this very moment: either way GitLab is asked after it.
        as_read = ABSENT if before is None else Condition(equals={"due_at": before["due_at"]})
        return is_written(self.table.put, mark, as_read)
