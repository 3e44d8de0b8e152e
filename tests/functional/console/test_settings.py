"""Settings: tokens, webhooks, triggers and the log; a secret is on the page that made it, and on no other."""

import re
from typing import Any

import pytest

from gitlab_hub.builds.triggers.requests import TriggerPatchBody
from gitlab_hub.console.pages.trigger_form import body_of, form_of
from tests.fakes.gitlab import answer, project
from tests.functional.console.console_hub import ANA, ConsoleHub
from tests.functional.console.visitor import Shown, Visitor, links

TOKEN = re.compile(r"ghub_[0-9a-f]{16}_\w+")


@pytest.fixture
def hub() -> ConsoleHub:
    return ConsoleHub()


def fill(visitor: Visitor, page: str, **fields: str) -> Shown:
    return visitor.submit(visitor.get(page), page, **fields)


def test_a_token_is_made_shown_once_and_works(hub: ConsoleHub, visitor: Visitor) -> None:
    page = f"{hub.base}/settings/tokens"
    given = {"label": "CI <b>", "role": "developer", "only_here": "on", "account_id": str(ANA), "until": "2027-01-31"}
    made = fill(visitor, page, **given)
    [token] = set(TOKEN.findall(made.html))
    assert (made.headers["cache-control"], "CI <b>" in made.text) == ("no-store", True)
    assert TOKEN.findall(visitor.get(page).html) == []
    assert TOKEN.findall(visitor.get(f"{hub.base}/settings/audit?reach=all").html) == []
    theirs = hub.signed_in(token).get(hub.base)
    assert ("developer" in theirs.text, "CI <b>" in theirs.text) == (True, True)


def test_a_form_that_is_sent_twice_makes_one_token(hub: ConsoleHub, visitor: Visitor) -> None:
    page = f"{hub.base}/settings/tokens"
    form = {**visitor.get(page).form(page), "role": "viewer"}
    first, again = visitor.post(page, form), visitor.post(page, form)
    assert TOKEN.findall(first.html) == TOKEN.findall(again.html) != []
    assert len(hub("GET", "/v1/tokens")[1]["tokens"]) == 1


def test_a_revoked_token_ends_its_sessions(hub: ConsoleHub, visitor: Visitor) -> None:
    page, made = f"{hub.base}/settings/tokens", hub.token(role="viewer", label="L")
    theirs = hub.signed_in(made["token"])
    assert theirs.get(hub.base).status == 200
    revoked = visitor.submit(visitor.get(page), f"{page}/{made['id']}", verb="revoke")
    assert ("Revoked: it is useless" in revoked.text, theirs.get(hub.base).status) == (True, 401)
    assert f"{page}/{made['id']}" not in {form.get("action") for form in revoked.elements("form")}


@pytest.mark.parametrize("field", [{"role": "king"}, {"until": "2020-01-01"}, {"until": "x"}, {"account_id": "ana"}])
def test_what_is_wrong_with_a_token_is_said_with_what_was_given(
    hub: ConsoleHub, visitor: Visitor, field: dict[str, str]
) -> None:
    shown = fill(visitor, f"{hub.base}/settings/tokens", **{"role": "viewer", "label": "kept", **field})
    values = {str(one.get("name")): one.get("value") for one in shown.elements("input")}
    assert (shown.status, "invalid_input" in shown.text, values["label"]) == (422, True, "kept")


def test_only_owners_are_led_to_tokens(hub: ConsoleHub) -> None:
    admin = hub.signed_in(hub.token(role="admin")["token"])
    shown = admin.get(f"{hub.base}/settings")
    assert f"{hub.base}/settings/tokens" not in set(links(shown))
    assert "permission_denied" in admin.get(f"{hub.base}/settings/tokens").text


def test_a_webhook_that_a_person_enters_shows_its_secrets_once(hub: ConsoleHub, visitor: Visitor) -> None:
    page = f"{hub.base}/settings/hooks"
    hub.gitlab.script["/projects/4"] = answer(body=project(4))
    made = fill(visitor, page, **{"scope": "project", "target": "4", "event-push": "on", "manual": "on"})
    secrets = [one for one in re.findall(r"<pre[^>]*>([^<]+)</pre>", made.html) if len(one) > 20]
    assert (made.status, len(secrets), "Enter these in GitLab" in made.text) == (200, 2, True)
    again = visitor.get(page)
    assert [one for one in secrets if one in again.html] == []


