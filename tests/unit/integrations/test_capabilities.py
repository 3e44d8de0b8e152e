"""What is said of a token's abilities, and of what would change them."""

from dataclasses import replace

import pytest

from gitlab_hub.gitlab.account_lists import GROUP_LISTS
from gitlab_hub.integrations.capabilities import Available, capabilities
from gitlab_hub.integrations.model import NOBODY, AuthMode, Features, GitLabUser, Integration
from gitlab_hub.integrations.permissions import NEEDS

INTEGRATION = Integration(
    id="int_1",
    host_url="https://gitlab.example.com",
    auth_mode=AuthMode.PERSONAL_TOKEN,
    status="active",
    paused=False,
    display_name="Acme",
    gitlab_version="19.6.0",
    group=None,
    features=Features(),
    account=GitLabUser(id=5, username="jane", kind="human"),
    credential_status="valid",
    scopes=("read_api",),
    token_expires_at=None,
    secret_version="v1",
    identity="i",
    created_by="t",
    created_at=0,
    updated_at=0,
)
READING, WRITING = (
    {"connect", "access", "pipelines", "credentials", "builds", "revoke"},
    {"manage_webhooks", "report_statuses", "provisioning"},
)
LISTS = {one.name for one in GROUP_LISTS}
SIGHTS = {"all_accounts", "private_emails", "second_factor", "last_sign_in", "administrators"}


def named(integration: Integration, available: Available) -> set[str]:
    return {one.name for one in capabilities(integration) if one.available is available}


def test_a_token_that_reads_can_read_and_is_told_what_more_needs() -> None:
    assert named(INTEGRATION, Available.YES) == READING
    assert named(INTEGRATION, Available.NO) == WRITING | SIGHTS | {"rotate"}
    to_change = {one.name: one.to_change for one in capabilities(INTEGRATION)}
    assert "the scope api" in (to_change["manage_webhooks"] or "")
    assert "administrator" in (to_change["last_sign_in"] or "")
    assert to_change["access"] is None


def test_api_includes_what_reads() -> None:
    assert named(replace(INTEGRATION, scopes=("api",)), Available.YES) == READING | WRITING


def test_an_administrator_sees_what_others_do_not() -> None:
    admin = replace(INTEGRATION, account=replace(INTEGRATION.account, is_admin=True))
    assert named(admin, Available.YES) == READING | SIGHTS


@pytest.mark.parametrize("is_admin", [False, True])
def test_of_a_fine_grained_token_only_trying_tells(*, is_admin: bool) -> None:
    granular = replace(INTEGRATION, scopes=("granular",), account=replace(INTEGRATION.account, is_admin=is_admin))
    features = {need.feature for need in NEEDS}
    lists = {"instance_service_accounts"} if is_admin else LISTS
    assert named(granular, Available.UNKNOWN) == features | lists | (SIGHTS if is_admin else set())
    told = {one.name: one.to_change or "" for one in capabilities(granular)}
    assert all(need.permissions[0] in told[need.feature] for need in NEEDS)


def test_before_anybody_authorized_nothing_is_known() -> None:
    waiting = replace(INTEGRATION, auth_mode=AuthMode.OAUTH_APP, account=NOBODY, scopes=())
    assert {one.available for one in capabilities(waiting)} == {Available.UNKNOWN}
    assert all("authorize" in (one.to_change or "") for one in capabilities(waiting))


def test_an_oauth_application_is_authorized_again_for_more() -> None:
    oauth = replace(INTEGRATION, auth_mode=AuthMode.OAUTH_APP)
    to_change = {one.name: one.to_change or "" for one in capabilities(oauth)}
    assert to_change["report_statuses"].startswith("Authorize again")
    assert {"rotate", "revoke"}.isdisjoint(to_change)


def test_an_administrator_who_is_limited_to_a_group_sees_no_list_of_all_accounts() -> None:
    limited = replace(INTEGRATION, account=replace(INTEGRATION.account, is_admin=True), group="acme")
    assert named(limited, Available.NO) == SIGHTS | WRITING | {"rotate"}
    (to_change,) = {one.to_change for one in capabilities(limited) if one.name in SIGHTS}
    assert "group" in (to_change or "")


def lists_of(unread: dict[str, tuple[str, str]], *, was_synced: bool = True) -> dict[str, tuple[str, str | None]]:
    found = capabilities(INTEGRATION, unread, was_synced=was_synced)
    return {one.name: (str(one.available), one.to_change) for one in found if one.name in LISTS}


def test_of_a_list_only_the_sync_tells() -> None:
    assert lists_of({}, was_synced=False) == dict.fromkeys(LISTS, ("unknown", "The next access sync tries it."))
    assert lists_of({}) == dict.fromkeys(LISTS, ("yes", None))


@pytest.mark.parametrize(
    ("status", "available"), [("forbidden", "no"), ("disabled", "no"), ("gone", "no"), ("failed", "unknown")]
)
def test_a_list_that_was_not_read_says_what_would_change_it(status: str, available: str) -> None:
    shown = lists_of({"billable_members": (status, "Be an Owner.")})
    assert shown["billable_members"] == (available, "Be an Owner.")
    assert shown["enterprise_users"] == ("yes", None)


def test_a_list_that_some_groups_show_is_read_and_names_another() -> None:
    shown = lists_of({"billable_members#000000000012": ("forbidden", "Be an Owner of acme.")})
    assert shown["billable_members"] == ("yes", "Be an Owner of acme.")


def test_an_administrator_needs_one_list_and_whoever_is_limited_to_a_group_all() -> None:
    admin = replace(INTEGRATION, account=replace(INTEGRATION.account, is_admin=True))
    assert {one.name for one in capabilities(admin)} & (LISTS | {"instance_service_accounts"}) == {
        "instance_service_accounts"
    }
    limited = replace(admin, group="acme")
    assert {one.name for one in capabilities(limited)} >= LISTS
