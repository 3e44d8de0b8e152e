"""Rows of GitLab's lists of accounts, as its documentation shows them, and what is read of them."""

from typing import Any

import pytest

from gitlab_hub.access.model import Account
from gitlab_hub.access.sources.readers import pending_account, pending_username, reader_of
from gitlab_hub.gitlab.account_lists import ACCOUNT_LISTS, PENDING_MEMBERS
from gitlab_hub.gitlab.errors import UnexpectedResponse

BILLABLE: dict[str, Any] = {
    "id": 2,
    "username": "john_doe",
    "name": "John Doe",
    "state": "active",
    "avatar_url": None,
    "web_url": "http://192.168.1.8:3000/root",
    "email": "john@example.com",
    "last_activity_on": "2021-01-25",
    "membership_type": "group_member",
    "removable": True,
    "created_at": "2021-01-04T18:46:42.000Z",
    "last_login_at": "2022-09-29T22:18:46.000Z",
}
ENTERPRISE: dict[str, Any] = {
    "id": 66,
    "username": "user22",
    "name": "Sidney Jones22",
    "state": "active",
    "web_url": "http://my.gitlab.com/user22",
    "created_at": "2021-09-10T12:48:22.381Z",
    "public_email": "",
    "bot": False,
    "last_sign_in_at": "2021-09-11T12:00:00Z",
    "last_activity_on": None,
    "email": "user22@example.org",
    "current_sign_in_at": None,
    "identities": [{"provider": "group_saml", "extern_uid": "2435223452345", "saml_provider_id": 1}],
    "two_factor_enabled": False,
    "external": False,
    "commit_email": "user22@example.org",
    "scim_identities": [
        {"extern_uid": "s-1", "group_id": 1, "active": True},
        {"extern_uid": "s-2", "group_id": 2, "active": False},
        {"extern_uid": "s-3", "group_id": None, "active": True},
    ],
}


def read(name: str, row: dict[str, Any]) -> Account:
    account = reader_of(name)(row)
    assert account is not None
    return account


def test_a_billable_member_tells_sign_in_activity_and_an_address_of_unknown_sort() -> None:
    assert read("billable_members", BILLABLE) == Account(
        id=2,
        username="john_doe",
        name="John Doe",
        state="active",
        emails=[{"value": "john@example.com", "source": "billable_members", "primary": False}],
        current_sign_in_at=1664489926,
        last_activity_on="2021-01-25",
        activity_source="billable_members",
        created_at=1609786002,
        web_url="http://192.168.1.8:3000/root",
    )


def test_a_billable_member_may_hide_its_address_and_never_have_been_active() -> None:
    account = read("billable_members", BILLABLE | {"email": "", "last_activity_on": None, "last_login_at": None})
    assert (account.emails, account.last_activity_on, account.current_sign_in_at) == ([], None, None)
    assert account.activity_source == "billable_members"


@pytest.mark.parametrize("name", ["enterprise_users", "saml_users"])
def test_whoever_a_group_manages_is_told_whole(name: str) -> None:
    account = read(name, ENTERPRISE)
    assert (account.kind, account.external, account.two_factor_enabled) == ("human", False, False)
    assert account.emails == [{"value": "user22@example.org", "source": "account", "primary": True}]
    assert account.identities == [
        {"provider": "group_saml", "extern_uid": "2435223452345"},
        {"provider": "group_scim", "extern_uid": "s-1"},
        {"provider": "scim", "extern_uid": "s-3"},
    ]
    assert account.last_sign_in_at == 1631361600


def test_a_row_that_does_not_say_whether_it_is_a_bot_says_nothing_of_the_kind() -> None:
    row = {name: value for name, value in ENTERPRISE.items() if name != "bot"} | {"username": "project_7_bot_ab12"}
    assert read("enterprise_users", row).kind == "unknown"


def test_identities_tell_an_id_and_a_name_at_the_provider() -> None:
    saml = read("saml_identities", {"extern_uid": "yrnZW46BrtBFqM7xDzE7dddd", "user_id": 48})
    assert saml == Account(id=48, identities=[{"provider": "group_saml", "extern_uid": "yrnZW46BrtBFqM7xDzE7dddd"}])
    scim = read("scim_identities", {"extern_uid": "be20d8", "user_id": 48, "active": True})
    assert scim.identities == [{"provider": "group_scim", "extern_uid": "be20d8"}]
    assert reader_of("scim_identities")({"extern_uid": "be20d8", "user_id": 48, "active": False}) is None


@pytest.mark.parametrize("name", ["service_accounts", "instance_service_accounts"])
def test_a_list_of_service_accounts_says_what_they_are(name: str) -> None:
    account = read(name, {"id": 57, "username": "project_7_bot_ab12", "name": "Deployer"})
    assert (account.kind, account.username, account.state) == ("service_account", "project_7_bot_ab12", None)


def test_who_waits_is_told_by_username_as_the_id_is_that_of_the_membership() -> None:
    row = {"id": 168, "name": "Alex", "username": "alex", "email": "a@x.org", "web_url": "https://x/alex"}
    row |= {"invited": False, "approved": False}
    assert pending_username(row) == "alex"
    account = pending_account(row, 12)
    assert (account.id, account.status) == (12, "pending")
    assert account.emails == [{"value": "a@x.org", "source": "pending_members", "primary": False}]


@pytest.mark.parametrize(
    "row",
    [
        {"id": 169, "email": "new@x.org", "invited": True, "approved": True},
        {"id": 169, "email": "new@x.org", "invited": True, "approved": False},
        {"id": 169, "username": "alex", "email": "a@x.org", "invited": True, "approved": True},
    ],
)
def test_who_has_no_account_or_waits_for_nothing_is_no_pending_account(row: dict[str, Any]) -> None:
    assert pending_username(row) is None


@pytest.mark.parametrize("name", [one.name for one in ACCOUNT_LISTS if one is not PENDING_MEMBERS])
@pytest.mark.parametrize("row", [{}, {"id": "x", "user_id": None}, {"id": True, "user_id": -1, "username": 5}])
def test_a_row_without_an_account_is_not_guessed_at(name: str, row: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedResponse):
        reader_of(name)(row)
