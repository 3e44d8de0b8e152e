"""What several sources tell of one account, whatever the order in which they were read."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from gitlab_hub.access.model import Account, AccountStatus
from gitlab_hub.access.sources.layers import carried, ground_of, layered, list_at, place_of
from gitlab_hub.access.transform import account_of_admins_row, account_of_member
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.storage.rows import content_hash, item_of, value_of

MEMBER: dict[str, Any] = {"id": 5, "username": "jane", "name": "Jane", "state": "active", "web_url": "https://x/jane"}
GROUND = account_of_member(MEMBER)
ENTERPRISE = Account(
    id=5,
    username="jane",
    name="Jane",
    state="blocked",
    kind=AccountKind.HUMAN,
    emails=[{"value": "jane@acme.org", "source": "account", "primary": True}],
    identities=[{"provider": "saml", "extern_uid": "j"}],
    external=False,
    two_factor_enabled=True,
    last_sign_in_at=1_000,
    last_activity_on="2026-01-01",
    activity_source="users",
    created_at=10,
)
BILLABLE = Account(
    id=5,
    username="jane",
    state="active",
    emails=[{"value": "jane@public.org", "source": "billable_members", "primary": False}],
    current_sign_in_at=3_000,
    last_activity_on="2026-02-02",
    activity_source="billable_members",
    created_at=11,
)
SCIM = Account(id=5, identities=[{"provider": "group_scim", "extern_uid": "s"}])
WAITS = Account(id=5, username="jane", status=AccountStatus.PENDING)
TOLD = {
    place_of("enterprise_users", 1): ENTERPRISE,
    place_of("billable_members", 1): BILLABLE,
    place_of("scim_identities", 1): SCIM,
}


def stored(account: Account) -> Account:
    """As it comes back from the table."""
    return value_of(Account, item_of(account))


def test_each_fact_has_the_source_that_counts() -> None:
    account = layered(GROUND, TOLD)
    assert (account.state, account.status) == ("active", "active")
    assert (account.two_factor_enabled, account.external, account.created_at) == (True, False, 10)
    assert (account.last_activity_on, account.activity_source) == ("2026-02-02", "billable_members")
    assert (account.last_sign_in_at, account.current_sign_in_at) == (1_000, 3_000)
    assert [(email["value"], email["source"]) for email in account.emails] == [
        ("jane@acme.org", "account"),
        ("jane@public.org", "billable_members"),
    ]
    assert [one["provider"] for one in account.identities] == ["group_scim", "saml"]
    assert account.sources == {
        "created_at": "enterprise_users",
        "current_sign_in_at": "billable_members",
        "external": "enterprise_users",
        "last_activity_on": "billable_members",
        "last_sign_in_at": "enterprise_users",
        "two_factor_enabled": "enterprise_users",
    }
    assert [list_at(place)[0] for place in account.told_by] == [
        "billable_members", "enterprise_users", "scim_identities",
    ]  # fmt: skip


def test_the_order_of_reading_changes_nothing() -> None:
    digests = {content_hash(item_of(layered(GROUND, dict(some)))) for some in permutations(TOLD.items())}
    assert len(digests) == 1


def test_the_latest_activity_counts_whichever_list_tells_it() -> None:
    later = {**TOLD, place_of("enterprise_users", 1): replace(ENTERPRISE, last_activity_on="2026-03-03")}
    account = layered(GROUND, later)
    assert (account.last_activity_on, account.activity_source) == ("2026-03-03", "enterprise_users")
    known = replace(GROUND, last_activity_on="2026-04-04", activity_source="users")
    assert layered(known, later).last_activity_on == "2026-04-04"
    assert layered(known, later).activity_source == "users"


def test_where_only_a_sign_in_to_the_seat_is_told_it_is_the_last_one() -> None:
    account = layered(GROUND, {place_of("billable_members", 1): BILLABLE})
    assert (account.last_sign_in_at, account.sources["last_sign_in_at"]) == (3_000, "billable_members")


def test_a_list_that_tells_nothing_any_more_leaves_the_ground() -> None:
    account = stored(layered(GROUND, TOLD))
    assert ground_of(account) == GROUND
    assert layered(ground_of(account), {}) == GROUND


def test_laying_the_same_twice_is_the_same() -> None:
    once = stored(layered(GROUND, TOLD))
    assert item_of(layered(ground_of(once), TOLD)) == item_of(once)


def test_a_members_row_leaves_what_lists_told() -> None:
    once = stored(layered(GROUND, TOLD))
    assert content_hash(item_of(account_of_member(MEMBER, once))) == content_hash(item_of(once))


def test_a_members_row_that_tells_more_takes_the_place_of_a_list() -> None:
    told = {**MEMBER, "two_factor_enabled": False, "email": "jane@acme.org", "state": "blocked"}
    account = account_of_member(told, stored(layered(GROUND, TOLD)))
    assert (account.two_factor_enabled, account.status) == (False, "disabled")
    assert "two_factor_enabled" not in account.sources
    assert ground_of(account).emails == [{"value": "jane@acme.org", "source": "account", "primary": True}]
    assert {email["value"] for email in account.emails} == {"jane@acme.org", "jane@public.org"}


def test_an_administrators_row_is_the_ground_and_keeps_what_lists_add() -> None:
    row = {**MEMBER, "email": "jane@acme.org", "is_admin": False, "bot": False, "two_factor_enabled": None}
    account = account_of_admins_row(row, stored(layered(GROUND, TOLD)))
    assert account.is_admin is False
    assert {"provider": "group_scim", "extern_uid": "s"} in account.identities
    assert layered(ground_of(stored(account)), TOLD).emails[0]["value"] == "jane@acme.org"


def test_who_is_known_by_a_list_alone_is_what_the_list_says() -> None:
    account = layered(Account(id=5), {place_of("enterprise_users", 1): ENTERPRISE})
    assert (account.username, account.state, account.status, account.kind) == ("jane", "blocked", "disabled", "human")


@pytest.mark.parametrize(("is_waiting", "status"), [(True, "pending"), (False, "active")])
def test_who_waits_is_pending_where_no_membership_counts(is_waiting: bool, status: str) -> None:
    account = layered(GROUND, {place_of("pending_members", 1): WAITS}, is_waiting=is_waiting)
    assert account.status == status


def test_a_blocked_account_that_waits_is_disabled() -> None:
    blocked = account_of_member({**MEMBER, "state": "blocked"})
    assert layered(blocked, {place_of("pending_members", 1): WAITS}, is_waiting=True).status == "disabled"


@pytest.mark.parametrize(
    ("flag", "listed", "username", "kind"),
    [
        (None, False, "project_7_bot_ab12", "project_bot"),
        (None, False, "jane", "human"),
        (False, False, "project_7_bot_ab12", "human"),
        (True, False, "project_7_bot_ab12", "project_bot"),
        (True, True, "project_7_bot_ab12", "service_account"),
        (None, True, "jane", "service_account"),
        (False, True, "jane", "service_account"),
    ],
)
def test_the_kind_is_told_by_lists_then_flags_then_names(
    flag: bool | None, listed: bool, username: str, kind: str
) -> None:
    ground = account_of_member({**MEMBER, "username": username})
    flagged = {None: AccountKind.UNKNOWN, False: AccountKind.HUMAN, True: AccountKind.PROJECT_BOT}[flag]
    told = {place_of("enterprise_users", 1): replace(ENTERPRISE, username=username, kind=flagged)}
    if listed:
        told[place_of("service_accounts", 1)] = Account(id=5, username=username, kind=AccountKind.SERVICE_ACCOUNT)
    assert layered(ground, told).kind == kind
    assert ground_of(stored(layered(ground, told))).kind == ground.kind


def test_new_ground_keeps_what_lies_on_the_same_ground() -> None:
    once = stored(layered(GROUND, TOLD))
    renamed = carried(once, replace(GROUND, username="jane.doe"))
    assert (renamed.username, renamed.two_factor_enabled, renamed.told_by) == ("jane.doe", True, once.told_by)


def test_a_place_names_its_list_and_its_group() -> None:
    assert list_at(place_of("saml_users", 12)) == ("saml_users", 12)
    assert list_at(place_of("instance_service_accounts", None)) == ("instance_service_accounts", None)
