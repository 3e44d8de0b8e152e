"""Asking GitLab what changed: what it says, and everything that can keep it from saying."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from gitlab_hub.builds.triggers.changed_paths import MAX_PATHS, GitLabChangedPaths
from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.clients import GitLabConnection
from gitlab_hub.gitlab.options import ClientOptions
from tests.fakes.gitlab_client import ScriptedTransport, client, ok, status
from tests.fakes.triggers import BEFORE, INTEGRATION, SHA

REACH = GitLabConnection(
    integration_id=INTEGRATION,
    credential_id="cred_1",
    base_url="https://gitlab.example/gitlab",
    user_id=1,
    is_admin=False,
    group=None,
    gitlab_version=None,
    paused=False,
    credential_works=True,
    manage_webhooks=False,
    report_statuses=False,
)
MOVED = [{"old_path": "a", "new_path": "b"}, {"old_path": "c", "new_path": "c"}]


class Clients:
    """One GitLab that answers as scripted."""

    def __init__(self, *script: Any, connection: GitLabConnection | None = REACH) -> None:
        self.transport, self._connection = ScriptedTransport(*script), connection

    def connection(self, integration_id: str) -> GitLabConnection | None:
        return self._connection if integration_id == INTEGRATION else None

    def open(self, connection: GitLabConnection) -> GitLab:
        return client(self.transport, options=ClientOptions(tries=1))


def compared(clients: Clients, **more: Any) -> Any:
    return GitLabChangedPaths(clients, **more).changed_paths(INTEGRATION, 15, BEFORE, SHA)


def of_merge_request(clients: Clients) -> Any:
    return GitLabChangedPaths(clients).merge_request_paths(INTEGRATION, 15, 7, SHA)


def pages(count: int, *, rows: int, **more: Any) -> Callable[[httpx.Request], httpx.Response]:
    """A list of so many pages, and the merge request that has it."""

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/diffs"):
            return ok({"sha": SHA, "changes_count": str(count * rows)} | more)
        number = int(request.url.params.get("page", "1"))
        files = [{"old_path": f"{number}/{row}", "new_path": f"{number}/{row}"} for row in range(rows)]
        if number == count:
            return ok(files)
        following = request.url.copy_merge_params({"page": str(number + 1)})
        return ok(files, link=f'<{following}>; rel="next"')

    return answer


def test_two_commits_are_compared_and_a_moved_file_has_two_paths() -> None:
    clients = Clients(ok({"diffs": MOVED, "compare_timeout": False}))
    assert compared(clients) == ("a", "b", "c")
    [request] = clients.transport.requests
    assert request.url.path == "/gitlab/api/v4/projects/15/repository/compare"
    assert dict(request.url.params) == {"from": BEFORE, "to": SHA, "straight": "true"}


def test_a_branch_is_compared_with_where_it_left_the_other() -> None:
    clients = Clients(ok({"diffs": MOVED}))
    assert GitLabChangedPaths(clients).branch_paths(INTEGRATION, 15, "main", SHA) == ("a", "b", "c")
    [request] = clients.transport.requests
    assert dict(request.url.params) == {"from": "main", "to": SHA}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (ok({"id": SHA, "message": "Work\n\n[skip ci]"}), "Work\n\n[skip ci]"),
        (ok({"id": SHA}), None),
        (ok([]), None),
        (status(404), None),
        (status(500), None),
        (httpx.ConnectError("no route"), None),
    ],
)
def test_a_commits_message_is_read_as_it_is(answer: Any, message: str | None) -> None:
    clients = Clients(answer)
    assert GitLabChangedPaths(clients).commit_message(INTEGRATION, 15, SHA) == message
    assert clients.transport.requests[0].url.path == f"/gitlab/api/v4/projects/15/repository/commits/{SHA}"


def test_commits_that_do_not_differ_changed_nothing() -> None:
    assert compared(Clients(ok({"diffs": []}))) == ()


@pytest.mark.parametrize(
    "answer",
    [
        ok({"diffs": MOVED, "compare_timeout": True}),
        ok({"diffs": None}),
        ok({"diffs": {}}),
        ok({}),
        ok([]),
        ok({"diffs": [{"old_path": str(number)} for number in range(MAX_PATHS + 1)]}),
        status(401),
        status(403),
        status(404),
        status(429, retry_after="600"),
        status(500),
        httpx.Response(200, text="<html>"),
        httpx.ConnectError("no route"),
        httpx.ReadTimeout("slow"),
    ],
)
def test_whatever_keeps_gitlab_from_saying_is_no_answer(answer: Any) -> None:
    assert compared(Clients(answer)) is None


@pytest.mark.parametrize("connection", [None, replace(REACH, paused=True), replace(REACH, credential_works=False)])
def test_where_the_hub_may_not_ask_it_does_not(connection: GitLabConnection | None) -> None:
    clients = Clients(ok({"diffs": MOVED}), connection=connection)
    assert compared(clients) is None
    assert of_merge_request(clients) is None
    assert clients.transport.requests == []


def test_a_merge_requests_files_are_read_from_all_pages() -> None:
    clients = Clients(pages(3, rows=2))
    assert of_merge_request(clients) == ("1/0", "1/1", "2/0", "2/1", "3/0", "3/1")
    here = "/gitlab/api/v4/projects/15/merge_requests/7"
    assert [request.url.path for request in clients.transport.requests] == [*[f"{here}/diffs"] * 3, here]


@pytest.mark.parametrize("count", [None, "", "1+", "2000+", "3", True, "x"])
def test_a_merge_request_that_gitlab_has_not_looked_through_as_a_whole_is_unknown(count: Any) -> None:
    assert of_merge_request(Clients(pages(1, rows=2, changes_count=count))) is None


def test_a_merge_request_with_another_head_by_now_is_unknown() -> None:
    assert of_merge_request(Clients(pages(1, rows=2, sha=BEFORE))) is None


def test_a_merge_request_that_changes_nothing_says_so() -> None:
    assert of_merge_request(Clients(pages(1, rows=0))) == ()
    assert of_merge_request(Clients(pages(1, rows=0, changes_count=None))) is None, "GitLab has not looked yet"


def test_a_merge_request_of_too_many_files_is_not_read_to_its_end() -> None:
    clients = Clients(pages(10_000, rows=1_000))
    assert of_merge_request(clients) is None
    assert len(clients.transport.requests) < 15


@pytest.mark.parametrize("answer", [status(404), status(500), ok({}), httpx.ConnectError("no route")])
def test_a_merge_request_that_cannot_be_read_is_no_answer(answer: Any) -> None:
    assert of_merge_request(Clients(answer)) is None


class Silent(httpx.AsyncBaseTransport):
    """Never answers."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError


def test_a_gitlab_that_does_not_answer_in_time_is_not_waited_for() -> None:
    clients = Clients(ok({}))
    clients.transport = Silent()  # type: ignore[assignment] # a transport is all that is needed
    started = time.monotonic()
    assert compared(clients, seconds=0.05) is None
    assert time.monotonic() - started < 30
