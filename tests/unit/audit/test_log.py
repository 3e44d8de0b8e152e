"""The log of who did what: what a line holds, in which order it is read, and how much one request reads."""

import re
from typing import Any

from gitlab_hub.audit.log import KEPT_SECONDS, MAX_SCANNED, AuditLog, AuditReader, begin_request
from gitlab_hub.audit.model import AuditAction, AuditFilter, Entry
from tests.fakes.table import MemoryTable

DAY = 86_400
NOW = 1_790_000_000


class Log:
    """A log whose lines are written at any time."""

    def __init__(self) -> None:
        self.now, self.table = NOW, MemoryTable()
        self._log = AuditLog(self.table, lambda: self.now)
        self.reader = AuditReader(self.table, lambda: NOW)

    def add(
        self,
        action: AuditAction = AuditAction.HOOK_CREATE,
        *,
        ago: int = 0,
        actor: str = "t1",
        to: str | None = "i1",
        **more: Any,
    ) -> None:
        self.now = NOW - ago
        self._log.record(action, actor=actor, integration_id=to, **more)

    def all(self, *, limit: int = 200, **wanted: Any) -> list[Entry]:
        found, after = [], None
        for _ in range(100):
            entries, after = self.reader.page(AuditFilter(**wanted), limit=limit, after=after)
            found += entries
            if after is None:
                return found
        raise AssertionError("the list has no end")


def test_a_line_says_who_did_what_to_what_and_in_which_request() -> None:
    log = Log()
    begin_request("req-7")
    log.add(target="hook_1", before={"status": "missing"}, after={"status": "active"})
    (entry,) = log.all()
    assert (entry.actor, entry.action, entry.target, entry.integration_id) == ("t1", "hook.create", "hook_1", "i1")
    assert (entry.before, entry.after) == ({"status": "missing"}, {"status": "active"})
    assert (entry.at, entry.request_id) == (NOW, "req-7")
    assert re.fullmatch(r"aud_\d{13}_[0-9a-f]{8}", entry.id)


def test_a_line_of_the_first_schema_is_read() -> None:
    log = Log()
    for number, details in enumerate(({}, {"fields": ["paused"]}, {"trigger_id": "trg_1", "sha": "a"})):
        log.table.put(
            {
                "pk": "AUDIT#2026", "sk": f"{NOW - number}000#ab12cd34", "schema_version": 1, "at": NOW - number,
                "action": "integration.change", "actor": "t1", "integration_id": "i1", "details": details,
                "expires_at": NOW + DAY,
            }
        )  # fmt: skip
    assert [(entry.target, entry.after, entry.request_id) for entry in log.all()] == [
        ("i1", None, None), ("i1", {"fields": ["paused"]}, None), ("trg_1", {"sha": "a"}, None),
    ]  # fmt: skip


def test_what_is_stored_is_a_plain_text() -> None:
    log = Log()
    log.add(AuditAction.SIGNING_SECRET_MADE)
    (row,) = log.table.dump()
    assert (row["action"], type(row["action"])) == ("signing_secret_made", str)


def test_the_newest_come_first_over_days_and_pages() -> None:
    log = Log()
    ages = [0, 1, DAY - 1, DAY, 3 * DAY, 40 * DAY, 399 * DAY]
    for age in reversed(ages):
        log.add(ago=age)
    for limit in (1, 2, 200):
        assert [NOW - entry.at for entry in log.all(limit=limit)] == ages


def test_lines_are_found_by_time_actor_action_and_integration() -> None:
    log = Log()
    log.add(ago=50, actor="t2")
    log.add(AuditAction.TOKEN_CREATE, ago=40, to=None)
    log.add(AuditAction.HOOK_DELETE, ago=30, to="i2")
    log.add(ago=20)
    assert [NOW - entry.at for entry in log.all(since=NOW - 30)] == [20, 30]
    assert [NOW - entry.at for entry in log.all(actor="t2")] == [50]
    assert [NOW - entry.at for entry in log.all(action=AuditAction.HOOK_DELETE)] == [30]
    assert [NOW - entry.at for entry in log.all(integration_id="i2")] == [30]
    assert [NOW - entry.at for entry in log.all(visible=frozenset({"i1"}))] == [20, 50]


def requests_of_a_page(log: Log, after: str | None = None) -> int:
    log.table.bill.clear()
    log.reader.page(AuditFilter(), limit=50, after=after)
    return int(log.table.bill["requests"])


def test_a_page_costs_a_request_for_each_year_that_it_shows() -> None:
    log = Log()
    assert requests_of_a_page(log) == 2, "four hundred days lie in two years, or in three"
    for number in range(120):
        log.add(ago=number * 3 * DAY)
    assert requests_of_a_page(log) == 1
    _, second = log.reader.page(AuditFilter(), limit=50, after=None)
    assert requests_of_a_page(log, second) == 2, "the second page goes on in the year before"
    assert len(log.all(limit=50)) == 120


def test_one_request_reads_a_bounded_part_of_the_log() -> None:
    log = Log()
    for number in range(MAX_SCANNED + 200):
        log.add(ago=number % 100)
    log.table.bill.clear()
    assert log.reader.page(AuditFilter(actor="nobody"), limit=50, after=None)[0] == []
    assert log.table.bill["items"] < MAX_SCANNED + 200
    log.table.bill.clear()
    log.reader.page(AuditFilter(), limit=5, after=None)
    assert log.table.bill["items"] <= 6
    assert log.all(actor="nobody") == []


def test_since_spares_the_years_before_it() -> None:
    log = Log()
    log.add(ago=10)
    log.reader.page(AuditFilter(since=NOW - 60), limit=50, after=None)
    assert log.table.bill["requests"] == 1


def test_lines_end_after_four_hundred_days() -> None:
    log = Log()
    log.add()
    assert log.table.dump()[0]["expires_at"] == NOW + KEPT_SECONDS
