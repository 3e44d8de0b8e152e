"""Groups that the integration does not cover, and that give access to what it covers."""

from typing import Any

import pytest

from gitlab_hub.gitlab.errors import Forbidden, ResourceNotFound
from tests.fakes.session import FakeSession
from tests.functional.access.company import JANE, MEMBER, TOP_GROUP, Company, group, member, project

OPS, OPS_EU, GUESTS = 30, 31, 40
UMA, VIC, WIM = 21, 22, 23
HEAD, TEAMS, STORE = 1, 2, 8


def share(number: int, path: str, level: int = 20) -> dict[str, Any]:
    return {"group_id": number, "group_full_path": path, "group_access_level": level, "expires_at": None}


@pytest.fixture
def company() -> Company:
    """Ops' European team is invited into a project, and the guests into a group; ops itself lies above the team."""
    company = Company()
    script = company.script
    script["/groups/1"] = group(HEAD, "acme", shared_with_groups=[share(TEAMS, "acme/teams"), share(GUESTS, "guests")])
    # So many that one or two who leave do not make the listing look doubtful.
    script["/projects/8/members"] += [member(number, f"m{number}") for number in range(50, 65)]
    script["/projects"][0] = project(STORE, "acme/store", shared_with_groups=[share(OPS_EU, "ops/eu", 30)])
    script |= {
        "/groups/31": group(OPS_EU, "ops/eu", parent_id=OPS, shared_with_groups=[]),
        "/groups/30": group(OPS, "ops", shared_with_groups=[]),
        "/groups/40": group(GUESTS, "guests", shared_with_groups=[share(OPS, "ops")]),
        "/groups/31/members": [member(UMA, "uma")],
        "/groups/30/members": [member(VIC, "vic", 50)],
        "/groups/40/members": [member(WIM, "wim", 10)],
    }
    return company


def outside(company: Company) -> dict[int, list[int]]:
    """Group → its members, as stored."""
    found: dict[int, list[int]] = {row["id"]: [] for row in company.rows("outside_groups").values()}
    for row in company.rows("outside_grants").values():
        found[row["resource_id"]].append(row["account_id"])
    return found


def hidden(session: FakeSession) -> list[tuple[str, str, str]]:
    """What is said of groups that GitLab does not show."""
    return [note for note in session.asides if "hidden_groups" in note[2]]


async def test_who_comes_from_outside_is_read_with_what_is_above_a_group_invited_into_a_project(
    company: Company,
) -> None:
    session = await company.sync(MEMBER)
    assert outside(company) == {OPS: [VIC], OPS_EU: [UMA], GUESTS: [WIM]}
    assert {UMA, VIC, WIM} <= set(company.ids("accounts"))
    assert {OPS, OPS_EU, GUESTS}.isdisjoint(company.ids("groups"))
    assert {row[2] for row in company.grants()}.isdisjoint({UMA, VIC, WIM})
    assert (hidden(session), session.failures) == ([], 0)


async def test_a_second_run_writes_nothing(company: Company) -> None:
    await company.sync(MEMBER)
    before = company.table.dump()
    await company.sync(MEMBER)
    assert company.table.dump() == before


@pytest.mark.parametrize("refusal", [ResourceNotFound("404 Group Not Found"), Forbidden("403 Forbidden")])
@pytest.mark.parametrize("path", ["/groups/31", "/groups/31/members"])
async def test_what_is_hidden_is_named_and_is_no_failure(company: Company, path: str, refusal: Exception) -> None:
    await company.sync(MEMBER)
    company.script[path] = refusal
    company.script["/projects/9/members"] = []
    session = await company.sync(MEMBER)
    ((_, status, reason),) = hidden(session)
    assert (status, "ops/eu" in reason, session.failures) == ("partial", True, 0)
    assert outside(company) == {GUESTS: [WIM]}
    # Ole's only membership went, and it could be seen that he has none left.
    assert 6 not in company.ids("accounts")


async def test_a_group_that_is_no_longer_invited_is_forgotten_with_its_members(company: Company) -> None:
    await company.sync(MEMBER)
    company.script["/projects"][0] = project(STORE, "acme/store")
    await company.sync(MEMBER)
    assert outside(company) == {GUESTS: [WIM]}
    assert {UMA, VIC}.isdisjoint(company.ids("accounts"))


async def test_a_group_that_is_covered_by_now_is_not_outside(company: Company) -> None:
    await company.sync(MEMBER)
    company.script["/groups"] = [*company.script["/groups"], group(GUESTS, "guests")]
    await company.sync(MEMBER)
    assert GUESTS in company.ids("groups")
    assert outside(company).keys() == {OPS, OPS_EU}


async def test_a_member_who_left_goes_at_once_and_the_others_stay(company: Company) -> None:
    company.script["/groups/31/members"] = [member(UMA, "uma"), member(JANE, "jane")]
    await company.sync(MEMBER)
    company.script["/groups/31/members"] = [member(JANE, "jane", 20)]
    await company.sync(MEMBER)
    assert outside(company)[OPS_EU] == [JANE]


async def test_a_run_of_one_group_reads_what_is_invited_from_elsewhere(company: Company) -> None:
    company.script["/groups/Acme/projects"][0] = company.script["/projects"][0]
    await company.sync(TOP_GROUP)
    assert outside(company) == {OPS: [VIC], OPS_EU: [UMA], GUESTS: [WIM]}


async def test_a_ring_of_invitations_ends(company: Company) -> None:
    company.script["/groups/30"] = group(OPS, "ops", parent_id=OPS_EU, shared_with_groups=[share(OPS_EU, "ops/eu")])
    await company.sync(MEMBER)
    assert outside(company).keys() == {OPS, OPS_EU, GUESTS}
