from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.access.model import Account, AccountStatus
from gitlab_hub.access.transform import account_of_member, account_of_user, is_admin_row
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.storage.rows import item_of, value_of

ADMIN_ROW: dict[str, Any] = {
    "id": 1,
    "username": "john_smith",
    "email": "john@example.com",
    "name": "John Smith",
    "state": "active",
    "locked": False,
    "avatar_url": None,
    "web_url": "https://gitlab.example/john_smith",
    "created_at": "2012-05-23T08:00:58Z",
    "is_admin": True,
    "bot": False,
    "public_email": "john.public@example.com",
    "last_sign_in_at": "2012-06-01T11:41:01Z",
    "last_activity_on": "2012-05-23",
    "current_sign_in_at": "2012-06-02T06:36:55Z",
    "identities": [{"provider": "github", "extern_uid": 2435223452345}],
    "two_factor_enabled": True,
    "external": False,
    "commit_email": "john@example.com",
    "current_sign_in_ip": "8.8.8.8",
    "sign_in_count": 1337,
}
MEMBER_ROW: dict[str, Any] = {
    "id": 1,
    "username": "john_smith",
    "name": "John Smith",
    "state": "active",
    "avatar_url": None,
    "web_url": "https://gitlab.example/john_smith",
    "access_level": 30,
    "created_at": "2020-01-01T00:00:00Z",
    "expires_at": None,
}


def test_an_administrators_row_is_read_whole() -> None:
    assert account_of_user(ADMIN_ROW) == Account(
        id=1,
        username="john_smith",
        name="John Smith",
        kind=AccountKind.HUMAN,
        status=AccountStatus.ACTIVE,
        state="active",
        emails=[
            {"value": "john@example.com", "source": "account", "primary": True},
            {"value": "john.public@example.com", "source": "public", "primary": False},
        ],
        identities=[{"provider": "github", "extern_uid": "2435223452345"}],
        is_admin=True,
        external=False,
        two_factor_enabled=True,
        last_sign_in_at=1338550861,
        current_sign_in_at=1338619015,
        last_activity_on="2012-05-23",
        activity_source="users",
        created_at=1337760058,
        web_url="https://gitlab.example/john_smith",
    )


def test_addresses_of_sign_ins_are_not_kept() -> None:
    assert "8.8.8.8" not in str(item_of(account_of_user(ADMIN_ROW)))


def test_a_blocked_bot_without_activity() -> None:
    row = ADMIN_ROW | {
        "username": "group_35_bot_ab12",
        "state": "blocked",
        "bot": True,
        "last_activity_on": None,
        "last_sign_in_at": None,
    }
    account = account_of_user(row)
    assert (account.kind, account.status, account.state) == ("group_bot", "disabled", "blocked")
    assert (account.last_activity_on, account.last_sign_in_at, account.activity_source) == (None, None, "users")


def test_a_member_row_tells_less_and_nothing_of_the_membership() -> None:
    account = account_of_member(MEMBER_ROW)
    assert (account.username, account.kind, account.status) == ("john_smith", "human", "active")
    assert (account.created_at, account.is_admin, account.activity_source, account.emails) == (None, None, None, [])


def test_a_member_row_erases_nothing_that_is_known() -> None:
    known = account_of_user(ADMIN_ROW)
    assert account_of_member(MEMBER_ROW, known) == known
    assert account_of_member(MEMBER_ROW | {"name": None, "last_activity_on": "2031-01-01"}, known) == known


def test_a_member_row_updates_what_it_tells() -> None:
    known = account_of_user(ADMIN_ROW)
    seen = account_of_member(MEMBER_ROW | {"username": "jsmith", "state": "blocked", "email": "new@example.com"}, known)
    assert (seen.username, seen.status, seen.created_at) == ("jsmith", "disabled", known.created_at)
    assert [email["value"] for email in seen.emails] == ["new@example.com", "john.public@example.com"]


