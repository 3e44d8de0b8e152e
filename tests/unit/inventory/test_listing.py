"""Where groups and projects are listed."""

from typing import Any

import pytest

from gitlab_hub.inventory.listing import only_group, projects_list
from gitlab_hub.sync.ports import SyncTarget


def target(**changes: Any) -> SyncTarget:
    base: dict[str, Any] = {"integration_id": "i1", "credential_id": "c1", "user_id": 1, "is_admin": False}
    return SyncTarget(base_url="https://gitlab.example", **base | changes)


@pytest.mark.parametrize(
    ("who", "path", "params"),
    [
        (target(is_admin=True), "/projects", {}),
        (target(), "/projects", {"membership": "true"}),
        (target(group="top/Sub"), "/groups/top%2FSub/projects", {"include_subgroups": "true", "with_shared": "false"}),
    ],
)
def test_projects_are_listed_as_far_as_the_integration_reaches(who: SyncTarget, path: str, params: Any) -> None:
    assert projects_list(who) == (path, {"order_by": "id", "sort": "asc", **params})


def test_a_group_that_is_known_by_its_id_is_named_by_it() -> None:
    assert [only_group(target(group="top", **more)) for more in ({}, {"group_id": 5})] == ["/groups/top", "/groups/5"]
    assert only_group(target()) is None
