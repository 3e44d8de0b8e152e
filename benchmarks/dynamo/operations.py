"""DynamoDB's operations, as far as the hub calls them."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmarks.dynamo.expressions import Request, Unsupported, bounds, holds, picked
from benchmarks.dynamo.tables import Key, Table
from benchmarks.dynamo.units import Wire, read_units, size_of, write_units

PAGE_BYTES = 1_000_000
TRANSACTION_PRICE = 2

Answer = dict[str, Any]


class Refused(Exception):
    """An error answer of DynamoDB."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code, **more}


class Database:
    """All tables; one is there as soon as it is named."""

    def __init__(self) -> None:
        self._tables: defaultdict[str, Table] = defaultdict(Table)
        self._operations: dict[str, Callable[[Request], Answer]] = {
            "GetItem": self._get,
            "BatchGetItem": self._get_batch,
            "Query": self._query,
            "PutItem": self._put,
            "DeleteItem": self._delete,
            "BatchWriteItem": self._write_batch,
            "TransactWriteItems": self._transact,
        }

    def answer(self, operation: str, request: Request) -> Answer:
        """Do one operation. Raises Refused or Unsupported."""
        if operation not in self._operations:
            raise Unsupported(operation)
        return self._operations[operation](request)

    def bills(self) -> dict[str, dict[str, int]]:
        """What every table was asked for so far."""
        return {name: dict(table.bill) for name, table in self._tables.items()}

    def _called(self, name: str, verb: str) -> Table:
        table = self._tables[name]
        table.bill[f"{verb}_calls"] += 1
        return table

    def _get(self, request: Request) -> Answer:
        table = self._called(request["TableName"], "read")
        wire = _read(table, _key_of(request["Key"]))
        return {} if wire is None else {"Item": picked(request, wire)}

    def _get_batch(self, request: Request) -> Answer:
        found = {name: list(self._some(name, wanted)) for name, wanted in request["RequestItems"].items()}
        return {"Responses": found, "UnprocessedKeys": {}}

    def _some(self, name: str, wanted: Request) -> Iterator[Any]:
        table = self._called(name, "read")
        for key in wanted["Keys"]:
            wire = _read(table, _key_of(key))
            if wire is not None:
                yield picked(wanted, wire)

    def _query(self, request: Request) -> Answer:
        table = self._called(request["TableName"], "read")
        pk, low, high = bounds(request)
        index = request.get("IndexName")
        partition = table.partition(pk) if index is None else table.indexed(index, pk)
        rows: list[tuple[Answer, Wire]] = []
        size, last = 0, {}
        for sk in partition.between(low, high, forward=request.get("ScanIndexForward", True)):
            if size >= PAGE_BYTES or len(rows) >= request.get("Limit", len(partition.items)):
                names = ("pk", "sk") if index is None else (f"{index}_pk", f"{index}_sk")
                last = {"LastEvaluatedKey": {names[0]: {"S": pk}, names[1]: rows[-1][0]}}
                break
            wire = json.loads(partition.items[sk])
            rows.append(({"S": sk}, picked(request, wire)))
            size += size_of(wire)
        table.bill["items_read"] += len(rows)
        # What an index holds is read eventually consistent, at half the price.
        table.bill["half_units"] += read_units(size) * (2 if request.get("ConsistentRead") else 1)
        table.bill["read_units"] += read_units(size)
        return {"Items": [wire for _, wire in rows], "Count": len(rows), "ScannedCount": len(rows), **last}

    def _put(self, request: Request) -> Answer:
        self._check(self._called(request["TableName"], "write"), request, _key_of(request["Item"]))
        self._tables[request["TableName"]].set(_key_of(request["Item"]), _text(request["Item"]))
        return {}

    def _delete(self, request: Request) -> Answer:
        self._check(self._called(request["TableName"], "write"), request, _key_of(request["Key"]))
        self._tables[request["TableName"]].set(_key_of(request["Key"]), None)
        return {}

    def _write_batch(self, request: Request) -> Answer:
        for name, actions in request["RequestItems"].items():
            table = self._called(name, "write")
            for action in actions:
                if put := action.get("PutRequest"):
                    table.set(_key_of(put["Item"]), _text(put["Item"]))
                else:
                    table.set(_key_of(action["DeleteRequest"]["Key"]), None)
        return {"UnprocessedItems": {}}

    def _transact(self, request: Request) -> Answer:
        actions = [next(iter(action.items())) for action in request["TransactItems"]]
        failed = [not self._would(action) for _, action in actions]
        if any(failed):
            reasons = [{"Code": "ConditionalCheckFailed" if one else "None"} for one in failed]
            raise Refused("TransactionCanceledException", CancellationReasons=reasons)
        for verb, action in actions:
            if verb != "ConditionCheck":
                item = action.get("Item")
                table = self._called(action["TableName"], "write")
                table.set(_key_of(item or action["Key"]), _text(item) if item else None, price=TRANSACTION_PRICE)
        return {}

    def _would(self, action: Request) -> bool:
        text = self._tables[action["TableName"]].get(_key_of(action.get("Item") or action["Key"]))
        return holds(action, None if text is None else json.loads(text))

    def _check(self, table: Table, request: Request, key: Key) -> None:
        text = table.get(key)
        stored = None if text is None else json.loads(text)
        if not holds(request, stored):
            # A write that fails its condition is charged like one that does not.
            table.bill["write_units"] += write_units(None, text)
            raise Refused("ConditionalCheckFailedException", **({"Item": stored} if stored else {}))


def _read(table: Table, key: Key) -> Wire | None:
    text = table.get(key)
    wire: Wire | None = None if text is None else json.loads(text)
    units = read_units(size_of(wire or {}))
    table.bill["items_read"] += wire is not None
    table.bill["half_units"] += 2 * units
    table.bill["read_units"] += units
    return wire


def _key_of(wire: Mapping[str, Any]) -> Key:
    return wire["pk"]["S"], wire["sk"]["S"]


def _text(wire: Mapping[str, Any]) -> bytes:
    return json.dumps(wire, separators=(",", ":")).encode()
