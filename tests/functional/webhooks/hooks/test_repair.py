from typing import Any

import pytest

from tests.fakes.faults import Plan
from tests.fakes.gitlab_hooks import says
from tests.functional.webhooks.hooks_hub import PATH, HooksHub


def repair(hub: HooksHub, hook_id: str) -> dict[str, Any]:
    status, body = hub("POST", f"{PATH}/{hook_id}/repair")
    assert status == 200, body
    shown: dict[str, Any] = body["webhook"]
    return shown


def test_an_address_that_was_changed_is_put_back_with_its_secrets() -> None:
    hub = HooksHub()
    shown = hub.register()
    number = shown["gitlab_hook_id"]
    hub.gitlab.hooks[number]["url"] = "https://elsewhere.example.com"
    hub.gitlab.secrets[number] = (None, None)
    assert repair(hub, shown["id"])["status"] == "active"
    assert hub.gitlab.hooks[number]["url"] == shown["url"]
    assert hub.agrees()


@pytest.mark.parametrize("change", [{"push_events": False}, {"job_events": True}, {"enable_ssl_verification": False}])
def test_switches_are_put_back(change: dict[str, Any]) -> None:
    hub = HooksHub()
    shown = hub.register()
    row = hub.gitlab.hooks[shown["gitlab_hook_id"]]
    before = dict(row)
    row |= change
    assert repair(hub, shown["id"])["drift"] == []
    assert row == before


def test_a_hook_that_is_gone_is_made_anew_under_its_address() -> None:
    hub = HooksHub()
    shown = hub.register()
    hub.gitlab.hooks.clear()
    again = repair(hub, shown["id"])
    assert again["url"] == shown["url"]
    assert again["gitlab_hook_id"] != shown["gitlab_hook_id"]
    assert [row["url"] for row in hub.gitlab.hooks.values()] == [shown["url"]]


def test_a_hook_that_gitlab_switched_off_is_replaced() -> None:
    hub = HooksHub()
    shown = hub.register()
    hub.gitlab.hooks[shown["gitlab_hook_id"]]["alert_status"] = "disabled"
    again = repair(hub, shown["id"])
    assert (again["status"], len(hub.gitlab.hooks)) == ("active", 1)
    assert again["gitlab_hook_id"] != shown["gitlab_hook_id"]
    assert hub.agrees()


def test_a_hook_that_rests_for_a_while_is_not_replaced() -> None:
    hub = HooksHub()
    shown = hub.register()
    hub.gitlab.hooks[shown["gitlab_hook_id"]]["alert_status"] = "temporarily_disabled"
    again = repair(hub, shown["id"])
    assert (again["status"], again["gitlab_hook_id"]) == ("temporarily_disabled", shown["gitlab_hook_id"])


def test_two_hooks_with_one_address_become_one() -> None:
    hub = HooksHub()
    shown = hub.register()
    hub.gitlab.hooks.clear()
    first, second = hub.gitlab.hang(3, url=shown["url"]), hub.gitlab.hang(3, url=shown["url"])
    stranger = hub.gitlab.hang(3)
    assert repair(hub, shown["id"])["gitlab_hook_id"] == first
    assert set(hub.gitlab.hooks) == {first, stranger}
    assert second not in hub.gitlab.hooks


def test_a_hub_that_moved_takes_its_hooks_along() -> None:
    hub = HooksHub()
    shown = hub.register()
    hub.url = "https://new.example.com/v1/webhooks/gitlab"
    moved = repair(hub, shown["id"])
    assert moved["url"] == f"{hub.url}/{shown['id']}"
    assert [row["url"] for row in hub.gitlab.hooks.values()] == [moved["url"]]
    assert hub.agrees()


def test_a_hub_that_does_not_know_its_address_moves_nothing() -> None:
    hub = HooksHub()
    shown = hub.register()
    hub.url = "/v1/webhooks/gitlab"
    assert repair(hub, shown["id"])["url"] == shown["url"]


def test_an_upgraded_gitlab_is_asked_to_sign() -> None:
    hub = HooksHub()
    hub.gitlab.signs = False
    shown = hub.register()
    hub.gitlab.signs = True
    assert (shown["verification"], repair(hub, shown["id"])["verification"]) == ("token", "signature")
    assert hub.agrees()


def test_a_repair_of_what_was_removed_meanwhile_leaves_no_hook_in_gitlab() -> None:
    hub = HooksHub()
    shown = hub.register()
    hub.gitlab.hooks.clear()
    really = hub.gitlab._really

    async def removed_first(request: Any) -> Any:
        if request.method == "POST" and hub.hooks():
            hub.store.remove(hub.hook(shown["id"]), [], now=int(hub.now))
        return await really(request)

    hub.gitlab._really = removed_first  # type: ignore[method-assign]  # somebody else is faster
    assert hub("POST", f"{PATH}/{shown['id']}/repair")[0] == 404
    assert (hub.gitlab.hooks, hub.hooks()) == ({}, [])


@pytest.mark.parametrize("verb", ["test", "repair", "resend-failed"])
def test_a_manual_hook_is_its_owners_to_look_after(verb: str) -> None:
    hub = HooksHub()
    hook_id = hub.register(mode="manual")["id"]
    status, body = hub("POST", f"{PATH}/{hook_id}/{verb}")
    assert (status, body["code"]) == (409, "hook_not_managed")


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({}, "/projects/3/hooks/501/test/push_events"),
        ({"events": ["merge_request"]}, "/projects/3/hooks/501/test/merge_requests_events"),
        ({"scope": "group", "target": "acme", "events": ["member"]}, "/groups/1/hooks/501/test/member_events"),
        ({"scope": "system", "target": None, "events": ["push"]}, "/hooks/501"),
    ],
)
def test_a_test_asks_gitlab_for_a_sample(more: dict[str, Any], path: str) -> None:
    hub = HooksHub()
    hook_id = hub.register(**more)["id"]
    assert hub("POST", f"{PATH}/{hook_id}/test") == (200, {"ok": True, "hint": None})
    assert hub.gitlab.writes[-1] == f"POST {path}"


def test_a_sample_that_could_not_be_delivered_is_no_error() -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    hub.gitlab.delivers = lambda _: False
    status, body = hub("POST", f"{PATH}/{hook_id}/test")
    assert (status, body["ok"]) == (200, False)
    assert body["hint"]


def test_a_test_of_a_hook_that_is_gone_says_what_to_do() -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    hub.gitlab.hooks.clear()
    status, body = hub("POST", f"{PATH}/{hook_id}/test")
    assert (status, body["code"]) == (409, "hook_not_managed")


@pytest.mark.parametrize("status", [403, 422, 429, 500])
def test_a_repair_that_gitlab_refuses_can_be_tried_again(status: int) -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    hub.gitlab.plan = Plan(at=1, error=says(status, {"message": "no"}))
    assert hub("POST", f"{PATH}/{hook_id}/repair")[0] >= 400
    hub.gitlab.plan = Plan()
    # At once: the claim was given back.
    assert repair(hub, hook_id)["status"] == "active"