def test_a_service_account_with_a_name_of_its_own_stays_one_among_members() -> None:
    known = account_of_user(ADMIN_ROW | {"username": "deployer", "bot": True})
    assert account_of_member(MEMBER_ROW | {"username": "deployer"}, known).kind == "service_account"


def test_a_person_called_like_a_bot_stays_a_person_among_members() -> None:
    named = {"username": "service_account_cafe"}
    known = account_of_user(ADMIN_ROW | named)
    assert (known.kind, account_of_member(MEMBER_ROW | named, known).kind) == ("human", "human")
    assert account_of_member(MEMBER_ROW | named).kind == "service_account"


def test_an_identity_of_the_groups_provider_joins_the_others() -> None:
    saml = {"provider": "group_saml", "extern_uid": "u-1", "saml_provider_id": 9}
    known = account_of_user(ADMIN_ROW)
    seen = account_of_member(MEMBER_ROW | {"group_saml_identity": saml}, known)
    assert [identity["provider"] for identity in seen.identities] == ["github", "group_saml"]
    assert account_of_member(MEMBER_ROW | {"group_saml_identity": saml}, seen) == seen


def test_an_identity_that_a_provider_manages_joins_the_others_until_it_ends() -> None:
    scim = {"extern_uid": "s-1", "group_id": 9, "active": True}
    known = account_of_user(ADMIN_ROW)
    seen = account_of_member(MEMBER_ROW | {"group_scim_identity": scim}, known)
    assert seen.identities[1] == {"provider": "group_scim", "extern_uid": "s-1"}
    assert account_of_member(MEMBER_ROW | {"group_scim_identity": scim}, seen) == seen
    assert account_of_member(MEMBER_ROW | {"group_scim_identity": None}, seen) == seen
    assert account_of_member(MEMBER_ROW | {"group_scim_identity": scim | {"active": False}}, seen) == known


@pytest.mark.parametrize("value", [True, False])
def test_whether_it_is_an_auditor_is_told_by_administrators_rows_of_some_editions(value: bool) -> None:
    known = account_of_user(ADMIN_ROW | {"is_auditor": value})
    assert known.is_auditor is value
    assert account_of_user(ADMIN_ROW).is_auditor is None
    assert account_of_member(MEMBER_ROW, known).is_auditor is value


def test_a_second_factor_may_be_told_by_a_member_row() -> None:
    assert account_of_member(MEMBER_ROW | {"two_factor_enabled": False}).two_factor_enabled is False


@pytest.mark.parametrize(
    ("told", "emails"),
    [
        ({"public_email": ""}, ["john@example.com"]),
        ({"public_email": "john@example.com"}, ["john@example.com"]),
        ({"commit_email": "c@example.com"}, ["john@example.com", "john.public@example.com", "c@example.com"]),
        ({"email": None}, ["john.public@example.com", "john@example.com"]),
    ],
)
def test_each_address_is_listed_once_with_its_best_source(told: dict[str, Any], emails: list[str]) -> None:
    assert [email["value"] for email in account_of_user(ADMIN_ROW | told).emails] == emails


def test_only_administrators_rows_pass_for_such() -> None:
    assert is_admin_row(ADMIN_ROW)
    assert not is_admin_row({name: ADMIN_ROW[name] for name in ("id", "username", "name", "state", "public_email")})


def test_an_account_survives_the_store_and_rows_of_other_versions() -> None:
    account = account_of_user(ADMIN_ROW)
    item = item_of(account)
    assert type(item["kind"]) is str
    assert value_of(Account, {**item, "hash": "x", "of_the_future": 1}) == account
    del item["current_sign_in_at"]
    assert value_of(Account, item) == replace(account, current_sign_in_at=None)


def test_the_order_of_identities_is_ours() -> None:
    identities = [{"provider": "saml", "extern_uid": "1"}, {"provider": "github", "extern_uid": "2"}]
    one = account_of_user(ADMIN_ROW | {"identities": identities})
    assert account_of_user(ADMIN_ROW | {"identities": identities[::-1]}) == one
