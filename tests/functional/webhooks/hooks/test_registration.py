from typing import Any

import httpx
import pytest

from gitlab_hub.web.principal import Principal, Role
from tests.fakes.counting_table import CountedTable
from tests.fakes.faults import BEFORE_OR_AFTER, Plan
from tests.fakes.gitlab import CANARY, answer, lacking
from tests.fakes.gitlab_hooks import connection, says
from tests.fakes.hooks import INTEGRATION, kept, secrets
from tests.functional.webhooks.hooks_hub import GROUP, OTHER, PATH, PROJECT, SYSTEM, URL, HooksHub


def test_a_registered_hook_is_in_gitlab_with_both_secrets() -> None:
    hub = HooksHub()
    shown = hub.register()
    [row] = hub.gitlab.hooks.values()
    assert row["url"] == shown["url"] == f"{URL}/{shown['id']}"
    assert (row["push_events"], row["merge_requests_events"], row["job_events"]) == (True, True, False)
    assert row["enable_ssl_verification"] is True
    made = secrets()
    assert hub.gitlab.secrets[row["id"]] == (made.token(shown["id"], 1), made.signing_token(shown["id"], 1))
    assert (shown["verification"], shown["status"], shown["gitlab_hook_id"]) == ("signature", "active", row["id"])
    assert (shown["target"], shown["target_id"], shown["events"]) == ("acme/p3", 3, ["push", "merge_request"])


def test_an_answer_about_an_auto_hook_has_no_secret() -> None:
    hub = HooksHub()
    _, body = hub("POST", PATH, PROJECT)
    assert body["manual"] is None
    made = secrets()
    assert made.token(body["webhook"]["id"], 1) not in repr((body, hub.rows.dump(), hub.answers.dump()))
    assert "whsec_" not in repr((body, hub.rows.dump(), hub.answers.dump()))


def test_a_gitlab_that_ignores_the_signing_token_is_believed_by_token() -> None:
    hub = HooksHub()
    hub.gitlab.signs = False
    assert hub.register()["verification"] == "token"


@pytest.mark.parametrize("target", [3, "3", "acme/p3"])
def test_a_project_is_named_by_id_or_full_path(target: Any) -> None:
    assert HooksHub().register(target=target)["target_id"] == 3


def test_a_group_and_the_system_have_hooks_too() -> None:
    hub = HooksHub()
    group, system = hub.register(**GROUP), hub.register(**SYSTEM)
    assert (group["target_id"], group["target"]) == (1, "acme")
    assert (system["target_id"], system["target"]) == (None, "https://gitlab.example.com")
    assert [row["_where"] for row in hub.gitlab.hooks.values()] == [["groups", "1"], [None, None]]


def test_a_manual_hook_shows_its_secrets_and_touches_nothing_in_gitlab() -> None:
    hub = HooksHub()
    status, body = hub("POST", PATH, PROJECT | {"mode": "manual"}, key="k1")
    hook_id = body["webhook"]["id"]
    assert (status, body["webhook"]["status"], body["webhook"]["gitlab_hook_id"]) == (201, "manual", None)
    assert body["manual"] == {
        "secret_token": secrets().token(hook_id, 1),
        "signing_token": secrets().signing_token(hook_id, 1),
    }
    assert hub.gitlab.hooks == {}
    # The same key gives the same secrets, which nobody has kept, even after they were rotated.
    hub("POST", f"{PATH}/{hook_id}/rotate", {})
    again = hub("POST", PATH, PROJECT | {"mode": "manual"}, key="k1")[1]
    assert (again["webhook"]["id"], again["manual"]) == (hook_id, body["manual"])
    assert len(hub.hooks()) == 1
    assert body["manual"]["secret_token"] not in repr((hub.rows.dump(), hub.answers.dump()))


@pytest.mark.parametrize(("version", "expected"), [("19.0.0", "signature"), ("18.11.2", "token"), (None, "token")])
def test_a_manual_hook_is_believed_as_its_gitlab_can(version: str | None, expected: str) -> None:
    hub = HooksHub()
    hub.gitlabs.connections[INTEGRATION] = connection(INTEGRATION, gitlab_version=version)
    assert hub.register(mode="manual")["verification"] == expected
    assert hub.register(mode="manual", verification="token")["verification"] == "token"


