"""In which pipeline GitLab shows a build; GitLab's own rules decide, as the stand-in has them."""

from typing import Any

import pytest

from gitlab_hub.builds.triggers.model import MergeRequestRules
from tests.functional.builds.build_company import PROJECT, Workshop


def shown(shop: Workshop, sha: str) -> dict[int, str]:
    """The statuses of a commit, by their pipeline."""
    rows = shop.answer("GET", f"/projects/{PROJECT}/repository/commits/{sha}/statuses")
    return {row["pipeline_id"]: row["status"] for row in rows}


def pipelines(shop: Workshop) -> list[tuple[str, str]]:
    rows = shop.answer("GET", f"/projects/{PROJECT}/pipelines?sort=asc")
    return [(row["source"], row["ref"]) for row in rows]


def end(shop: Workshop, build_id: str, status: str = "success") -> None:
    assert shop.call("PATCH", f"/v1/builds/{build_id}", {"status": status})[0] == 200
    shop.work()


def opened(shop: Workshop, **more: Any) -> tuple[Any, list[str]]:
    done, built, _ = shop.happens("open_merge_request", source_branch="feature", files=["a"], **more)
    return done, built


@pytest.mark.parametrize("events", [("merge_request",), ("push",), ("push", "merge_request")])
def test_a_status_is_in_the_pipeline_of_its_merge_request(events: tuple[str, ...]) -> None:
    shop = Workshop(events=events)
    done, [build_id] = opened(shop)
    pipeline = shop.company.do("start_merge_request_pipeline", iid=done["iid"])
    shop.work()
    assert shown(shop, done["sha"]) == {pipeline["id"]: "running"}
    end(shop, build_id)
    assert shown(shop, done["sha"]) == {pipeline["id"]: "success"}
    assert pipelines(shop) == [("merge_request_event", f"refs/merge-requests/{done['iid']}/head")]
    assert shop.call("GET", f"/v1/builds/{build_id}")[1]["build"]["gitlab_pipeline_id"] == pipeline["id"]


@pytest.mark.parametrize("events", [("merge_request",), ("push", "merge_request")])
def test_a_pipeline_that_comes_after_the_first_report_has_the_end_and_nothing_runs_for_ever(
    events: tuple[str, ...],
) -> None:
    shop = Workshop(events=events)
    done, [build_id] = opened(shop)
    shop.work()
    [first] = shown(shop, done["sha"])
    pipeline = shop.company.do("start_merge_request_pipeline", iid=done["iid"])
    end(shop, build_id)
    assert shown(shop, done["sha"]) == {first: "success", pipeline["id"]: "success"}


def test_a_status_is_in_the_pipeline_for_the_result_of_the_merge() -> None:
    shop = Workshop(events=("merge_request",))
    done, [build_id] = opened(shop)
    pipeline = shop.company.do("start_merge_request_pipeline", iid=done["iid"], merged=True)
    shop.work()
    end(shop, build_id)
    assert shown(shop, pipeline["sha"]) == {pipeline["id"]: "success"}
    assert shown(shop, done["sha"]) == {}


def test_an_older_commit_of_a_merge_request_stays_in_its_own_pipeline() -> None:
    shop = Workshop(events=("merge_request",))
    done, [old] = opened(shop)
    first = shop.company.do("start_merge_request_pipeline", iid=done["iid"])
    newer, [new], _ = shop.happens("update_merge_request", iid=done["iid"], files=["b"])
    second = shop.company.do("start_merge_request_pipeline", iid=done["iid"])
    shop.work()
    for build_id in (old, new):
        end(shop, build_id)
    assert shown(shop, done["sha"]) == {first["id"]: "success"}
    assert shown(shop, newer["sha"]) == {second["id"]: "success"}


def test_a_pipeline_of_the_merge_before_is_not_taken_for_the_newest_commits() -> None:
    shop = Workshop(events=("merge_request",))
    done, _ = opened(shop)
    stale = shop.company.do("start_merge_request_pipeline", iid=done["iid"], merged=True)
    newer, [new], _ = shop.happens("update_merge_request", iid=done["iid"], files=["b"])
    shop.work()
    end(shop, new)
    assert shown(shop, stale["sha"]).get(stale["id"]) != "success"
    assert list(shown(shop, newer["sha"]).values()) == ["success"]


def test_without_a_merge_request_pipeline_a_status_is_in_its_branchs() -> None:
    shop = Workshop()
    done, [build_id] = opened(shop)
    shop.work()
    end(shop, build_id)
    assert pipelines(shop) == [("external", "feature")]
    assert list(shown(shop, done["sha"]).values()) == ["success"]


def test_a_push_to_a_branch_is_not_shown_in_the_merge_request_of_another_branch() -> None:
    shop = Workshop(events=("push",))
    done, _ = opened(shop)
    shop.company.do("start_merge_request_pipeline", iid=done["iid"])
    _, [forward], _ = shop.happens("push", branch="main", force_to=done["sha"])
    shop.work()
    end(shop, forward)
    assert ("external", "main") in pipelines(shop)


def test_a_forks_status_opens_no_pipeline_of_the_projects_branch_of_that_name() -> None:
    shop = Workshop(events=("merge_request",), merge_requests=MergeRequestRules(forks="allow"))
    shop.happens("push", files=["x"])
    fork = shop.company.do("fork_project", user_id=2)
    done, [build_id], _ = shop.happens(
        "open_merge_request", source_branch="main", source_project_id=fork["id"], files=["a"]
    )
    shop.work()
    end(shop, build_id)
    assert pipelines(shop) == [("external", f"refs/merge-requests/{done['iid']}/head")]


@pytest.mark.parametrize("read_only_at", ["start", "end"])
def test_an_end_that_falls_into_a_maintenance_is_shown_after_it(read_only_at: str) -> None:
    shop = Workshop(events=("merge_request",))
    done, [build_id] = opened(shop)
    pipeline = shop.company.do("start_merge_request_pipeline", iid=done["iid"])
    shop.company.behave(read_only=read_only_at == "start")
    shop.work()
    shop.company.behave(read_only=True)
    end(shop, build_id)
    for _ in range(10):
        shop.later(60)
    assert "success" not in shown(shop, done["sha"]).values()
    shop.company.behave(read_only=False)
    for _ in range(16):
        shop.later(60)
    assert shown(shop, done["sha"]) == {pipeline["id"]: "success"}
