"""`hub reviews` and `hub policies`: what people decide about access, and who may decide."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.functional.cli.command_line import CommandLine

POLICY = {
    "id": "prod", "name": "Production", "resources": ["acme/*"], "max_access_level": 40, "max_minutes": 60,
    "requesters": {"roles": ["developer"]}, "approvers": {"roles": ["owner"]},
}  # fmt: skip


@pytest.fixture
def review(hub: CommandLine) -> str:
    made = hub("reviews", "create", "Acme", "--group", "acme", "--at-least", "guest", "--due", "14d", "-o", "json")
    assert made.code == 0, made.err
    return str(json.loads(made.out)["id"])


def items(hub: CommandLine, review: str, *more: str) -> list[dict[str, Any]]:
    return list(json.loads(hub("reviews", "items", review, "-o", "json", *more).out))


def test_a_review_is_made_decided_and_closed(hub: CommandLine, review: str) -> None:
    ana = next(one for one in items(hub, review) if one["username"] == "ana")
    kept = hub("reviews", "decide", review, "keep", ana["id"], "--comment", "needs it", "-o", "json")
    assert [(one["id"], one["decision"], one["comment"]) for one in json.loads(kept.out)] == [
        (ana["id"], "keep", "needs it")
    ]
    assert [one["id"] for one in items(hub, review, "--decision", "keep")] == [ana["id"]]
    shown = hub("reviews", "show", review).out
    assert ("Acme" in shown, "in 14 days" in shown) == (True, True)
    refused = hub("reviews", "close", review)
    assert (refused.code, "Add --yes" in refused.err) == (2, True)
    closed = json.loads(hub("reviews", "close", review, "--yes", "-o", "json").out)
    assert (closed["review"]["status"], closed["plan_id"]) == ("closed", None)


def test_lowering_needs_a_role_and_nothing_else_takes_one(hub: CommandLine, review: str) -> None:
    asked = len(hub.network.requests)
    for words in (["change", "i-1"], ["keep", "i-1", "--to", "guest"]):
        refused = hub("reviews", "decide", review, *words)
        assert (refused.code, "--to" in refused.err, len(hub.network.requests)) == (2, True, asked)


def test_what_is_to_be_revoked_becomes_a_plan_or_it_is_said_why_not(hub: CommandLine, review: str) -> None:
    ana = next(one for one in items(hub, review) if one["username"] == "ana")
    assert hub("reviews", "decide", review, "change", ana["id"], "--to", "guest").code == 0
    closed = hub("reviews", "close", review, "--yes")
    assert (closed.code, "No plan was made, " in closed.err) == (4, True)


def test_many_items_are_decided_some_at_a_time(hub: CommandLine, review: str) -> None:
    hub.network.requests.clear()
    hub("reviews", "decide", review, "keep", *(f"i-{number}" for number in range(201)))
    [first] = [json.loads(one.content)["decisions"] for one in hub.network.requests if one.method == "PATCH"]
    assert len(first) == 200  # The hub knows none of them, so nothing more is sent.


def test_a_review_is_exported_as_csv(hub: CommandLine, review: str) -> None:
    exported = hub("reviews", "export", review)
    heading, *rows = csv.reader(StringIO(exported.out))
    assert ("username" in heading, len(rows)) == (True, len(items(hub, review)))
    assert hub("reviews", "export", "rev_unknown").code == 1


def test_policies_are_put_shown_and_removed(hub: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "policies.json"
    file.write_text(json.dumps([POLICY, {**POLICY, "id": "all", "name": "All"}]))
    assert hub("policies", "put", str(file)).code == 2
    assert hub("policies", "put", str(file), "--yes").code == 0
    assert "Maintainer" in hub("policies", "show", "prod").out
    written = hub("policies", "-o", "json").out
    assert [one["id"] for one in json.loads(hub("policies", "delete", "all", "-y", "-o", "json").out)] == ["prod"]
    assert hub("policies", "put", "-", "--yes", typed=written).code == 0
    assert json.loads(hub("policies", "-o", "json").out) == json.loads(written)
    assert (hub("policies", "delete", "nope").code, hub("policies", "put", "-", "--yes", typed="[]").code) == (2, 0)


@pytest.mark.parametrize(
    ("typed", "words"), [("{", "holds no JSON"), ('{"a": 1}', "holds no list"), ('"x"', "holds no list")]
)
def test_a_file_that_holds_no_policies_is_not_sent(hub: CommandLine, typed: str, words: str) -> None:
    refused = hub("policies", "put", "-", "--yes", typed=typed)
    assert (refused.code, words in refused.err, hub.network.requests) == (2, True, [])
