from typing import Any

import httpx
import pytest

from gitlab_hub.webhooks.hooks.health_check import HealthCheckReport
from tests.fakes.counting_table import CountedTable
from tests.fakes.faults import Plan
from tests.fakes.gitlab import answer
from tests.fakes.gitlab_hooks import connection, says
from tests.fakes.hooks import INTEGRATION
from tests.functional.webhooks.hooks_hub import PATH, HooksHub, later, tick


def test_a_hook_in_order_is_only_looked_at() -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    written = len(hub.gitlab.writes)
    assert tick(later(hub)) == HealthCheckReport(looked=1)
    assert len(hub.gitlab.writes) == written
    assert (hub.hook(hook_id).status, hub.hook(hook_id).checked_at) == ("active", hub.now)


def test_a_group_that_was_moved_is_still_believed_about_what_lies_below_it() -> None:
    hub = HooksHub()
    hook_id = hub.register(scope="group", target="acme")["id"]
    hub.gitlab.script["/groups/1"] = answer(body={"id": 1, "full_path": "holding/acme"})
    assert tick(later(hub)) == HealthCheckReport(looked=1)
    assert (hub.hook(hook_id).target, hub.hook(hook_id).status) == ("holding/acme", "active")


def test_a_hook_that_was_looked_at_within_the_hour_is_passed_over() -> None:
    hub = HooksHub()
    hub.register()
    hub.now += 1_800
    asked = len(hub.gitlab.requests)
    assert tick(hub) == HealthCheckReport()
    assert len(hub.gitlab.requests) == asked


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://elsewhere.example.com"},
        {"push_events": False},
        {"issues_events": True},
        {"repository_update_events": True},
        {"enable_ssl_verification": False},
        {"push_events_branch_filter": "main", "branch_filter_strategy": "wildcard"},
        {"push_events_branch_filter": "^release", "branch_filter_strategy": "regex"},
        {"custom_webhook_template": '{"event":"{{object_kind}}"}'},
        {"custom_headers": [{"key": "X-Route"}, {"key": "webhook-id"}]},
        {"url_variables": [{"key": "path"}]},
        {"custom_headers": [{"key": "X-Route"}], "custom_webhook_template": "{}", "push_events_branch_filter": "x"},
    ],
)
@pytest.mark.parametrize(
    "more", [{}, {"scope": "group", "target": "acme"}, {"scope": "system", "target": None}], ids=repr
)
def test_what_was_changed_is_put_back(change: dict[str, Any], more: dict[str, Any]) -> None:
    hub = HooksHub()
    shown = hub.register(**more)
    before = dict(hub.gitlab.hooks[shown["gitlab_hook_id"]])
    hub.gitlab.hooks[shown["gitlab_hook_id"]] |= change
    assert tick(later(hub)) == HealthCheckReport(looked=1, repaired=1)
    assert hub.hook(shown["id"]).status == "active"
    assert hub.agrees()
    [row] = hub.gitlab.hooks.values()
    assert {name: row[name] or None for name in change} == {name: before[name] or None for name in change}


def test_a_template_that_cannot_be_taken_away_never_leaves_gitlab_without_the_hook() -> None:
    for at in range(1, 12):
        hub = HooksHub()
        shown = hub.register(scope="system", target=None)
        hub.gitlab.hooks[shown["gitlab_hook_id"]]["custom_webhook_template"] = "{}"
        hub.gitlab.plan = Plan(at=at, error=lambda: httpx.ReadTimeout("late"))
        tick(later(hub))
        assert hub.gitlab.hooks
        hub.heal()
        for _ in range(2):
            tick(later(hub))
        [row] = hub.gitlab.hooks.values()
        assert (row["custom_webhook_template"], hub.hook(shown["id"]).status) == (None, "active")
        assert hub.hook(shown["id"]).gitlab_hook_id == row["id"]


def test_the_row_of_the_field_case_is_drifted_and_mended() -> None:
    hub = HooksHub()
    shown = hub.register(events=["push"])
    hub.gitlab.hooks[shown["gitlab_hook_id"]] |= {
        "push_events": True,
        "push_events_branch_filter": "main",
        "branch_filter_strategy": "wildcard",
        "enable_ssl_verification": True,
        "alert_status": "executable",
    }
    hub.gitlab.plan = Plan(at=3, error=says(403, {"message": "403 Forbidden"}))
    tick(later(hub))
    assert (hub.hook(shown["id"]).status, hub.hook(shown["id"]).drift) == ("drifted", ("branch_filter",))
    tick(later(hub))
    assert (hub.hook(shown["id"]).status, hub.hook(shown["id"]).drift) == ("active", ())
    assert not hub.gitlab.hooks[shown["gitlab_hook_id"]]["push_events_branch_filter"]


def test_secrets_that_were_taken_away_are_put_back() -> None:
    hub = HooksHub()
    shown = hub.register()
    hub.gitlab.secrets[shown["gitlab_hook_id"]] = (None, None)
    tick(later(hub))
    assert hub.agrees()
    assert hub.hook(shown["id"]).verification == "signature"


def test_a_signing_token_that_was_taken_away_lowers_nothing_by_itself() -> None:
    hub = HooksHub()
    shown = hub.register()
    token, _ = hub.gitlab.secrets[shown["gitlab_hook_id"]]
    hub.gitlab.secrets[shown["gitlab_hook_id"]] = (token, None)
    hub.gitlab.plan = Plan(at=3, error=says(403, {"message": "403 Forbidden"}))
    tick(later(hub))
    assert (hub.hook(shown["id"]).verification, hub.hook(shown["id"]).status) == ("signature", "drifted")
    assert hub.hook(shown["id"]).drift == ("secret",)


