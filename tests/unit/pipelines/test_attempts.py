from typing import Any

import pytest

from gitlab_hub.pipelines.attempts import pipeline_failure_class, with_attempts


def attempt(number: int, name: str = "test", status: str = "success", **fields: Any) -> dict[str, Any]:
    return {"id": number, "name": name, "status": status, **fields}


def test_the_highest_id_of_a_name_is_the_latest_attempt() -> None:
    jobs = with_attempts([attempt(3), attempt(1, status="failed"), attempt(2, "lint"), attempt(9, status="running")])
    assert [(job["id"], job["attempt_no"], job["attempt_count"], job["retried"]) for job in jobs] == [
        (9, 3, 3, False),
        (3, 2, 3, True),
        (2, 1, 1, False),
        (1, 1, 3, True),
    ]


def test_a_job_that_came_on_two_pages_is_one_attempt() -> None:
    assert [job["attempt_count"] for job in with_attempts([attempt(1), attempt(1)])] == [1]


def test_the_first_end_of_a_job_is_kept_beside_its_retries() -> None:
    jobs = with_attempts(
        [
            attempt(1, status="running"),
            attempt(2, status="failed", finished_at="1970-01-01T00:01:00Z"),
            attempt(3, finished_at="1970-01-01T00:02:00Z"),
        ]
    )
    assert {(job["first_terminal_status"], job["first_terminal_at"]) for job in jobs} == {("failed", 60)}


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("script_failure", "script"),
        ("runner_system_failure", "infra"),
        ("job_execution_timeout", "timeout"),
        ("stuck_pending_no_matching_runners", "config"),
        ("ci_quota_exceeded", "quota"),
        ("user_blocked", "policy"),
        ("secrets_manager_access_denied", "policy"),
        ("unknown_failure", "unknown"),
        ("invented_by_gitlab_20", "unknown"),
        (None, "unknown"),
        (["script_failure"], "unknown"),
    ],
)
def test_every_failure_has_a_class_and_a_reason_of_a_later_gitlab_is_unknown(reason: Any, expected: str) -> None:
    assert with_attempts([attempt(1, status="failed", failure_reason=reason)])[0]["failure_class"] == expected


def test_what_did_not_fail_has_no_class() -> None:
    assert with_attempts([attempt(1, failure_reason="script_failure")])[0]["failure_class"] is None


def test_a_pipeline_fails_for_what_broke_it_first() -> None:
    jobs = with_attempts(
        [
            attempt(1, "a", "failed", finished_at="2026-01-01T00:00:02Z", failure_reason="script_failure"),
            attempt(2, "b", "failed", finished_at="2026-01-01T00:00:01Z", failure_reason="api_failure"),
            attempt(
                3, "c", "failed", finished_at="2026-01-01T00:00:00Z", failure_reason="user_blocked", allow_failure=True
            ),
            attempt(4, "d", "failed", finished_at="2026-01-01T00:00:00Z", failure_reason="user_blocked"),
            attempt(5, "d"),
        ]
    )
    assert pipeline_failure_class({"status": "failed"}, jobs) == "infra"
    assert pipeline_failure_class({"status": "failed", "yaml_errors": "no jobs"}, []) == "config"
    assert pipeline_failure_class({"status": "failed"}, []) is None
    assert pipeline_failure_class({"status": "success"}, jobs) is None
