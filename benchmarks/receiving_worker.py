"""The receiver under test, in a process of its own: whole Lambda events in, answers out, as its function does it.

`python -m benchmarks.receiving_worker <task as JSON>` prints its figures as JSON. Over DynamoDB it is the entry
that Lambda calls, with boto3 and everything; in memory it is the same receiver over the tests' table and queue.
"""

import gzip
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from benchmarks.children import Dynamo
from benchmarks.dynamo.neighbours import MASTER_KEY
from benchmarks.measure import Usage
from benchmarks.pushes import push, signed_headers, token_headers
from benchmarks.quiet import logging_to_nowhere
from benchmarks.receiving_task import DYNAMODB, SIGNATURE, Task
from benchmarks.seeds import a_hook, an_integration
from gitlab_hub.composition import entries
from gitlab_hub.integrations.rows import integration_item
from gitlab_hub.storage.dynamodb import DynamoTable
from gitlab_hub.storage.ports import Table
from gitlab_hub.web.entry import http_entry
from gitlab_hub.web.tokens import MasterKey
from gitlab_hub.webhooks.deliveries.body import MAX_PACKED_BYTES
from gitlab_hub.webhooks.deliveries.metrics import WebhookMetrics
from gitlab_hub.webhooks.hooks.secrets import HookSecrets
from gitlab_hub.webhooks.hooks.store import HookStore
from gitlab_hub.webhooks.receiving.receiver import ReceiveFeature, WebhookApp
from tests.fakes.events import Context, http_event
from tests.fakes.queue import MemoryOrderedQueue
from tests.fakes.secrets import MemorySecrets
from tests.fakes.table import MemoryTable

PATH = "/v1/webhooks/gitlab/"
ACCEPTED = 202
FAST_FROM = 200_000
"""From this size on the receiver compresses fast rather than well."""

Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]


class Always:
    """Every integration is active."""

    def of(self, _integration_id: str) -> str:
        """How it stands."""
        return "active"


class Bench:
    """One hook, whoever answers for it, and the table beneath."""

    def __init__(self, task: Task) -> None:
        self._task = task
        secrets = MemorySecrets()
        secrets.create("master", {"key": MASTER_KEY}, version="1" * 32)
        key = MasterKey(secrets, "master")
        self._secrets = HookSecrets(lambda: key.derive("webhooks"))
        self._raw = push(task.size)
        self._hook = a_hook(task.mode)
        self.table: Table = DynamoTable("deliveries") if task.store == DYNAMODB else MemoryTable(("by_time", "pending"))
        HookStore(self.table).create(self._hook, self._secrets.fingerprint(self._secrets.token(self._hook.id, 1)))
        if task.store == DYNAMODB:
            DynamoTable("integrations").put(integration_item(an_integration()))
            self.handler: Handler = entries.webhooks_api()
        else:
            self.handler = http_entry(WebhookApp(self._feature().receiver))

    def events(self, name: str, count: int) -> list[dict[str, Any]]:
        """Deliveries that are all new."""
        text = self._raw.decode()
        keys = [f"{name}-{number}" for number in range(count)]
        return [
            http_event("POST", PATH + self._hook.id, principal=None, headers=self._headers(key), raw=text)
            for key in keys
        ]

    def floor(self, number: int) -> None:
        """The least that receiving could be: the sender proved, the body compressed and put."""
        hmac.digest(b"k" * 32, self._raw, hashlib.sha256)
        packed = gzip.compress(self._raw, compresslevel=6 if len(self._raw) < FAST_FROM else 1, mtime=0)
        self.table.put({"pk": f"FLOOR#{number}", "sk": "FLOOR", "body": packed[:MAX_PACKED_BYTES]})

    def _headers(self, key: str) -> Mapping[str, str]:
        if self._task.mode == SIGNATURE:
            return signed_headers(self._secrets.signing_token(self._hook.id, 1), self._raw, key, int(time.time()))
        return token_headers(self._secrets.token(self._hook.id, 1), key)

    def _feature(self) -> ReceiveFeature:
        return ReceiveFeature(
            table=self.table,
            queue=MemoryOrderedQueue(),
            secrets=self._secrets,
            states=Always(),
            metrics=WebhookMetrics("webhooks"),
        )


def measured(task: Task) -> dict[str, Any]:
    """Receive deliveries one after the other, as one instance of the function does; times in seconds."""
    bench = Bench(task)
    first = seconds_of(lambda: answer(bench, bench.events("first", 1)[0]))
    events = bench.events("bench", task.calls)
    before, bills = Usage.now(), bills_of(task)
    times = [seconds_of(partial(answer, bench, event)) for event in events]
    after, charged = Usage.now(), bills_of(task)
    return {
        "first": first,
        "times": times,
        "cpu": (after.cpu - before.cpu) / task.calls,
        "bills": {f"{table} {what}": n - bills.get((table, what), 0) for (table, what), n in charged.items()},
        "floors": [seconds_of(partial(bench.floor, number)) for number in range(task.calls)],
        "bytes": task.size,
    }


def answer(bench: Bench, event: Mapping[str, Any]) -> None:
    """Have a new delivery accepted."""
    status = bench.handler(event, Context())["statusCode"]
    if status != ACCEPTED:
        raise ValueError(f"The receiver answered {status}.")


def seconds_of(work: Callable[[], object]) -> float:
    """How long something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def bills_of(task: Task) -> dict[tuple[str, str], int]:
    """What was charged for so far."""
    if task.store != DYNAMODB:
        return {}
    bills = Dynamo.named().bills()
    return {(table, what): count for table, bill in bills.items() for what, count in bill.items()}


if __name__ == "__main__":
    with logging_to_nowhere():
        figures = measured(Task(**json.loads(sys.argv[1])))
    print(json.dumps(figures))
