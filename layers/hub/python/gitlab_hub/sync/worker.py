"""What a queue message asks for: carrying a run on, heeding a hint, or removing what an integration left behind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gitlab_hub.sync.engine import Engine
from gitlab_hub.sync.hints import HintHandler
from gitlab_hub.sync.message import SCHEMA, UnknownMessage
from gitlab_hub.sync.purge import Purger


@dataclass(frozen=True, slots=True)
class Worker:
    """The consumer of one work queue."""

    engine: Engine
    purger: Purger
    hints: HintHandler | None = None

    def __call__(self, message: Mapping[str, Any], *, remaining: Callable[[], float]) -> None:
        """Do what the message asks for, within `remaining()` seconds. Raises UnknownMessage."""
        if message.get("schema") != SCHEMA:
            raise UnknownMessage(f"This version understands schema {SCHEMA} only.")
        if "purge" in message:
            self.purger.handle(message, remaining=remaining)
        elif "hint" not in message:
            self.engine.handle(message, remaining=remaining)
        elif self.hints is None:
            raise UnknownMessage("This worker heeds no hints.")
        else:
            self.hints.handle(message, remaining=remaining)
