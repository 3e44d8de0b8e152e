"""Where deliveries are kept: one row each, with its body, until its time to live ends."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from gitlab_hub.errors import Conflict
from gitlab_hub.ids import owner_of
from gitlab_hub.storage.ports import ABSENT, Item, Table, UnknownSchema
from gitlab_hub.storage.rows import at_version, is_written, query_all
from gitlab_hub.webhooks.deliveries.model import KEPT_SECONDS, Delivery, id_of_delivery

SCHEMA_VERSION = 1
BY_TIME, PENDING_INDEX = "by_time", "pending"
CHANGE_TRIES = 5

EVENT_SECONDS = 2 * 86_400
"""How long is known which delivery was the first to tell of an event: far longer than its hooks are apart."""

SHOWN = (
    "hook_id",
    "status",
    "event",
    "action",
    "project_id",
    "project_path",
    "ref",
    "sha",
    "actor",
    "verification",
    "headers",
    "size",
    "truncated",
    "reasons",
    "build_ids",
    "processed_at",
    "attempts",
    "sends",
    "replays",
)
"""What the index has of a delivery beside its keys, which say the rest: DynamoDB takes 20 such attributes at most."""

_SK = "DELIVERY"
_PENDING = "PENDING"
_TUPLES = ("reasons", "build_ids")
_POSITIONS = (f"{BY_TIME}_pk", f"{BY_TIME}_sk", f"{PENDING_INDEX}_pk", f"{PENDING_INDEX}_sk")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDelivery:
    """A delivery and its packed body, as they were read; what is made of them next need not read them again."""

    delivery: Delivery
    body: bytes = field(repr=False)
    item: Item = field(repr=False)


class DeliveryStore:
    """Deliveries by id. Changes name the version they were made from, and keep what a later release has added."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def keep(self, delivery: Delivery, body: bytes) -> bool:
        """Write a new delivery; False where it is kept already."""
        return is_written(self._table.put, row_of(delivery) | {"body": body}, ABSENT)

    def get(self, delivery_id: str) -> Delivery | None:
        """One delivery."""
        item = self._table.get(partition(delivery_id), _SK)
        return delivery_from(item) if item else None

    def load(self, delivery_id: str) -> StoredDelivery | None:
        """One delivery with its packed body. Raises UnknownSchema."""
        item = self._table.get(partition(delivery_id), _SK)
        if item is None:
            return None
        if item["schema_version"] > SCHEMA_VERSION:
            raise UnknownSchema(f"This version understands deliveries up to schema {SCHEMA_VERSION}.")
        return StoredDelivery(delivery=delivery_from(item), body=item["body"], item=item)

    def change(
        self, delivery_id: str, decide: Callable[[Delivery], Delivery | None], *, read: StoredDelivery | None = None
    ) -> Delivery | None:
        """Apply a decision to what is stored now, and decide anew where others were faster.

        `read`: what a moment ago was stored; the write finds out whether it still is. None where there is no such
        delivery, or the decision was to leave it. Raises Conflict.
        """
        for number in range(CHANGE_TRIES):
            item = read.item if read and number == 0 else self._table.get(partition(delivery_id), _SK)
            before = delivery_from(item) if item else None
            wanted = decide(before) if before else None
            if item is None or before is None or wanted is None:
                return None
            after = replace(wanted, version=before.version + 1)
            if is_written(self._table.put, _changed(item, after), at_version(before.version)):
                return after
        raise Conflict("Others kept changing this delivery; try again.", retry_after=2)

    def is_first(self, event_key: str, delivery: Delivery, *, now: float) -> bool:
        """Whether no other hook has told of this event before; a repeated question gets the same answer.

        A hook tells of an event once. What it tells once more is another one of the same words: a branch that was
        deleted is made again, or set back and forth.
        """
        pk, hook, by = f"EVENT#{event_key}", _digest(delivery.hook_id or ""), _digest(delivery.id)
        known: Item = {}
        for _ in range(CHANGE_TRIES):
            told, version = known.get("told", {}), known.get("version", 0)
            if told.get(hook) == by:
                return bool(known["first"] == hook)
            is_new = not told or hook in told
            after = {"first": hook if is_new else known["first"], "told": {hook: by} if is_new else {**told, hook: by}}
            row = {"pk": pk, "sk": "EVENT", "schema_version": SCHEMA_VERSION, **after, "version": version + 1}
            if is_written(self._table.put, row | {"expires_at": int(now) + EVENT_SECONDS}, at_version(version)):
                return bool(after["first"] == hook)
            known = self._table.get(pk, "EVENT") or {}
        raise Conflict("Others keep telling of this event; try again.", retry_after=2)

    def overdue(self, now: float, limit: int) -> list[str]:
        """Ids of pending deliveries whose time to be looked at has come, the oldest first."""
        until = f"{int(now * 1000):013d}~"
        page = self._table.query(_PENDING, until=until, limit=limit, index=PENDING_INDEX, attributes=("delivery_id",))
        return [item["delivery_id"] for item in page.items]


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def partition(delivery_id: str) -> str:
    """The partition of one delivery."""
    return f"DELIVERY#{delivery_id}"


