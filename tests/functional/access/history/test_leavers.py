"""Who has left, and for how long access outlived that, as the change feed tells it."""

import json
from typing import Any

import pytest

from gitlab_hub.access.keys import grants_scope
from gitlab_hub.access.model import Account, AccountStatus, Grant
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.storage.rows import content_hash
from tests.functional.access.access_api import grant
from tests.functional.access.history.history_hub import HistoryHub
from tests.functional.access.review_hub import LAB, SHOP

EVA, IDA = 50, 51


class Leaving:
    """A hub in which people come and go, and the feed tells it."""

    def __init__(self) -> None:
        self.hub = HistoryHub()

    def account(self, number: int, **how: Any) -> None:
        """Store an account as a sync would."""
        store = self.hub.store()
        kind: dict[str, Any] = {"kind": AccountKind.HUMAN, "status": AccountStatus.ACTIVE, "username": f"u{number}"}
        row = store.account_row(Account(id=number, **kind | how))
        store.accounts.put("all", [row], {row.key: content_hash(row.item)}, store.accounts.stored_of("all", [row.key]))

    def gone(self, number: int) -> None:
        """Remove an account as a sync would."""
        accounts = self.hub.store().accounts
        accounts.remove("all", accounts.stored_of("all", [padded(number)]), at=None)  # type: ignore[arg-type]

    def granted(self, *grants: Grant) -> None:
        """Store grants."""
        store = self.hub.store()
        for one in grants:
            row, scope = store.grant_row(one), grants_scope(one.resource_type, padded(one.resource_id))
            store.grants.put(scope, [row], {row.key: content_hash(row.item)}, {})

    def taken(self, kind: str, resource: int, number: int) -> None:
        """Remove a grant."""
        grants, scope = self.hub.store().grants, f"{kind}#{padded(resource)}"
        grants.remove(scope, grants.stored_of(scope, [padded(number)]), at=None)  # type: ignore[arg-type]

    def rows(self, **query: Any) -> dict[str, dict[str, str]]:
        """The file by usernames, once a sync has ended."""
        self.hub.keeper.keep(f"s{self.hub.now}")
        return {row["username"]: row for row in self.hub.rows("leavers.csv", **query)}

    def later(self, minutes: int) -> None:
        """Let time pass."""
        self.hub.reviews.now += minutes * 60


@pytest.fixture
def leaving() -> Leaving:
    leaving = Leaving()
    leaving.account(EVA)
    leaving.account(IDA)
    leaving.granted(grant("project", SHOP, EVA, 30), grant("project", LAB, EVA, 30), grant("project", SHOP, IDA, 30))
    return leaving


def test_the_minutes_between_leaving_and_the_last_grant_are_counted(leaving: Leaving) -> None:
    assert leaving.rows() == {}
    leaving.account(EVA, status=AccountStatus.DISABLED)
    leaving.later(10)
    leaving.taken("project", SHOP, EVA)
    row = leaving.rows()[f"u{EVA}"]
    assert (row["left_as"], row["grants_left"], row["last_grant_removed_at"], row["minutes_between"]) == (
        "disabled", "1", "", "",
    )  # fmt: skip
    leaving.later(35)
    leaving.taken("project", LAB, EVA)
    row = leaving.rows()[f"u{EVA}"]
    assert (row["grants_left"], row["minutes_between"]) == ("0", "45")
    assert row["last_grant_removed_at"] > row["left_at"]
    leaving.later(60)
    leaving.gone(EVA)
    row = leaving.rows()[f"u{EVA}"]
    assert (row["left_as"], row["minutes_between"]) == ("removed", "45")


def test_what_went_after_the_last_snapshot_is_left_to_nobody(leaving: Leaving) -> None:
    leaving.rows()
    leaving.later(1)
    leaving.account(EVA, status=AccountStatus.DISABLED)
    leaving.later(5)
    # A webhook tells it, and the next sync is yet to come.
    leaving.taken("project", SHOP, EVA)
    leaving.taken("project", LAB, EVA)
    leaving.granted(grant("project", LAB, EVA, 20))
    leaving.later(10)

    def row(**query: Any) -> tuple[str, str]:
        (only,) = leaving.hub.rows("leavers.csv", **query)
        return only["grants_left"], only["minutes_between"]

    assert row() == ("1", "")
    leaving.taken("project", LAB, EVA)
    asked = row(since=int(leaving.hub.now) - 900)
    assert asked == row() == ("0", "15")
    leaving.later(5)
    leaving.gone(EVA)
    assert row(since=int(leaving.hub.now))[0] == "0"


def test_access_that_ended_before_is_no_minute_too_long(leaving: Leaving) -> None:
    leaving.taken("project", SHOP, IDA)
    leaving.later(20)
    leaving.gone(IDA)
    row = leaving.rows()[f"u{IDA}"]
    assert (row["left_as"], row["minutes_between"], row["account_kind"]) == ("removed", "0", "human")


def test_whoever_came_back_has_not_left_and_a_name_that_is_taken_over_is_somebody_else(leaving: Leaving) -> None:
    leaving.account(EVA, status=AccountStatus.DISABLED)
    leaving.gone(IDA)
    leaving.account(99, username=f"u{IDA}")
    assert [row["account_id"] for row in leaving.rows().values()] == [str(EVA), str(IDA)]
    leaving.account(EVA)
    assert [row["account_id"] for row in leaving.rows().values()] == [str(IDA)]


def test_since_leaves_out_who_left_before(leaving: Leaving) -> None:
    leaving.gone(IDA)
    leaving.later(60)
    since = int(leaving.hub.now)
    leaving.gone(EVA)
    assert list(leaving.rows(since=since)) == [f"u{EVA}"]
    assert list(leaving.rows()) == [f"u{IDA}", f"u{EVA}"]


def test_what_cannot_be_read_in_time_asks_for_a_later_since(leaving: Leaving) -> None:
    leaving.rows()
    leaving.hub.left = 5.0
    status, _, body = leaving.hub.get("leavers.csv")
    assert (status, json.loads(body)["details"]["fields"][0]["field"]) == (422, "query.since")
