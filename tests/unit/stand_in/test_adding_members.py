"""POST members: what GitLab takes, what it refuses, and what it answers 2xx without doing it."""

from typing import Any

import pytest

from stand_in_gitlab.clock import DAY, day

FORBIDDEN = {"message": "403 Forbidden"}


def in_days(house: Any, days: int) -> str:
    return day(house.app.clock.now() + days * DAY)


def test_an_owner_adds_a_member_who_has_access_at_once(house: Any) -> None:
    ana = house.person("ana")
    got = house.add(f"/groups/{house.top}", user_id=ana, access_level=30, expires_at=in_days(house, 9))
    assert got.status == 201
    assert (got.json["id"], got.json["access_level"], got.json["expires_at"]) == (ana, 30, in_days(house, 9))
    assert got.json["created_by"]["id"] == house.owner
    assert got.json["created_at"].startswith("2026-09-21T")
    rows = house.control("GET", f"ground-truth/members?source=group&source_id={house.top}")["rows"]
    [row] = [row for row in rows if row["user_id"] == ana]
    assert (row["created_by"], row["created_at"]) == (house.owner, got.json["created_at"])
    assert house.access("project", house.deep, ana) == 30


@pytest.mark.parametrize("level", [10, 30, 40, 50])
def test_any_direct_membership_is_in_the_way_whatever_its_level(house: Any, level: int) -> None:
    ana = house.person("ana")
    house.put("group", house.top, ana, 30)
    got = house.add(f"/groups/{house.top}", user_id=ana, access_level=level)
    assert (got.status, got.json) == (409, {"message": "Member already exists"})
    assert house.level("group", house.top, ana) == 30


def test_it_is_in_the_way_before_anybody_asks_about_rights(house: Any) -> None:
    ana = house.person("ana", token="ana")
    house.put("group", house.top, ana, 20)
    assert house.add(f"/groups/{house.top}", "ana", user_id=ana, access_level=50).status == 409


def test_minimal_access_is_raised_instead(house: Any) -> None:
    ana = house.person("ana")
    house.put("group", house.top, ana, 5)
    assert house.add(f"/groups/{house.top}", user_id=ana, access_level=40).status == 201
    assert house.level("group", house.top, ana) == 40


def test_several_additions_change_who_is_a_member_already(house: Any) -> None:
    ana, ben = house.person("ana"), house.person("ben")
    house.put("group", house.top, ana, 40)
    got = house.add(f"/groups/{house.top}", user_id=f"{ana},{ben},999999", access_level=20)
    assert (got.status, got.json) == (201, {"status": "success"})
    assert [house.level("group", house.top, each) for each in (ana, ben)] == [20, 20]


def test_several_additions_say_what_is_wrong_in_one_sentence_and_201(house: Any) -> None:
    ana, ben = house.person("ana"), house.person("ben")
    house.put("group", house.top, ana, 40)
    got = house.add(f"/groups/{house.sub}", user_id=f"{ana},{ben}", access_level=20, expires_at=in_days(house, -1))
    words = (
        "ana: Access level should be greater than or equal to Maintainer inherited membership from group House and "
        "Expires at cannot be a date in the past and ben: Expires at cannot be a date in the past"
    )
    assert (got.status, got.json) == (201, {"status": "error", "message": words})
    assert house.level("group", house.sub, ben) is None


def test_several_additions_by_somebody_who_may_not_are_201_too(house: Any) -> None:
    ana, ben = house.person("ana", token="ana"), house.person("ben")
    house.put("group", house.top, ana, 40)
    got = house.add(f"/groups/{house.top}", "ana", user_id=f"{ben},{house.owner}", access_level=20)
    assert got.status == 201
    assert (got.json["status"], got.json["http_status"]) == ("error", "unauthorized")
    assert got.json["message"].startswith("ben: not authorized to create member and olga: not authorized to update")
    assert house.level("group", house.top, ben) is None


