"""Webhooks that need a person: opened where a hook's status turns, closed where it is well again."""

from typing import Any

import pytest

from tests.fakes.faults import Plan
from tests.fakes.gitlab_hooks import says
from tests.fakes.hooks import INTEGRATION
from tests.functional.webhooks.hooks_hub import PATH, HooksHub


@pytest.fixture
def hub() -> HooksHub:
    return HooksHub()


def later(hub: HooksHub) -> HooksHub:
    hub.now += 3_600
    hub.health_check.tick(lambda: 600.0)
    return hub


@pytest.mark.parametrize("status", ["disabled", "temporarily_disabled"])
def test_what_gitlab_switched_off_is_an_incident_until_it_runs_again(hub: HooksHub, status: str) -> None:
    shown = hub.register()
    row = hub.gitlab.hooks[shown["gitlab_hook_id"]]
    assert later(hub).open_incidents() == []
    row["alert_status"] = status
    assert later(hub).open_incidents() == [(f"hook_{status}", shown["id"])]
    [incident] = hub.incidents.of(INTEGRATION)
    assert (incident.at, incident.details) == (hub.now, {"scope": "project", "target": "acme/p3", "target_id": 3})
    assert incident.hint
    row["alert_status"] = "executable"
    assert later(hub).open_incidents() == []


def test_what_somebody_removed_is_an_incident_until_it_is_repaired(hub: HooksHub) -> None:
    shown = hub.register()
    hub.gitlab.hooks.clear()
    assert later(hub).open_incidents() == [("hook_missing", shown["id"])]
    assert hub("POST", f"{PATH}/{shown['id']}/repair")[0] == 200
    assert hub.open_incidents() == []


def test_one_incident_follows_another(hub: HooksHub) -> None:
    shown = hub.register()
    hub.gitlab.hooks[shown["gitlab_hook_id"]]["alert_status"] = "disabled"
    later(hub)
    hub.gitlab.hooks.clear()
    assert later(hub).open_incidents() == [("hook_missing", shown["id"])]


def test_a_hook_that_is_removed_leaves_none(hub: HooksHub) -> None:
    shown = hub.register()
    hub.gitlab.hooks[shown["gitlab_hook_id"]]["alert_status"] = "disabled"
    later(hub)
    assert hub("DELETE", f"{PATH}/{shown['id']}")[0] == 200
    assert hub.open_incidents() == []


def test_drift_that_cannot_be_mended_is_an_incident(hub: HooksHub) -> None:
    shown = hub.register()
    hub.gitlab.hooks[shown["gitlab_hook_id"]]["push_events"] = False
    hub.gitlab.plan = Plan(at=3, error=says(403, {"message": "403 Forbidden"}))
    assert later(hub).open_incidents() == [("hook_drifted", shown["id"])]
    assert later(hub).open_incidents() == []


def test_a_hook_that_could_not_be_finished_is_one(hub: HooksHub) -> None:
    hub.gitlab.plan = Plan(at=3, error=says(500, {}), repeat=True)
    assert hub.attempt("POST", PATH, {"scope": "project", "target": 3, "events": ["push"]}) == 503
    [hook] = hub.hooks()
    assert later(hub).open_incidents() == [("hook_missing", hook.id)]
    hub.heal()
    assert later(hub).open_incidents() == []


def test_hooks_that_need_a_person_since_an_earlier_release_are_incidents(hub: HooksHub) -> None:
    shown = hub.register()
    hub.gitlab.hooks[shown["gitlab_hook_id"]]["alert_status"] = "disabled"
    later(hub)
    hub.incidents.delete(INTEGRATION)
    assert later(hub).open_incidents() == [("hook_disabled", shown["id"])]


def test_what_a_crash_left_open_is_closed(hub: HooksHub) -> None:
    shown = hub.register()
    stale: Any = hub.hook(shown["id"])
    hub.gitlab.hooks[shown["gitlab_hook_id"]]["alert_status"] = "disabled"
    later(hub)
    hub.gitlab.hooks[shown["gitlab_hook_id"]]["alert_status"] = "executable"
    hub.store.change(stale.id, lambda _: stale)
    assert hub.open_incidents() == [("hook_disabled", stale.id)]
    assert later(hub).open_incidents() == []