def row_of(delivery: Delivery) -> Item:
    """Everything of a row but the body; only a pending one has a place in the index of pending ones."""
    values = asdict(delivery)
    values["delivery_id"] = values.pop("id")
    values |= {name: list(values[name]) for name in _TUPLES} | {"headers": dict(delivery.headers)}
    # An index that is there takes no further attribute, so both stand in the one that it has.
    done, took = values["processed_at"], values.pop("milliseconds")
    values["processed_at"] = done if took is None else [done, took]
    return values | {
        "pk": partition(delivery.id),
        "sk": _SK,
        "schema_version": SCHEMA_VERSION,
        "expires_at": delivery.received_at // 1000 + KEPT_SECONDS,
        f"{BY_TIME}_pk": by_time(delivery.integration_id),
        f"{BY_TIME}_sk": f"{delivery.received_at:013d}#{delivery.id}",
        **_place(delivery),
    }


def by_time(integration_id: str) -> str:
    """The partition of an integration's deliveries in order of time."""
    return f"DELIVERIES#{integration_id}"


def delivery_from(item: Mapping[str, Any]) -> Delivery:
    """Read a row; attributes of a later release are left alone."""
    known = {one.name: item[one.name] for one in fields(Delivery) if one.name in item}
    known |= {"id": item["delivery_id"]} | {name: tuple(item.get(name, ())) for name in _TUPLES}
    return Delivery(**known | _done(item.get("processed_at")))


def _done(stored: Any) -> dict[str, int | None]:
    """When a delivery was done and how long that took; rows of earlier releases know the second of the first alone."""
    done, took = stored if isinstance(stored, list) else (stored, None)
    return {"processed_at": done, "milliseconds": took}


def shown_from(item: Mapping[str, Any]) -> Delivery:
    """Read a row of the index by time: a delivery as lists show it, without what only its worker needs."""
    received, _, name = str(item[f"{BY_TIME}_sk"]).partition("#")
    rest = {
        "delivery_id": name,
        "integration_id": str(item[f"{BY_TIME}_pk"]).partition("#")[2],
        "received_at": int(received),
    }
    return delivery_from({"queue_group": "", "due_at": 0, "receipt": "", **item, **rest})


def _place(delivery: Delivery) -> Item:
    if not delivery.is_pending:
        return {}
    return {
        f"{PENDING_INDEX}_pk": _PENDING,
        f"{PENDING_INDEX}_sk": f"{delivery.due_at:013d}#{delivery.id}",
    }


def _changed(item: Item, after: Delivery) -> Item:
    kept = {name: value for name, value in item.items() if name not in _POSITIONS}
    # A later release's rows stay its own.
    return kept | row_of(after) | {"schema_version": item["schema_version"]}


# Which partitions hold deliveries of an integration.


def delivery_partitions(table: Table, integration_id: str) -> Iterator[str]:
    """Every partition of an integration's deliveries; they would else stay until their time to live ends."""
    rows = query_all(table, by_time(integration_id), index=BY_TIME, attributes=("pk",))
    return (str(item["pk"]) for item in rows)


# What the hub has received, looked up by what GitLab records of a delivery.


class StoredDeliveries:
    """Knows deliveries by their hook and dedupe key, as the receiver names them."""

    def __init__(self, table: Table) -> None:
        self._store = DeliveryStore(table)

    def exists(self, hook_id: str, key: str) -> bool:
        """Whether a delivery with this `Idempotency-Key` was kept, in whatever state it is."""
        integration_id = owner_of(hook_id)
        if integration_id is None:
            return False
        return self._store.get(id_of_delivery(integration_id, hook_id, key)) is not None
