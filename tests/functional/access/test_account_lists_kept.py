"""What GitLab's lists of accounts told before: how long it is kept, and when it goes."""

from gitlab_hub.access.sources.store import states
from gitlab_hub.gitlab.errors import (
    ResourceNotFound,
    Unavailable,
)
from tests.functional.access.account_lists import (
    LEFT,
    LISTS,
    NO,
    WAITING,
    account,
    asked,
    company,
    later,
    of_lists,
    owned,
    public,
)
from tests.functional.access.company import ADMIN, JANE, MEMBER, OLE, Company, group, member, target, user

__all__ = ["company"]


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
