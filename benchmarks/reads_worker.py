"""What every GET route and every scheduled tick reads: the real entries over the stand-in DynamoDB.

`python -m benchmarks.reads_worker <integrations>` prints the bill of each call. Every call is made twice and the second
one is counted: keys and clients are there by then, as in an instance that is warm. There is no GitLab: of a call that
asks one, what it reads before is counted.
"""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from benchmarks.children import Dynamo
from benchmarks.quiet import logging_to_nowhere
from benchmarks.seeds import INTEGRATION, PROJECT, a_credential, a_hook, a_trigger, an_integration
from gitlab_hub.access.model import Account
from gitlab_hub.builds.triggers.store import TriggerStore
from gitlab_hub.composition import entries, routes
from gitlab_hub.composition.container import Container
from gitlab_hub.composition.entries import Entry
from gitlab_hub.ids import owned_id
from gitlab_hub.integrations.rows import credential_item, integration_item
from gitlab_hub.storage.dynamodb import DynamoTable
from gitlab_hub.storage.rows import item_of
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.store import RunStore
from gitlab_hub.web.route import Route
from gitlab_hub.webhooks.hooks.store import HookStore
from tests.fakes.events import Context, authorizer_event, http_event

Bill = dict[str, float]

ENTRIES: Mapping[str, tuple[Callable[[Container], list[Route]], Callable[[], Entry]]] = {
    "integrations": (routes.integrations_routes, entries.integrations_api),
    "access": (routes.access_routes, entries.access_api),
    "pipelines": (routes.pipelines_routes, entries.pipelines_api),
    "builds": (routes.builds_routes, entries.builds_api),
    "operations": (routes.operations_routes, entries.operations_api),
}
TICKS: Mapping[str, Callable[[], Entry]] = {
    "sync_accounts": entries.sync_accounts,
    "sync_pipelines": entries.sync_pipelines,
    "deliveries": entries.deliveries,
    "builder": entries.builder,
    "provisioner": entries.provisioner,
    "caretaker": entries.caretaker,
}

SETTLING = 4
"""Ticks after which the walk that comes once an hour has been through all integrations."""


class Hub:
    """A hub with some integrations, each synced a moment ago, with one webhook and one trigger, all of them well."""

    def __init__(self, integrations: int) -> None:
        self._dynamo, self._now = Dynamo.named(), int(time.time())
        names = [INTEGRATION, *(f"int_b{number:06d}" for number in range(1, integrations))]
        state, deliveries = DynamoTable("integrations"), DynamoTable("deliveries")
        state.write(item for name in names for item in self._rows(name))
        for name in names:
            self._events(name, deliveries)
        DynamoTable("access").write(_account_item(number) for number in range(1, 200))

    def bills(self) -> Iterator[tuple[str, Bill]]:
        """The bill of every route and tick."""
        for routes_of, entry in ENTRIES.values():
            for route in (
                route for route in routes_of(entries.get_container()) if route.method == "GET" and route.raw is None
            ):
                event = http_event("GET", re.sub(r"<(\w+)>", lambda match: self._ids()[match[1]], route.path))
                yield f"GET {route.path}", self._bill(entry(), event)
        asked = authorizer_event({"authorization": "Bearer ghub_0a1b2c3d_secret"})
        yield "authorizer, before every route but the open ones", self._bill(entries.authorizer(), asked)
        for name, entry in TICKS.items():
            for _ in range(SETTLING):
                entry()({"source": "aws.scheduler"}, Context())
            yield f"tick of {name}", self._bill(entry(), {"source": "aws.scheduler"})

    def _rows(self, name: str) -> Iterator[dict[str, Any]]:
        integration = replace(an_integration(), id=name, created_at=self._now, updated_at=self._now)
        yield integration_item(integration)
        yield credential_item(replace(a_credential(), integration_id=name), integration.host_url)
        for kind in Kind:
            run = Run(integration_id=name, kind=kind, status=RunStatus.IDLE, finished_at=self._now, version=1)
            yield _run_item(run)

    def _events(self, name: str, deliveries: DynamoTable) -> None:
        hook = replace(
            a_hook("token"), id=owned_id("hook", name, "1"), integration_id=name, checked_at=self._now,
            created_at=self._now, updated_at=self._now,
        )  # fmt: skip
        HookStore(deliveries).create(hook, f"fingerprint-{name}")
        TriggerStore(deliveries).add(replace(a_trigger(), id=owned_id("trg", name, "1"), integration_id=name))

    def _ids(self) -> dict[str, str]:
        ours = {"integration_id": INTEGRATION, "connection_id": INTEGRATION, "credential_id": "one"}
        owned = {f"{what}_id": owned_id(prefix, INTEGRATION, "1") for what, prefix in _PREFIXES.items()}
        gitlabs = {"account_id": "1", "group_id": "1", "project_id": str(PROJECT), "pipeline_id": "1"}
        dated = {"review_id": "rev_0a1b2c3d4e5f6071", "export_id": "exp_0a1b2c3d4e5f6071"}  # pragma: allowlist secret
        return ours | owned | gitlabs | dated

    def _bill(self, entry: Entry, event: Mapping[str, Any]) -> Bill:
        entry(event, Context())
        before = self._read()
        entry(event, Context())
        after = self._read()
        return {name: after[name] - before[name] for name in after}

    def _read(self) -> Bill:
        bills = dict(self._dynamo.bills())
        calls = bills.pop("calls", {})
        return {
            "requests": sum(bill.get("read_calls", 0) for bill in bills.values()),
            "items": sum(bill.get("items_read", 0) for bill in bills.values()),
            "units": sum(bill.get("half_units", 0) for bill in bills.values()) / 2,
            "secrets": calls.get("GetSecretValue", 0),
        }


_PREFIXES = {"hook": "hook", "trigger": "trg", "build": "build", "delivery": "del"}


def _account_item(number: int) -> dict[str, Any]:
    key = {"pk": f"{INTEGRATION}#accounts", "sk": f"{number:012d}"}
    return {**key, **item_of(Account(id=number, username=f"user{number}", name="User"))}


def _run_item(run: Run) -> dict[str, Any]:
    """The row that the store writes for a run."""
    kept = _Kept()
    RunStore(kept).save(replace(run, version=0))  # type: ignore[arg-type]  # it only puts
    return kept.items[0]


class _Kept:
    """A table that only remembers what is put into it."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []

    def put(self, item: dict[str, Any], _condition: Any) -> None:
        """Remember it."""
        self.items.append(item)


if __name__ == "__main__":
    with logging_to_nowhere():
        found = list(Hub(int(sys.argv[1])).bills())
    print(json.dumps(found))
