import asyncio

import pytest

from gitlab_hub.gitlab.limits import Unlimited, endpoint_class
from gitlab_hub.gitlab.rates import RateFacts


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/users", "users"),
        ("/users/7", "users"),
        ("/user", "other"),
        ("/groups", "groups_list"),
        ("/groups/7", "group"),
        ("/groups/a%2Fb", "group"),
        ("/groups/7/projects", "group_projects"),
        ("/groups/7/descendant_groups", "other"),
        ("/groups/7/members", "members"),
        ("/groups/7/members/all", "members"),
        ("/groups/7/billable_members", "members"),
        ("/projects", "projects_list"),
        ("/projects/7", "project"),
        ("/projects/7/members", "members"),
        ("/projects/7/pipelines", "pipelines"),
        ("/projects/7/pipelines/8", "pipelines"),
        ("/projects/7/pipelines/8/jobs", "jobs"),
        ("/projects/7/pipelines/8/bridges", "jobs"),
        ("/projects/7/jobs", "jobs"),
        ("/projects/7/jobs/9", "jobs"),
        ("/projects/7/hooks", "other"),
        ("/version", "other"),
    ],
)
def test_calls_are_classed_by_path(path: str, expected: str) -> None:
    assert endpoint_class("GET", path) == expected


def test_writes_are_a_class_of_their_own() -> None:
    assert endpoint_class("POST", "/projects") == "other"


async def test_no_limit_lets_everything_pass() -> None:
    limiter = Unlimited()
    limiter.observe("users", RateFacts())
    assert await asyncio.gather(*(limiter.acquire("users") for _ in range(100))) == [None] * 100
