"""What a tick of every schedule asks of AWS: the real entries over the stand-in, with nothing to do.

`python -m benchmarks.ticks_worker` prints, for every function and number of integrations, how often it called which
operation and what DynamoDB charges for it. Each tick is done twice and the second is told: clients and keys are there
by then, as they are in an instance that is warm.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from benchmarks.children import Dynamo
from benchmarks.quiet import logging_to_nowhere
from benchmarks.seeds import INTEGRATION, a_credential, an_integration
from gitlab_hub.composition import entries
from gitlab_hub.composition.entries import Entry
from gitlab_hub.integrations.rows import credential_item, integration_item
from gitlab_hub.storage.dynamodb import DynamoTable
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run
from gitlab_hub.sync.store import RunStore
from tests.fakes.events import Context, tick_event

ENTRIES = {
    "sync_accounts": entries.sync_accounts,
    "sync_pipelines": entries.sync_pipelines,
    "deliveries": entries.deliveries,
    "builder": entries.builder,
    "caretaker": entries.caretaker,
}
UNITS = ("read_units", "write_units")


def ticks() -> Iterator[dict[str, object]]:
    """One row for every function without an integration, and one with an integration that is at rest."""
    for integrations in (0, 1):
        if integrations:
            _connect()
        for function, entry in ENTRIES.items():
            yield {"function": function, "integrations": integrations, "calls": _calls(entry())}


def _connect() -> None:
    features = replace(an_integration().features, manage_webhooks=False)
    integration, table = replace(an_integration(), features=features), DynamoTable("integrations")
    table.write([integration_item(integration), credential_item(a_credential(), integration.host_url)])
    for kind in Kind:
        RunStore(table).save(Run(integration_id=INTEGRATION, kind=kind, finished_at=int(time.time())))


def _calls(entry: Entry) -> dict[str, int]:
    store = Dynamo.named()
    entry(tick_event(), Context())
    before = _counted(store)
    entry(tick_event(), Context())
    return dict(_counted(store) - before)


def _counted(store: Dynamo) -> Counter[str]:
    bills = dict(store.bills())
    counted = Counter(bills.pop("calls", {}))
    for table, bill in bills.items():
        counted.update({unit: bill.get(unit, 0) for unit in UNITS})
        counted[f"table {table}"] += bill.get("read_calls", 0) + bill.get("write_calls", 0)
    return counted


if __name__ == "__main__":
    with logging_to_nowhere():
        measured = list(ticks())
    print(json.dumps(measured))
