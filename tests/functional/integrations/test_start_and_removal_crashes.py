"""Wherever a start or a removal ends, no row points to a missing secret, and no secret is left that nobody knows."""

from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.integrations.lifecycle import GRACE_SECONDS
from gitlab_hub.integrations.rows import CONNECTING, DELETING, integration_item, tombstone_item
from gitlab_hub.storage.ports import StorageRefused
from tests.fakes.events import Context, http_event
from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Crash, Plan, faulty
from tests.fakes.gitlab import OTHER_CANARY
from tests.fakes.secrets import MemorySecrets
from tests.functional.integrations.integrations_hub import START, IntegrationsHub, counting

PATH = "/v1/integrations/gitlab/start"
LATER = GRACE_SECONDS + 60
CALLS = range(1, 12)


def attempt(hub: IntegrationsHub, method: str, path: str, body: Any = None) -> int | None:
    """Send a request; None where the process ended."""
    try:
        return int(hub.api.resolve(http_event(method, path, body), Context())["statusCode"])
    except Crash:
        return None


def is_whole(hub: IntegrationsHub) -> None:
    """Every live integration has its token, and every secret has a row that knows of it."""
    rows = {row["sk"]: row for row in hub.rows() if row["pk"] == "INTEGRATIONS"}
    secrets = {name.removeprefix("integration/") for name in hub.stored_secrets.dump()}
    assert secrets <= set(rows)
    for integration in hub.feature.store.after(None):
        for credential in hub.feature.store.holding(integration.id).credentials:
            if credential.deleted_at is None:
                assert hub.feature.store.token(integration, credential.id) is not None


def heal(hub: IntegrationsHub) -> None:
    """Run on without faults until what was left behind is old enough to be swept."""
    hub.now += LATER
    hub.feature.lifecycle.cleanup_orphans()


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
@pytest.mark.parametrize("at", CALLS)
def test_a_start_that_ends_anywhere_leaves_all_or_nothing(at: int, error: Any, applied: bool) -> None:
    hub = IntegrationsHub()
    # The walk through everything is done, and does not come again while this test goes on.
    hub.feature.lifecycle.cleanup_orphans()
    plan = Plan(at=at, error=error, applied=applied)
    hub.use(faulty(hub.stored_rows, plan), faulty(hub.stored_secrets, plan))
    attempt(hub, "POST", PATH, START)
    hub.use(hub.stored_rows, hub.stored_secrets)
    is_whole(hub)
    heal(hub)
    is_whole(hub)
    live = list(hub.feature.store.after(None))
    assert len(hub.stored_secrets.dump()) == len(live)
    # And the way is free for the next attempt.
    status = attempt(hub, "POST", PATH, START)
    assert status == (409 if live else 201)
    assert len(list(hub.feature.store.after(None))) == 1


def calls_of_a_start() -> list[str]:
    hub, plan = IntegrationsHub(), Plan()
    hub.use(faulty(hub.stored_rows, plan), faulty(hub.stored_secrets, plan))
    hub.start()
    return plan.calls


def test_the_start_has_no_more_calls_than_are_tried() -> None:
    assert len(calls_of_a_start()) < max(CALLS)


@pytest.mark.parametrize("at", range(1, 9))
def test_a_repeated_start_with_its_seed_takes_up_what_the_first_had_begun(at: int) -> None:
    hub = IntegrationsHub()
    hub.api._new_seed = lambda: "seed-of-one-idempotency-key"
    plan = Plan(at=at)
    hub.use(faulty(hub.stored_rows, plan), faulty(hub.stored_secrets, plan))
    hub.api._new_seed = lambda: "seed-of-one-idempotency-key"
    attempt(hub, "POST", PATH, START)
    hub.use(hub.stored_rows, hub.stored_secrets)
    hub.api._new_seed = lambda: "seed-of-one-idempotency-key"
    assert attempt(hub, "POST", PATH, START) == 201
    assert (len(list(hub.feature.store.after(None))), len(hub.stored_secrets.dump())) == (1, 1)
    is_whole(hub)


REMOVAL = range(1, 32)


def test_a_removal_has_no_more_calls_than_are_tried() -> None:
    hub, plan = IntegrationsHub(), Plan()
    integration_id = hub.start()
    hub.use(faulty(hub.stored_rows, plan), faulty(hub.stored_secrets, plan))
    attempt(hub, "DELETE", f"/v1/integrations/{integration_id}")
    assert len(plan.calls) < max(REMOVAL)


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
@pytest.mark.parametrize("at", REMOVAL)
def test_a_removal_that_ends_anywhere_is_finished_or_has_not_begun(at: int, error: Any, applied: bool) -> None:
    hub = IntegrationsHub()
    integration_id = hub.start()
    hub.now += LATER
    hub.feature.lifecycle.cleanup_orphans()  # So that neither the walk nor what the start has left sees to the removal.
    plan = Plan(at=at, error=error, applied=applied)
    hub.use(faulty(hub.stored_rows, plan), faulty(hub.stored_secrets, plan))
    attempt(hub, "DELETE", f"/v1/integrations/{integration_id}")
    hub.use(hub.stored_rows, hub.stored_secrets)
    is_whole(hub)
    heal(hub)
    if hub.feature.store.exists(integration_id):
        assert attempt(hub, "DELETE", f"/v1/integrations/{integration_id}") == 200
    assert hub.stored_secrets.dump() == {}
    assert [row["lifecycle"] for row in hub.rows()] == ["deleting"]
    assert integration_id in hub.purged


