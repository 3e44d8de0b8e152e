"""When an empty list is a contradiction, and when it is believed."""

from typing import Any

import pytest

from gitlab_hub.inventory.contradictions import contradicts_no_groups, contradicts_no_projects, in_listed_groups
from gitlab_hub.sync.ports import SyncTarget


def target(**changes: Any) -> SyncTarget:
    base: dict[str, Any] = {"integration_id": "i1", "credential_id": "c1", "user_id": 1, "is_admin": False}
    return SyncTarget(base_url="https://gitlab.example", **base | changes)


ADMIN, MEMBER, LIMITED = target(is_admin=True), target(), target(group="acme", group_id=1)


def project(kind: str = "group", namespace: int = 2, level: int | None = None) -> dict[str, Any]:
    access = None if level is None else {"access_level": level}
    return {
        "id": 8,
        "path_with_namespace": "acme/store",
        "namespace": {"id": namespace, "kind": kind},
        "permissions": {"project_access": {"access_level": 30}, "group_access": access},
    }


@pytest.mark.parametrize(("who", "row", "doubted"), [
    (ADMIN, project(), True),
    (ADMIN, project("user"), False),
    (MEMBER, project(), False),
    (MEMBER, project(level=5), False),
    (MEMBER, project(level=10), True),
    (MEMBER, {"id": 8}, False),
    (LIMITED, project(namespace=1), False),
    (LIMITED, project(namespace=2), True),
])  # fmt: skip
def test_a_project_tells_whether_its_group_seems_to_belong_into_the_list(
    who: SyncTarget, row: dict[str, Any], *, doubted: bool
) -> None:
    assert in_listed_groups([], who) == {}
    assert in_listed_groups([{"id": 7}, row, row], who) == ({2: row} if doubted else {})
    assert "acme/store" in contradicts_no_groups(project())


@pytest.mark.parametrize(("pages", "contradicted"), [
    ([], False),
    ([{"id": 1}, {"id": 2, "projects": []}], False),
    ([{"id": 1, "projects": None}], False),
    ([{"id": 1, "projects": []}, {"id": 2, "projects": [project()]}], True),
])  # fmt: skip
def test_the_page_of_a_group_tells_whether_there_are_projects(
    pages: list[dict[str, Any]], *, contradicted: bool
) -> None:
    assert (contradicts_no_projects(pages) is not None) is contradicted
