"""Hints over the wire under faults and kills at every call: nothing is lost, and the next run converges."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import pytest

from gitlab_hub.gitlab.client import ClientOptions
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from stand_in_gitlab.process import Running
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, a_third, every_call
from tests.fakes.sync_worker import SyncHub
from tests.integration.sync import hinting as hinted
from tests.integration.sync.company_changes import synced_before
from tests.integration.sync.conftest import BOTH, KINDS
from tests.integration.sync.stored_rows import View, lost, stored, truth

RULES: list[dict[str, Any]] = [
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 403},
    {"kind": "status", "status": 404},
    {"kind": "html_200"},
    {"kind": "truncated"},
    {"kind": "reset"},
    {"kind": "redirect"},
    {"kind": "unauthorized"},
    {"kind": "rate_limited", "retry_after": 600},
]
FINAL = {"unauthorized", 403, 404}
"""After these a hint is not tried again: the next run is."""


class Past(NamedTuple):
    """A hub that has synced, what GitLab has had since, and what a hint about some of it makes of that."""

    hub: SyncHub
    before: dict[Kind, View]
    now: dict[Kind, View]
    after: dict[Kind, View]
    requests: dict[Kind, int]


@pytest.fixture(scope="module")
def past(company: Running) -> Past:
    hub, before = synced_before(company)
    after, requests = {}, {}
    for kind in BOTH:
        undisturbed, _ = told(hub, kind)
        hinted.process(undisturbed, kind)
        after[kind], requests[kind] = stored(undisturbed, kind), len(undisturbed.requests)
        assert after[kind] != before[kind]
    return Past(hub, before, {kind: truth(hub, kind) for kind in BOTH}, after, requests)


@pytest.fixture(autouse=True)
def _healthy(server: Running) -> Iterator[None]:
    yield
    server.control("DELETE", "faults")


def told(past: SyncHub, kind: Kind) -> tuple[SyncHub, list[dict[str, Any]]]:
    """A hub that was told of two things that have changed, and the messages about them."""
    hub = past.clone()
    if kind is Kind.PIPELINES:
        for row in sorted(hub.server.truth("pipelines"), key=lambda row: str(row["updated_at"]))[-2:]:
            hinted.pipeline(hub, row)
    else:
        hinted.resource(hub, "group", hub.server.truth("groups")[0]["id"])
        hinted.resource(hub, "project", hub.server.truth("projects")[0]["id"])
    return hub, hub.queues[kind].bodies


def check_run(hub: SyncHub, past: Past, kind: Kind, note: object) -> None:
    """Nothing was lost, and a run makes everything good."""
    assert lost(past.before[kind], stored(hub, kind), past.now[kind]) == [], note
    run = hub.sync(kind)
    assert (run.status, stored(hub, kind)) == (RunStatus.IDLE, past.now[kind]), note


@KINDS
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.get("status", rule["kind"])))
def test_a_fault_at_any_request_delays_a_hint_or_leaves_it_to_the_run(
    past: Past, kind: Kind, rule: dict[str, Any]
) -> None:
    for at in a_third(past.requests[kind], first=RULES.index(rule)):
        hub, _ = told(past.hub, kind)
        hub.options = ClientOptions(tries=1)
        number = hub.server.fault(path="^/api/v4/", skip=at, times=1, **rule)
        hinted.process(hub, kind)
        hub.server.control("DELETE", f"faults/{number}")
        assert hub.targets.verdicts == [], "a hint passes no verdict"
        if rule.get("status", rule["kind"]) not in FINAL and kind is Kind.PIPELINES:
            assert stored(hub, kind) == past.after[kind], (rule, at)
        check_run(hub, past, kind, (rule, at))


@KINDS
@BEFORE_OR_AFTER
def test_a_kill_at_any_call_loses_no_hint(past: Past, kind: Kind, *, applied: bool) -> None:
    for plan in every_call(applied=applied, repeat=True):
        hub, messages = told(past.hub, kind)
        with suppress(Crash), hub.failing(plan):
            hinted.handler(hub, kind).handle(messages[0], remaining=hub.remaining)
        assert lost(past.before[kind], stored(hub, kind), past.now[kind]) == [], plan
        # Whoever dies does not delete the message: the queue delivers it again, behind the other one.
        hub.queues[kind].take()
        hub.queues[kind].send(messages[1])
        hub.queues[kind].send(messages[0])
        hinted.process(hub, kind)
        assert stored(hub, kind) == past.after[kind], plan
    assert plan.at > 10
