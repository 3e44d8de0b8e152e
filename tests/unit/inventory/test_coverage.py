from dataclasses import replace
from typing import Any, cast

import pytest

from gitlab_hub.gitlab.errors import Forbidden
from gitlab_hub.inventory.coverage import covers_group, covers_project
from gitlab_hub.sync.ports import SyncTarget
from tests.fakes.scripted_client import ScriptedClient

ADMIN = SyncTarget(integration_id="i1", credential_id="c1", base_url="", user_id=5, is_admin=True, group=None)
MEMBER = replace(ADMIN, is_admin=False)
GROUP = replace(MEMBER, group="top/Sub", group_id=9)

NO_MEMBERSHIP = {"id": 7, "permissions": {"project_access": None, "group_access": None}}
AS_MEMBER, GROUP_OF_9 = "/projects/7/members/all/5", "/groups/9"
REFUSED = Forbidden("no", http_status=403)


@pytest.mark.parametrize(
    ("target", "project", "answers", "covered"),
    [
        pytest.param(ADMIN, NO_MEMBERSHIP, {}, True, id="an administrator reaches all"),
        pytest.param(MEMBER, {"id": 7}, {}, True, id="GitLab does not say"),
        pytest.param(
            MEMBER,
            {"id": 7, "permissions": {"project_access": {"access_level": 20}, "group_access": None}},
            {},
            True,
            id="a member",
        ),
        pytest.param(MEMBER, NO_MEMBERSHIP, {}, False, id="no member"),
        pytest.param(MEMBER, NO_MEMBERSHIP, {AS_MEMBER: {"id": 5, "access_level": 30}}, True, id="by invitation"),
        pytest.param(MEMBER, NO_MEMBERSHIP, {AS_MEMBER: REFUSED}, None, id="members may not be asked for"),
        pytest.param(GROUP, {"path_with_namespace": "top/sub/x"}, {}, True, id="in the group"),
        pytest.param(
            GROUP, {"path_with_namespace": "top/sub2/x"}, {GROUP_OF_9: {"full_path": "top/sub"}}, False, id="beside it"
        ),
        pytest.param(
            GROUP, {"path_with_namespace": "top/new/x"}, {GROUP_OF_9: {"full_path": "top/new"}}, True, id="renamed"
        ),
        pytest.param(GROUP, {"path_with_namespace": "top/new/x"}, {GROUP_OF_9: REFUSED}, None, id="refused"),
        pytest.param(GROUP, {}, {}, None, id="no path"),
    ],
)
async def test_a_project_is_covered_as_far_as_gitlab_tells(
    target: SyncTarget, project: dict[str, Any], answers: dict[str, Any], *, covered: bool | None
) -> None:
    gitlab = cast("Any", ScriptedClient(answers))
    assert await covers_project(gitlab, target, project) is covered


@pytest.mark.parametrize(("answers", "covered"), [({}, False), ({"/groups/3/members/all/5": {"id": 5}}, True)])
async def test_a_group_is_covered_as_long_as_the_user_is_a_member(
    answers: dict[str, Any], *, covered: bool | None
) -> None:
    gitlab = cast("Any", ScriptedClient(answers))
    assert await covers_group(gitlab, MEMBER, 3, {"full_path": "a"}) is covered
    assert await covers_group(gitlab, ADMIN, 3, {"full_path": "a"}) is True