def test_by_username(house: Any) -> None:
    ana, ben = house.person("ana"), house.person("ben")
    assert house.add(f"/projects/{house.shop}", username="Ana", access_level=30).status == 201
    assert house.add(f"/projects/{house.shop}", username="ana,ben", access_level=40).json == {"status": "success"}
    assert [house.level("project", house.shop, each) for each in (ana, ben)] == [40, 40]


@pytest.mark.parametrize(("body", "status", "answer"), [
    ({"access_level": 30}, 400, {"error": "user_id, username are missing, at least one parameter must be provided"}),
    ({"access_level": 9, "user_id": 1, "username": "a"}, 400, {"error": "user_id, username are mutually exclusive"}),
    ({"user_id": 1}, 400, {"error": "access_level is missing"}),
    ({"user_id": 1, "access_level": "much"}, 400, {"error": "access_level is invalid"}),
    ({"user_id": 1, "access_level": 30, "expires_at": "soon"}, 400, {"error": "expires_at is invalid"}),
    ({"user_id": 999_999, "access_level": 30}, 404, {"message": "404 User Not Found"}),
    ({"user_id": 1, "access_level": 31}, 400, {"message": {"access_level": ["is not included in the list"]}}),
    ({"user_id": 1, "access_level": 30, "member_role_id": 9}, 400, {"message": {"member_role": ["not found"]}}),
])  # fmt: skip
def test_what_makes_no_sense(house: Any, body: dict[str, Any], status: int, answer: Any) -> None:
    got = house.add(f"/groups/{house.top}", **body)
    assert (got.status, got.json) == (status, answer)


def test_a_level_below_the_inherited_one_is_refused_the_same_one_is_not(house: Any) -> None:
    words = "should be greater than or equal to Developer inherited membership from group House"
    for path in (f"/groups/{house.sub}", f"/projects/{house.deep}"):
        ana = house.person(path.replace("/", "x"))
        house.put("group", house.top, ana, 30)
        got = house.add(path, user_id=ana, access_level=20)
        assert (got.status, got.json) == (400, {"message": {"access_level": [words]}})
        assert house.add(path, user_id=ana, access_level=30).status == 201


def test_an_expiry_may_be_today_and_not_yesterday(house: Any) -> None:
    ana = house.person("ana")
    past = house.add(f"/groups/{house.top}", user_id=ana, access_level=30, expires_at=in_days(house, -1))
    assert (past.status, past.json) == (400, {"message": {"expires_at": ["cannot be a date in the past"]}})
    today = house.add(f"/groups/{house.top}", user_id=ana, access_level=30, expires_at=in_days(house, 0))
    assert (today.status, today.json["expires_at"]) == (201, in_days(house, 0))
    assert house.access("project", house.shop, ana) == 30
    house.do("remove_expired")
    assert house.access("project", house.shop, ana) == 0


def test_minimal_access_is_for_top_level_groups(house: Any) -> None:
    ana = house.person("ana")
    assert house.add(f"/groups/{house.top}", user_id=ana, access_level=5).status == 201
    for path in (f"/groups/{house.sub}", f"/projects/{house.shop}"):
        assert house.add(path, user_id=ana, access_level=5).status == 400


@pytest.mark.parametrize("level", [30, 40])
def test_only_owners_add_to_groups(house: Any, level: int) -> None:
    ana, ben = house.person("ana", token="ana"), house.person("ben")
    house.put("group", house.top, ana, level)
    got = house.add(f"/groups/{house.top}", "ana", user_id=ben, access_level=10)
    assert (got.status, got.json) == (403, FORBIDDEN)


