"""Where triggers are kept: one row each, and one that changes with any of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, fields
from typing import Any

from gitlab_hub.builds.triggers.model import Globs, MergeRequestRules, ReportStatus, Trigger
from gitlab_hub.errors import Conflict, HubError, NotFound
from gitlab_hub.ids import owner_of
from gitlab_hub.storage.ports import ABSENT, Condition, Delete, Item, Put, Table
from gitlab_hub.storage.rows import at_version, is_written, query_all

# Triggers as table rows, and back.

SCHEMA_VERSION = 1
TRIGGER = "TRIGGER#"
HEAD = "TRIGGERS"
"""One row per integration that changes with each of its triggers: how many there are, and at which revision."""

_EXTRA = "extra"
_KEY = frozenset({"pk", "sk", "schema_version"})
_GLOBS = ("branches", "tags", "paths")


def partition(integration_id: str) -> str:
    """Where an integration's triggers lie."""
    return f"INTEGRATION#{integration_id}"


def trigger_item(trigger: Trigger) -> Item:
    """The row of a trigger."""
    values: Item = _plain(asdict(trigger))
    key = {"pk": partition(values.pop("integration_id")), "sk": TRIGGER + values.pop("id")}
    # A later release's rows stay its own.
    extra: Item = values.pop(_EXTRA)
    return key | {"schema_version": SCHEMA_VERSION} | values | extra


def trigger_of(item: Mapping[str, Any]) -> Trigger:
    """Read a trigger; attributes of a later release are left alone, and kept."""
    known = _known(Trigger, item)
    later = {"schema_version": item["schema_version"]} if item["schema_version"] > SCHEMA_VERSION else {}
    rest = {
        "id": str(item["sk"]).removeprefix(TRIGGER),
        "integration_id": str(item["pk"]).partition("#")[2],
        "events": tuple(item["events"]),
        _EXTRA: {name: value for name, value in item.items() if name not in known.keys() | _KEY} | later,
        "merge_requests": MergeRequestRules(**_known(MergeRequestRules, item["merge_requests"])),
        "report_status": ReportStatus(**_known(ReportStatus, item["report_status"])),
    } | {name: Globs(**_known(Globs, item[name])) for name in _GLOBS}
    return Trigger(**(known | rest))


def head_item(integration_id: str, *, revision: int, count: int) -> Item:
    """The row that changes with every trigger."""
    key = {"pk": partition(integration_id), "sk": HEAD, "schema_version": SCHEMA_VERSION}
    return key | {"edition": revision, "count": count}


def _known(kind: Any, item: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in item.items() if name in names}


def _plain(value: Any) -> Any:
    """Lists and dictionaries instead of tuples and other mappings: what a table holds."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value


# The refusals about triggers: one class per decision of the caller.


class TriggerNotFound(NotFound):
    """No such trigger."""


class TriggerLimitReached(HubError):
    """The integration has as many triggers as it may have."""

    code = "trigger_limit_reached"


MAX_TRIGGERS = 1_000
"""Per integration."""

PAGE = 200
_ATTEMPTS = 8


class TriggerStore:
    """Reads and writes triggers. Every write moves the revision of its integration."""

    def __init__(self, table: Table, *, limit: int = MAX_TRIGGERS) -> None:
        self._table, self._limit = table, limit

    def get(self, trigger_id: str) -> Trigger | None:
        """Read one trigger by its id, strongly consistent."""
        integration_id = owner_of(trigger_id)
        item = integration_id and self._table.get(partition(integration_id), TRIGGER + trigger_id)
        return trigger_of(item) if item else None

    def require(self, trigger_id: str) -> Trigger:
        """Read one trigger. Raises TriggerNotFound."""
        found = self.get(trigger_id)
        if found is None:
            raise TriggerNotFound("There is no such trigger.")
        return found

    def after(self, integration_id: str, position: str | None = None) -> Iterator[Trigger]:
        """The triggers of an integration behind an id, in order of their ids, read page by page."""
        after = None if position is None else TRIGGER + position
        return map(
            trigger_of, query_all(self._table, partition(integration_id), prefix=TRIGGER, after=after, limit=PAGE)
        )

    def revision(self, integration_id: str) -> int:
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
            if self._written(trigger.integration_id, Put(trigger_item(trigger), ABSENT), more=1):
                return trigger
        raise _busy()

    def change(self, trigger_id: str, decide: Callable[[Trigger], Trigger]) -> Trigger:
        """Apply a decision to what is stored now, and anew where others were faster. Raises TriggerNotFound.

        `decide` gives the trigger with its `version` raised.
        """
        for _ in range(_ATTEMPTS):
            before = self.require(trigger_id)
            after = decide(before)
            if self._written(before.integration_id, Put(trigger_item(after), at_version(before.version)), more=0):
                return after
            if self.get(trigger_id) == after:
                return after  # Done, and only its answer was lost.
        raise _busy()

    def remove(self, trigger_id: str) -> None:
        """Remove a trigger. Raises TriggerNotFound."""
        trigger = self.require(trigger_id)
        key = (partition(trigger.integration_id), TRIGGER + trigger_id)
        for _ in range(_ATTEMPTS):
            if self._written(trigger.integration_id, Delete(key, Condition(exists=True)), more=-1):
                return
            if self.get(trigger_id) is None:
                return
        raise _busy()

    def purge(self, integration_id: str) -> None:
        """Remove everything about an integration's triggers, once the integration is gone."""
        keys = [(partition(integration_id), TRIGGER + one.id) for one in self.after(integration_id)]
        self._table.write(deletes=[*keys, (partition(integration_id), HEAD)])

    def _written(self, integration_id: str, action: Put | Delete, *, more: int) -> bool:
        """Write a trigger and the head together; False where either was not what it had been."""
        revision, count = self._head(integration_id)
        head = head_item(integration_id, revision=revision + 1, count=count + more)
        as_read = Condition(equals={"edition": revision}) if revision else ABSENT
        return is_written(self._table.transact, [action, Put(head, as_read)])

    def _head(self, integration_id: str) -> tuple[int, int]:
        """Revision and number of triggers."""
        head = self._table.get(partition(integration_id), HEAD) or {}
        return head.get("edition", 0), head.get("count", 0)


def _busy() -> Conflict:
    return Conflict("Others are changing triggers of this integration; try again.", retry_after=1)
