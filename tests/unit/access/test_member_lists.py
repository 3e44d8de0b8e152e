"""When lists without a single member are a contradiction, and when they are believed."""

from typing import Any

import pytest

from gitlab_hub.access.members import contradicts_no_members
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.sync.ports import SyncTarget

GROUP, PROJECT = ResourceType.GROUP, ResourceType.PROJECT


def target(**changes: Any) -> SyncTarget:
    base: dict[str, Any] = {"integration_id": "i1", "credential_id": "c1", "user_id": 1, "is_admin": False}
    return SyncTarget(base_url="https://gitlab.example", **base | changes)


ADMIN, MEMBER, LIMITED = target(is_admin=True), target(), target(group="acme", group_id=1)


@pytest.mark.parametrize(("who", "listed", "roots", "contradicted"), [
    (ADMIN, (False, False), (True, False), True),
    (MEMBER, (False, False), (False, False), True),
    (LIMITED, (False, False), (False, False), False),
    (LIMITED, (False, False), (True, False), True),
    (LIMITED, (False, True), (True, False), True),
    (MEMBER, (False, True), (False, False), False),
    (ADMIN, (True, False), (False, False), False),
    (ADMIN, (True, False), (False, True), True),
    (ADMIN, (True, True), (False, False), False),
])  # fmt: skip
def test_somebody_must_be_a_member_of_a_group_at_the_top(
    who: SyncTarget, listed: tuple[bool, bool], roots: tuple[bool, bool], *, contradicted: bool
) -> None:
    why = contradicts_no_members(dict(zip((GROUP, PROJECT), listed, strict=True)),
                                 dict(zip((GROUP, PROJECT), roots, strict=True)), who)  # fmt: skip
    assert (why is not None) is contradicted
