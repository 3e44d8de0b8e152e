"""From a push to a hook to a commit status, over real connections."""

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator

import gitlab
import httpx
import pytest

from stand_in_gitlab.process import Running, running
from tests.integration.stand_in.receiver import ReceivedCalls, receiver

KEY = b"k" * 32


@pytest.fixture
def heard() -> Iterator[ReceivedCalls]:
    with receiver() as listening:
        yield listening


@pytest.fixture
def lab(server: Running) -> Iterator[gitlab.Gitlab]:
    with gitlab.Gitlab(server.base, private_token=server.tokens["admin"]) as client:
        yield client


def test_a_push_arrives_signed(server: Running, lab: gitlab.Gitlab, heard: ReceivedCalls) -> None:
    signing_token = f"whsec_{base64.b64encode(KEY).decode()}"
    hook = lab.projects.get(2).hooks.create(
        {"url": f"{heard.url}/in", "token": "s3cret", "signing_token": signing_token}
    )
    done = server.push(project_id=2, branch="main", files=["src/a.py"])
    server.wait_for_hooks()
    ((path, headers, body),) = heard.calls
    assert (path, headers["x-gitlab-token"], headers["x-gitlab-event"]) == ("/in", "s3cret", "Push Hook")
    assert heard.bodies()[0]["after"] == done["sha"]
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    digest = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    # The stand-in's own clock stands still; what it signs is of now, or nobody would believe it.
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    hook.delete()


def test_failures_are_recorded_and_resent(
    server: Running, lab: gitlab.Gitlab, heard: ReceivedCalls, client: httpx.Client
) -> None:
    hook = lab.projects.get(2).hooks.create({"url": heard.url})
    heard.status = 503
    server.push(2, "main", files=["b.py"])
    server.wait_for_hooks()
    auth = {"Authorization": f"Bearer {server.tokens['admin']}"}
    events = client.get(f"/projects/2/hooks/{hook.id}/events?status=server_failure", headers=auth).json()
    heard.status = 200
    again = client.post(f"/projects/2/hooks/{hook.id}/events/{events[0]['id']}/resend", headers=auth)
    assert (again.status_code, again.json()) == (201, {"response_status": 200})
    assert heard.calls[0][1]["idempotency-key"] == heard.calls[1][1]["idempotency-key"]
    assert {row["response_status"] for row in server.truth("hook_events", hook_id=hook.id)} == {"503", "200"}
    hook.delete()


def test_nobody_there_is_an_internal_error(server: Running, lab: gitlab.Gitlab) -> None:
    hook = lab.projects.get(2).hooks.create({"url": "http://127.0.0.1:9/"})
    server.push(2, "main", files=["c.py"])
    server.wait_for_hooks()
    (row,) = server.truth("hook_events", hook_id=hook.id)
    assert row["response_status"] == "internal error"
    hook.delete()


def test_a_slow_receiver_holds_nobody_up(server: Running, lab: gitlab.Gitlab, heard: ReceivedCalls) -> None:
    hook = lab.projects.get(2).hooks.create({"url": heard.url})
    heard.answering.clear()
    server.push(2, "main", files=["d.py"])
    assert lab.version()[0]
    assert server.truth("hook_events", hook_id=hook.id) == []
    heard.answering.set()
    server.wait_for_hooks()
    assert len(heard.calls) == len(server.truth("hook_events", hook_id=hook.id)) == 1
    hook.test("push_events")
    assert len(heard.calls) == 2
    hook.delete()


def test_python_gitlab_knows_groups_and_system_hooks(lab: gitlab.Gitlab) -> None:
    group_hook = lab.groups.get(1).hooks.create({"url": "https://hub.test/group", "token": "s3cret"})
    group_hook.url = "https://hub.test/other"
    group_hook.save()
    assert (group_hook.url, group_hook.token_present) == ("https://hub.test/other", False)
    system_hook = lab.hooks.create({"url": "https://hub.test/system"})
    assert [each.id for each in lab.hooks.list(iterator=True)] == [system_hook.id]
    group_hook.delete()
    system_hook.delete()
    assert lab.hooks.list(get_all=True) == []


def test_python_gitlab_posts_statuses(server: Running, lab: gitlab.Gitlab) -> None:
    sha = server.push(2, "statuses", files=["e.py"])["sha"]
    commit = lab.projects.get(2).commits.get(sha)
    made = commit.statuses.create({"state": "running", "name": "hub", "target_url": "https://hub.test/1"})
    with pytest.raises(gitlab.GitlabCreateError, match="Cannot transition status via :run from :running"):
        commit.statuses.create({"state": "running", "name": "hub"})
    commit.statuses.create({"state": "success", "name": "hub"})
    assert [(each.id, each.status) for each in commit.statuses.list(iterator=True)] == [(made.id, "success")]


@pytest.mark.parametrize("root", ["", "/gitlab"])
def test_signing_in_over_the_wire(root: str) -> None:
    back = "http://hub.test/callback"
    with (
        running("--frozen", "--redirect-uri", back, "--root-path", root) as server,
        httpx.Client(base_url=server.base, trust_env=False) as client,
    ):
        known = server.applications["hub"]
        asked = {"client_id": known.client_id, "redirect_uri": back, "response_type": "code", "state": "s"}
        there = client.get("/oauth/authorize", params={**asked, "scope": "api"})
        assert there.status_code == 302
        code = httpx.URL(there.headers["location"]).params["code"]
        sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
        got = client.post("/oauth/token", data=sent, auth=(known.client_id, known.client_secret)).json()
        auth = {"Authorization": f"Bearer {got['access_token']}"}
        assert client.get("/oauth/token/info", headers=auth).json()["scope"] == ["api"]
        assert client.get("/api/v4/user", headers=auth).json()["username"] == "root"
        other = server.add_application("hub", "http://new.test/")
        assert other == known
        assert client.get("/oauth/authorize", params=asked).status_code == 200