def test_the_api_says_what_is_wrong_with_a_webhook(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = fill(visitor, f"{hub.base}/settings/hooks", scope="project", target="acme/x")
    assert (shown.status, "invalid_input" in shown.text) == (422, True)


def test_a_webhook_is_removed(hub: ConsoleHub, visitor: Visitor) -> None:
    page = f"{hub.base}/settings/hooks"
    removed = visitor.submit(visitor.get(page), f"{page}/{hub.ids['hook_id']}", verb="remove")
    assert ("Removed, in GitLab and here." in removed.text, "No webhook is registered" in removed.text) == (True, True)


def test_a_trigger_is_made_of_a_path_switched_off_and_removed(hub: ConsoleHub, visitor: Visitor) -> None:
    page = f"{hub.base}/settings/triggers"
    given = {"path": "acme", "event-push": "on", "branches": "main, release/*", "target": "codebuild", "where": "app"}
    refused = fill(visitor, page, **given)
    values = {str(one.get("name")): one.get("value") for one in refused.elements("input")}
    assert ("BuildProjectArns" in refused.text, values["path"], values["where"]) == (True, "acme", "app")
    made = visitor.submit(refused, page, **{**given, "target": "eventbridge", "where": ""})
    for told in ("Builds of Acme", "main, release/*", "eventbridge"):
        assert told in made.text, told
    [one] = {str(form["action"]) for form in made.elements("form") if str(form["action"]).endswith("/try")}
    one = one.removesuffix("/try")
    off = visitor.submit(visitor.get(one), one, verb="disable")
    assert "Switch on" in off.text
    assert "Removed; what it has built stays." in visitor.submit(off, one, verb="remove").text


def test_a_trigger_is_tried_on_what_came(hub: ConsoleHub, visitor: Visitor) -> None:
    page = f"{hub.base}/settings/triggers/{hub.ids['trigger_id']}"
    before = hub.stored()
    tried = visitor.submit(visitor.get(page), f"{page}/try", delivery_id=hub.ids["delivery_id"])
    assert (tried.status, "What it makes of this push" in tried.text, hub.stored() == before) == (200, True, True)
    unknown = visitor.submit(tried, f"{page}/try", delivery_id="dlv_none")
    assert (unknown.status, "not_found" in unknown.text) == (404, True)
    assert visitor.get(page.replace(hub.own, hub.other, 1)).status == 404


def test_the_log_is_narrowed_by_who_and_what(hub: ConsoleHub, visitor: Visitor) -> None:
    page = f"{hub.base}/settings/audit"
    assert "trigger create" in visitor.get(page).text.partition("Before and after")[2]
    made = visitor.get(f"{page}?action=hook.create").text.partition("Before and after")[2]
    assert ("hook create" in made, "trigger create" in made) == (True, False)
    assert "No entry matches." in visitor.get(f"{page}?actor=nobody").text
    assert "invalid_input" in visitor.get(f"{page}?action=dance").text


def test_an_integration_is_renamed_and_allowed_more(hub: ConsoleHub, visitor: Visitor) -> None:
    page = f"{hub.base}/settings"
    shown = fill(visitor, page, display_name="Acme <1>", paused="on")
    assert ("Changed." in shown.text, hub("GET", f"/v1/integrations/{hub.own}")[1]["integration"]["status"]) == (
        True, "paused",
    )  # fmt: skip
    refused = fill(visitor, page, display_name="x" * 2000)
    assert (refused.status, "invalid_input" in refused.text) == (422, True)


def test_a_page_that_has_become_old_undoes_nothing_that_it_did_not_show(hub: ConsoleHub, visitor: Visitor) -> None:
    page, path = f"{hub.base}/settings", f"/v1/integrations/{hub.own}"
    assert hub("PATCH", path, {"paused": False})[0] == 200
    old = visitor.get(page)
    assert hub("PATCH", path, {"paused": True})[0] == 200
    visitor.submit(old, page, display_name="Acme, renamed")
    now = hub("GET", path)[1]["integration"]
    assert (now["display_name"], now["status"]) == ("Acme, renamed", "paused")
    visitor.submit(visitor.get(page), page, display_name="Acme, renamed")
    assert hub("GET", path)[1]["integration"]["status"] == "active"


def test_new_secrets_of_a_webhook_that_a_person_enters_are_shown_once(hub: ConsoleHub, visitor: Visitor) -> None:
    page = f"{hub.base}/settings/hooks"
    hub.gitlab.script["/projects/3"] = answer(body=project(3))
    made = fill(visitor, page, **{"scope": "project", "target": "3", "event-push": "on", "manual": "on"})
    one = next(str(form["action"]) for form in made.elements("form") if str(form["action"]).startswith(f"{page}/"))
    rotated = visitor.submit(made, one, verb="rotate", grace="86400")
    first, second = (set(re.findall(r"<pre[^>]*>([^<]{20,})</pre>", shown.html)) for shown in (made, rotated))
    assert (rotated.status, len(second), first & second) == (200, 2, set())
    assert "before the old ones stop working" in rotated.text
    assert not any(secret in visitor.get(page).html for secret in second)
    _, log = hub("GET", "/v1/audit-log", query={"action": "hook.rotate"})
    assert log["entries"][0]["after"]["grace_seconds"] == 86_400


def test_all_of_a_trigger_is_changed_in_one_form(hub: ConsoleHub, visitor: Visitor) -> None:
    page = f"{hub.base}/settings/triggers/{hub.ids['trigger_id']}"
    _, before = hub("GET", f"/v1/triggers/{hub.ids['trigger_id']}")
    shown = visitor.get(f"{page}/edit")
    fields = {name: value for name, value in form_of(before["trigger"], "").items() if name != "version"}
    wanted = {**fields, "tags-include": "v*\r\nrelease of *\r\n", "labels": "ready", "forks": "ignore", "report": ""}
    visitor.submit(shown, f"{page}/edit", **wanted)
    _, after = hub("GET", f"/v1/triggers/{hub.ids['trigger_id']}")
    told = {name: after["trigger"][name] for name in ("tags", "merge_requests", "report_status", "events")}
    assert told == {
        "tags": {"include": ["v*", "release of *"], "exclude": []},
        "merge_requests": {**before["trigger"]["merge_requests"], "labels": ["ready"], "forks": "ignore"},
        "report_status": {**before["trigger"]["report_status"], "enabled": False},
        "events": before["trigger"]["events"],
    }
    late = visitor.submit(shown, f"{page}/edit", **wanted)
    assert (late.status, "conflict" in late.text, "release of *" in late.html) == (409, True, True)
    wrong = visitor.submit(visitor.get(f"{page}/edit"), f"{page}/edit", **{**wanted, "path": "acme/none"})
    assert (wrong.status, "not_found" in wrong.text) == (404, True)
    moved = visitor.submit(visitor.get(f"{page}/edit"), f"{page}/edit", **{**wanted, "path": "acme"})
    assert "Builds of Acme" in moved.text


def test_the_form_of_a_trigger_is_all_of_it() -> None:
    body: dict[str, Any] = {
        "events": ["push", "merge_request"], "branches": {"include": ["main"], "exclude": ["wip *"]},
        "tags": {"include": [], "exclude": []}, "paths": {"include": ["src/**"], "exclude": []},
        "merge_requests": {"drafts": False, "labels": ["a b"], "target_branches": ["main"], "forks": "allow"},
        "on_branch_create": True, "on_branch_delete": False, "skip_ci": True,
        "concurrency": {"cancel_previous": True},
        "target": {"type": "codebuild", "project": "app", "source_version": True},
        "report_status": {"enabled": True, "name": "ci"}, "version": 3,
    }  # fmt: skip
    assert body_of(form_of(body, "acme")) == body
    elsewhere = {"project_id", "group", "enabled"}
    assert set(TriggerPatchBody.model_fields) - set(body) == elsewhere, "its place, and a button of its own"
