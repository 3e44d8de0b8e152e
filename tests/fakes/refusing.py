"""A table, and secrets, of which AWS refuses some for good."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from gitlab_hub.storage.ports import REFUSED, Item, StorageRefused, Table
from tests.fakes.secrets import MemorySecrets


def refusing_table(table: Table, refused: Callable[[Item], bool]) -> Table:
    """Wrap a table that does not take these items."""
    return cast("Table", _Refusing(table, refused))


class KeylessSecrets(MemorySecrets):
    """Secrets some of which nobody may read: their key is not the hub's any more."""

    def __init__(self) -> None:
        super().__init__()
        self.unreadable = ""

    def read(self, name: str, *, version: str | None = None) -> dict[str, Any]:
        """Read a version, unless it is of the unreadable secret."""
        if self.unreadable and self.unreadable in name:
            raise StorageRefused("AWS refuses the hub a table or a secret (AccessDeniedException).")
        return super().read(name, version=version)


class _Refusing:
    """A table that takes no rows whose key begins so."""

    def __init__(self, table: Table, refused: Callable[[Item], bool]) -> None:
        self._table, self._refused = table, refused

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def put(self, item: Item, *args: Any) -> None:
        if self._refused(item):
            raise StorageRefused(REFUSED)
        self._table.put(item, *args)

    def transact(self, actions: Sequence[Any]) -> None:
        if any(self._refused(action.item) for action in actions if hasattr(action, "item")):
            raise StorageRefused(REFUSED)
        self._table.transact(actions)
