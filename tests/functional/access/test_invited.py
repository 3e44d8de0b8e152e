"""Reading invitations beside the access sync: once a day, as far as GitLab shows them, and at nobody else's cost."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from gitlab_hub.access.readings import InvitationReading, Readings, invitation_reading
from gitlab_hub.access.rounds import AT_ONCE, PARTS
from gitlab_hub.gitlab.errors import Forbidden, GitLabError, RateLimited, ResourceNotFound, Unauthorized, Unavailable
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.sync.asides import MOST_REFUSED
from gitlab_hub.sync.ports import SyncTarget
from tests.fakes.scripted_client import NOW
from tests.fakes.session import FakeSession, run, run_in_slices
from tests.functional.access.company import ADMIN, JANE, MEMBER, Company, group, member, project, user

NO = Forbidden("403 Forbidden", http_status=403)


class Later(FakeSession):
    """A run of another day."""

    def __init__(self, company: Company, who: SyncTarget, sync_id: str, hours: float, *, full: bool = False) -> None:
        super().__init__(who, company.gitlab)
        self.sync_id, self.full = sync_id, full
        self._moment = NOW + timedelta(hours=hours)

    def now(self) -> datetime:
        return self._moment


async def next_day(company: Company) -> FakeSession:
    """A second sync, when invitations are read again."""
    session = Later(company, ADMIN, "s2", 24)
    await run(company.feature, session)
    return session


def invitation(email: str, level: int = 30, **more: Any) -> dict[str, Any]:
    row = {"invite_email": email, "access_level": level, "expires_at": None, "created_at": "2026-02-01T00:00:00Z"}
    return {**row, "invite_token": "canary", "created_by_name": "Jane", **more}


def lists(company: Company, rows: Sequence[dict[str, Any]], path: str = "/groups/1") -> None:
    """Let a group list invitations, whole or by an address."""

    def answer(params: dict[str, Any]) -> list[dict[str, Any]]:
        return [row for row in rows if params.get("query") in (None, row["invite_email"])]

    company.script[f"{path}/invitations"] = answer


@pytest.fixture
def company() -> Company:
    made = Company()
    for path in ("/groups/1", "/groups/2", "/projects/8", "/projects/9"):
        lists(made, [], path)
    lists(made, [invitation("ann@example.com"), invitation("bob@example.com", 50)])
    lists(made, [invitation("carl@example.com", 10)], "/projects/8")
    return made


def emails(company: Company) -> list[tuple[str, int, str, int]]:
    rows = company.rows("invitations").values()
    found = [(row["resource_type"], row["resource_id"], row["email"], row["access_level"]) for row in rows]
    return sorted(found)


def asked(company: Company) -> int:
    return sum(path.endswith("/invitations") for path in company.gitlab.paths)


ALL = [
    ("group", 1, "ann@example.com", 30),
    ("group", 1, "bob@example.com", 50),
    ("project", 8, "carl@example.com", 10),
]


async def test_they_are_read_group_by_group_and_project_by_project(company: Company) -> None:
    session = await company.sync()
    assert (session.durable.errors, session.asides, emails(company)) == ({}, [], ALL)
    assert session.counts["invitations"] == 3
    assert "canary" not in repr(company.table.dump())


async def test_a_run_in_pieces_reads_the_same(company: Company) -> None:
    await run_in_slices(company.feature, company.session())
    assert emails(company) == ALL


async def test_one_a_day_is_enough_unless_all_is_asked_for(company: Company) -> None:
    counts = []
    for sync_id, hours, full in (
        ("s1", 0, False), ("s2", 0.5, False), ("s3", 23.9, False),
        ("s4", 24, False), ("s5", 25, False), ("s6", 26, True),
    ):  # fmt: skip
        before = asked(company)
        session = Later(company, ADMIN, sync_id, hours, full=full)
        await run(company.feature, session)
        counts.append((asked(company) - before, session.keeps_notes))
    assert counts == [(4, 0), (0, 4), (0, 4), (4, 0), (0, 4), (4, 0)]


async def test_a_gitlab_without_anything_yet_is_asked_again_by_the_next_run(company: Company) -> None:
    script, company.gitlab.answers = company.script, {"/users": [], "/groups": [], "/projects": []}
    await run(company.feature, Later(company, ADMIN, "s1", 0))
    company.gitlab.answers = script
    await run(company.feature, Later(company, ADMIN, "s2", 0.5))
    assert emails(company) == ALL


async def test_what_gitlab_asked_by_address_has_no_more_goes_at_once(company: Company) -> None:
    await company.sync()
    lists(company, [invitation("ann@example.com", 40)])
    lists(company, [], "/projects/8")
    session = await next_day(company)
    assert emails(company) == [("group", 1, "ann@example.com", 40)]
    assert session.suspected == {}


async def test_an_invitation_that_slipped_from_its_list_stays(company: Company) -> None:
    await company.sync()
    both = [invitation("ann@example.com"), invitation("bob@example.com", 50)]
    company.script["/groups/1/invitations"] = lambda params: both if "query" in params else both[:1]
    await next_day(company)
    assert emails(company) == ALL


async def test_a_row_that_makes_no_sense_is_told_of_and_removes_nothing(company: Company) -> None:
    await company.sync()
    lists(company, [{"access_level": 30, "invite_email": None}, invitation("dora@example.com")])
    session = await next_day(company)
    assert [(key, status) for key, status, _ in session.asides] == [("000000000001", "partial")]
    assert emails(company) == sorted([*ALL, ("group", 1, "dora@example.com", 30)])
    assert session.durable.errors == {}


async def test_they_go_with_their_project(company: Company) -> None:
    await company.sync()
    company.script["/projects"] = [project(9, "acme/teams/wiki")]
    del company.script["/projects/8"]
    await next_day(company)
    assert emails(company) == ALL[:2]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NO, "forbidden"),
        (ResourceNotFound("no", http_status=404), "gone"),
        (Unavailable("no", http_status=502), "failed"),
    ],
)
async def test_one_that_is_refused_is_noted_and_costs_nothing_else(
    company: Company, error: GitLabError, status: str
) -> None:
    await company.sync()
    company.script["/groups/1/invitations"] = error
    lists(company, [], "/projects/8")
    company.script["/projects/9/members"] = [member(6, "ole", 40)]
    session = await next_day(company)
    assert [(key, was) for key, was, _ in session.asides] == [("000000000001", status)]
    assert (session.durable.errors, session.failures) == ({}, 0)
    assert emails(company) == ALL[:2]
    assert ("project", 9, 6, 40) in company.grants()


@pytest.mark.parametrize("is_good", [True, False])
async def test_a_list_that_answers_401_is_refused_where_the_token_is_good_elsewhere(
    company: Company, *, is_good: bool
) -> None:
    no = Unauthorized("401 Unauthorized", http_status=401)
    company.script.update({"/groups/1/invitations": no, "/user": user(1, "root") if is_good else no})
    session = await company.sync()
    assert [(key, was) for key, was, _ in session.asides] == ([("000000000001", "forbidden")] if is_good else [])
    assert list(session.durable.errors) == ([] if is_good else [("group_invitations", "000000000001")])


async def test_a_wait_that_gitlab_asks_for_is_the_runs(company: Company) -> None:
    company.script["/groups/1/invitations"] = RateLimited("later", http_status=429, retry_after=60)
    session = await company.sync()
    assert [place for place, _ in session.durable.errors.items()] == [("group_invitations", "000000000001")]


def many(count: int) -> Company:
    """A company with many groups, all of which refuse."""
    company = Company()
    groups = [group(number, f"g{number}") for number in range(1, count + 1)]
    company.script["/groups"] = groups
    company.script["/projects"] = [project(8, "g1/store", namespace={"id": 1, "kind": "group"})]
    for number in range(1, count + 1):
        company.script[f"/groups/{number}"] = {**groups[number - 1], "shared_with_groups": []}
        company.script[f"/groups/{number}/members"] = [member(JANE, "jane", 50)]
        company.script[f"/groups/{number}/invitations"] = NO
    return company


@pytest.mark.parametrize("who", [ADMIN, MEMBER])
async def test_where_all_are_refused_only_the_first_few_are_asked_and_it_is_said_once(who: SyncTarget) -> None:
    company = many(60)
    session = await company.sync(who)
    groups = [path for path in company.gitlab.paths if path.startswith("/groups/") and path.endswith("/invitations")]
    assert len(groups) == MOST_REFUSED
    said = [text for key, _, text in session.asides if key == "all"]
    assert len(said) == 1
    assert "Owners of a group" in said[0]
    reading = invitation_reading(Readings(company.table, "i1"), ResourceType.GROUP)
    assert reading == InvitationReading(None, None), "nothing was shown"
    assert session.durable.errors == {}


async def test_groups_that_the_user_owns_are_asked_however_many_others_refuse() -> None:
    company = many(60)
    mine = member(1, "root", 50)
    for number in (41, 55):
        company.script[f"/groups/{number}/members"] = [member(JANE, "jane", 50), mine]
        lists(company, [invitation(f"new{number}@example.com")], f"/groups/{number}")
    await company.sync(MEMBER)
    assert [one[1] for one in emails(company)] == [41, 55]
    assert asked(company) <= MOST_REFUSED + 2 + 1


def large(count: int) -> Company:
    """A company with more groups than are read at once, each of which has invited somebody."""
    company = many(count)
    for number in range(1, count + 1):
        lists(company, [invitation(f"new{number}@example.com")], f"/groups/{number}")
    return company


async def test_of_many_groups_each_has_its_turn_within_a_day_and_none_in_the_first_run() -> None:
    company, read = large(AT_ONCE + 44), list[int]()
    for number in range(PARTS + 1):
        await run(company.feature, Later(company, ADMIN, f"s{number}", number / 2))
        read.append(len(emails(company)))
    # There is one project besides, which is read in the first run and a day later.
    assert (read[:3], read[PARTS], asked(company)) == ([0, 3, 6], AT_ONCE + 44, AT_ONCE + 44 + 2)
    await run(company.feature, Later(company, ADMIN, "full", 26, full=True))
    assert asked(company) == 2 * (AT_ONCE + 44) + 3


async def test_where_the_first_of_many_are_refused_the_others_are_not_asked_in_that_round() -> None:
    company = many(AT_ONCE + 44)
    for number in range(PARTS):
        await run(company.feature, Later(company, ADMIN, f"s{number}", number / 2))
    assert asked(company) <= MOST_REFUSED + 3 + 1


async def test_a_worker_that_carries_on_leaves_no_group_out() -> None:
    company = large(AT_ONCE + 44)
    await company.sync()
    await run_in_slices(company.feature, Later(company, ADMIN, "s1", 0.5))
    assert len(emails(company)) == 3
