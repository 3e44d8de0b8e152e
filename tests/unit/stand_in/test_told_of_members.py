"""What hooks and the ground truth hear of members that the API changes."""

from typing import Any

import pytest

from stand_in_gitlab.rest.granular import needed
from tests.unit.stand_in.test_schemas import assert_fits


@pytest.fixture
def listening(house: Any, hooked: Any) -> Any:
    hooked.hook("/hooks")
    hooked.hook(f"/groups/{house.top}/hooks", member_events=True)
    return hooked


def test_hooks_hear_of_members_of_groups_as_of_changes_behind_the_api(house: Any, listening: Any) -> None:
    ana, path = house.person("ana"), f"/groups/{house.sub}"
    listening.quiet()
    listening.heard()
    house.add(path, user_id=ana, access_level=20)
    house.change(path, ana, access_level=20)
    house.change(path, ana, access_level=40)
    house.remove(path, ana)
    listening.quiet()
    kinds = listening.receiver.kinds()
    bodies = listening.heard()
    assert kinds == ["Member Hook"] * 3 + ["System Hook"] * 3
    told = [(each["event_name"], each["group_access"]) for each in bodies if each["user_id"] == ana]
    once = [
        ("user_add_to_group", "Reporter"),
        ("user_remove_from_group", "Maintainer"),
        ("user_update_for_group", "Maintainer"),
    ]
    assert sorted(told) == sorted(once * 2)


def test_a_removal_tells_of_every_membership_that_went(house: Any, listening: Any) -> None:
    ana = house.person("ana")
    for source, source_id in (("group", house.top), ("group", house.sub), ("project", house.deep)):
        house.put(source, source_id, ana, 30)
    listening.quiet()
    listening.heard()
    house.remove(f"/groups/{house.top}", ana)
    listening.quiet()
    told = sorted(each["event_name"] for each in listening.heard("System"))
    assert told == ["user_remove_from_group", "user_remove_from_group", "user_remove_from_team"]


def test_what_was_refused_tells_nobody(house: Any, listening: Any) -> None:
    listening.quiet()
    listening.heard()
    house.remove(f"/groups/{house.top}", house.owner, "admin")
    listening.quiet()
    assert listening.heard() == []


def test_answers_have_the_shape_of_a_member(house: Any) -> None:
    ana = house.person("ana")
    added = house.add(f"/groups/{house.top}", user_id=ana, access_level=20).json
    changed = house.change(f"/groups/{house.top}", ana, access_level=30, expires_at="2099-01-01").json
    assert_fits("members.json", [added, changed])
    assert changed == house.ask(f"/groups/{house.top}/members/{ana}", "owner").json


def test_effective_access_follows_every_write(house: Any) -> None:
    ana, seen = house.person("ana", token="ana"), []

    def look() -> None:
        visible = {row["id"] for row in house.ask.everything("/projects", "ana")}
        level = house.access("project", house.deep, ana)
        assert (house.deep in visible) == bool(level)
        seen.append(level)

    house.add(f"/groups/{house.top}", user_id=ana, access_level=20)
    look()
    house.change(f"/groups/{house.top}", ana, access_level=30)
    look()
    house.add(f"/projects/{house.deep}", user_id=ana, access_level=40)
    look()
    house.remove(f"/groups/{house.top}", ana, query="?skip_subresources=true")
    look()
    house.remove(f"/projects/{house.deep}", ana)
    look()
    assert seen == [20, 30, 40, 40, 0]


@pytest.mark.parametrize(("method", "pattern", "permission"), [
    ("POST", "groups/*/members", "Member: Create"),
    ("PUT", "projects/*/members/*", "Member: Update"),
    ("DELETE", "groups/*/members/*", "Member: Delete"),
    ("DELETE", "groups/*/billable_members/*", "Member: Delete"),
    ("POST", "groups/*/members/*/override", "Member: Update"),
    ("DELETE", "groups/*/members/*/override", "Member: Update"),
    ("PUT", "projects/*/invitations/*", "Invitation: Update"),
])  # fmt: skip
def test_the_permission_of_a_fine_grained_token(method: str, pattern: str, permission: str) -> None:
    assert needed(method, pattern) == (permission, pattern.split("/", maxsplit=1)[0].removesuffix("s"))
