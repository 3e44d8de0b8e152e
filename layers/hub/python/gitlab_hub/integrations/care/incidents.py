"""What needs a person, about credentials: one row each, told once, gone when it is over."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from gitlab_hub.storage.table import Item, Table

PARTITION = "INCIDENTS"
PREFIX = "INCIDENT#"
EXPIRING, LOST = "credential_expiring", "credential_lost"
KEPT_SECONDS = 400 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something about one credential. `days` is the threshold that was told of last; `token_version` whose it was."""

    kind: str
    integration_id: str
    credential_id: str
    token_version: str
    days: int | None
    token_expires_at: int | None
    first_at: int
    updated_at: int


class Incidents:
    """The incidents of all integrations, one partition in the order of their integrations."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table, self._now = table, now

    def get(self, kind: str, integration_id: str, credential_id: str) -> Incident | None:
        """One incident, where there is one."""
        item = self._table.get(PARTITION, _sk(integration_id, kind, credential_id))
        return None if item is None else _incident(item)

    def put(self, incident: Incident) -> None:
        """Write an incident, or what is new about it."""
        key = {"pk": PARTITION, "sk": _sk(incident.integration_id, incident.kind, incident.credential_id)}
        expires_at = int(self._now()) + KEPT_SECONDS
        self._table.put(key | {"schema_version": 1, **asdict(incident), "expires_at": expires_at})

    def over(self, kind: str, integration_id: str, credential_id: str) -> None:
        """Forget an incident that is over."""
        self._table.delete(PARTITION, _sk(integration_id, kind, credential_id))

    def of(self, integration_id: str | None = None) -> Iterator[Incident]:
        """The incidents of one integration, or all."""
        prefix = PREFIX if integration_id is None else f"{PREFIX}{integration_id}#"
        yield from (_incident(item) for item in self._items(prefix))

    def forget(self, integration_id: str) -> None:
        """Forget all incidents of an integration."""
        self._table.write(deletes=[(PARTITION, item["sk"]) for item in self._items(f"{PREFIX}{integration_id}#")])

    def _items(self, prefix: str) -> Iterator[Item]:
        after: str | None = None
        while True:
            page = self._table.query(PARTITION, prefix=prefix, after=after)
            yield from page.items
            if page.last is None:
                return
            after = page.last[1]


def _sk(integration_id: str, kind: str, credential_id: str) -> str:
    return f"{PREFIX}{integration_id}#{kind}#{credential_id}"


def _incident(item: Item) -> Incident:
    known: dict[str, Any] = {name: item[name] for name in Incident.__dataclass_fields__ if name in item}
    return Incident(**known)
