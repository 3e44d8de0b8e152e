"""PUT members, and the overrides of what LDAP made."""

from typing import Any

import pytest

from stand_in_gitlab.clock import DAY, day

FORBIDDEN = {"message": "403 Forbidden"}


@pytest.fixture
def ana(house: Any) -> int:
    """A Developer of the group at the top."""
    number = int(house.person("ana", token="ana"))
    house.put("group", house.top, number, 30)
    return number


def test_a_level_and_a_day(house: Any, ana: int) -> None:
    soon = day(house.app.clock.now() + 9 * DAY)
    got = house.change(f"/groups/{house.top}", ana, access_level=40, expires_at=soon)
    assert (got.status, got.json["access_level"], got.json["expires_at"]) == (200, 40, soon)
    # What is not spoken of stays, an empty value takes it away.
    assert house.change(f"/groups/{house.top}", ana, access_level=30).json["expires_at"] == soon
    assert house.change(f"/groups/{house.top}", ana, access_level=30, expires_at="").json["expires_at"] is None


def test_whoever_does_not_speak_of_the_custom_role_takes_it_away(house: Any, ana: int) -> None:
    path = f"/groups/{house.top}"
    assert house.change(path, ana, access_level=30, member_role_id=101).json["member_role"]["id"] == 101
    assert house.change(path, ana, access_level=30, expires_at="2099-01-01").json["member_role"] is None


def test_a_row_past_its_day_takes_no_other_level_without_a_new_day(house: Any, ana: int) -> None:
    house.put("group", house.top, ana, 30, expires_at=day(house.app.clock.now() - DAY))
    got = house.change(f"/groups/{house.top}", ana, access_level=40)
    assert (got.status, got.json) == (400, {"message": {"expires_at": ["cannot be a date in the past"]}})
    # What changes nothing is not checked.
    assert house.change(f"/groups/{house.top}", ana, access_level=30).status == 200
    assert house.change(f"/groups/{house.top}", ana, access_level=40, expires_at="2099-01-01").status == 200


def test_who_is_no_direct_member_is_not_found(house: Any, ana: int) -> None:
    for path in (f"/groups/{house.sub}", f"/projects/{house.shop}"):
        got = house.change(path, ana, access_level=40)
        assert (got.status, got.json) == (404, {"message": "404 Not found"})


def test_not_below_the_inherited_level(house: Any, ana: int) -> None:
    house.put("project", house.deep, ana, 40)
    got = house.change(f"/projects/{house.deep}", ana, access_level=20)
    words = "should be greater than or equal to Developer inherited membership from group House"
    assert (got.status, got.json) == (400, {"message": {"access_level": [words]}})


@pytest.mark.parametrize("by", ["owner", "admin"])
def test_the_last_owner_stays_one_whoever_asks(house: Any, by: str) -> None:
    got = house.change(f"/groups/{house.top}", house.owner, by, access_level=40)
    assert (got.status, got.json) == (403, FORBIDDEN)
    # Another Owner frees the first, a blocked one too; the Owners of groups above count for those below.
    other = house.person("ben", state="blocked")
    house.put("group", house.top, other, 50)
    assert house.change(f"/groups/{house.top}", house.owner, "admin", access_level=40).status == 200
    house.put("group", house.sub, house.owner, 50)
    assert house.change(f"/groups/{house.sub}", house.owner, "admin", access_level=40).status == 200


def test_a_bot_that_owns_does_not_free_the_last_owner_a_service_account_does(house: Any) -> None:
    bot = house.person("group_99_bot_0123456789abcdef", bot=True)
    house.put("group", house.top, bot, 50)
    assert house.change(f"/groups/{house.top}", house.owner, "admin", access_level=40).status == 403
    service = house.person("service_account_group_99_ab", bot=True)
    house.put("group", house.top, service, 50)
    assert house.change(f"/groups/{house.top}", house.owner, "admin", access_level=40).status == 200


def test_bots_of_access_tokens_keep_their_level(house: Any) -> None:
    bot = house.person("project_99_bot_0123456789abcdef", bot=True)
    house.put("project", house.shop, bot, 30)
    assert house.change(f"/projects/{house.shop}", bot, access_level=40).status == 403


def test_maintainers_neither_make_nor_unmake_owners_of_a_project(house: Any) -> None:
    mia, ben = house.person("mia", token="mia"), house.person("ben")
    house.put("project", house.shop, mia, 40)
    house.put("project", house.shop, ben, 30)
    path = f"/projects/{house.shop}"
    assert house.change(path, ben, "mia", access_level=50).status == 403
    assert house.change(path, ben, "mia", access_level=40).status == 200
    house.put("project", house.shop, ben, 50)
    assert house.change(path, ben, "mia", access_level=40).status == 403
    assert house.change(path, ben, "owner", access_level=40).status == 200


def test_nobody_changes_the_holder_of_a_personal_project(house: Any) -> None:
    ben = house.person("ben", token="ben")
    home = house.do("add_project", path="dotfiles", creator_id=ben)["id"]
    house.put("project", home, ben, 50)
    assert house.change(f"/projects/{home}", ben, "admin", access_level=40).status == 403
    assert house.remove(f"/projects/{home}", ben, "ben").status == 403


def test_developers_change_nobody(house: Any, ana: int) -> None:
    assert house.change(f"/groups/{house.top}", ana, "ana", access_level=40).json == FORBIDDEN


def test_a_promotion_that_takes_a_seat_waits(house: Any) -> None:
    gus = house.person("gus")
    house.put("group", house.top, gus, 10)
    house.control("POST", "behaviour", {"seat_approval": True})
    got = house.change(f"/groups/{house.top}", gus, access_level=30)
    assert (got.status, got.json) == (202, {"message": {"gus": "Request queued for administrator approval."}})
    assert house.level("group", house.top, gus) == 10
    house.do("approve_members")
    assert house.level("group", house.top, gus) == 30


def test_what_ldap_fills_is_changed_by_an_override_only(house: Any, ana: int) -> None:
    ben, path = house.person("ben"), f"/groups/{house.top}"
    house.do("update_group", id=house.top, ldap_synced=True)
    house.put("group", house.top, ana, 30, ldap=True)
    assert house.add(path, user_id=ben, access_level=30).json == FORBIDDEN
    assert house.remove(path, ana).json == FORBIDDEN
    assert house.change(path, ana, access_level=40).json == FORBIDDEN
    overridden = house.ask(f"{path}/members/{ana}/override", "owner", "POST")
    assert (overridden.status, overridden.json["override"], overridden.json["access_level"]) == (201, True, 30)
    assert house.change(path, ana, access_level=40).json["access_level"] == 40
    back = house.ask(f"{path}/members/{ana}/override", "owner", "DELETE")
    assert (back.status, back.json["override"]) == (200, False)
    assert house.change(path, ana, access_level=30).status == 403
    # Who is there by hand has nothing to override.
    assert house.ask(f"{path}/members/{house.owner}/override", "owner", "POST").json == FORBIDDEN


def test_a_saml_link_binds_only_where_the_instance_says_so(house: Any, ana: int) -> None:
    path = f"/groups/{house.top}"
    house.do("update_group", id=house.top, saml_synced=True)
    assert house.change(path, ana, access_level=40).status == 200
    house.control("POST", "behaviour", {"lock_memberships_to_saml": True})
    assert house.change(path, ana, access_level=30).json == FORBIDDEN
    assert house.remove(path, ana).json == FORBIDDEN
    assert house.change(path, ana, "admin", access_level=30).status == 200
    assert house.add(f"/projects/{house.shop}", "admin", user_id=ana, access_level=40).status == 405
