"""A worker that is frozen inside a call, and wakes when something else has happened."""

from collections.abc import Callable
from typing import Any

from gitlab_hub.storage.ports import Table


class Frozen:
    """A table whose n-th call takes effect only after something else has happened."""

    def __init__(self, table: Table, at: int, meanwhile: Callable[[], object]) -> None:
        self._table, self._at, self._meanwhile, self.calls = table, at, meanwhile, 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._table, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls == self._at:
                self._meanwhile()
            return method(*args, **kwargs)

        return call
