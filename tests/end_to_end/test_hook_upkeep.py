"""Hooks over time: tested, rotated, repaired, removed, and what GitLab could not deliver recovered."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from stand_in_gitlab.process import Running
from tests.end_to_end.coding_company import CodingCompany, Row
from tests.end_to_end.companies import asked
from tests.end_to_end.hub_client import Answer, until
from tests.end_to_end.test_receiver import Sender, refused


class Hung:
    """A hook of a test's own, in GitLab and in the hub."""

    def __init__(self, company: CodingCompany, *events: str) -> None:
        self._coding_company = company
        self.project = company.project()
        self.hook = company.hook("project", self.project, *(events or ("push",)))
        self.path = f"{company.path}/webhooks/{self.hook['id']}"

    def there(self) -> Row:
        """GitLab's row of it."""
        [row] = self._coding_company.there(project_id=self.project)
        return row

    def do(self, what: str, body: Any = None) -> Answer:
        """Have the hub do something with it."""
        answer = self._coding_company.hub.call("POST", f"{self.path}/{what}", body)
        self._coding_company.guard_hooks()
        return answer

    def spoil(self, **fields: object) -> None:
        """Let somebody change it in GitLab."""
        asked(self._coding_company.gitlab, "PUT", f"/projects/{self.project}/hooks/{self.there()['id']}", fields)

    def push(self, count: int = 1) -> list[str]:
        """Push so many times; what GitLab was answered."""
        before = len(self._sent())
        for _ in range(count):
            self._coding_company.gitlab.push(self.project, "main", files=["a.py"])
        return [row["response_status"] for row in self._sent()[before:]]

    def _sent(self) -> list[Row]:
        return self._coding_company.sent({"gitlab_hook_id": self.there()["id"]})


@contextmanager
def ahead(gitlab: Running, seconds: float) -> Iterator[None]:
    """Let it be later in GitLab for a while.

    Left ahead of the hub's clock, what GitLab sends later seems to be sent after a repair that came after it.
    """
    gitlab.control("POST", "advance", {"seconds": seconds, "idle": True})
    try:
        yield
    finally:
        gitlab.control("POST", "advance", {"seconds": -seconds, "idle": True})


@pytest.fixture
def hung(company: CodingCompany) -> Hung:
    return Hung(company)


def test_a_test_is_a_delivery_like_any_other(company: CodingCompany, hung: Hung) -> None:
    company.gitlab.push(hung.project, "main", files=["a.py"])
    company.worked_on(hook_id=hung.hook["id"])
    answer = hung.do("test")
    assert (answer.status, answer.body) == (200, {"ok": True, "hint": None})
    assert len(company.worked_on(2, hook_id=hung.hook["id"])) == 2


def test_a_test_says_so_where_nothing_comes_of_it(hung: Hung) -> None:
    hung.push()
    hung.spoil(signing_token=f"whsec_{'A' * 43}=")
    answer = hung.do("test")
    assert (answer.status, answer.body["ok"], bool(answer.body["hint"])) == (200, False, True)


def test_secrets_are_rotated_with_a_grace(company: CodingCompany) -> None:
    sender = Sender(company, company.hook("project", company.project(), "push", mode="manual"))
    old, path = sender.secret, f"{company.path}/webhooks/{sender.hook['id']}/rotate"

    def rotated(key: str, grace: int) -> tuple[str, int]:
        answers = [company.hub.call("POST", path, {"grace_seconds": grace}, Idempotency_Key=key).body for _ in range(2)]
        # The rest of the webhook may change at any time, as deliveries are worked on.
        made, again = ((answer["manual"], answer["webhook"]["previous_secret_until"]) for answer in answers)
        assert made == again
        secrets, until_when = made
        company.hub.guard(*secrets.values(), shown_at="/rotate$")
        return secrets["signing_token"], until_when

    new, until_when = rotated("rotate-once", 600)
    assert new != old
    assert 0 < until_when - time.time() <= 600
    assert [sender.post(secret=secret).status for secret in (new, old)] == [202, 202]
    newest, until_when = rotated("rotate-again", 4)
    until(lambda: refused(sender.post(secret=new)), pause=0.5)
    assert time.time() >= until_when
    assert sender.post(secret=newest).status == 202


