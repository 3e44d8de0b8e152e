"""What the feed costs: a sync in which nothing changes reads one page of marks more, and writes nothing."""

from collections import Counter
from typing import Any

from gitlab_hub.access.feature import AccessFeature
from gitlab_hub.storage.ports import Item, Key, Rows
from tests.fakes.session import FakeSession
from tests.functional.access.changes.replay import brief, told
from tests.functional.access.company import ADMIN, BOT, JANE, BatchTable, Company, member

Calls = Counter[tuple[str, str]]

SEEN = {("get", "feed"): 1}
"""What the graph that is stored in one piece asks: whether anything has changed since."""


class CountedTable(BatchTable):
    """Notes each call with the collection that it is about; of whole rows, how many were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Calls = Counter()
        self.whole = 0

    def get(self, pk: str, sk: str) -> Item | None:
        self.calls["get", pk.partition("#")[2]] += 1
        return super().get(pk, sk)

    def get_many(self, keys: Any, *, attributes: Any = ()) -> list[Item]:
        self._note("get_many", list(keys), attributes)
        return super().get_many(keys, attributes=attributes)

    def query(self, pk: str, **how: Any) -> Rows:
        self.calls["query", pk.partition("#")[2]] += 1
        return super().query(pk, **how)

    def transact(self, actions: Any) -> None:
        self.calls["transact", ""] += 1
        super().transact(actions)

    def _note(self, name: str, keys: list[Key], attributes: Any) -> None:
        for pk in {pk for pk, _ in keys}:
            self.calls[name, pk.partition("#")[2]] += 1
        self.whole += 0 if attributes else len(keys)


class Counted(Company):
    """A company whose table counts."""

    def __init__(self) -> None:
        super().__init__()
        self.counted = self.table = CountedTable()
        self.feature = AccessFeature(self.table)

    async def calls(self) -> tuple[Calls, int]:
        """What one more sync asks of the table."""
        self.counted.calls, self.counted.whole = Counter(), 0
        session: FakeSession = await self.sync(ADMIN)
        assert session.durable.errors == {}
        return Counter(self.counted.calls), self.counted.whole


async def test_rows_that_stay_as_they_are_cost_nothing() -> None:
    company = Counted()
    await company.sync()
    quiet, whole = await company.calls()
    of_the_feed = {call: times for call, times in quiet.items() if call[1] in {"feed", "changes"}}
    assert of_the_feed == {("query", "feed"): 1, **SEEN}
    assert quiet["transact", ""] == 0
    # Whole rows are read as ever: those of accounts, of which other lists tell, too; those of groups for their list,
    # which has no shares, and for each one's own page; and what says whether the stored graph is as it was.
    assert whole == 1 + 1 + 2 + 2


async def test_a_row_that_changes_is_read_once_and_written_with_what_is_told() -> None:
    company = Counted()
    await company.sync()
    quiet, whole = await company.calls()
    company.script["/projects/8/members"] = [member(JANE, "jane", 50), member(BOT, "project_8_bot_ab12", 40)]
    calls, read = await company.calls()
    assert brief(told(company.table)) == [("grant_changed", "project 8", JANE)]
    of_the_change = {("get_many", "grants#09"): 1, ("get", "projects"): 1, ("query", "own_changes"): 1}
    # The counts of the summary are made anew, which reads a page of everything.
    of_the_counts = {call: times for call, times in (calls - quiet).items() if call[0] == "query" and times == 1}
    del of_the_counts["query", "own_changes"]
    assert {name for _, name in of_the_counts} >= {"accounts", "credentials", "grants", "projects"}
    rest = {**of_the_change, ("get", "readings"): 1, ("transact", ""): 1}
    assert {call: times for call, times in (calls - quiet).items() if call not in of_the_counts} == rest
    assert read - whole == 1


async def test_the_first_sync_writes_as_many_transactions_as_without_a_feed() -> None:
    company = Counted()
    calls, _ = await company.calls()
    # Two pages of accounts and groups and one of projects, four lists of members less an empty one, one group's
    # shares; then the beginning of the feed.
    assert calls["transact", ""] == 1 + 1 + 1 + 3 + 1
    assert {one for one in calls if one[1] in {"feed", "changes"}} == {("query", "feed"), *SEEN}
