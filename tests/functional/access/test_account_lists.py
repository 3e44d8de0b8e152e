"""GitLab's lists of accounts over a scripted GitLab: read by whom they are shown to, refused at nobody else's cost."""

import pytest

from gitlab_hub.gitlab.account_lists import GROUP_LISTS
from gitlab_hub.gitlab.errors import (
    GitLabError,
    MissingPermissions,
    RateLimited,
    ResourceNotFound,
    Unauthorized,
    Unavailable,
    UnexpectedResponse,
)
from tests.fakes.session import run, run_in_slices
from tests.functional.access.account_lists import (
    BAD,
    DEPLOYER,
    LEFT,
    LISTS,
    NO,
    WAITING,
    Later,
    account,
    asked,
    company,
    later,
    of_lists,
    owned,
)
from tests.functional.access.company import JANE, MEMBER, OLE, Company, group, target

__all__ = ["company"]


async def test_an_owner_is_shown_all_that_the_lists_tell(company: Company) -> None:
    session = await company.sync(MEMBER)
    assert (session.durable.errors, of_lists(session)) == ({}, {})
    jane, ole = account(company, JANE), account(company, OLE)
    assert jane["emails"] == [{"value": "jane@acme.org", "source": "account", "primary": True}]
    assert jane["identities"] == [{"provider": "group_scim", "extern_uid": "s-1"}]
    assert (jane["two_factor_enabled"], jane["last_activity_on"]) == (True, "2026-02-03")
    assert (ole["last_activity_on"], ole["activity_source"]) == ("2026-02-20", "billable_members")
    assert account(company, LEFT)["username"] == "left"
    assert account(company, DEPLOYER)["kind"] == "service_account"
    assert account(company, WAITING)["status"] == "pending"


async def test_a_second_run_writes_nothing(company: Company) -> None:
    await company.sync(MEMBER)
    before = company.table.dump()
    session = company.session(MEMBER)
    session.full = True
    await run(company.feature, session)
    assert (company.table.dump(), session.counts["rows_written"]) == (before, 0)


async def test_they_are_read_once_a_day_and_kept_in_between(company: Company) -> None:
    await company.sync(MEMBER)
    first = len(asked(company))
    session = Later(company, 0)
    await run(company.feature, session)
    assert (first, len(asked(company))) == (6, 6)
    assert (LEFT in company.ids("accounts"), session.keeps_notes, session.suspected) == (True, 4, {})
    await later(company)
    assert len(asked(company)) == 12


async def test_a_run_in_pieces_reads_the_same(company: Company) -> None:
    await company.sync(MEMBER)
    whole = company.rows("accounts")
    other = Company()
    other.gitlab.answers = company.gitlab.answers
    await run_in_slices(other.feature, other.session(MEMBER))
    assert other.rows("accounts") == whole


async def test_pages_that_repeat_each_other_tell_the_same(company: Company) -> None:
    rows = company.script["/groups/1/enterprise_users"]
    company.script["/groups/1/enterprise_users"] = [*rows, *rows, rows[0]]
    company.gitlab.page_size = 2
    session = await company.sync(MEMBER)
    assert session.counts["enterprise_users"] == 2
    assert LEFT in company.ids("accounts")


async def test_who_owns_nothing_is_told_so_and_asks_for_nothing(company: Company) -> None:
    owned(company, [])
    session = await company.sync(MEMBER)
    assert asked(company) == []
    assert of_lists(session) == {one.name: "forbidden" for one in GROUP_LISTS}
    assert all("Owner" in reason for _, _, reason in session.asides)
    assert session.durable.errors == {}


async def test_where_the_groups_cannot_be_read_the_next_run_asks_for_the_lists(company: Company) -> None:
    every = company.script["/groups"]
    company.script["/groups"] = Unavailable("no", http_status=502)
    session = await company.sync(MEMBER)
    assert (asked(company), set(of_lists(session).values())) == ([], {"failed"})
    company.script["/groups"] = every
    await run(company.feature, Later(company, 0))
    assert len(asked(company)) == 6


async def test_groups_that_are_not_at_the_top_are_not_asked(company: Company) -> None:
    owned(company, [group(1, "acme", parent_id=None), group(2, "acme/teams", parent_id=1), group(77, "far")])
    await company.sync(MEMBER)
    assert not any(path.startswith(("/groups/2/enterprise", "/groups/77/")) for path in company.gitlab.paths)


async def test_a_token_that_is_limited_below_the_top_is_told_so(company: Company) -> None:
    company.script["/groups/2/descendant_groups"] = []
    company.script["/groups/2/projects"] = company.script["/projects"][1:]
    session = await company.sync(target(is_admin=False, group="acme/teams", group_id=2))
    assert (asked(company), set(of_lists(session).values())) == ([], {"forbidden"})


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NO, "forbidden"),
        (BAD, "forbidden"),
        (MissingPermissions("Enterprise User: Read", http_status=403), "forbidden"),
        (ResourceNotFound("no", http_status=404), "disabled"),
        (Unavailable("no", http_status=500), "failed"),
        (UnexpectedResponse("looped"), "failed"),
    ],
)
async def test_a_list_that_is_refused_costs_nothing_else_and_loses_nothing(
    company: Company, path: str, error: GitLabError, status: str
) -> None:
    if path == "saml/identities":
        company.script["/groups/1/saml_users"] = NO
    await company.sync(MEMBER)
    before = company.rows("accounts")
    company.script[f"/groups/1/{path}"] = error
    session = await later(company)
    name = next(one.name for one in GROUP_LISTS if one.path == path)
    if (path, error) == ("saml/identities", BAD):
        assert name not in of_lists(session)  # A group without SAML has no list of it.
    else:
        assert of_lists(session)[name] == status
    assert (session.durable.errors, session.suspected) == ({}, {})
    assert company.rows("accounts") == before


@pytest.mark.parametrize("error", [RateLimited("later", http_status=429, retry_after=900), Unauthorized("no")])
async def test_a_pause_or_a_dead_token_ends_the_slice_and_erases_nothing(company: Company, error: GitLabError) -> None:
    await company.sync(MEMBER)
    before = company.rows("accounts")
    for path in (*(f"/groups/1/{path}" for path in LISTS), "/user"):
        company.script[path] = error
    session = await later(company)
    assert list(session.durable.errors) == [("account_lists", "all")]
    assert company.rows("accounts") == before
