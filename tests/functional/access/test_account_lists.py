"""GitLab's lists of accounts over a scripted GitLab: read by whom they are shown to, refused at nobody else's cost."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from gitlab_hub.access.sources.store import states
from gitlab_hub.gitlab.account_lists import GROUP_LISTS
from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    MissingPermissions,
    RateLimited,
    ResourceNotFound,
    Unauthorized,
    Unavailable,
    UnexpectedResponse,
)
from gitlab_hub.sync.ports import SyncTarget
from tests.fakes.scripted_client import NOW
from tests.fakes.session import FakeSession, run, run_in_slices
from tests.functional.access.company import ADMIN, JANE, MEMBER, OLE, Company, group, member, target, user

LEFT, DEPLOYER, WAITING = 40, 41, 42
LISTS = [one.path for one in GROUP_LISTS]
NO = Forbidden("no", http_status=403)
BAD = UnexpectedResponse("400", http_status=400)


def public(number: int, username: str, **more: Any) -> dict[str, Any]:
    """A row of `enterprise_users` or `saml_users`."""
    row = {"id": number, "username": username, "name": username.title(), "state": "active", "bot": False}
    row |= {"email": f"{username}@acme.org", "two_factor_enabled": True, "external": False, "identities": []}
    return {**row, "last_sign_in_at": "2026-02-02T00:00:00Z", "last_activity_on": "2026-02-03", **more}


def owned(company: Company, groups: list[dict[str, Any]]) -> None:
    """Let GitLab say which top-level groups the token's user owns."""
    every = company.script["/groups"]
    if callable(every):
        every = every({})
    company.script["/groups"] = lambda params: groups if params.get("top_level_only") else every


@pytest.fixture
def company() -> Company:
    made = Company()
    owned(made, [group(1, "acme", parent_id=None)])
    made.script["/groups/1/members"] = [
        member(JANE, "jane", 50),
        member(WAITING, "waiting", membership_state="awaiting"),
    ]
    seat = {"username": "ole", "name": "Ole", "state": "active", "email": "", "created_at": "2020-01-01T00:00:00Z"}
    waits = {"username": "waiting", "email": "w@acme.org", "invited": False, "approved": False}
    made.gitlab.answers |= {
        "/groups/1/enterprise_users": [public(JANE, "jane"), public(LEFT, "left")],
        "/groups/1/saml_users": [public(JANE, "jane")],
        "/groups/1/scim/identities": [{"extern_uid": "s-1", "user_id": JANE, "active": True}],
        "/groups/1/billable_members": [
            {"id": OLE, **seat, "last_activity_on": "2026-02-20", "last_login_at": "2026-02-19T00:00:00Z"}
        ],
        "/groups/1/pending_members": [
            {"id": 900, **waits},
            {"id": 901, "email": "new@acme.org", "invited": True, "approved": True},
        ],
        "/groups/1/service_accounts": [{"id": DEPLOYER, "username": "deployer", "name": "Deployer"}],
    }
    return made


class Later(FakeSession):
    """A run of another day."""

    def __init__(self, company: Company, days: int, *, who: SyncTarget = MEMBER, full: bool = False) -> None:
        super().__init__(who, company.gitlab)
        self.sync_id, self.full, self._moment = f"s{days + 2}", full, NOW + timedelta(days=days)

    def now(self) -> datetime:
        return self._moment


async def later(company: Company, days: int = 1, who: SyncTarget = MEMBER) -> FakeSession:
    session = Later(company, days, who=who)
    await run(company.feature, session)
    return session


def account(company: Company, number: int) -> dict[str, Any]:
    return company.rows("accounts")[f"{number:012d}"]


def of_lists(session: FakeSession) -> dict[str, str]:
    names = {one.name for one in GROUP_LISTS}
    return {key: status for key, status, _ in session.asides if key.partition("#")[0] in names}


def asked(company: Company) -> list[str]:
    return [path for path in company.gitlab.paths if path.removeprefix("/groups/1/") in LISTS]


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