def test_maintainers_add_to_projects_but_no_owners(house: Any) -> None:
    ana, ben = house.person("ana", token="ana"), house.person("ben")
    house.put("project", house.shop, ana, 40)
    for ids in (ben, f"{ben},1"):
        got = house.add(f"/projects/{house.shop}", "ana", user_id=ids, access_level=50)
        assert (got.status, got.json) == (403, FORBIDDEN)
    assert house.add(f"/projects/{house.shop}", "ana", user_id=ben, access_level=40).status == 201
    house.put("project", house.shop, ana, 30)
    assert house.add(f"/projects/{house.shop}", "ana", user_id=1, access_level=10).status == 403


def test_a_token_that_only_reads_and_a_group_that_one_does_not_see(house: Any) -> None:
    assert house.add(f"/groups/{house.top}", "admin-read", user_id=2, access_level=30).json["error"] == (
        "insufficient_scope"
    )
    house.person("ana", token="ana")
    assert house.add(f"/groups/{house.top}", "ana", user_id=2, access_level=30).json["message"] == (
        "404 Group Not Found"
    )


def test_the_lock_of_a_project_s_own_group_refuses_everybody(house: Any) -> None:
    ana, ben = house.person("ana"), house.person("ben")
    house.do("update_group", id=house.top, membership_lock=True)
    got = house.add(f"/projects/{house.shop}", "admin", user_id=ana, access_level=30)
    assert (got.status, got.json) == (405, {"message": "405 Method Not Allowed"})
    several = house.add(f"/projects/{house.shop}", "admin", user_id=f"{ana},{ben}", access_level=30)
    locked = {"message": "Members::CreateService::MembershipLockedError", "status": "error"}
    assert (several.status, several.json) == (201, locked)
    assert house.level("project", house.shop, ana) is None
    # Neither the group itself nor what lies in a group below is locked.
    assert house.add(f"/groups/{house.top}", user_id=ana, access_level=30).status == 201
    assert house.add(f"/projects/{house.deep}", user_id=ben, access_level=30).status == 201


def test_more_than_a_hundred_at_once(house: Any) -> None:
    people = ",".join(str(house.person(f"p{number}")) for number in range(101))
    got = house.add(f"/groups/{house.top}", user_id=people, access_level=10)
    assert (got.status, got.json["message"]) == (201, "Too many users specified (limit is 100)")


def test_whoever_is_to_get_a_seat_waits_for_an_administrator(house: Any) -> None:
    ana, ben = house.person("ana"), house.person("ben")
    house.control("POST", "behaviour", {"seat_approval": True})
    words = "Request queued for administrator approval."
    got = house.add(f"/groups/{house.top}", user_id=ana, access_level=30)
    assert (got.status, got.json) == (202, {"message": {"ana": words}})
    several = house.add(f"/groups/{house.top}", user_id=f"{ana},{ben}", access_level=30)
    queued = {"queued_users": {"ana": words, "ben": words}, "status": "success"}
    assert (several.status, several.json) == (201, queued)
    assert house.level("group", house.top, ana) is None
    assert sorted(house.do("approve_members")["user_ids"]) == sorted([ana, ben])
    assert house.level("group", house.top, ana) == 30
    # What takes no seat, who has one, and what an administrator does, does not wait.
    cleo, dan = house.person("cleo"), house.person("dan")
    assert house.add(f"/groups/{house.top}", user_id=cleo, access_level=10).status == 201
    assert house.add(f"/projects/{house.shop}", user_id=ana, access_level=40).status == 201
    assert house.add(f"/groups/{house.top}", "admin", user_id=dan, access_level=30).status == 201


def test_a_custom_role_needs_its_base_level(house: Any) -> None:
    ana = house.person("ana")
    wrong = house.add(f"/groups/{house.top}", user_id=ana, access_level=40, member_role_id=101)
    words = "the custom role's base access level does not match the current access level"
    assert (wrong.status, wrong.json) == (400, {"message": {"member_role_id": [words]}})
    right = house.add(f"/groups/{house.top}", user_id=ana, access_level=30, member_role_id=101)
    assert right.json["member_role"]["id"] == 101
