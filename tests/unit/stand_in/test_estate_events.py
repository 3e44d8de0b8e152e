"""Accounts, groups, projects, members, and other things that are only told."""

from typing import Any

import pytest


def names(bodies: list[dict[str, Any]]) -> list[str]:
    return sorted(each["event_name"] for each in bodies)


def test_a_system_hook_hears_of_everybody_and_everything(hooked: Any) -> None:
    hooked.hook("/hooks")
    user = hooked.do("add_user", username="new.one")["id"]
    hooked.do("update_user", id=user, username="new.two")
    group = hooked.do("add_group", path="fresh")["id"]
    project = hooked.do("add_project", path="thing", group_id=group)["id"]
    hooked.do("update_project", id=project, path="thing-2", full_path="fresh/thing-2")
    for source, source_id in (("group", group), ("project", project)):
        hooked.do("add_member", source=source, source_id=source_id, user_id=user, level=30)
        hooked.do("add_member", source=source, source_id=source_id, user_id=user, level=40)
        hooked.do("remove_member", source=source, source_id=source_id, user_id=user)
    hooked.do("remove_group", id=group)
    hooked.do("remove_user", id=user)
    told = hooked.heard("System Hook")
    assert names(told) == sorted(
        [
            *("user_create", "user_rename", "user_destroy", "group_create", "group_destroy"),
            *("project_create", "project_update", "project_rename", "project_destroy"),
            *("user_add_to_group", "user_update_for_group", "user_remove_from_group"),
            *("user_add_to_team", "user_update_for_team", "user_remove_from_team"),
        ]
    )
    by_name = {each["event_name"]: each for each in told}
    assert by_name["user_rename"]["old_username"] == "new.one"
    assert by_name["project_rename"]["old_path_with_namespace"] == "fresh/thing"
    assert by_name["user_update_for_group"]["group_access"] == "Maintainer"


def test_a_group_s_hook_hears_of_members_subgroups_and_projects_below(hooked: Any) -> None:
    top = hooked.do("add_group", path="top")["id"]
    hooked.hook(f"/groups/{top}/hooks", member_events=True, subgroup_events=True, project_events=True)
    below = hooked.do("add_group", path="below", parent_id=top)["id"]
    hooked.do("add_project", path="deep", group_id=below)
    hooked.do("add_member", source="group", source_id=below, user_id=2, level=20)
    hooked.do("remove_group", id=below)
    assert hooked.receiver.kinds() == [
        *("Member Hook", "Project Hook", "Project Hook", "Subgroup Hook", "Subgroup Hook"),
    ]
    assert names(hooked.heard()) == [
        *("project_create", "project_destroy", "subgroup_create", "subgroup_destroy", "user_add_to_group"),
    ]


def test_a_group_s_hook_does_not_hear_of_what_it_did_not_ask_for(hooked: Any) -> None:
    hooked.hook("/groups/1/hooks")
    hooked.do("add_member", source="group", source_id=1, user_id=2, level=20)
    hooked.do("add_group", path="below", parent_id=1)
    assert hooked.heard() == []


@pytest.mark.parametrize(
    ("flag", "verb", "what", "kind"),
    [
        ("deployment_events", "deploy", {"environment": "staging", "status": "running"}, "Deployment Hook"),
        ("releases_events", "release", {"tag": "v1"}, "Release Hook"),
        ("note_events", "note", {"text": "Nice"}, "Note Hook"),
        ("note_events", "note", {"text": "/build", "iid": 1}, "Note Hook"),
    ],
)
def test_things_that_are_only_told(hooked: Any, flag: str, verb: str, what: dict[str, Any], kind: str) -> None:
    hooked.hook(**{flag: True})
    hooked.do("push_tag", project_id=1, tag="v1")
    hooked.do("open_merge_request", project_id=1, source_branch="f", files=["a"])
    assert hooked.receiver.got == []
    assert hooked.do(verb, project_id=1, **what)["hooks"] == 1
    assert hooked.receiver.kinds() == [kind]
    (body,) = hooked.heard()
    assert body["project"]["id"] == 1
    assert body["object_kind"] == kind.split(maxsplit=1)[0].lower()