def test_a_manual_hook_needs_no_feature_and_an_auto_one_does() -> None:
    hub = HooksHub()
    hub.gitlabs.connections[INTEGRATION] = connection(INTEGRATION, manage_webhooks=False)
    assert hub.register(mode="manual")["status"] == "manual"
    status, body = hub("POST", PATH, PROJECT)
    assert (status, body["code"], body["details"]) == (409, "feature_disabled", {"feature": "manage_webhooks"})
    assert hub.gitlab.hooks == {}


def test_the_same_request_finds_the_hook_that_is_there() -> None:
    hub = HooksHub()
    first = hub.register()
    assert hub.register(target="acme/p3", events=["merge_request", "push"]) == first
    assert hub.register(events=["push"])["id"] != first["id"]
    assert hub.register(target=4)["id"] != first["id"]
    assert hub.register(mode="manual")["id"] != first["id"]
    assert len(hub.gitlab.hooks) == 3


def test_the_same_key_registers_once() -> None:
    hub = HooksHub()
    first, second = hub("POST", PATH, PROJECT, key="k1"), hub("POST", PATH, PROJECT, key="k1")
    assert first == second
    assert len(hub.gitlab.hooks) == len(hub.hooks()) == 1


@pytest.mark.parametrize("group", ["other", "acme/p", "acm"])
def test_an_integration_limited_to_a_group_touches_nothing_outside(group: str) -> None:
    hub = HooksHub()
    hub.gitlabs.connections[INTEGRATION] = connection(INTEGRATION, group=group)
    assert hub("POST", PATH, PROJECT)[0] == 404
    assert hub("POST", PATH, GROUP)[0] == 404
    assert hub("POST", PATH, SYSTEM)[0] == 422
    assert (hub.gitlab.hooks, hub.rows.dump()) == ({}, [])


def test_an_integration_limited_to_a_group_reaches_its_projects() -> None:
    hub = HooksHub()
    hub.gitlabs.connections[INTEGRATION] = connection(INTEGRATION, group="ACME")
    assert hub.register()["target_id"] == 3


FAULTS: list[Any] = [
    (lambda: answer(500, {"message": "500"}), 503, "gitlab_unavailable"),
    (lambda: httpx.ReadTimeout("late"), 502, "host_unreachable"),
    (lambda: answer(201, [1]), 502, "unexpected_response"),
    (
        lambda: httpx.Response(201, content=b'{"id": 5', headers={"content-type": "application/json"}),
        502,
        "unexpected_response",
    ),
]


@BEFORE_OR_AFTER
@pytest.mark.parametrize(("error", "status", "code"), FAULTS)
def test_a_creation_with_an_unknown_end_is_taken_up_by_the_next_request(
    error: Any, status: int, code: str, applied: bool
) -> None:
    hub = HooksHub()
    hub.gitlab.plan = Plan(at=3, error=error, applied=applied)
    refused = hub("POST", PATH, PROJECT, key="k1")
    assert (refused[0], refused[1]["code"], refused[1]["retryable"]) == (status, code, True)
    assert CANARY not in repr(refused)
    hub.heal()
    # The key is free again, with another seed; and still there is one hook.
    taken = hub("POST", PATH, PROJECT, key="k1")
    assert taken[0] == 201
    assert hub("POST", PATH, PROJECT, key="k1") == taken
    assert len(hub.gitlab.hooks) == len(hub.hooks()) == 1
    assert hub.agrees()


def test_an_unfinished_hook_is_taken_up_with_what_is_wanted_now() -> None:
    hub = HooksHub()
    hub.gitlab.plan = Plan(at=3, error=lambda: httpx.ReadTimeout("late"), applied=True)
    assert hub("POST", PATH, PROJECT)[0] == 502
    hub.heal()
    assert hub.register(events=["job"])["events"] == ["job"]
    [row] = hub.gitlab.hooks.values()
    assert (row["job_events"], row["push_events"], len(hub.hooks())) == (True, False, 1)


