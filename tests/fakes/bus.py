"""An event bus in memory: what it was told, in the order in which it was."""

from collections.abc import Mapping
from typing import Any


class MemoryBus:
    """Events as they were put on it."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Mapping[str, Any]]] = []

    def put(self, detail_type: str, message: Mapping[str, Any]) -> None:
        """Take an event."""
        self.events.append((detail_type, message))
