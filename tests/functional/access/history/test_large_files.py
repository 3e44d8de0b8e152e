"""Files for auditors that are too large for an answer: made by a worker, handed out by a link."""

import json
from hashlib import sha256
from typing import Any

import pytest

from gitlab_hub.access.history.model import day_of
from gitlab_hub.access.model import Account
from gitlab_hub.storage.ports import StorageUnavailable
from tests.fakes.faults import Plan, faulty
from tests.functional.access.history.history_hub import HistoryHub, churn, read
from tests.functional.access.review_hub import ACME, OPS


@pytest.fixture
def hub() -> HistoryHub:
    hub = HistoryHub()
    hub.keeper.keep()
    return hub


class Large:
    """A hub whose access review does not fit an answer."""

    def __init__(self) -> None:
        self.hub, self.small = HistoryHub(most=500), HistoryHub()
        for hub in (self.hub, self.small):
            hub.keeper.keep()

    def ask(self, **query: Any) -> tuple[int, dict[str, str], dict[str, Any]]:
        status, headers, body = self.hub.get("access-review.csv", **query)
        return status, headers, json.loads(body)

    def content(self, body: dict[str, Any]) -> str:
        """What the link leads to; nothing else is read than what the bucket holds."""
        key = body["url"].removeprefix("https://bucket.example/").partition("?")[0]
        content = self.hub.objects.dump()[key]
        assert (len(content), sha256(content).hexdigest()) == (body["bytes"], body["sha256"])
        return content.decode()


def test_a_large_file_is_made_by_a_worker_and_handed_out_by_a_link() -> None:
    large = Large()
    status, headers, _ = large.ask()
    assert (status, headers["retry-after"]) == (202, "15")
    assert large.ask()[0] == 202
    assert len(large.hub.queue.sent) == 1
    large.hub.make_files()
    status, headers, body = large.ask()
    assert (status, headers["location"]) == (303, body["url"])
    assert "for=300" in body["url"]
    assert large.content(body) == large.small.text("access-review.csv")
    assert len(read(large.content(body))) == 18
    large.hub.make_files()
    assert large.ask(group_id=ACME)[0] == 202


def test_a_large_file_of_a_past_day_stays_as_it_is() -> None:
    large = Large()
    day = day_of(large.hub.now)
    large.hub.next_day()
    large.ask(as_of=day)
    large.hub.make_files()
    before = large.content(large.ask(as_of=day)[2])
    churn(large.hub)
    large.hub.keeper.keep("s2")
    assert large.content(large.ask(as_of=day)[2]) == before
    # It is made again, and no other, once the bucket has let it go.
    large.hub.next_day(26)
    large.hub.objects.delete([key for key in large.hub.objects.dump() if key.startswith("files/")])
    assert large.ask(as_of=day)[0] == 202
    large.hub.make_files()
    assert large.content(large.ask(as_of=day)[2]) == before


def test_a_decision_of_today_makes_another_file() -> None:
    large = Large()
    large.ask()
    large.hub.make_files()
    assert large.ask()[0] == 303
    review = large.hub.reviews.make(group_id=OPS)
    (ben, *_) = large.hub.reviews.items(review)
    large.hub.reviews.decide(review, {"item_id": ben["id"], "decision": "keep"})
    assert large.ask()[0] == 202
    large.hub.make_files()
    assert "keep" in {row["decision"] for row in read(large.content(large.ask()[2]))}


def test_a_worker_that_dies_is_followed_by_another_and_shows_nothing_half() -> None:
    large = Large()
    large.ask()
    plan = Plan(at=1, only=("write",), error=lambda: StorageUnavailable("Away."))
    with pytest.raises(StorageUnavailable):
        large.hub.make_files(objects=faulty(large.hub.objects, plan))
    assert large.ask()[0] == 202
    assert not [key for key in large.hub.objects.dump() if key.startswith("files/")]
    large.hub.reviews.now += 901
    assert large.ask()[0] == 202
    large.hub.make_files()
    assert large.ask()[0] == 303


def test_what_is_too_much_for_a_worker_asks_for_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitlab_hub.access.history.files._PART_BYTES", 1_000)
    large = Large()
    large.ask()
    large.hub.make_files(left=lambda: 0.0)
    status, _, body = large.ask()
    assert (status, body["details"]["fields"][0]["field"]) == (422, "query.group_id")
    large.hub.reviews.now += 901
    assert large.ask()[0] == 202


def test_a_request_that_runs_out_of_time_leaves_it_to_a_worker(hub: HistoryHub) -> None:
    hub.left = 5.0
    assert hub.get("access-review.csv")[0] == 202
    hub.make_files()
    assert hub.get("access-review.csv")[0] == 303


def test_a_snapshot_that_was_replaced_is_not_written_for_whoever_asked_before() -> None:
    large = Large()
    large.ask()
    large.hub.reviews.now += 60
    large.hub.store().inventory  # noqa: B018 - the feed has begun
    row = large.hub.store().account_row(Account(id=700, username="new"))
    large.hub.store().accounts.put("all", [row], {row.key: "h"}, {})
    large.hub.keeper.keep("s2")
    large.hub.make_files()
    assert not [key for key in large.hub.objects.dump() if key.startswith("files/")]
    assert large.ask()[0] == 202
    large.hub.make_files()
    assert large.ask()[0] == 303
