"""Groups that the integration does not cover, and that give access to what it covers."""

from typing import Any

import pytest

from gitlab_hub.gitlab.errors import Forbidden, GitLabError, ResourceNotFound, Unavailable, UnexpectedResponse
from tests.fakes.session import FakeSession, run_in_slices
from tests.functional.access.company import JANE, MEMBER, TOP_GROUP, Company, group, member, project

OPS, OPS_EU, GUESTS = GROUPS = 30, 31, 40
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


def hidden(session: FakeSession) -> list[tuple[str, str]]:
    """The groups that could not be read, each with its status."""
    return [(key, status) for key, status, _ in session.asides if key in {f"{number:012d}" for number in GROUPS}]


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


@pytest.mark.parametrize(
    ("error", "status", "kept"),
    [
        (ResourceNotFound("404 Group Not Found"), "gone", {GUESTS}),
        (Forbidden("403 Forbidden"), "forbidden", {OPS_EU, GUESTS}),
        (Unavailable("502 Bad Gateway"), "failed", {OPS_EU, GUESTS}),
        (UnexpectedResponse("a sign-on page"), "failed", {OPS_EU, GUESTS}),
    ],
)
@pytest.mark.parametrize("path", ["/groups/31", "/groups/31/members"])
async def test_what_cannot_be_read_is_named_and_holds_up_nothing(
    company: Company, path: str, error: GitLabError, status: str, kept: set[int]
) -> None:
    await company.sync(MEMBER)
    company.script[path] = error
    company.script["/projects/9/members"] = []
    company.script["/groups/40/members"] = [member(WIM, "wim", 20)]
    session = await company.sync(MEMBER)
    assert (hidden(session), session.failures) == ([("000000000031", status)], 0)
    assert outside(company).keys() == kept
    assert [row["access_level"] for row in company.rows("outside_grants").values() if row["account_id"] == WIM] == [20]
    # Ole's only membership went, and it could be seen that he has none left.
    assert 6 not in company.ids("accounts")


async def test_a_member_that_cannot_be_understood_removes_nobody(company: Company) -> None:
    await company.sync(MEMBER)
    company.script["/groups/31/members"] = [{"id": UMA, "access_level": "often"}, member(JANE, "jane")]
    session = await company.sync(MEMBER)
    assert hidden(session) == [("000000000031", "partial")]
    assert outside(company)[OPS_EU] == [JANE, UMA]


async def test_a_walk_that_is_interrupted_goes_on_where_it_was(company: Company) -> None:
    for number in range(300, 330):
        company.script[f"/groups/{number}"] = group(number, f"partner/{number}", shared_with_groups=[])
        company.script[f"/groups/{number}/members"] = [member(number, f"m{number}")]
    invited = [share(number, f"partner/{number}") for number in range(300, 330)]
    company.script["/groups/2"] = group(TEAMS, "acme/teams", parent_id=HEAD, shared_with_groups=invited)
    await run_in_slices(company.feature, company.session(MEMBER))
    assert outside(company).keys() == {OPS, OPS_EU, GUESTS, *range(300, 330)}
    asked = [path for path in company.gitlab.paths if path.startswith("/groups/3") and path.endswith("/members")]
    assert len(asked) <= 40, "what was read is not read again with every slice"


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
