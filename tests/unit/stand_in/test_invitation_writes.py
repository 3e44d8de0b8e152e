"""Invitations: who is asked, who is a member at once, and what is said of those who are not."""

from typing import Any

import pytest

from stand_in_gitlab.clock import DAY, day

NEW, OTHER = "new@partner.example", "other@partner.example"


def invite(house: Any, path: str, by: str = "owner", **body: Any) -> Any:
    return house.ask(f"{path}/invitations", by, "POST", body)


def waiting(house: Any, source: str, source_id: int) -> dict[str, tuple[int, str | None]]:
    rows = house.control("GET", f"ground-truth/invitations?source={source}&source_id={source_id}")["rows"]
    return {row["invite_email"]: (row["access_level"], row["expires_at"]) for row in rows}


@pytest.mark.parametrize("source", ["group", "project"])
def test_an_invitation_comes_changes_and_goes(house: Any, source: str) -> None:
    number = house.top if source == "group" else house.shop
    path = f"/{source}s/{number}"
    assert invite(house, path, email=NEW, access_level=30, expires_at="2099-01-01").json == {"status": "success"}
    [row] = house.ask(f"{path}/invitations", "owner").json
    assert (row["invite_email"], row["access_level"], row["created_by_name"]) == (NEW, 30, "Olga")
    changed = house.ask(f"{path}/invitations/{NEW}", "owner", "PUT", {"access_level": 40})
    assert (changed.status, changed.json["access_level"], changed.json["expires_at"]) == (200, 40, "2099-01-01")
    assert house.ask(f"{path}/invitations/{NEW}", "owner", "DELETE").status == 204
    assert waiting(house, source, number) == {}
    for method in ("PUT", "DELETE"):
        gone = house.ask(f"{path}/invitations/{NEW}", "owner", method, {"access_level": 40})
        assert (gone.status, gone.json) == (404, {"message": "404 Not Found"})


def test_what_a_change_does_not_speak_of_stays(house: Any) -> None:
    path = f"/groups/{house.top}"
    invite(house, path, email=NEW, access_level=20)
    house.ask(f"{path}/invitations/{NEW}", "owner", "PUT", {"expires_at": "2099-01-01"})
    assert waiting(house, "group", house.top) == {NEW: (20, "2099-01-01")}
    nothing = house.ask(f"{path}/invitations/{NEW}", "owner", "PUT", {})
    assert (nothing.status, nothing.json) == (400, {"message": "400 Bad request"})


def test_whoever_is_invited_already_is_invited_anew(house: Any) -> None:
    path = f"/groups/{house.top}"
    invite(house, path, email=NEW, access_level=20)
    assert invite(house, path, email=NEW, access_level=40).json == {"status": "success"}
    assert waiting(house, "group", house.top) == {NEW: (40, None)}


def test_whoever_has_an_account_is_a_member_at_once(house: Any) -> None:
    ana, ben = house.person("ana"), house.person("ben")
    email = house.app.company.users[ana].email
    assert invite(house, f"/groups/{house.top}", email=email.upper(), user_id=str(ben), access_level=30).status == 201
    assert [house.level("group", house.top, each) for each in (ana, ben)] == [30, 30]
    assert waiting(house, "group", house.top) == {}


def test_errors_are_an_object_and_201(house: Any) -> None:
    ana = house.person("ana")
    house.put("group", house.top, ana, 40)
    got = invite(
        house, f"/projects/{house.shop}", email=[NEW], user_id=[ana], access_level=30,
        expires_at=day(house.app.clock.now() - DAY),
    )  # fmt: skip
    past = "Expires at cannot be a date in the past"
    lower = "Access level should be greater than or equal to Maintainer inherited membership from group House"
    assert (got.status, got.json) == (
        201,
        {"status": "error", "message": {NEW: past, "ana": f"{lower} and {past}"}},
    )
    assert waiting(house, "project", house.shop) == {}


@pytest.mark.parametrize(("body", "answer"), [
    ({"email": NEW}, {"error": "access_level is missing"}),
    ({"email": NEW, "access_level": 31}, {"error": "access_level does not have a valid value"}),
    ({"email": "nobody", "access_level": 30}, {"error": "email contains an invalid email address"}),
    ({"access_level": 30}, {"message": "400 Bad request - Must provide either email or user_id as a parameter"}),
])  # fmt: skip
def test_what_makes_no_sense(house: Any, body: dict[str, Any], answer: Any) -> None:
    got = invite(house, f"/groups/{house.top}", **body)
    assert (got.status, got.json) == (400, answer)


def test_a_day_in_the_past_is_no_change(house: Any) -> None:
    path = f"/groups/{house.top}"
    invite(house, path, email=NEW, access_level=30)
    got = house.ask(f"{path}/invitations/{NEW}", "owner", "PUT", {"expires_at": "2020-01-01"})
    assert (got.status, got.json) == (400, {"message": {"expires_at": ["cannot be a date in the past"]}})


def test_who_may_invite(house: Any) -> None:
    mia = house.person("mia", token="mia")
    house.put("group", house.top, mia, 40)
    forbidden = {"message": "403 Forbidden"}
    assert invite(house, f"/groups/{house.top}", "mia", email=NEW, access_level=30).json == forbidden
    assert invite(house, f"/projects/{house.shop}", "mia", email=NEW, access_level=50).json == forbidden
    assert invite(house, f"/projects/{house.shop}", "mia", email=NEW, access_level=40).status == 201
    for method in ("PUT", "DELETE"):
        assert house.ask(f"/groups/{house.top}/invitations/{NEW}", "mia", method, {}).json == forbidden


def test_locks_and_seats(house: Any) -> None:
    ana = house.person("ana")
    house.control("POST", "behaviour", {"seat_approval": True})
    got = invite(house, f"/groups/{house.top}", email=NEW, user_id=ana, access_level=30)
    words = "Request queued for administrator approval."
    assert (got.status, got.json) == (201, {"queued_users": {"ana": words}, "status": "success"})
    assert (house.level("group", house.top, ana), list(waiting(house, "group", house.top))) == (None, [NEW])
    house.do("update_group", id=house.top, membership_lock=True)
    locked = invite(house, f"/projects/{house.shop}", email=OTHER, access_level=30)
    assert (locked.status, locked.json["status"]) == (201, "error")
    assert waiting(house, "project", house.shop) == {}


def test_the_nightly_job_ends_invitations_whose_day_has_come(house: Any) -> None:
    today = day(house.app.clock.now())
    invite(house, f"/groups/{house.top}", email=NEW, access_level=30, expires_at=today)
    invite(house, f"/groups/{house.top}", email=OTHER, access_level=30)
    house.do("remove_expired")
    assert list(waiting(house, "group", house.top)) == [OTHER]