@BEFORE_OR_AFTER
@pytest.mark.parametrize("at", range(1, 14))
def test_a_replacement_that_ends_anywhere_leaves_one_of_both_tokens(at: int, applied: bool) -> None:
    hub = IntegrationsHub()
    integration_id = hub.start()
    plan = Plan(at=at, applied=applied)
    hub.use(faulty(hub.stored_rows, plan), faulty(hub.stored_secrets, plan))
    attempt(hub, "PUT", f"/v1/integrations/{integration_id}/gitlab-token", {"access_token": OTHER_CANARY})
    hub.use(hub.stored_rows, hub.stored_secrets)
    is_whole(hub)
    assert attempt(hub, "POST", f"/v1/integrations/{integration_id}/verify") == 200
    assert hub.integration(integration_id)["credential_status"] == "valid"


def test_a_sweep_leaves_alone_what_is_still_being_made() -> None:
    hub, plan = IntegrationsHub(), Plan(at=calls_of_a_start().index("transact") + 1)
    hub.use(faulty(hub.stored_rows, plan), faulty(hub.stored_secrets, plan))
    attempt(hub, "POST", PATH, START)
    hub.use(hub.stored_rows, hub.stored_secrets)
    hub.now += 60
    assert hub.feature.lifecycle.cleanup_orphans() == 0
    assert len(hub.stored_secrets.dump()) == 1


def test_a_removal_asks_for_the_purge_again_once_and_for_all() -> None:
    hub = IntegrationsHub()
    integration_id = hub.start()
    hub.queue_is_down = True
    assert attempt(hub, "DELETE", f"/v1/integrations/{integration_id}") == 200
    hub.queue_is_down = False
    assert hub.purged == []
    for _ in range(3):
        heal(hub)
    assert hub.purged == [integration_id]


@pytest.mark.parametrize("number", [1, 300])
def test_a_sweep_reads_nothing_of_integrations_that_are_whole(number: int) -> None:
    hub = IntegrationsHub()
    one = hub.feature.store.require(hub.start())
    hub.stored_rows.write(puts=[integration_item(replace(one, id=f"int_{more:04d}")) for more in range(1, number)])
    hub.now += LATER
    hub.feature.lifecycle.cleanup_orphans()
    counted = counting(hub)
    assert hub.feature.lifecycle.cleanup_orphans() == 0
    assert (counted.gets, counted.queries, counted.items) == (1, 1, 0)


@pytest.mark.parametrize("lifecycle", [CONNECTING, DELETING])
def test_what_a_release_before_has_left_is_swept_too(lifecycle: str) -> None:
    hub = IntegrationsHub()
    hub.stored_rows.put(tombstone_item("int_old", lifecycle, version=3, at=int(hub.now)))
    assert hub.feature.lifecycle.cleanup_orphans() == 0
    hub.now += LATER
    assert [hub.feature.lifecycle.cleanup_orphans() for _ in range(2)] == [1, 0]
    assert hub.purged == ["int_old"] * (lifecycle == DELETING)


class Undeletable(MemorySecrets):
    """Secrets one of which AWS does not let anybody delete."""

    def delete(self, name: str) -> None:
        if "int_a" in name:
            raise StorageRefused("AWS refuses the hub a table or a secret (AccessDeniedException).")
        super().delete(name)


def test_what_aws_refuses_of_one_holds_up_no_other_and_fails_the_tick() -> None:
    hub = IntegrationsHub(secrets=Undeletable())
    for name in ("int_a", "int_b"):
        hub.stored_rows.put(tombstone_item(name, DELETING, version=3, at=int(hub.now)))
    hub.feature.lifecycle.cleanup_orphans()
    hub.now += LATER
    for _ in range(2):
        with pytest.raises(StorageRefused):
            hub.feature.lifecycle.cleanup_orphans()
    assert hub.purged == ["int_b"]


def test_a_removal_leaves_no_look_behind() -> None:
    hub = IntegrationsHub()
    integration_id = hub.start()
    assert attempt(hub, "DELETE", f"/v1/integrations/{integration_id}") == 200
    heal(hub)
    kinds = {str(row["pk"]) for row in hub.stored_rows.dump() if integration_id in str(row["sk"])}
    assert kinds == {"INTEGRATIONS"}