def test_a_later_refusal_does_not_forget_a_hook_that_may_be_in_gitlab() -> None:
    hub = HooksHub()
    hub.gitlab.plan = Plan(at=3, error=lambda: httpx.ReadTimeout("late"), applied=True)
    assert hub("POST", PATH, PROJECT)[0] == 502
    hub.heal()
    hub.gitlab.level = 30
    assert hub("POST", PATH, PROJECT)[1]["code"] == "maintainer_required"
    assert [hook.url for hook in hub.hooks()] == [row["url"] for row in hub.gitlab.hooks.values()]


def test_what_was_removed_while_it_was_made_is_taken_out_of_gitlab_again() -> None:
    hub = HooksHub()
    really = hub.gitlab._really

    async def removed_first(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            hub.store.remove(hub.hooks()[0], [], now=int(hub.now))
        return await really(request)

    hub.gitlab._really = removed_first  # type: ignore[method-assign]  # somebody removes it in the middle
    assert hub("POST", PATH, PROJECT)[0] == 404
    assert (hub.gitlab.hooks, hub.hooks()) == ({}, [])


def test_a_creation_that_gitlab_put_off_leaves_nothing_behind() -> None:
    hub = HooksHub()
    hub.gitlab.plan = Plan(at=3, error=says(429, {"message": {"error": "too many"}}))
    status, body = hub("POST", PATH, PROJECT)
    assert (status, body["code"], body["retryable"]) == (503, "rate_limited", True)
    assert (hub.rows.dump(), hub.gitlab.hooks) == ([], {})


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DEVELOPER])
def test_only_admins_change_hooks(role: Role) -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    low = Principal("t-low", role)
    assert hub("GET", PATH, principal=low)[0] == hub("GET", f"{PATH}/{hook_id}", principal=low)[0] == 200
    assert hub("POST", PATH, PROJECT, principal=low)[0] == 403
    assert hub("DELETE", f"{PATH}/{hook_id}", principal=low)[0] == 403
    for verb in ("rotate", "test", "repair", "resend-failed"):
        assert hub("POST", f"{PATH}/{hook_id}/{verb}", principal=low)[0] == 403


@pytest.mark.parametrize("verb", ["", "/rotate", "/test", "/repair", "/resend-failed"])
def test_a_hook_of_another_integration_is_not_found(verb: str) -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    before, asked = hub.rows.dump(), len(hub.gitlab.requests)
    foreign = f"/v1/integrations/{OTHER}/webhooks/{hook_id}{verb}"
    methods = ("POST",) if verb else ("GET", "DELETE")
    assert all(hub(method, foreign)[0] == 404 for method in methods)
    assert (hub.rows.dump(), len(hub.gitlab.requests)) == (before, asked)


def test_hooks_are_listed_page_by_page() -> None:
    hub = HooksHub()
    ids = sorted(hub.register(target=number)["id"] for number in range(3, 8))
    found, cursor = [], ""
    while cursor is not None:
        path = PATH
        event = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        status, body = hub.listed(path, event)
        assert status == 200
        found += [one["id"] for one in body["webhooks"]]
        cursor = body["next_cursor"]
    assert found == ids


def test_registering_a_project_s_hook_reads_no_other_project_s() -> None:
    hub = HooksHub()
    for number in range(150):
        kept(hub.store, id=f"hook_0a1b_x{number}", target_id=1_000 + number)
    table = CountedTable(hub.rows)
    hub.use(table)
    first, again = (hub.register(target=3) for _ in range(2))
    assert first["id"] == again["id"]
    assert table.items < 10


@pytest.mark.parametrize("request_body", [PROJECT, GROUP])
def test_a_renamed_group_still_bounds_the_integration(request_body: dict[str, Any]) -> None:
    hub = HooksHub()
    hub.gitlabs.connections[INTEGRATION] = connection(INTEGRATION, group="former", group_id=1)
    assert hub("POST", PATH, request_body)[0] == 201
    hub.gitlabs.connections[INTEGRATION] = connection(INTEGRATION, group="acme", group_id=1)
    hub.gitlab.script["/groups/1"] = answer(body={"id": 1, "full_path": "latter"})
    status, body = hub("POST", PATH, request_body | {"events": ["tag_push"]})
    assert (status, "not in the group latter" in body["error"]) == (404, True)
    hub.gitlab.script["/groups/1"] = lacking("Group: Read", of="group")
    assert hub("POST", PATH, PROJECT | {"events": ["note"]})[0] == 201
