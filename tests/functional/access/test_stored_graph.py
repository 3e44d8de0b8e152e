"""The graph as a sync stores it: what all of it is asked for by a few reads, and never older than the rows."""

from typing import Any

import pytest

from gitlab_hub.access.effective import stored_graph
from gitlab_hub.access.effective.graph import Place
from gitlab_hub.access.effective.loading import GraphReader
from gitlab_hub.access.effective.stored_graph import StoredGraph
from gitlab_hub.access.keys import READINGS
from gitlab_hub.inventory.model import ALL, Resource, ResourceType
from gitlab_hub.sync.scope_list import ScopeList
from tests.fakes.counting_table import CountedTable
from tests.functional.access.access_api import Client
from tests.functional.access.effective_company import ACME, ANA, EVERYTHING, OPS, SHOP, company, levels

__all__ = ["company"]


def kept(client: Client) -> Any:
    return StoredGraph(client.table, "i1").nodes()


def parts(client: Client) -> list[str]:
    return [row["sk"] for row in client.table.dump() if row["sk"].startswith(f"{stored_graph.GRAPH}#")]


def test_it_has_every_group_then_every_project_as_the_rows_do(company: Client) -> None:
    assert kept(company) is None
    company.access_store().graph.make()
    rows = GraphReader(company.table, ScopeList(company.notes)).whole("i1").nodes
    assert list(kept(company).items()) == list(rows.items())


@pytest.mark.parametrize("account", [ANA, 2, 3, 4, 5])
def test_an_account_has_the_same_access_with_it_and_without(company: Client, account: int) -> None:
    without = levels(company, account_id=account)
    company.access_store().graph.make()
    assert levels(company, account_id=account) == without
    assert without == {place: level for place, level in EVERYTHING.items() if place[2] == account} or account == 4


def test_what_changes_a_group_or_project_is_seen_at_once(company: Client) -> None:
    company.access_store().graph.make()
    moved = Resource(id=SHOP, full_path="ops/shop", name="Shop", parent_id=OPS)
    company.store(moved, kind=ResourceType.PROJECT)
    assert kept(company) is None
    assert ("project", SHOP, 2) in levels(company, account_id=2)
    company.access_store().graph.make()
    assert kept(company)[Place(ResourceType.PROJECT, SHOP)].parent_id == OPS
    rows = company.access_store().inventory.resources[ResourceType.GROUP]
    rows.remove(ALL, rows.stored_of(ALL, [f"{ACME:012}"]), at=None)  # type: ignore[arg-type]
    assert kept(company) is None


def test_it_is_made_anew_only_where_something_has_changed(company: Client) -> None:
    company.access_store().graph.make()
    before = company.table.dump()
    company.access_store().graph.make()
    assert company.table.dump() == before


def test_a_change_while_it_is_made_leaves_the_rows_to_tell(company: Client) -> None:
    """The mark is read before the rows are: what comes after that is not in it."""
    store = company.access_store()
    graph, rows = store.graph, StoredGraph(company.table, "i1")
    rows._table = Changing(company)
    rows.make()
    assert graph.nodes() is None
    graph.make()
    assert Place(ResourceType.GROUP, 77) in kept(company)


class Changing:
    """A table in which a hint stores a group as soon as the rows are read."""

    def __init__(self, company: Client) -> None:
        self._company, self._table = company, company.table

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def query(self, pk: str, **how: Any) -> Any:
        found = self._table.query(pk, **how)
        if not self._table.get("i1#groups", f"{77:012}"):
            self._company.store(Resource(id=77, full_path="new", name="New"))
        return found


def test_a_large_one_lies_in_parts_and_a_smaller_one_leaves_none_behind(
    company: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_graph, "PART_BYTES", 150)
    company.access_store().graph.make()
    assert len(parts(company)) == len(kept(company)) // 2 + len(kept(company)) % 2 or len(parts(company)) > 2
    monkeypatch.undo()
    company.store(Resource(id=78, full_path="new", name="New"))
    company.access_store().graph.make()
    assert (len(parts(company)), len(kept(company))) == (1, 8)


def test_half_of_one_is_none(company: Client) -> None:
    company.access_store().graph.make()
    company.table.delete(f"i1#{READINGS}", f"{stored_graph.GRAPH}#0000")
    assert kept(company) is None
    assert levels(company, account_id=ANA)


def test_a_question_about_an_account_costs_few_reads_however_many_projects_there_are(company: Client) -> None:
    for number in range(1_000, 1_400):
        made = Resource(id=number, full_path=f"acme/{number}", name="x", parent_id=ACME)
        company.store(made, kind=ResourceType.PROJECT)
    company.access_store().graph.make()
    counting = CountedTable(company.table)
    reader = GraphReader(counting, ScopeList(company.notes))
    graph = reader.stored_whole("i1")
    reader.all_memberships("i1", ANA, graph)
    assert len(graph.nodes) == 407
    assert counting.reads.total() <= 6
