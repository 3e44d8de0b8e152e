"""What is kept of GitLab's rows of groups and projects."""

from typing import Any

import pytest

from gitlab_hub.inventory.model import Resource, group_of, project_of, shares_of, with_own_page
from gitlab_hub.storage.rows import item_of

GROUP_ROW: dict[str, Any] = {
    "id": 4,
    "name": "Twitter",
    "path": "twitter",
    "full_path": "acme/twitter",
    "parent_id": 2,
    "visibility": "private",
    "web_url": "https://gitlab.example/groups/acme/twitter",
    "created_at": "2020-01-15T12:36:29.590Z",
    "runners_token": "GR1348941secret",
}
PROJECT_ROW: dict[str, Any] = {
    "id": 8,
    "name": "Store Cloud",
    "path_with_namespace": "acme/storecloud",
    "namespace": {"id": 2, "kind": "group", "full_path": "acme"},
    "visibility": "internal",
    "archived": True,
    "web_url": "https://gitlab.example/acme/storecloud",
    "created_at": "2020-01-15T12:36:29Z",
    "default_branch": "main",
    "last_activity_at": "2024-05-06T07:08:09Z",
    "star_count": 3,
    "runners_token": "GR1348941secret",
    "shared_with_groups": [],
}
SHARE: dict[str, Any] = {
    "group_id": 9,
    "group_name": "Auditors",
    "group_full_path": "auditors",
    "group_access_level": 20,
    "expires_at": "2024-01-26",
}


def test_a_group_is_read() -> None:
    assert group_of(GROUP_ROW) == Resource(
        id=4,
        full_path="acme/twitter",
        name="Twitter",
        parent_id=2,
        visibility="private",
        web_url="https://gitlab.example/groups/acme/twitter",
        created_at=1579091789,
    )


def test_a_project_is_read() -> None:
    assert project_of(PROJECT_ROW) == Resource(
        id=8,
        full_path="acme/storecloud",
        name="Store Cloud",
        parent_id=2,
        visibility="internal",
        archived=True,
        web_url="https://gitlab.example/acme/storecloud",
        created_at=1579091789,
        default_branch="main",
    )


def test_a_personal_project_has_no_group() -> None:
    assert project_of(PROJECT_ROW | {"namespace": {"id": 77, "kind": "user"}}).parent_id is None


@pytest.mark.parametrize("resource", [group_of(GROUP_ROW), project_of(PROJECT_ROW)])
def test_no_token_of_runners_is_kept(resource: Resource) -> None:
    assert "GR1348941secret" not in str(item_of(resource))


def test_activity_of_a_project_changes_nothing() -> None:
    later = PROJECT_ROW | {"last_activity_at": "2031-01-01T00:00:00Z", "star_count": 4}
    assert project_of(later) == project_of(PROJECT_ROW)


def test_shares_are_read_in_an_order_of_their_own() -> None:
    other = SHARE | {"group_id": 3, "member_role_id": 12, "expires_at": None}
    shares = shares_of({"shared_with_groups": [SHARE, other]})
    assert [share["group_id"] for share in shares] == [3, 9]
    assert shares[1] == {
        "group_id": 9,
        "full_path": "auditors",
        "access_level": 20,
        "ends_at": 1706227200,
        "member_role_id": None,
    }


def test_a_row_of_a_list_keeps_the_shares_that_are_known() -> None:
    known = group_of(GROUP_ROW | {"shared_with_groups": [SHARE]})
    assert group_of(GROUP_ROW, known).shared_with == known.shared_with
    assert group_of(GROUP_ROW | {"shared_with_groups": []}, known).shared_with == []


LOCKS = {"share_with_group_lock": True, "membership_lock": False, "marked_for_deletion_on": "2026-11-30"}


def test_locks_and_the_day_of_a_deletion_are_read() -> None:
    group = group_of(GROUP_ROW | LOCKS)
    assert (group.share_with_group_lock, group.membership_lock) == (True, False)
    assert group.marked_for_deletion_on == "2026-11-30"
    assert project_of(PROJECT_ROW | LOCKS).marked_for_deletion_on == "2026-11-30"


@pytest.mark.parametrize("value", ["yes", 1, None, {}])
def test_what_is_no_answer_is_unknown(value: object) -> None:
    known = group_of(GROUP_ROW | LOCKS)
    group = group_of(GROUP_ROW | dict.fromkeys(LOCKS, value), known)
    assert (group.share_with_group_lock, group.membership_lock, group.marked_for_deletion_on) == (None, None, None)


def test_what_a_row_does_not_have_stays_as_it_was_and_is_never_guessed() -> None:
    known = group_of(GROUP_ROW | LOCKS)
    assert group_of(GROUP_ROW, known) == known
    fresh = group_of(GROUP_ROW)
    assert (fresh.share_with_group_lock, fresh.membership_lock, fresh.marked_for_deletion_on) == (None, None, None)


def test_a_deletion_that_was_taken_back_is_over() -> None:
    known = group_of(GROUP_ROW | LOCKS)
    assert group_of(GROUP_ROW | {"marked_for_deletion_on": None}, known).marked_for_deletion_on is None


def test_the_page_of_a_group_adds_what_lists_lack_and_nothing_else() -> None:
    listed = group_of(GROUP_ROW | {"share_with_group_lock": True})
    page = {"name": "Other", "share_with_group_lock": False, "membership_lock": True, "shared_with_groups": [SHARE]}
    told = with_own_page(listed, page)
    assert (told.name, told.share_with_group_lock, told.membership_lock) == ("Twitter", True, True)
    assert told.shared_with == shares_of(page)
    assert with_own_page(told, {"name": "A page of another edition"}) == told


PERSONAL = PROJECT_ROW | {"namespace": {"id": 77, "kind": "user"}}


def test_a_personal_project_has_an_owner_as_far_as_gitlab_tells() -> None:
    mine = project_of(PERSONAL | {"owner": {"id": 5, "username": "jane"}})
    assert mine.owner_id == 5
    assert project_of(PERSONAL).owner_id is None
    assert project_of(PERSONAL, mine).owner_id == 5
    assert project_of(PERSONAL | {"owner": None}, mine).owner_id is None


def test_a_project_of_a_group_has_no_owner_whoever_created_it() -> None:
    mine = project_of(PERSONAL | {"owner": {"id": 5}})
    moved = project_of(PROJECT_ROW | {"creator_id": 5}, mine)
    assert (moved.owner_id, moved.parent_id) == (None, 2)
