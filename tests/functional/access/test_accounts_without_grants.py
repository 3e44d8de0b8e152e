"""Accounts that nothing was given to are found with a bounded number of reads, however many there are."""

import pytest

from gitlab_hub.access.model import Account
from gitlab_hub.access.reader import MOST_ASKED, AccessReader
from gitlab_hub.access.wanted import AccountFilter
from tests.fakes.counting_table import CountedTable
from tests.functional.access.access_api import NOW, Client, grant

COUNT = 2 * MOST_ASKED + 30
GRANTED = set(range(1, COUNT + 1)) - {3, MOST_ASKED, MOST_ASKED + 1, COUNT}


@pytest.fixture
def crowd() -> Client:
    client = Client()
    client.store(*(Account(id=number, username=f"u{number}") for number in range(1, COUNT + 1)))
    client.store(*(grant("project", 8, number, 30) for number in sorted(GRANTED)))
    return client


@pytest.mark.parametrize("limit", [1, 2, 50, 200])
@pytest.mark.parametrize("without", [True, False])
def test_every_such_account_is_listed_once_whatever_the_pages(crowd: Client, limit: int, without: bool) -> None:
    listed = [row["id"] for row in crowd.every("accounts", without_grants=str(without).lower(), limit=limit)]
    assert listed == sorted(GRANTED if not without else set(range(1, COUNT + 1)) - GRANTED)


def test_a_page_asks_for_the_grants_of_a_bounded_number_of_accounts(crowd: Client) -> None:
    table = CountedTable(crowd.table)
    reader = AccessReader(table, now=lambda: NOW)
    page = reader.accounts("i1", AccountFilter(without_grants=True), after=None, limit=50)
    assert [account.id for account in page.values] == [3, MOST_ASKED]
    assert page.next is not None
    assert table.reads["query"] <= MOST_ASKED + 2
    assert table.items <= 2 * MOST_ASKED


def test_only_accounts_that_fit_otherwise_are_asked_about(crowd: Client) -> None:
    table = CountedTable(crowd.table)
    reader = AccessReader(table, now=lambda: NOW)
    page = reader.accounts("i1", AccountFilter(q=f"u{COUNT}", without_grants=True), after=None, limit=50)
    assert ([account.id for account in page.values], page.next) == ([COUNT], None)
    assert table.reads["query"] <= 4
