"""Where triggers are kept: one row each, and one that changes with any of them."""

from collections.abc import Callable, Iterator

from gitlab_hub.builds import trigger_rows as rows
from gitlab_hub.builds.model import Trigger
from gitlab_hub.builds.trigger_errors import TriggerLimitReached, TriggerNotFound
from gitlab_hub.errors import Conflict
from gitlab_hub.ids import owner_of
from gitlab_hub.storage.table import ABSENT, Condition, ConditionFailed, Delete, Put, Table

MAX_TRIGGERS = 1_000
"""Per integration."""

PAGE = 200
_ATTEMPTS = 8


class TriggerStore:
    """Reads and writes triggers. Every write moves the edition of its integration."""

    def __init__(self, table: Table, *, limit: int = MAX_TRIGGERS) -> None:
        self._table, self._limit = table, limit

    def get(self, trigger_id: str) -> Trigger | None:
        """Read one trigger by its id, strongly consistent."""
        integration_id = owner_of(trigger_id)
        item = integration_id and self._table.get(rows.partition(integration_id), rows.TRIGGER + trigger_id)
        return rows.trigger_of(item) if item else None

    def require(self, trigger_id: str) -> Trigger:
        """Read one trigger. Raises TriggerNotFound."""
        found = self.get(trigger_id)
        if found is None:
            raise TriggerNotFound("There is no such trigger.")
        return found

    def after(self, integration_id: str, position: str | None = None) -> Iterator[Trigger]:
        """The triggers of an integration behind an id, in order of their ids, read page by page."""
        after = None if position is None else rows.TRIGGER + position
        while True:
            page = self._table.query(rows.partition(integration_id), prefix=rows.TRIGGER, after=after, limit=PAGE)
            yield from (rows.trigger_of(item) for item in page.items)
            if page.last is None:
                return
            after = page.last[1]

    def edition(self, integration_id: str) -> int:
        """A number that grows with every change of the integration's triggers: one small read."""
        return self._head(integration_id)[0]

    def add(self, trigger: Trigger) -> Trigger:
        """Keep a new trigger; one that is there already under this id is given back. Raises TriggerLimitReached."""
        for _ in range(_ATTEMPTS):
            found = self.get(trigger.id)
            if found is not None:
                return found  # A repeated request: the first one got this far.
            if self._head(trigger.integration_id)[1] >= self._limit:
                raise TriggerLimitReached(f"An integration has at most {self._limit} triggers; remove one first.")
            if self._written(trigger.integration_id, Put(rows.trigger_item(trigger), ABSENT), more=1):
                return trigger
        raise _busy()

    def change(self, trigger_id: str, decide: Callable[[Trigger], Trigger]) -> Trigger:
        """Apply a decision to what is stored now, and anew where others were faster. Raises TriggerNotFound.

        `decide` gives the trigger with its `version` raised.
        """
        for _ in range(_ATTEMPTS):
            before = self.require(trigger_id)
            after = decide(before)
            unchanged = Condition(equals={"version": before.version})
            if self._written(before.integration_id, Put(rows.trigger_item(after), unchanged), more=0):
                return after
            if self.get(trigger_id) == after:
                return after  # Done, and only its answer was lost.
        raise _busy()

    def remove(self, trigger_id: str) -> None:
        """Remove a trigger. Raises TriggerNotFound."""
        trigger = self.require(trigger_id)
        key = (rows.partition(trigger.integration_id), rows.TRIGGER + trigger_id)
        for _ in range(_ATTEMPTS):
            if self._written(trigger.integration_id, Delete(key, Condition(exists=True)), more=-1):
                return
            if self.get(trigger_id) is None:
                return
        raise _busy()

    def purge(self, integration_id: str) -> None:
        """Remove everything about an integration's triggers, once the integration is gone."""
        keys = [(rows.partition(integration_id), rows.TRIGGER + one.id) for one in self.after(integration_id)]
        self._table.write(deletes=[*keys, (rows.partition(integration_id), rows.HEAD)])

    def _written(self, integration_id: str, action: Put | Delete, *, more: int) -> bool:
        """Write a trigger and the head together; False where either was not what it had been."""
        edition, count = self._head(integration_id)
        head = rows.head_item(integration_id, edition=edition + 1, count=count + more)
        as_read = Condition(equals={"edition": edition}) if edition else ABSENT
        try:
            self._table.transact([action, Put(head, as_read)])
        except ConditionFailed:
            return False
        return True

    def _head(self, integration_id: str) -> tuple[int, int]:
        """Edition and number of triggers."""
        head = self._table.get(rows.partition(integration_id), rows.HEAD) or {}
        return head.get("edition", 0), head.get("count", 0)


def _busy() -> Conflict:
    return Conflict("Others are changing triggers of this integration; try again.", retry_after=1)
