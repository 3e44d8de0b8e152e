"""Asks about effective access over a large estate: `python -m benchmarks.effective_worker SHARE` prints the times.

SHARE of an estate of 1,000 groups five levels deep, 10,000 projects, 5,000 accounts and about 40,000 direct grants; one
group in ten and one project in ten was invited somewhere. The floor of a question is its requests, each as fast as a
single read of the same table was.
"""

import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.children import Dynamo
from benchmarks.quiet import logging_to_nowhere
from gitlab_hub.access.changes.feed import ChangeFeed
from gitlab_hub.access.effective.graph import Graph, Place
from gitlab_hub.access.effective.loading import GraphReader
from gitlab_hub.access.effective.reader import EffectiveFilter, EffectiveReader
from gitlab_hub.access.model import Account, Grant
from gitlab_hub.access.reader import AccessReader
from gitlab_hub.access.store import AccessStore
from gitlab_hub.access.summary_row import SummaryRow
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import Resource, ResourceType, Share, partition
from gitlab_hub.storage.dynamodb import DynamoTable
from gitlab_hub.storage.ports import Item
from gitlab_hub.sync.scope_list import ScopeList

ONE = "int_0a1b"
GROUPS, PROJECTS, ACCOUNTS = 1_000, 10_000, 5_000
MEMBERS_OF_GROUP, MEMBERS_OF_PROJECT = 12, 3
TOP_GROUPS, ADMINISTRATORS, INVITING = 20, 3, 0.1
LATENCY_MS = 5
PAGE = 50
LEVELS = (10, 20, 30, 30, 30, 40, 50)


class Estate:
    """A made-up GitLab in the table, the same for every run."""

    def __init__(self, share: float) -> None:
        self._chance = random.Random(1)
        self.groups = range(1, int(GROUPS * share) + 1)
        self.projects = range(1, int(PROJECTS * share) + 1)
        self.accounts = range(1, int(ACCOUNTS * share) + 1)
        table = DynamoTable("access")
        self._store = AccessStore(table, ONE, ChangeFeed(table, ONE, sync_id="s1", now=time.time, beside_runs=False))

    def finish(self) -> None:
        """Leave what the end of a sync leaves: the graph in one piece, and the counts of the summary."""
        self._store.graph.make()
        SummaryRow(DynamoTable("access"), ONE).count("s1", time.time())

    def items(self) -> Iterator[Item]:
        """Every row of it."""
        for number in self.groups:
            parent = None if number <= TOP_GROUPS else self._chance.choice(range(max(1, number // 5), number // 4 + 2))
            yield self._resource(ResourceType.GROUP, number, parent)
            yield from self._members(ResourceType.GROUP, number, MEMBERS_OF_GROUP)
        for number in self.projects:
            yield self._resource(ResourceType.PROJECT, number, self._chance.choice(self.groups))
            yield from self._members(ResourceType.PROJECT, number, MEMBERS_OF_PROJECT)
        for number in self.accounts:
            row = self._store.account_row(
                Account(id=number, username=f"user{number}", is_admin=number <= ADMINISTRATORS)
            )
            yield {**row.item, "pk": partition(ONE, "accounts"), "sk": row.key}

    def _resource(self, kind: ResourceType, number: int, parent: int | None) -> Item:
        invited = [self._chance.choice(self.groups)] if self._chance.random() < INVITING else []
        shares = [
            Share(group_id=group, full_path=f"g{group}", access_level=30, ends_at=None, member_role_id=None)
            for group in invited
        ]
        resource = Resource(
            id=number, full_path=f"{kind}s/{number}", name=f"{kind} {number}", parent_id=parent, shared_with=shares
        )
        row = self._store.inventory.row(kind, resource)
        return {**row.item, "pk": partition(ONE, kind.collection), "sk": row.key}

    def _members(self, kind: ResourceType, number: int, most: int) -> Iterator[Item]:
        for account in self._chance.sample(self.accounts, k=min(len(self.accounts), self._chance.randint(1, 2 * most))):
            level = self._chance.choice(LEVELS)
            grant = Grant(account_id=account, resource_type=kind, resource_id=number, access_level=level)
            row = self._store.grant_row(grant)
            yield {**row.item, "pk": partition(ONE, "grants"), "sk": f"{kind}#{padded(number)}#{row.key}"}


class RowsOnly(GraphReader):
    """Reads every group and project, as it has to while one has changed since the last sync."""

    def stored_whole(self, integration_id: str) -> Graph:
        """Read the rows."""
        return self.whole(integration_id)


def main(share: float, times: int) -> dict[str, Any]:
    """Store the estate and ask."""
    estate, table, dynamo = Estate(share), DynamoTable("access"), Dynamo.named()
    table.write(estate.items())
    estate.finish()
    dynamo.take(LATENCY_MS)
    reader = EffectiveReader(GraphReader(table, ScopeList(DynamoTable("integrations"))), now=time.time)
    rows_only = EffectiveReader(RowsOnly(table, ScopeList(DynamoTable("integrations"))), now=time.time)
    accounts, chance = AccessReader(table, now=time.time), random.Random(2)
    everything = EffectiveFilter()

    def someone() -> Account:
        found = accounts.account(ONE, chance.choice(estate.accounts))
        assert found is not None
        return found

    def project() -> Place:
        return Place(ResourceType.PROJECT, chance.choice(estate.projects))

    questions: dict[str, Callable[[], object]] = {
        "one read": lambda: accounts.account(ONE, chance.choice(estate.accounts)),
        "explain one account in one project": lambda: reader.explain(ONE, someone(), project()),
        "who has access to a project (a page)": lambda: reader.of_resource(
            ONE, project(), everything, after=None, limit=PAGE
        ),
        "what an account has access to (a page)": lambda: reader.of_account(
            ONE, someone(), everything, after=None, limit=PAGE
        ),
        "what it has, before the next sync has stored the graph (a page)": lambda: rows_only.of_account(
            ONE, someone(), everything, after=None, limit=PAGE
        ),
        "the access summary": lambda: SummaryRow(table, ONE).read(time.time()),
    }
    return {name: _timed(ask, dynamo, times) for name, ask in questions.items()}


def _timed(ask: Callable[[], object], dynamo: Dynamo, times: int) -> dict[str, float]:
    ask()
    before, taken = _read(dynamo), []
    for _ in range(times):
        start = time.perf_counter()
        ask()
        taken.append(1_000 * (time.perf_counter() - start))
    after = _read(dynamo)
    p50, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
    return {"p50": p50, "p95": p95, **{name: (after[name] - before[name]) / times for name in after}}


def _read(dynamo: Dynamo) -> dict[str, int]:
    bills = [bill for name, bill in dynamo.bills().items() if name != "calls"]
    return {
        name: sum(bill.get(key, 0) for bill in bills)
        for name, key in {"requests": "read_calls", "items": "items_read"}.items()
    }


if __name__ == "__main__":
    with logging_to_nowhere():
        answers = main(float(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(answers))
