"""What is kept of genuine deliveries, and which of them have no effect."""

import base64
import json
import random
from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import HostUnreachable
from gitlab_hub.webhooks.deliveries.body import decompress_body
from gitlab_hub.webhooks.hooks.store import HookStore
from tests.functional.webhooks.deliveries_hub import NOW, PROJECT, PUSH, DeliveriesHub, a_hook

SIGNS = a_hook("2", verification="signature")
TOKEN = a_hook("1")
BOTH = pytest.mark.parametrize("hook", [TOKEN, SIGNS], ids=["token", "signature"])
RAW = json.dumps(PUSH).encode()


@pytest.fixture
def hub() -> DeliveriesHub:
    return DeliveriesHub(TOKEN, SIGNS)


@pytest.mark.parametrize("kind", ["issue", "emoji", "new_in_gitlab_30", "release"])
def test_a_genuine_event_that_nothing_follows_from_is_ignored(hub: DeliveriesHub, kind: str) -> None:
    status, answer = hub(TOKEN, {"object_kind": kind, "project_id": PROJECT})
    assert (status, answer) == (200, {"ok": True, "ignored": "unsupported_event"})
    assert hub.rows() == []
    assert hub.metrics.seen == {"ignored unsupported_event": 1}


@pytest.mark.parametrize("body", [{}, {"event_name": None}, {"object_kind": 7}, {"object_kind": "\ud800"}])
def test_whatever_a_genuine_object_says_it_is_no_failure(hub: DeliveriesHub, body: dict[str, Any]) -> None:
    assert hub(TOKEN, body)[0] == 200
    assert hub(TOKEN, body, {"X-Gitlab-Event": ""})[0] == 200


@pytest.mark.parametrize(
    "change",
    [
        {"project_id": 16, "project": {"id": 16}},
        {"project_id": 16},
        {"project": {"id": 16}},
        {"object_kind": "merge_request", "object_attributes": {"iid": 1, "target_project_id": 16}},
    ],
)
def test_a_project_hook_speaks_of_its_project_only(hub: DeliveriesHub, change: dict[str, Any]) -> None:
    assert hub(TOKEN, PUSH | change) == (200, {"ok": True, "ignored": "outside_scope"})
    assert (hub.rows(), hub.queue.sent) == ([], [])


@pytest.mark.parametrize("path", ["mike/diaspora", "Mike/sub/other"])
def test_a_group_hook_speaks_of_what_is_below_its_group(hub: DeliveriesHub, path: str) -> None:
    hook = hub.add(a_hook("g", scope="group", target_id=3, target="mike"))
    assert hub(hook, PUSH | {"project": {"id": 15, "path_with_namespace": path}})[0] == 202
    hub.work()
    assert (len(hub.builds.asked), hub.scopes.asked) == (1, 0)


@pytest.mark.parametrize("path", ["mikes/diaspora", "mike", "renamed/diaspora", None])
@pytest.mark.parametrize("within", [True, False])
def test_what_a_path_does_not_answer_gitlab_is_asked_by_id(hub: DeliveriesHub, path: str | None, within: bool) -> None:
    hook = hub.add(a_hook("g", scope="group", target_id=3, target="mike"))
    hub.scopes.within = {hook.id: {15} if within else {16}}
    assert hub(hook, PUSH | {"project": {"id": 15, "path_with_namespace": path}})[0] == 202
    hub.work()
    [row] = hub.rows()
    assert (row["status"], row["reasons"]) == (("handled", []) if within else ("ignored", ["outside_scope"]))
    assert len(hub.builds.asked) == within


def test_a_gitlab_that_cannot_say_is_asked_again_and_nothing_is_built_before(hub: DeliveriesHub) -> None:
    hook = hub.add(a_hook("g", scope="group", target_id=3, target="mike"))
    hub.scopes.within, hub.scopes.error = {hook.id: {15}}, HostUnreachable("no")
    assert hub(hook, PUSH | {"project": {"id": 15, "path_with_namespace": "renamed/x"}})[0] == 202
    assert hub.deliver(*hub.queue.sent) != []
    assert (hub.rows()[0]["status"], hub.builds.asked) == ("pending", [])
    hub.scopes.error = None
    hub.work()
    assert (hub.rows()[0]["status"], len(hub.builds.asked)) == ("handled", 1)


def test_a_row_that_knows_only_a_path_is_asked_about_too(hub: DeliveriesHub) -> None:
    hook = hub.add(a_hook("p", target_id=None, target="mike/old"))
    hub.scopes.within = {hook.id: {PROJECT}}
    assert hub(hook, PUSH)[0] == 202
    hub.work()
    assert hub.rows()[0]["status"] == "handled"


def test_a_project_hook_shows_the_path_that_its_project_has_now(hub: DeliveriesHub) -> None:
    renamed = PUSH | {"project": {"id": PROJECT, "path_with_namespace": "renamed/diaspora"}}
    assert hub(TOKEN, renamed)[0] == 202
    hub.work()
    found = HookStore(hub.table).get(TOKEN.id)
    assert found is not None
    assert (found.target, found.target_id) == ("renamed/diaspora", PROJECT)


