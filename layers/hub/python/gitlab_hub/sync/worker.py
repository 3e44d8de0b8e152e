"""What a queue message asks for: carrying a run on, or removing what an integration left behind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gitlab_hub.sync.engine import Engine
from gitlab_hub.sync.message import SCHEMA
from gitlab_hub.sync.purge import Purger


class UnknownMessage(Exception):
    """A message of a schema this version does not know: it waits in the dead-letter queue for one that does."""


@dataclass(frozen=True, slots=True)
class Worker:
    """The consumer of one work queue."""

    engine: Engine
    purger: Purger

    def __call__(self, message: Mapping[str, Any], *, remaining: Callable[[], float]) -> None:
        """Do what the message asks for, within `remaining()` seconds. Raises UnknownMessage."""
        if message.get("schema") != SCHEMA:
            raise UnknownMessage(f"This version understands schema {SCHEMA} only.")
        if "purge" in message:
            self.purger.handle(message, remaining=remaining)
        else:
            self.engine.handle(message, remaining=remaining)