async def test_what_a_refused_list_told_is_kept_and_not_called_current(company: Company) -> None:
    await company.sync(MEMBER)
    company.script["/groups/1/enterprise_users"] = NO
    await later(company)
    known = {state.place.partition("#")[0]: state for state in states(company.table, "i1")}
    refused, other = known["enterprise_users"], known["billable_members"]
    assert (refused.is_current, other.is_current) == (False, True)
    assert refused.read_at is not None
    assert other.read_at == refused.read_at + 86_400
    assert account(company, LEFT)["emails"]


async def test_who_is_on_no_list_any_more_goes_and_a_member_keeps_what_members_tell(company: Company) -> None:
    company.script["/groups/1/enterprise_users"].append(public(OLE, "ole"))
    await company.sync(MEMBER)
    company.script["/groups/1/enterprise_users"] = [public(OLE, "ole")]
    company.script["/groups/1/saml_users"] = []
    await later(company)
    assert LEFT not in company.ids("accounts")
    jane = account(company, JANE)
    assert (jane["username"], jane["emails"], jane["two_factor_enabled"]) == ("jane", [], None)


async def test_a_list_that_is_suddenly_empty_is_believed_after_two_days(company: Company) -> None:
    await company.sync(MEMBER)
    before = account(company, LEFT)
    full, company.script["/groups/1/enterprise_users"] = company.script["/groups/1/enterprise_users"], []
    doubting = await later(company, 1)
    assert account(company, LEFT) == before
    (said,) = [reason for key, status, reason in doubting.asides if status == "partial"]
    assert "Of 2 accounts" in said
    await later(company, 2)
    assert account(company, LEFT) == before
    # It is whole again, and doubted anew.
    company.script["/groups/1/enterprise_users"] = full
    await later(company, 3)
    company.script["/groups/1/enterprise_users"] = []
    for days in (4, 5):
        await later(company, days)
        assert account(company, LEFT) == before
    await later(company, 6)
    assert LEFT not in company.ids("accounts")


async def test_a_row_that_slipped_from_its_list_stays(company: Company) -> None:
    await company.sync(MEMBER)
    rows = company.script["/groups/1/enterprise_users"]
    answers = [rows[:1], rows]
    company.script["/groups/1/enterprise_users"] = lambda _: answers.pop(0) if answers else rows
    await later(company)
    assert LEFT in company.ids("accounts")


async def test_rows_that_make_no_sense_are_told_of_and_remove_nothing(company: Company) -> None:
    await company.sync(MEMBER)
    company.script["/groups/1/enterprise_users"] = [{"id": None}, public(JANE, "jane")]
    session = await later(company)
    assert of_lists(session) == {"enterprise_users#000000000001#part": "partial"}
    assert LEFT in company.ids("accounts")


async def test_who_is_approved_is_active_again(company: Company) -> None:
    await company.sync(MEMBER)
    company.script["/groups/1/members"][1] = member(WAITING, "waiting", membership_state="active")
    company.script["/groups/1/pending_members"] = []
    await later(company)
    assert (account(company, WAITING)["status"], account(company, WAITING)["emails"]) == ("active", [])


async def test_the_blocked_state_of_a_former_member_is_taken_from_the_list(company: Company) -> None:
    company.script["/projects/8/members"].append(member(LEFT, "left"))
    await company.sync(MEMBER)
    company.script["/projects/8/members"].pop()
    company.script["/groups/1/enterprise_users"][1] = public(LEFT, "left", state="blocked")
    await later(company)
    assert account(company, LEFT)["status"] == "disabled"


async def test_identities_of_nobody_whose_name_is_known_are_said_to_be_missing(company: Company) -> None:
    company.script["/groups/1/scim/identities"].append({"extern_uid": "s-9", "user_id": 999, "active": True})
    session = await company.sync(MEMBER)
    assert 999 not in company.ids("accounts")
    assert next(reason for key, _, reason in session.asides if key == "all").endswith("There are 1.")


async def test_an_administrator_asks_for_the_service_accounts_alone(company: Company) -> None:
    company.script["/service_accounts"] = [{"id": OLE, "username": "ole", "name": "Ole"}]
    session = await company.sync(ADMIN)
    assert (asked(company), session.asides) == ([], [])
    assert account(company, OLE)["kind"] == "service_account"
    before = company.table.dump()
    again = await company.sync(ADMIN)
    assert (company.table.dump(), again.counts["rows_written"]) == (before, 0)


