"""The loop: a push becomes a build at a target, and what comes of it stands at the commit in GitLab."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from tests.end_to_end.building import Built
from tests.end_to_end.ci_server import CiServer, running_server
from tests.end_to_end.coding_company import CodingCompany
from tests.end_to_end.hub_client import Hub, until
from tests.end_to_end.stores import hurry, soon_again

LOOP_SECONDS = 2.0
"""What the loop may take warm, from the push to the status at the commit; a busy machine gets more (SLACK)."""

SLACK = 15
"""Enough for any machine, and still too little for what waits for the minute's tick."""


@pytest.fixture(scope="module")
def _server() -> Iterator[CiServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def server(_server: CiServer) -> Iterator[CiServer]:
    """Where builds are sent to."""
    _server.status = 202
    yield _server
    _server.status = 202


@pytest.fixture
def built(company: CodingCompany, server: CiServer) -> Built:
    return Built(company, {"type": "https", "url": server.url})


@dataclass(frozen=True, slots=True)
class Loop:
    """One push, from GitLab to the target and back to its commit."""

    sha: str
    build_id: str
    at_target: float
    at_commit: float


def loop(built: Built, server: CiServer) -> Loop:
    """Push, build at once, and wait for the status at the commit."""
    server.calls.clear()
    started = time.monotonic()
    sha = built.push()
    build_id = server.message(sha=sha)["build"]["id"]
    at_target = time.monotonic() - started
    assert built.report(build_id, "running").status == 200
    assert built.report(build_id, "success", description="All went well").status == 200
    built.shows(sha, "success")
    return Loop(sha, build_id, at_target, time.monotonic() - started)


def test_a_push_is_built_and_shown_at_its_commit(
    built: Built, server: CiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = built.secret()
    cold, warm = loop(built, server), loop(built, server)
    with capsys.disabled():
        for name, one in (("cold", cold), ("warm", warm)):
            sys.stdout.write(
                f"\n{name}: at the target after {one.at_target:.2f} s, at the commit {one.at_commit:.2f} s"
            )
    assert warm.at_commit < LOOP_SECONDS * SLACK
    [message] = server.verified(secret)
    assert message["build"]["sha"] == warm.sha
    build = built.build("success")
    assert (build["id"], build["event"], build["ref"], build["sha"]) == (warm.build_id, "push", "main", warm.sha)
    assert build["created_at"] <= build["started_at"] <= build["finished_at"]
    delivery = built.delivery(2)
    assert (delivery["status"], delivery["build_ids"]) == ("handled", [warm.build_id])
    assert build["delivery_id"] == delivery["id"]


def test_a_new_signing_secret_leaves_the_old_one_a_day(built: Built, server: CiServer) -> None:
    old, new = built.secret(), built.secret()
    server.calls.clear()
    server.message(sha=built.push())
    assert server.verified(old) == server.verified(new)
    with pytest.raises(WebhookVerificationError):
        server.verified(f"whsec_{'A' * 43}=")


def test_a_push_and_its_merge_request_make_one_build(built: Built, server: CiServer) -> None:
    sha = built.gitlab.open_merge_request(built.project, "feature", files=["a.py"])["sha"]
    built.delivery(2)
    [build] = built.builds()
    assert (build["sha"], build["ref"]) == (sha, "feature")
    server.message(sha=sha)
    update = built.gitlab.update_merge_request(built.project, 1, title="Better words")
    assert update["hooks"] == 1
    built.delivery(3)
    assert len(built.builds()) == 1


def test_what_is_delivered_again_is_not_built_again(company: CodingCompany, built: Built, server: CiServer) -> None:
    sha = built.push()
    first = built.delivery()
    assert first["status"] == "handled"
    server.message(sha=sha)
    for replays in (1, 2):
        assert company.hub.call("POST", f"/v1/deliveries/{first['id']}/replay").status == 202
        again = until(lambda: (row := built.delivery())["replays"] == replays and row)  # noqa: B023 - asked at once
        assert (again["build_ids"], again["status"]) == (first["build_ids"], "handled")
    assert len(built.builds()) == 1
    assert len(server.messages(sha=sha)) == 1


def test_what_asks_not_to_be_built_is_not(built: Built) -> None:
    skipped: list[dict[str, Any]] = [{"message": "Typo [skip ci]"}, {"push_options": {"ci": {"skip": True}}}]
    for number, how in enumerate(skipped, start=1):
        built.push(**how)
        delivery = built.delivery(number)
        assert (delivery["status"], delivery["build_ids"]) == ("ignored", [])
        assert any("skip_ci" in reason for reason in delivery["reasons"])
    assert built.builds() == []


def test_a_build_is_canceled_here_there_and_in_gitlab(built: Built, server: CiServer) -> None:
    sha = built.push()
    build = built.build("running", sha=sha)
    canceled = built.do(build["id"], "cancel")
    assert (canceled.status, canceled.body["build"]["status"]) == (200, "canceled")
    assert server.message("build.canceled", id=build["id"])
    built.shows(sha, "canceled")
    assert built.report(build["id"], "success").refusal == (409, "build_finished")
    assert built.report(build["id"], "canceled").status == 200
    assert built.statuses(sha)[-1] == "canceled"


def test_a_finished_build_is_run_again(built: Built, server: CiServer) -> None:
    sha = built.push()
    first = built.build("running")
    assert built.do(first["id"], "rerun").refusal == (409, "build_not_finished")
    built.report(first["id"], "failed")
    built.shows(sha, "failed")
    again = built.do(first["id"], "rerun")
    assert (again.status, again.body["build"]["rerun_of"], again.body["build"]["sha"]) == (201, first["id"], sha)
    assert server.message(id=again.body["build"]["id"])
    built.report(again.body["build"]["id"], "success")
    built.shows(sha, "success")
    assert [row["number"] for row in built.builds()] == sorted((row["number"] for row in built.builds()), reverse=True)


def test_a_branch_is_built_on_request(hub: Hub, built: Built, server: CiServer) -> None:
    sha = built.push(message="By hand [skip ci]")
    wanted = {"trigger_id": built.id, "ref": "main"}
    made = [hub.call("POST", "/v1/builds", wanted, Idempotency_Key=f"by-hand-{built.id}") for _ in range(2)]
    assert [answer.status for answer in made] == [201, 201]
    assert made[0].body == made[1].body
    build = made[0].body["build"]
    assert (build["event"], build["sha"], build["delivery_id"]) == ("manual", sha, None)
    server.message(id=build["id"])
    assert hub.call("POST", "/v1/builds", {"trigger_id": built.id, "ref": "nowhere"}).refusal == (422, "ref_not_found")


def test_code_of_a_fork_waits_for_somebody_to_let_it_start(built: Built, server: CiServer) -> None:
    gitlab = built.gitlab
    built.push()
    built.delivery()
    stranger = gitlab.change("add_user", username=f"fork-{built.project}")["id"]
    fork = gitlab.change("fork_project", project_id=built.project, user_id=stranger)["id"]
    opened = gitlab.open_merge_request(
        built.project, "theirs", source_project_id=fork, user_id=stranger, files=["x.py"]
    )
    build = built.build(sha=opened["sha"])
    assert (build["status"], build["needs_approval"], build["source_project_id"]) == ("pending", True, fork)
    assert built.report(build["id"], "running").refusal == (409, "awaiting_approval")
    assert server.messages(sha=opened["sha"]) == []
    approved = built.do(build["id"], "approve")
    assert (approved.status, approved.body["build"]["needs_approval"]) == (200, False)
    assert server.message(sha=opened["sha"])["gitlab"]["source_project_id"] == fork
    assert built.do(build["id"], "approve").refusal == (409, "not_awaiting_approval")


def test_the_next_build_of_a_branch_cancels_the_one_before(company: CodingCompany, server: CiServer) -> None:
    target = {"type": "https", "url": server.url}
    built = Built(company, target, concurrency={"cancel_previous": True})
    first, elsewhere = built.push(), built.push("other")
    built.build("running", sha=first)
    built.build("running", sha=elsewhere)
    second = built.push()
    built.build("running", sha=second)
    built.shows(first, "canceled")
    assert {row["sha"]: row["status"] for row in built.builds()} == {
        first: "canceled", elsewhere: "running", second: "running",
    }  # fmt: skip
    assert server.message("build.canceled", sha=first)


def test_a_target_that_refuses_fails_the_build(built: Built, server: CiServer) -> None:
    server.status = 403
    sha = built.push()
    build = built.build("failed", sha=sha)
    assert build["error"]["code"]
    assert build["error"]["hint"]
    built.shows(sha, "failed")


def test_gitlabs_conflicts_are_got_over(built: Built, server: CiServer) -> None:
    """Two statuses at a time lock GitLab's pipeline, and one of them gets 409."""
    built.gitlab.behave(status_conflicts=2)
    sha = built.push()
    build = built.build("running")
    built.report(build["id"], "success")
    built.shows(sha, "success")
    assert built.statuses(sha)[-1] == "success"


def test_a_gitlab_that_is_down_for_a_while_is_told_later(hub: Hub, built: Built, server: CiServer) -> None:
    sha = built.push()
    build = built.build("running")
    built.shows(sha, "running")
    fault = built.gitlab.fault("status", status=503, times=0, path="/statuses/")
    built.report(build["id"], "success")
    assert until(lambda: built.build()["report"]["error"]) == "gitlab_unavailable"
    assert built.statuses(sha)[-1] == "running"
    assert built.build()["status"] == "success"
    built.gitlab.control("DELETE", f"faults/{fault}")
    hurry(hub.stack, build["id"])
    built.shows(sha, "success")


def test_a_target_that_is_away_is_tried_again(hub: Hub, built: Built, server: CiServer) -> None:
    server.status = 503
    with soon_again(hub.stack, "BuildsQueue"):
        sha = built.push()
        server.message(sha=sha)
        build = built.build("pending")
        server.status = 202
        assert built.build("running")["id"] == build["id"]
    keys = {headers["webhook-id"] for _, headers, body in server.calls if sha.encode() in body}
    assert len(keys) == 1


def test_an_integration_with_builds_is_removed_only_by_force(company: CodingCompany, built: Built) -> None:
    built.push()
    build = built.build("running")
    assert company.hub.call("DELETE", company.path).refusal == (409, "integration_has_active_builds")
    built.report(build["id"], "success")