def test_a_system_hook_speaks_of_everything(hub: DeliveriesHub) -> None:
    hook = hub.add(a_hook("s", scope="system", target_id=None, target="https://gitlab.example.com"))
    assert hub(hook, PUSH | {"project_id": 77, "project": {"id": 77}}, {"X-Gitlab-Event": "System Hook"})[0] == 202


def test_what_an_integration_does_not_want_now_is_kept_for_later(hub: DeliveriesHub) -> None:
    hub.states.known["int_0a1b"] = "paused"
    assert hub(TOKEN, PUSH) == (200, {"ok": True, "ignored": "paused"})
    assert hub(TOKEN, PUSH) == (200, {"ok": True, "ignored": "paused"})
    [row] = hub.rows()
    assert (row["status"], row["reasons"], "pending_pk" in row) == ("ignored", ["paused"], False)
    assert hub.queue.sent == []
    hub.states.known.clear()
    assert hub(TOKEN, PUSH)[1]["duplicate"] is True
    hub.work()
    assert hub.rows()[0]["status"] == "handled"


def test_nothing_is_kept_for_an_integration_that_is_gone(hub: DeliveriesHub) -> None:
    hub.states.known["int_0a1b"] = "gone"
    assert hub(TOKEN, PUSH) == (200, {"ok": True, "ignored": "gone"})
    assert hub.rows() == []


def test_a_removed_hook_is_an_unknown_one(hub: DeliveriesHub) -> None:
    HookStore(hub.table).remove(TOKEN, [hub.secrets.fingerprint(hub.token(TOKEN))], now=NOW)
    assert hub(TOKEN, PUSH)[0] == 401
    assert hub(TOKEN, PUSH, named=False)[0] == 401


def test_no_secret_is_kept(hub: DeliveriesHub) -> None:
    secrets = {"X-Gitlab-Token": hub.token(TOKEN), "Authorization": "Bearer x", "Cookie": "y", "X-Other": "z"}
    hub(TOKEN, PUSH, secrets)
    hub(SIGNS, PUSH)
    kept = str(hub.table.dump()) + str(hub.queue.sent)
    assert hub.token(TOKEN) not in kept
    assert hub.signed(SIGNS, RAW)["webhook-signature"] not in kept
    assert {name for row in hub.rows() for name in row["headers"]} == {
        "x-gitlab-event",
        "x-gitlab-instance",
        "webhook-id",
        "webhook-timestamp",
    }


@pytest.mark.parametrize("kind", ["push", "tag_push", "merge_request", "pipeline", "build"])
def test_variables_are_kept_of_no_event_wherever_they_stand(hub: DeliveriesHub, kind: str) -> None:
    secret = [{"key": "PASSWORD", "value": "canary"}]
    body = {
        "object_kind": kind,
        "object_attributes": {"id": 1, "iid": 1, "variables": secret, "target_project_id": PROJECT},
        "commit": {"id": 2, "variables": secret},
        "project": {"id": PROJECT, "variables": secret},
        "project_id": PROJECT,
        "pipeline_id": 2,
        "variables": secret,
        "push_options": {"ci": {"variable": {"PASSWORD=canary": 1}}},
        "commits": [{"id": "c1", "message": "m", "variables": secret}],
    }
    assert hub(TOKEN, body)[0] == 202
    assert "canary" not in str(decompress_body(hub.rows()[0]["body"]))
    assert "canary" not in str(hub.rows()) + str(hub.queue.sent)


def test_a_large_body_is_kept_without_its_file_lists_and_says_so(hub: DeliveriesHub) -> None:
    noise = base64.b64encode(random.Random(1).randbytes(600_000)).decode()  # noqa: S311 no secret, the same every time
    commits = [{"id": "c1", "message": "m", "added": [noise], "modified": [], "removed": []}]
    raw = json.dumps(PUSH | {"commits": commits}).encode()
    assert hub(TOKEN, raw)[0] == 202
    [row] = hub.rows()
    kept = decompress_body(row["body"])
    assert (row["truncated"], kept["commits"]) == (True, [{"id": "c1", "message": "m"}])
    hub.work()
    [(_, event, _)] = hub.builds.asked
    assert [commit.paths for commit in event.commits] == [()]


def test_deliveries_of_one_ref_are_in_one_group_and_of_others_in_others(hub: DeliveriesHub) -> None:
    other = hub.add(replace(TOKEN, id="hook_0a1b_9"))
    refs = [(TOKEN, "refs/heads/a"), (TOKEN, "refs/heads/a"), (TOKEN, "refs/heads/b"), (other, "refs/heads/a")]
    for number, (hook, ref) in enumerate(refs):
        assert hub(hook, PUSH | {"ref": ref, "user_id": number + 1})[0] == 202
    first, again, another, elsewhere = [sent.group for sent in hub.queue.sent]
    assert first == again
    assert len({first, another, elsewhere}) == 3
