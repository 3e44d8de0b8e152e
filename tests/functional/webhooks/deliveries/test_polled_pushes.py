"""Pushes that the hub found itself take the way of deliveries."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.gitlab.webhooks.parse import HookEvent, parse
from gitlab_hub.storage.ports import StorageUnavailable
from gitlab_hub.webhooks.deliveries.service import body_of
from gitlab_hub.webhooks.hooks.ref_snapshots import RefSnapshot, RefSnapshots, StoredRef
from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Crash, Plan, faulty
from tests.functional.webhooks.deliveries_hub import INTEGRATION, NOW, PUSH, DeliveriesHub, a_hook

ZERO = "0" * 40
BRANCH = HookEvent(
    kind="push",
    project_id=15,
    project_path="mike/diaspora",
    ref="feature/x",
    sha="a" * 40,
    before="b" * 40,
    after="a" * 40,
    message="Fix it",
    total_commits=1,
)
KEY = hashlib.sha256(b"one").hexdigest()


@pytest.mark.parametrize(
    "event",
    [
        BRANCH,
        replace(BRANCH, kind="tag_push", ref="v1", after="c" * 40, before=ZERO),
        replace(BRANCH, sha=None, message=None, after=ZERO),
        replace(BRANCH, message=None, project_path=None),
    ],
)
def test_its_body_says_the_same_as_the_event(event: HookEvent) -> None:
    read = parse("", body_of(event))
    assert replace(read, commits=()) == event


def test_a_found_push_is_kept_handled_and_shown_once() -> None:
    hub = DeliveriesHub()
    for _ in range(3):
        hub.deliveries.synthesized_pushes.push(INTEGRATION, BRANCH, KEY)
    hub.work()
    hub.deliveries.synthesized_pushes.push(INTEGRATION, BRANCH, KEY)
    assert hub.queue.sent == []
    [(integration_id, event, delivery_id)] = hub.builds.asked
    assert (integration_id, event.sha, event.ref) == (INTEGRATION, BRANCH.sha, BRANCH.ref)
    [row] = hub.rows()
    assert (row["delivery_id"], row["hook_id"], row["verification"]) == (delivery_id, None, "found")
    assert row["status"] == "handled"


def test_another_push_is_another_delivery() -> None:
    hub = DeliveriesHub()
    hub.deliveries.synthesized_pushes.push(INTEGRATION, BRANCH, KEY)
    hub.deliveries.synthesized_pushes.push(INTEGRATION, replace(BRANCH, sha="c" * 40), KEY[::-1])
    hub.deliveries.synthesized_pushes.push("int_other", BRANCH, KEY)
    hub.work()
    assert len(hub.builds.made) == 3


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
@pytest.mark.parametrize("at", [1, 2])
def test_a_found_push_that_ends_anywhere_is_found_again(at: int, error: Any, applied: bool) -> None:
    hub = DeliveriesHub()
    plan = Plan(at=at, error=error, applied=applied)
    hub.use(faulty(hub.table, plan), faulty(hub.queue, plan))
    with pytest.raises((Crash, StorageUnavailable)):
        hub.deliveries.synthesized_pushes.push(INTEGRATION, BRANCH, KEY)
    hub.use(hub.table, hub.queue)
    hub.deliveries.synthesized_pushes.push(INTEGRATION, BRANCH, KEY)
    hub.work()
    assert len(hub.builds.asked) == len(hub.rows()) == 1


def test_a_delivered_push_is_not_found_again() -> None:
    hub = DeliveriesHub()
    refs, heads = RefSnapshots(hub.table), {"heads/master": StoredRef(PUSH["before"], 0)}
    assert refs.keep(
        RefSnapshot(integration_id=INTEGRATION, project_id=15, looked_at=NOW, complete=True, heads=heads), None
    )
    hub(a_hook(), PUSH)
    hub.work()
    seen = refs.get(INTEGRATION, 15)
    assert seen is not None
    assert seen.heads["heads/master"].sha == PUSH["after"]
