"""What counts as a change of an account, a grant, a group or a project, and what does not."""

from typing import Any

import pytest

from gitlab_hub.access.changes.differences import (
    APART,
    account_changes,
    grant_changes,
    is_apart,
    only_became_known,
    resource_changes,
)
from gitlab_hub.access.changes.model import Change, ChangeKind, change_of, item_of_change
from gitlab_hub.access.model import Account, AccountStatus, Grant
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.inventory.model import Resource, ResourceType, Share
from gitlab_hub.storage.ports import Item
from gitlab_hub.storage.rows import item_of

JANE = Account(
    id=5,
    username="jane",
    name="Jane",
    kind=AccountKind.HUMAN,
    status=AccountStatus.ACTIVE,
    state="active",
    emails=[{"value": "j@acme.example", "source": "account", "primary": True}],
    is_admin=False,
    last_sign_in_at=1,
)
GRANT = Grant(account_id=5, resource_type=ResourceType.PROJECT, resource_id=8, access_level=30, granted_at=77)
SHARE = Share(group_id=3, full_path="ops", access_level=20, ends_at=None, member_role_id=None)
STORE = Resource(id=8, full_path="acme/store", name="Store", parent_id=1, visibility="private", shared_with=[SHARE])


def item(value: Any, **changes: Any) -> Item:
    return {**item_of(value), **changes, "pk": "p", "sk": "s", "hash": "h"}


def kinds(changes: list[Change]) -> list[str]:
    return [str(change.kind) for change in changes]


@pytest.mark.parametrize(
    "changed",
    [
        {"username": "jd"},
        {"name": "J"},
        {"kind": "service_account"},
        {"status": "disabled"},
        {"state": "blocked"},
        {"is_admin": True},
        {"external": True},
        {"two_factor_enabled": True},
        {"emails": []},
        {"identities": [{"provider": "saml", "extern_uid": "u5"}]},
    ],
)
def test_what_people_mean_by_an_account_is_told_with_both_sides(changed: dict[str, Any]) -> None:
    (change,) = account_changes(item(JANE), item(JANE, **changed))
    assert (change.kind, change.account_id, change.resource) == (ChangeKind.ACCOUNT_CHANGED, 5, None)
    assert change.before is not None
    assert change.after == {**change.before, **changed}


@pytest.mark.parametrize(
    "changed",
    [{"last_sign_in_at": 2}, {"current_sign_in_at": 2}, {"last_activity_on": "2026-03-01"}, {"activity_source": "x"},
     {"web_url": "https://gitlab.example/jane"}, {"created_at": 3}],
)  # fmt: skip
def test_what_changes_daily_is_no_change_of_an_account(changed: dict[str, Any]) -> None:
    assert account_changes(item(JANE), item(JANE, **changed)) == []


def test_a_field_that_an_older_release_did_not_keep_has_not_changed() -> None:
    older = item(JANE)
    del older["two_factor_enabled"]
    assert account_changes(older, item(JANE, two_factor_enabled=True)) == []
    (change,) = account_changes(older, item(JANE, name="J", two_factor_enabled=True))
    assert change.before is not None
    assert "two_factor_enabled" not in change.before
    older = item(STORE)
    del older["archived"]
    assert resource_changes(ResourceType.PROJECT, older, item(STORE, archived=True, membership_lock=True), "acme") == []


def test_accounts_come_and_go() -> None:
    (come,), (gone,) = account_changes(None, item(JANE)), account_changes(item(JANE), None)
    assert (come.kind, come.before) == (ChangeKind.ACCOUNT_ADDED, None)
    assert (gone.kind, gone.after) == (ChangeKind.ACCOUNT_REMOVED, None)
    assert gone.before == come.after
    assert (come.after or {})["username"] == "jane"


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"access_level": 40}, {"access_level": 40}),
        ({"member_role": {"id": 1, "name": "Auditor"}}, {"member_role": {"id": 1, "name": "Auditor"}}),
        ({"ends_at": 99}, {"expires_at": 99}),
        ({"membership_state": "awaiting"}, {"membership_state": "awaiting"}),
    ],
)
def test_what_a_grant_gives_is_told(changed: dict[str, Any], shown: dict[str, Any]) -> None:
    (change,) = grant_changes(item(GRANT), item(GRANT, **changed), "acme/store")
    assert (change.kind, change.account_id, change.at) == (ChangeKind.GRANT_CHANGED, 5, None)
    assert change.resource == {"type": "project", "id": 8, "full_path": "acme/store"}
    assert change.before == {
        "access_level": 30, "member_role": None, "expires_at": None, "membership_state": None,
        "granted_at": 77, "granted_by": None,
    }  # fmt: skip
    assert change.after == {**change.before, **shown}