def test_gitlab_gets_the_new_secrets_itself(hung: Hung) -> None:
    before = hung.there()
    rotated = hung.do("rotate", {"grace_seconds": 0})
    assert (rotated.status, rotated.body["manual"]) == (200, None)
    after = hung.there()
    assert after["id"] == before["id"]
    assert {after["token"], after["signing_token"]}.isdisjoint({before["token"], before["signing_token"]})
    assert hung.push() == ["202"]
    hung.spoil(token=before["token"], signing_token=before["signing_token"])
    assert hung.push() == ["401"]


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://elsewhere.example/hook"},
        {"push_events": False},
        {"signing_token": f"whsec_{'A' * 43}=", "token": "wrong"},
        {"push_events_branch_filter": "release/*", "branch_filter_strategy": "wildcard"},
        {"custom_webhook_template": '{"event": "{{object_kind}}"}'},
        {"custom_headers": [{"key": "X-Route", "value": "blue"}]},
    ],
    ids=["address", "events", "secrets", "branch filter", "template", "headers"],
)
def test_what_somebody_has_changed_is_put_right(hung: Hung, change: Row) -> None:
    before = hung.there()
    hung.spoil(**change)
    assert hung.there() != before
    repaired = hung.do("repair")
    assert (repaired.status, repaired.body["webhook"]["status"], repaired.body["webhook"]["drift"]) == (
        200,
        "active",
        [],
    )
    assert hung.there() == before
    assert hung.push() == ["202"]


def test_what_somebody_has_removed_is_made_anew(company: CodingCompany, hung: Hung) -> None:
    gone = hung.there()
    asked(company.gitlab, "DELETE", f"/projects/{hung.project}/hooks/{gone['id']}")
    repaired = hung.do("repair").body["webhook"]
    assert (repaired["id"], repaired["status"]) == (hung.hook["id"], "active")
    assert repaired["gitlab_hook_id"] == hung.there()["id"] != gone["id"]
    assert hung.push() == ["202"]


def test_what_gitlab_has_paused_works_again_once_it_is_mended(company: CodingCompany, hung: Hung) -> None:
    hung.push()
    hung.spoil(signing_token=f"whsec_{'A' * 43}=")
    assert hung.push(4) == ["401"] * 4
    assert hung.there()["alert_status"] == "temporarily_disabled"
    assert hung.push() == []
    repaired = hung.do("repair").body["webhook"]
    assert (repaired["status"], repaired["drift"]) == ("temporarily_disabled", [])
    with ahead(company.gitlab, 61):
        assert hung.push() == ["202"]
        assert hung.do("repair").body["webhook"]["status"] == "active"


def test_what_could_not_be_delivered_is_sent_again(company: CodingCompany, hung: Hung) -> None:
    assert hung.push() == ["202"]
    hung.spoil(signing_token=f"whsec_{'A' * 43}=")
    assert hung.push(3) == ["401"] * 3
    assert hung.do("repair").status == 200
    first = hung.do("resend-failed")
    assert (first.status, first.body) == (200, {"resent": 3, "failed": 0, "known": 0, "complete": True})
    rows = company.worked_on(4, hook_id=hung.hook["id"])
    heads = [row["sha"] for row in rows]
    assert len(set(heads)) == len(heads) == 4
    again = hung.do("resend-failed").body
    assert (again["resent"], again["failed"], again["complete"]) == (0, 0, True)
    assert len(company.worked_on(4, hook_id=hung.hook["id"])) == 4


def test_a_hook_that_is_removed_is_gone_on_both_sides(company: CodingCompany, hung: Hung) -> None:
    secrets = hung.there()
    sender = Sender(company, {**hung.hook, **secrets, "id": hung.hook["id"]})
    assert sender.post().status == 202
    company.worked_on(hook_id=hung.hook["id"])
    assert company.hub.call("DELETE", hung.path).body == {"ok": True}
    assert company.there(project_id=hung.project) == []
    assert refused(sender.post())
    for method, more in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/test"),
        ("POST", "/repair"),
        ("POST", "/resend-failed"),
    ):
        assert company.hub.call(method, hung.path + more).refusal == (404, "not_found")
    assert hung.hook["id"] not in {row["id"] for row in company.hub.rows(f"{company.path}/webhooks")}


def test_a_hook_of_a_persons_own_is_left_to_them(company: CodingCompany) -> None:
    hook = company.hook("project", company.project(), "push", mode="manual")
    for what in ("test", "repair", "resend-failed"):
        answer = company.hub.call("POST", f"{company.path}/webhooks/{hook['id']}/{what}")
        assert answer.refusal == (409, "hook_not_managed")
    shown = company.hub.get(f"{company.path}/webhooks/{hook['id']}")
    assert hook["signing_token"] not in str(shown)
    assert hook["secret_token"] not in str(shown)