async def test_an_administrator_whose_list_of_users_is_in_trouble_asks_for_no_other(company: Company) -> None:
    company.script["/users"] = Unavailable("no", http_status=502)
    session = await company.sync(ADMIN)
    assert (asked(company), session.asides, list(session.durable.errors)) == ([], [], [("accounts", "all")])
    assert "/service_accounts" not in company.gitlab.paths


async def test_an_administrator_who_is_limited_to_a_group_asks_for_its_lists(company: Company) -> None:
    await company.sync(target(group="Acme"))
    assert len(asked(company)) == 6


async def test_what_an_owners_lists_told_brings_nobody_back_whom_the_list_of_users_has_not(company: Company) -> None:
    await company.sync(MEMBER)
    assert LEFT in company.ids("accounts")
    company.script["/users"] += [user(number, f"u{number}") for number in (WAITING, *range(60, 80))]
    for days in (1, 2, 3):
        session = await later(company, days, ADMIN)
        assert session.suspected == {}
        assert LEFT not in company.ids("accounts")
    assert {"provider": "group_scim", "extern_uid": "s-1"} in account(company, JANE)["identities"]


async def test_identities_go_when_the_users_they_belong_to_are_listed(company: Company) -> None:
    company.script["/groups/1/saml_users"] = ResourceNotFound("no", http_status=404)
    company.script["/groups/1/saml/identities"] = [{"extern_uid": "old", "user_id": JANE}]
    await company.sync(MEMBER)
    assert {"provider": "group_saml", "extern_uid": "old"} in account(company, JANE)["identities"]
    company.script["/groups/1/saml_users"] = []
    for days in (1, 2):
        await later(company, days)
    assert account(company, JANE)["identities"] == [{"provider": "group_scim", "extern_uid": "s-1"}]
    assert not any(state.place.startswith("saml_identities") for state in states(company.table, "i1"))


async def test_what_the_lists_of_a_group_told_goes_with_the_group(company: Company) -> None:
    far = group(3, "far", parent_id=None)
    company.gitlab.answers |= {
        "/groups/3": {**far, "shared_with_groups": []},
        "/groups/3/members": [member(JANE, "jane", 50)],
        "/groups/3/enterprise_users": [public(70, "far-away")],
    }
    owned(company, [group(1, "acme", parent_id=None), far])
    every = company.script["/groups"]({})
    groups = [*every, far]
    company.script["/groups"] = lambda params: groups[::2] if params.get("top_level_only") else groups
    await company.sync(MEMBER)
    assert 70 in company.ids("accounts")
    groups.pop()
    for path in ("", "/members", "/enterprise_users"):
        del company.script[f"/groups/3{path}"]
    for days in (1, 2, 3):
        await later(company, days)
    assert 70 not in company.ids("accounts")


async def test_the_first_reading_of_a_list_is_no_news(company: Company) -> None:
    lists = {
        path: company.script.pop(path) for path in [f"/groups/1/{path}" for path in LISTS] if path in company.script
    }
    await company.sync(MEMBER)
    await company.sync(MEMBER)
    company.gitlab.answers |= lists
    company.script["/groups/1/pending_members"] = []
    await later(company)
    assert [entry for row in company.rows("changes").values() for entry in row["entries"]] == []
    company.script["/groups/1/enterprise_users"] = [*lists["/groups/1/enterprise_users"], public(50, "new")]
    await later(company, 2)
    told = [entry for row in company.rows("changes").values() for entry in row["entries"]]
    assert [(entry["kind"], entry["account_id"]) for entry in told] == [("account_added", 50)]


async def test_names_of_custom_roles_are_read_where_a_group_was_invited_with_one(company: Company) -> None:
    await company.sync(MEMBER)
    assert "/groups/1/member_roles" not in company.gitlab.paths
    share = {"group_id": 2, "group_full_path": "acme/teams", "group_access_level": 20, "member_role_id": 101}
    company.script["/groups/1"] = group(1, "acme", shared_with_groups=[share])
    company.script["/groups/1/member_roles"] = [{"id": 101, "name": "Release captain", "base_access_level": 30}]
    await later(company)
    assert company.rows("readings")["role_names"]["roles"] == [[101, "Release captain"]]