def test_a_grant_that_comes_tells_when_it_began() -> None:
    (come,), (gone,) = grant_changes(None, item(GRANT)), grant_changes(item(GRANT), None)
    assert (come.kind, come.at) == (ChangeKind.GRANT_ADDED, 77)
    assert (gone.kind, gone.at, gone.before) == (ChangeKind.GRANT_REMOVED, None, come.after)
    assert grant_changes(item(GRANT), item(GRANT, granted_at=80, granted_by=1)) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"full_path": "acme/shop"}, ["resource_moved"]),
        ({"name": "Shop"}, ["resource_moved"]),
        ({"full_path": "ops/store", "parent_id": 3}, ["resource_moved"]),
        ({"visibility": "public"}, ["resource_changed"]),
        ({"archived": True}, ["resource_changed"]),
        ({"membership_lock": True, "share_with_group_lock": True, "marked_for_deletion_on": None}, []),
        (
            {"name": "Shop", "archived": True, "shared_with": []},
            ["resource_moved", "resource_changed", "share_removed"],
        ),
        ({"default_branch": "main", "web_url": "https://gitlab.example/x"}, []),
        ({"shared_with": [{**SHARE, "access_level": 30}]}, ["share_changed"]),
        ({"shared_with": [{**SHARE, "ends_at": 9}]}, ["share_changed"]),
        ({"shared_with": [{**SHARE, "member_role_id": 9}]}, ["share_changed"]),
        ({"shared_with": [{**SHARE, "full_path": "operations"}]}, []),
        ({"shared_with": [SHARE, {**SHARE, "group_id": 2}]}, ["share_added"]),
    ],
)
def test_what_is_told_of_a_project(changed: dict[str, Any], told: list[str]) -> None:
    parent = "ops" if "parent_id" in changed else "acme"
    assert kinds(resource_changes(ResourceType.PROJECT, item(STORE), item(STORE, **changed), parent)) == told


def test_locks_that_are_kept_are_told_of() -> None:
    before = item(STORE, membership_lock=False, marked_for_deletion_on=None)
    for changed in ({"membership_lock": True}, {"marked_for_deletion_on": "2026-04-01"}):
        (change,) = resource_changes(ResourceType.PROJECT, before, {**before, **changed}, "acme")
        assert (change.kind, change.after) == (ChangeKind.RESOURCE_CHANGED, {**(change.before or {}), **changed})


def test_a_share_is_told_of_the_resource_with_the_group_that_was_invited() -> None:
    (change,) = resource_changes(ResourceType.PROJECT, item(STORE, shared_with=[]), item(STORE), "acme")
    assert (change.kind, change.before, change.account_id) == (ChangeKind.SHARE_ADDED, None, None)
    assert change.resource == {"type": "project", "id": 8, "full_path": "acme/store"}
    shown = {"group_id": 3, "full_path": "ops", "access_level": 20, "expires_at": None, "member_role_id": None}
    assert change.after == shown


def test_resources_come_before_their_shares_and_go_after_them() -> None:
    assert kinds(resource_changes(ResourceType.PROJECT, None, item(STORE), "acme")) == ["resource_added", "share_added"]
    gone = resource_changes(ResourceType.PROJECT, item(STORE), None, None)
    assert kinds(gone) == ["share_removed", "resource_removed"]
    assert (gone[-1].before or {})["full_path"] == "acme/store"


@pytest.mark.parametrize(
    ("parent_path", "mark", "told"),
    [("ember", {}, False), ("acme", {}, True), (None, {}, True), ("ember", {APART: True}, True)],
    ids=["the group says it", "the group does not", "no group to say it", "it was told apart before"],
)
def test_a_path_that_its_group_explains_is_not_told(
    parent_path: str | None, mark: dict[str, bool], *, told: bool
) -> None:
    before, after = item(STORE, **mark), item(STORE, full_path="ember/store")
    changes = resource_changes(ResourceType.PROJECT, before, after, parent_path)
    assert kinds(changes) == ["resource_moved"] * told
    assert is_apart(before, changes) == (parent_path == "acme")
    assert all((change.after or {})["follows_parent"] == (parent_path != "acme") for change in changes)


def test_a_path_that_was_told_apart_stays_so_until_it_is_told_again() -> None:
    before = item(STORE, **{APART: True})
    assert is_apart(before, resource_changes(ResourceType.PROJECT, before, item(STORE, archived=True), "other"))
    assert not is_apart(item(STORE), [])


@pytest.mark.parametrize(
    ("before", "after", "known"),
    [
        ({"is_admin": None, "emails": []}, {}, True),
        ({"status": "unknown", "state": None}, {}, True),
        ({"is_admin": None, "name": "J"}, {}, False),
        ({"is_admin": False}, {"is_admin": True}, False),
    ],
)
def test_a_field_that_comes_into_sight_has_not_changed(
    before: dict[str, Any], after: dict[str, Any], *, known: bool
) -> None:
    (change,) = account_changes(item(JANE, **before), item(JANE, **after))
    assert only_became_known(change) is known


def test_what_is_stored_of_a_change_gives_it_back() -> None:
    changes = [
        *account_changes(None, item(JANE)),
        *grant_changes(item(GRANT), None, "acme/store"),
        *resource_changes(ResourceType.GROUP, None, item(STORE), None),
    ]
    assert [change_of(item_of_change(change)) for change in changes] == changes