@pytest.mark.parametrize("status", ["disabled", "temporarily_disabled"])
def test_what_gitlab_switched_off_is_shown_and_not_touched(status: str) -> None:
    hub = HooksHub()
    shown = hub.register()
    hub.gitlab.hooks[shown["gitlab_hook_id"]]["alert_status"] = status
    tick(later(hub))
    assert hub.hook(shown["id"]).status == status
    assert set(hub.gitlab.hooks) == {shown["gitlab_hook_id"]}


def test_what_somebody_removed_is_shown_as_missing_and_not_made_anew() -> None:
    hub = HooksHub()
    shown = hub.register()
    hub.gitlab.hooks.clear()
    tick(later(hub))
    tick(later(hub))
    assert (hub.hook(shown["id"]).status, hub.gitlab.hooks) == ("missing", {})
    assert hub("POST", f"{PATH}/{shown['id']}/repair")[1]["webhook"]["status"] == "active"


def test_what_somebody_is_changing_at_this_moment_is_left_alone() -> None:
    hub = later_registered()
    assert tick(hub) == HealthCheckReport()
    hub.now += 60
    assert tick(hub) == HealthCheckReport(looked=1)


def later_registered() -> HooksHub:
    """A hub with a hook that is due, and that somebody has just begun to change."""
    hub = HooksHub()
    shown = hub.register()
    later(hub)
    hub.store.change(shown["id"], lambda one: _with(one, locked_until=int(hub.now) + 60))
    return hub


def test_manual_hooks_are_left_alone() -> None:
    hub = HooksHub()
    hub.register(mode="manual")
    assert tick(later(hub)) == HealthCheckReport()


@pytest.mark.parametrize("more", [{"paused": True}, {"credential_works": False}, {"manage_webhooks": False}])
def test_an_integration_that_is_not_to_be_touched_is_left_alone(more: dict[str, Any]) -> None:
    hub = HooksHub()
    hub.register()
    hub.gitlabs.connections[INTEGRATION] = connection(INTEGRATION, **more)
    assert tick(later(hub)) == HealthCheckReport()


def test_what_is_not_due_is_not_read() -> None:
    hub = HooksHub()
    for number in range(3, 9):
        hub.register(target=number)
    tick(hub)
    table = CountedTable(hub.rows)
    hub.use(table)
    hub.health_check = hub.feature.health_check(unwanted)
    assert tick(hub) == HealthCheckReport()
    assert table.reads == {"get": 1, "query": 1}
    hub.store.change(hub.hooks()[0].id, lambda one: _with(one, checked_at=int(hub.now) - 3_600))
    assert tick(hub) == HealthCheckReport(looked=1)


def unwanted() -> list[str]:
    """Stand for a list of integrations that nobody is to ask for."""
    raise AssertionError


def test_hooks_that_an_earlier_release_kept_are_looked_after() -> None:
    hub = HooksHub()
    shown = [hub.register(target=number) for number in (3, 4)]
    for row in [row for row in hub.rows.dump() if row["sk"].startswith("HOOK#")]:
        hub.rows.put(
            {name: value for name, value in row.items() if not name.startswith("pending") and name != "tried_at"}
        )
    hub.gitlab.hooks[shown[0]["gitlab_hook_id"]]["push_events_branch_filter"] = "main"
    later(hub)
    assert hub.health_check.tick(lambda: 20.0) == HealthCheckReport(finished=False)
    assert tick(hub) == HealthCheckReport(looked=2, repaired=1)
    assert not hub.gitlab.hooks[shown[0]["gitlab_hook_id"]]["push_events_branch_filter"]


def test_a_tick_ends_with_its_time_and_the_next_one_goes_on() -> None:
    hub = HooksHub()
    ids = [hub.register(target=number)["id"] for number in range(3, 9)]
    later(hub)
    left = iter([600.0, 600.0, 600.0, 600.0, 20.0])
    report = hub.health_check.tick(lambda: next(left, 20.0))
    assert (report.finished, 0 < report.looked < 6) == (False, True)
    assert tick(hub).looked == 6 - report.looked
    assert tick(hub).looked == 0
    assert {hub.hook(hook_id).checked_at for hook_id in ids} == {int(hub.now)}
    # The last one's search for lost deliveries was cut off, so that one comes once more.
    hub.now += 60
    assert (tick(hub).looked, tick(hub).looked) == (1, 0)


def test_a_look_of_yesterday_undoes_no_repair() -> None:
    hub = HooksHub()
    shown = hub.register()
    later(hub)
    really, repaired = hub.gitlab._really, list[bool]()

    async def repaired_meanwhile(request: httpx.Request) -> httpx.Response:
        seen = await really(request)
        if request.method == "GET" and not repaired:
            hub.store.change(shown["id"], lambda one: _with(one, gitlab_hook_id=999, updated_at=int(hub.now)))
            repaired.append(True)
        return seen

    hub.gitlab._really = repaired_meanwhile  # type: ignore[method-assign]  # somebody repairs between look and note
    tick(hub)
    assert repaired
    assert hub.hook(shown["id"]).gitlab_hook_id == 999
    assert hub.hook(shown["id"]).checked_at != hub.now


def _with(hook: Any, **more: Any) -> Any:
    return hook.__class__(**{name: getattr(hook, name) for name in hook.__slots__} | more)
