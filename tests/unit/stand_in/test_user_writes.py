"""Accounts: created, changed, deleted later, and removed from a whole tree."""

from typing import Any

import pytest


def create(house: Any, by: str = "admin", **body: Any) -> Any:
    wanted = {"email": "new@acme.example", "name": "New One", "username": "new.one", "force_random_password": True}
    return house.ask("/users", by, "POST", {**wanted, **body})


def later(house: Any, seconds: float = 1.0) -> None:
    house.control("POST", "advance", {"seconds": seconds, "idle": True})


def there(house: Any, user_id: int) -> bool:
    return user_id in {row["id"] for row in house.control("GET", "ground-truth/users")["rows"]}


def test_an_administrator_creates_an_account(house: Any, hooked: Any) -> None:
    hooked.hook("/hooks")
    got = create(house, external=True, reset_password=True, extern_uid="uid-7", provider="saml")
    assert got.status == 201
    assert (got.json["username"], got.json["email"], got.json["external"]) == ("new.one", "new@acme.example", True)
    assert got.json["identities"] == [{"provider": "saml", "extern_uid": "uid-7", "saml_provider_id": None}]
    assert (got.json["state"], got.json["bot"], got.json["is_admin"]) == ("active", False, False)
    hooked.quiet()
    assert [each["event_name"] for each in hooked.heard()] == ["user_create"]
    assert house.add(f"/groups/{house.top}", user_id=got.json["id"], access_level=30).status == 201


@pytest.mark.parametrize(("body", "status", "answer"), [
    ({"email": "ROOT@acme.example"}, 409, {"message": "Email has already been taken"}),
    ({"username": "Root"}, 409, {"message": "Username has already been taken"}),
    ({"email": "nobody"}, 400, {"message": {"email": ["is invalid"]}}),
    ({"email": "", "name": ""}, 400, {"error": "email is missing, name is missing"}),
])  # fmt: skip
def test_what_cannot_be_created(house: Any, body: dict[str, Any], status: int, answer: Any) -> None:
    got = create(house, **body)
    assert (got.status, got.json) == (status, answer)


def test_an_account_needs_a_way_in_and_an_administrator(house: Any) -> None:
    got = create(house, force_random_password=False)
    assert got.status == 400
    assert got.json["error"].startswith("password, reset_password, force_random_password are missing")
    assert create(house, "owner").json == {"message": "403 Forbidden"}


def test_an_account_is_renamed_and_its_address_waits_for_a_confirmation(house: Any, hooked: Any) -> None:
    hooked.hook("/hooks")
    user = create(house).json["id"]
    taken = house.ask(f"/users/{user}", "admin", "PUT", {"username": "olga"})
    assert (taken.status, taken.json) == (409, {"message": "Username has already been taken"})
    house.ask(f"/users/{user}", "admin", "PUT", {"username": "new.two", "email": "two@acme.example", "admin": True})
    row = house.ask(f"/users/{user}", "admin").json
    assert (row["username"], row["email"], row["is_admin"]) == ("new.two", "new@acme.example", True)
    body = {"email": "two@acme.example", "skip_reconfirmation": True, "external": True}
    assert house.ask(f"/users/{user}", "admin", "PUT", body).json["email"] == "two@acme.example"
    assert house.ask(f"/users/{user}", "owner", "PUT", {"name": "X"}).status == 403
    assert house.ask("/users/999999", "admin", "PUT", {"name": "X"}).json == {"message": "404 User Not Found"}
    hooked.quiet()
    assert sorted(each["event_name"] for each in hooked.heard()) == ["user_create", "user_rename"]


def test_a_deletion_is_done_later_with_everything_that_is_theirs(house: Any) -> None:
    ana = house.person("ana", token="ana")
    house.put("group", house.top, ana, 30)
    home = house.do("add_project", path="dotfiles", creator_id=ana)["id"]
    assert house.ask(f"/users/{ana}", "admin", "DELETE").status == 204
    assert (there(house, ana), house.access("project", house.shop, ana)) == (True, 30)
    later(house)
    assert (there(house, ana), house.access("project", house.shop, ana)) == (False, 0)
    assert house.ask("/user", "ana").status == 401
    assert house.ask(f"/projects/{home}", "admin").status == 404
    assert house.ask(f"/users/{ana}", "admin", "DELETE").json == {"message": "404 User Not Found"}


def test_the_sole_owner_of_a_group_stays_or_takes_it_along(house: Any) -> None:
    got = house.ask(f"/users/{house.owner}", "admin", "DELETE")
    words = "User cannot be removed while is the sole-owner of a group"
    assert (got.status, got.json) == (409, {"message": words})
    assert house.ask(f"/users/{house.owner}?hard_delete=true", "admin", "DELETE").status == 204
    later(house)
    assert not there(house, house.owner)
    assert house.ask(f"/groups/{house.top}", "admin").status == 404
    assert house.ask(f"/projects/{house.deep}", "admin").status == 404


def test_nobody_else_deletes_accounts(house: Any) -> None:
    assert house.ask(f"/users/{house.owner}", "owner", "DELETE").json == {"message": "403 Forbidden"}


def test_a_seat_is_taken_away_in_the_whole_tree_later(house: Any) -> None:
    ana = house.person("ana")
    places = ("group", house.top), ("group", house.sub), ("project", house.deep)
    for place in places:
        house.put(*place, ana, 30)
    assert house.ask(f"/groups/{house.top}/billable_members/{ana}", "owner", "DELETE").status == 204
    assert [house.level(*place, ana) for place in places] == [30] * 3
    later(house)
    assert [house.level(*place, ana) for place in places] == [None] * 3
    assert there(house, ana)


@pytest.mark.parametrize(("group", "by", "user", "words"), [
    ("sub", "owner", "ana", "Invalid group provided, must be top-level"),
    ("top", "mia", "ana", "User unauthorized to remove member"),
    ("top", "owner", "mia", "No member found for the given user_id"),
])  # fmt: skip
def test_a_seat_that_is_not_taken_away(house: Any, group: str, by: str, user: str, words: str) -> None:
    people = {name: house.person(name, token=name) for name in ("ana", "mia")}
    house.put("group", house.top, people["ana"], 30)
    if by == "mia":
        house.put("group", house.top, people["mia"], 40)
    got = house.ask(f"/groups/{getattr(house, group)}/billable_members/{people[user]}", by, "DELETE")
    assert (got.status, got.json) == (400, {"message": f"400 Bad request - {words}"})


def test_the_delay_of_deletions_can_be_set(house: Any) -> None:
    house.control("POST", "behaviour", {"deletion_delay": 0.0})
    ana = house.person("ana")
    house.ask(f"/users/{ana}", "admin", "DELETE")
    assert not there(house, ana)


def test_every_schema_of_accounts_is_kept(house: Any) -> None:
    from tests.unit.stand_in.test_schemas import assert_fits  # noqa: PLC0415 - it loads every schema

    row = create(house).json
    assert_fits("user/admin.json", row)
