"""DELETE members, and the nightly job that ends what is over."""

from typing import Any

import pytest

from stand_in_gitlab.clock import DAY, day

FORBIDDEN = {"message": "403 Forbidden"}


@pytest.fixture
def ana(house: Any) -> int:
    """A Developer at the top, with memberships of her own everywhere below."""
    number = int(house.person("ana", token="ana"))
    for source, source_id, level in (
        ("group", house.top, 30), ("group", house.sub, 40), ("project", house.shop, 40), ("project", house.deep, 50),
    ):  # fmt: skip
        house.put(source, source_id, number, level)
    return number


def everywhere(house: Any, user_id: int) -> list[int | None]:
    places = ("group", house.top), ("group", house.sub), ("project", house.shop), ("project", house.deep)
    return [house.level(*place, user_id) for place in places]


def test_memberships_below_go_along(house: Any, ana: int) -> None:
    assert house.remove(f"/groups/{house.top}", ana).status == 204
    assert everywhere(house, ana) == [None] * 4
    assert house.access("project", house.deep, ana) == 0


@pytest.mark.parametrize(("query", "left"), [
    ("?skip_subresources=true", [None, 40, 40, 50]),
    ("?skip_subresources=false&unassign_issuables=true", [None] * 4),
])  # fmt: skip
def test_unless_they_are_to_stay(house: Any, ana: int, query: str, left: list[int | None]) -> None:
    assert house.remove(f"/groups/{house.top}", ana, query=query).status == 204
    assert everywhere(house, ana) == left


def test_of_a_subgroup_what_is_above_stays(house: Any, ana: int) -> None:
    assert house.remove(f"/groups/{house.sub}", ana).status == 204
    assert everywhere(house, ana) == [30, None, 40, None]


def test_of_a_project_that_alone(house: Any, ana: int) -> None:
    assert house.remove(f"/projects/{house.shop}", ana).status == 204
    assert everywhere(house, ana) == [30, 40, None, 50]
    again = house.remove(f"/projects/{house.shop}", ana)
    assert (again.status, again.json) == (404, {"message": "404 Not found"})


def test_invitations_that_the_member_sent_go_along(house: Any, ana: int) -> None:
    for number, user_id in ((1, ana), (2, house.owner)):
        house.do("invite", source="project", source_id=house.deep, email=f"x{number}@new.example", level=30,
                 created_by_id=user_id)  # fmt: skip
    house.remove(f"/groups/{house.top}", ana)
    rows = house.control("GET", f"ground-truth/invitations?source=project&source_id={house.deep}")["rows"]
    assert [row["invite_email"] for row in rows] == ["x2@new.example"]


@pytest.mark.parametrize("by", ["owner", "admin"])
def test_the_last_owner_stays_whoever_asks(house: Any, by: str) -> None:
    got = house.remove(f"/groups/{house.top}", house.owner, by)
    assert (got.status, got.json) == (403, FORBIDDEN)
    house.put("group", house.top, house.person("ben", state="blocked"), 50)
    assert house.remove(f"/groups/{house.top}", house.owner, by).status == 204


def test_of_two_owners_one_goes_and_the_other_stays(house: Any) -> None:
    ben = house.person("ben")
    house.put("group", house.top, ben, 50)
    statuses = [house.remove(f"/groups/{house.top}", each, "admin").status for each in (ben, house.owner)]
    assert statuses == [204, 403]


def test_a_removal_that_is_refused_further_down_is_done_above(house: Any, ana: int) -> None:
    """A group whose only other Owner is a bot: its row is protected when the turn comes to it."""
    lonely = house.do("add_group", path="lonely")["id"]
    below = house.do("add_group", path="below", parent_id=lonely)["id"]
    house.put("group", lonely, ana, 30)
    house.put("group", below, ana, 50)
    got = house.remove(f"/groups/{lonely}", ana, "admin")
    assert (got.status, got.json) == (403, FORBIDDEN)
    assert (house.level("group", lonely, ana), house.level("group", below, ana)) == (None, 50)


@pytest.mark.parametrize("by", ["owner", "admin"])
def test_bots_of_access_tokens_are_not_removed_service_accounts_are(house: Any, by: str) -> None:
    bot = house.person("project_99_bot_0123456789abcdef", bot=True)
    service = house.person("service_account_group_99_ab", bot=True)
    for user_id in (bot, service):
        house.put("project", house.shop, user_id, 30)
    assert house.remove(f"/projects/{house.shop}", bot, by).json == FORBIDDEN
    assert house.remove(f"/projects/{house.shop}", service, by).status == 204


def test_people_may_leave_and_remove_nobody_else(house: Any, ana: int) -> None:
    ben = house.person("ben", token="ben")
    house.put("group", house.top, ben, 10)
    assert house.remove(f"/groups/{house.top}", ana, "ben").json == FORBIDDEN
    assert house.remove(f"/groups/{house.top}", ben, "ben").status == 204


def test_maintainers_remove_no_owner_of_a_project(house: Any, ana: int) -> None:
    mia = house.person("mia", token="mia")
    house.put("project", house.deep, mia, 40)
    assert house.remove(f"/projects/{house.deep}", ana, "mia").json == FORBIDDEN
    assert house.remove(f"/projects/{house.deep}", ana, "owner").status == 204


def test_sixty_a_minute_of_one_group_and_caller(house: Any) -> None:
    house.control("POST", "behaviour", {"member_deletions_per_minute": 2})
    people = [house.person(f"p{number}") for number in range(3)]
    for user_id in people:
        house.put("group", house.top, user_id, 10)
    statuses = [house.remove(f"/groups/{house.top}", user_id).status for user_id in people]
    assert statuses == [204, 204, 429]
    refused = house.remove(f"/groups/{house.top}", people[2])
    words = "This endpoint has been requested too many times. Try again later."
    assert refused.json == {"message": {"error": words}}
    assert not {name.lower() for name in refused.headers} & {"retry-after", "ratelimit-limit"}
    # Who is no member does not count, nor does another caller.
    assert house.remove(f"/groups/{house.top}", 999_999).status == 404
    assert house.remove(f"/groups/{house.top}", people[2], "admin").status == 204


def test_the_nightly_job_keeps_what_is_below_and_the_only_owner(house: Any, ana: int) -> None:
    over = day(house.app.clock.now() - DAY)
    house.put("group", house.top, ana, 30, expires_at=over)
    house.put("group", house.top, house.owner, 50, expires_at=over)
    house.do("remove_expired")
    assert everywhere(house, ana) == [None, 40, 40, 50]
    assert house.level("group", house.top, house.owner) == 50


def test_of_two_owners_whose_day_has_come_the_job_leaves_one(house: Any) -> None:
    ben = house.person("ben")
    house.put("group", house.top, ben, 50, expires_at=day(house.app.clock.now()))
    house.put("group", house.top, house.owner, 50, expires_at=day(house.app.clock.now() - DAY))
    house.do("remove_expired")
    assert [house.level("group", house.top, each) for each in (ben, house.owner)] == [None, 50]


def test_the_job_deletes_the_account_of_an_access_token(house: Any) -> None:
    bot = house.person("project_99_bot_0123456789abcdef", token="bot", bot=True)
    house.put("project", house.shop, bot, 30, expires_at=day(house.app.clock.now()))
    house.do("remove_expired")
    assert house.ask(f"/users/{bot}", "admin").status == 404
    assert house.ask("/user", "bot").status == 401
