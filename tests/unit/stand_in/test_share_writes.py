"""Groups that are invited into groups and projects over the API."""

from typing import Any

import pytest

from stand_in_gitlab.rest.granular import needed


@pytest.fixture
def guests(house: Any) -> int:
    """A group outside of the house: Ana is a Maintainer of it, the house's Owner a Guest."""
    number = int(house.do("add_group", path="guests")["id"])
    house.put("group", number, house.person("ana", token="ana"), 40)
    house.put("group", number, house.owner, 10)
    return number


def share(house: Any, path: str, by: str = "owner", **body: Any) -> Any:
    return house.ask(f"{path}/share", by, "POST", body)


def ana(house: Any) -> int:
    return next(int(user.id) for user in house.app.company.users.values() if user.username == "ana")


def test_a_group_invited_into_a_group_brings_its_members(house: Any, guests: int) -> None:
    got = share(house, f"/groups/{house.top}", group_id=guests, group_access=30, expires_at="2099-01-01")
    assert got.status == 201
    [row] = got.json["shared_with_groups"]
    assert (row["group_id"], row["group_access_level"], row["expires_at"]) == (guests, 30, "2099-01-01")
    assert house.access("project", house.deep, ana(house)) == 30
    assert house.ask(f"/groups/{house.top}/share/{guests}", "owner", "DELETE").status == 204
    assert house.access("project", house.deep, ana(house)) == 0
    again = house.ask(f"/groups/{house.top}/share/{guests}", "owner", "DELETE")
    assert (again.status, again.json) == (404, {"message": "404 Group Link Not Found"})


def test_a_group_invited_into_a_project(house: Any, guests: int) -> None:
    got = share(house, f"/projects/{house.shop}", group_id=guests, group_access=20)
    assert got.status == 201
    wanted = {"project_id": house.shop, "group_id": guests, "group_access": 20, "expires_at": None}
    assert {name: value for name, value in got.json.items() if name != "id"} == wanted
    assert isinstance(got.json["id"], int)
    assert house.access("project", house.shop, ana(house)) == 20
    assert house.ask(f"/projects/{house.shop}/share/{guests}", "owner", "DELETE").status == 204
    assert house.access("project", house.shop, ana(house)) == 0


def test_no_second_time(house: Any, guests: int) -> None:
    for path, words in (
        (f"/groups/{house.top}", "Shared group The group has already been shared with this group"),
        (f"/projects/{house.shop}", "Project already shared with this group"),
    ):
        assert share(house, path, group_id=guests, group_access=30).status == 201
        got = share(house, path, group_id=guests, group_access=20)
        assert (got.status, got.json) == (409, {"message": words})


def test_a_project_takes_no_group_that_it_is_in(house: Any) -> None:
    words = "Project cannot be shared with the group it is in or one of its ancestors."
    for number in (house.sub, house.top):
        got = share(house, f"/projects/{house.deep}", group_id=number, group_access=30)
        assert (got.status, got.json) == (409, {"message": words})


@pytest.mark.parametrize(("body", "words"), [
    ({}, "group_id is missing, group_access is missing"),
    ({"group_id": 1, "group_access": 5}, "group_access does not have a valid value"),
    ({"group_id": 1, "group_access": 30, "expires_at": "soon"}, "expires_at is invalid"),
])  # fmt: skip
def test_what_makes_no_sense(house: Any, body: dict[str, Any], words: str) -> None:
    for path in (f"/groups/{house.top}", f"/projects/{house.shop}"):
        got = share(house, path, **body)
        assert (got.status, got.json) == (400, {"error": words})


def test_the_lock_of_shares_refuses_projects_and_not_groups(house: Any, guests: int) -> None:
    house.do("update_group", id=house.top, share_with_group_lock=True)
    got = share(house, f"/projects/{house.shop}", "admin", group_id=guests, group_access=30)
    assert (got.status, got.json) == (400, {"message": "The project sharing with group is disabled"})
    assert share(house, f"/groups/{house.top}", group_id=guests, group_access=30).status == 201


def test_outside_of_the_hierarchy_where_that_is_not_allowed(house: Any, guests: int) -> None:
    house.do("update_group", id=house.top, sharing_only_within=True)
    assert house.ask(f"/groups/{house.top}").json["prevent_sharing_groups_outside_hierarchy"] is True
    for path in (f"/groups/{house.top}", f"/projects/{house.shop}"):
        got = share(house, path, group_id=guests, group_access=30)
        assert (got.status, got.json) == (404, {"message": "Not Found"})
    assert share(house, f"/projects/{house.shop}", group_id=house.sub, group_access=30).status == 201


def test_who_may_not_share_a_group_is_told_of_nothing_and_that_it_is_done(house: Any, guests: int) -> None:
    house.put("group", house.top, ana(house), 40)
    got = share(house, f"/groups/{house.top}", "ana", group_id=guests, group_access=10)
    assert (got.status, got.json) == (404, {"message": "Not Found"})
    share(house, f"/groups/{house.top}", group_id=guests, group_access=30)
    assert house.ask(f"/groups/{house.top}/share/{guests}", "ana", "DELETE").status == 204
    rows = house.control("GET", f"ground-truth/shares?source=group&source_id={house.top}")["rows"]
    assert [row["group_id"] for row in rows] == [guests]


def test_owners_of_a_project_come_and_go_by_owners_only(house: Any, guests: int) -> None:
    path, forbidden = f"/projects/{house.shop}", {"message": "403 Forbidden"}
    assert share(house, path, "ana", group_id=guests, group_access=10).json == {"message": "404 Project Not Found"}
    house.put("project", house.shop, ana(house), 40)
    assert share(house, path, "ana", group_id=guests, group_access=50).json == forbidden
    assert share(house, path, group_id=guests, group_access=50).status == 201
    got = house.ask(f"{path}/share/{guests}", "ana", "DELETE")
    assert (got.status, got.json) == (403, {"message": "Forbidden"})
    dan = house.person("dan", token="dan")
    house.put("project", house.shop, dan, 30)
    assert house.ask(f"{path}/share/{guests}", "dan", "DELETE").json == forbidden


def test_a_project_takes_groups_that_the_caller_is_in(house: Any) -> None:
    strangers = house.do("add_group", path="strangers", visibility="public")["id"]
    got = share(house, f"/projects/{house.shop}", group_id=strangers, group_access=30)
    assert (got.status, got.json) == (404, {"message": "Not Found"})
    assert share(house, f"/groups/{house.top}", group_id=strangers, group_access=30).status == 201


def test_the_permission_is_that_of_sharing() -> None:
    assert needed("POST", "groups/*/share") == ("Group: Share", "group")
    assert needed("DELETE", "projects/*/share/*") == ("Project: Share", "project")
