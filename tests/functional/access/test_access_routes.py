from typing import Any

import pytest

from gitlab_hub.access.model import Account
from gitlab_hub.access.pages import MAX_READ
from gitlab_hub.inventory.model import Resource, ResourceType, Share
from gitlab_hub.web.auth import Principal, Role
from tests.functional.access.access_api import NOW, Client


def test_an_account_is_shown_with_the_contracts_fields(client: Client) -> None:
    assert client.get("accounts/5") == (
        200,
        {
            "account": {
                "id": 5,
                "username": "jane",
                "name": "Jane Doe",
                "kind": "human",
                "status": "active",
                "state": "active",
                "emails": [{"value": "JD@example.com", "source": "account", "primary": True}],
                "identities": [{"provider": "saml", "extern_uid": "u5"}],
                "is_admin": False,
                "is_auditor": None,
                "external": None,
                "two_factor_enabled": None,
                "last_sign_in_at": None,
                "current_sign_in_at": None,
                "last_activity_on": "2026-02-20",
                "activity_source": "users",
                "created_at": 1337760058,
                "web_url": None,
                "sources": {},
                "told_by": [],
            }
        },
    )


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, [5, 6, 700]),
        ({"q": "JANE"}, [5]),
        ({"q": "doe"}, [5]),
        ({"q": "jd@EXAMPLE"}, [5]),
        ({"q": "nobody"}, []),
        ({"kind": "project_bot"}, [700]),
        ({"status": "disabled"}, [6]),
        ({"status": "active", "kind": "human"}, [5]),
        ({"inactive_days": 90}, [6]),
        ({"inactive_days": 3650}, []),
        ({"limit": 1}, [5, 6, 700]),
        ({"limit": 1, "kind": "human"}, [5, 6]),
        ({"is_admin": "false"}, [5]),
        ({"is_admin": "true"}, [6]),
        ({"external": "true"}, [6]),
        ({"external": "false"}, []),
        ({"two_factor_enabled": "false"}, [6]),
        ({"two_factor_enabled": "true"}, []),
        ({"two_factor_enabled": "false", "kind": "project_bot"}, []),
        ({"without_grants": "true"}, [700]),
        ({"without_grants": "true", "kind": "human"}, []),
        ({"without_grants": "false"}, [5, 6]),
        ({"without_grants": "false", "limit": 1}, [5, 6]),
    ],
)
def test_accounts_are_filtered_and_paged(client: Client, query: dict[str, Any], ids: list[int]) -> None:
    assert [account["id"] for account in client.every("accounts", **query)] == ids


def test_a_page_that_ends_the_list_has_no_cursor(client: Client) -> None:
    assert client.get("accounts", limit=3)[1]["next_cursor"] is None
    assert client.get("accounts", limit=2)[1]["next_cursor"] is not None


@pytest.mark.parametrize("path", ["accounts/4", "accounts/7", "accounts/999999999999", "accounts/jane", "accounts/-5"])
def test_an_unknown_account_is_not_found(client: Client, path: str) -> None:
    status, body = client.get(path)
    assert (status, body["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "alien"},
        {"status": "asleep"},
        {"inactive_days": 0},
        {"inactive_days": 10**9},
        {"limit": 201},
        {"q": ""},
        {"q": "x" * 201},
        {"is_admin": "perhaps"},
        {"without_grants": ""},
    ],
)
def test_filters_out_of_range_are_refused(client: Client, query: dict[str, Any]) -> None:
    status, body = client.get("accounts", **query)
    assert (status, body["code"]) == (422, "invalid_input")


def test_groups_and_projects_are_shown(client: Client) -> None:
    assert client.every("groups") == [
        {
            "id": 1,
            "full_path": "acme",
            "name": "Acme Inc",
            "parent_id": None,
            "visibility": None,
            "archived": False,
            "web_url": None,
            "created_at": None,
            "shared_with": [],
            "share_with_group_lock": True,
            "membership_lock": None,
            "marked_for_deletion_on": "2026-02-28",
        }
    ]
    (store,) = client.every("projects")
    assert (store["full_path"], store["parent_id"], store["archived"], store["default_branch"]) == (
        "acme/store",
        1,
        True,
        "main",
    )
    assert (store["share_with_group_lock"], store["membership_lock"], store["owner_id"]) == (None, None, None)
    assert store["shared_with"] == [
        {
            "group_id": 3,
            "full_path": "ops",
            "access_level": 20,
            "role": "Reporter",
            "member_role_id": 12,
            "member_role": {"id": 12, "name": None},
            "expires_at": NOW,
        }
    ]


@pytest.mark.parametrize("kind", ["group", "project"])
def test_a_group_or_project_is_read_by_its_id_as_its_list_shows_it(client: Client, kind: str) -> None:
    (row,) = client.every(f"{kind}s")
    assert client.get(f"{kind}s/{row['id']}") == (200, {kind: row})
    for unknown in (999_999, 3, "acme"):
        status, body = client.get(f"{kind}s/{unknown}")
        assert (status, body["code"]) == (404, "not_found")


@pytest.mark.parametrize(("q", "ids"), [("ACME", [1]), ("inc", [1]), ("store", [])])
def test_groups_are_searched_by_path_and_name(client: Client, q: str, ids: list[int]) -> None:
    assert [group["id"] for group in client.every("groups", q=q)] == ids


@pytest.mark.parametrize(
    ("path", "integration", "query"),
    [
        ("groups", "i1", {}),
        ("accounts", "i2", {"limit": 1}),
        ("accounts", "i1", {"limit": 1, "kind": "human"}),
        ("accounts", "i1", {"limit": 1, "q": "jane"}),
        ("grants", "i1", {}),
    ],
)
def test_a_cursor_of_another_list_is_refused(
    client: Client, path: str, integration: str, query: dict[str, Any]
) -> None:
    cursor = client.get("accounts", limit=1)[1]["next_cursor"]
    assert client.get("accounts", cursor=cursor)[0] == 200
    status, body = client.get(path, integration=integration, cursor=cursor, **query)
    assert (status, body["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ({"id": [1, 2]}, ["acme", "beta"]),
        ({"id": [2, 2, 9]}, ["beta"]),
        ({"path": "BETA/"}, ["beta"]),
        ({"path": "acme/store"}, []),
        ({"path": "bet"}, []),
        ({"path": "beta", "id": [1]}, []),
        ({"id": [1, 2], "q": "Beta"}, ["beta"]),
    ],
)
def test_groups_are_found_by_their_ids_and_by_their_path(
    client: Client, query: dict[str, Any], paths: list[str]
) -> None:
    client.store(Resource(id=2, full_path="beta", name="Beta"))
    status, body = client.get("groups", **query)
    assert (status, [one["full_path"] for one in body["groups"]], body["next_cursor"]) == (200, paths, None)


def test_a_project_is_found_by_its_path_and_no_more_ids_are_taken_than_fit_a_page(client: Client) -> None:
    [store] = client.get("projects", path="acme/store")[1]["projects"]
    assert client.get("projects", id=store["id"])[1]["projects"] == [store]
    assert client.get("projects", id=list(range(101)))[0] == 422


def test_a_cursor_of_groups_does_not_continue_projects(client: Client) -> None:
    client.store(Resource(id=2, full_path="beta", name="Beta"))
    cursor = client.get("groups", limit=1)[1]["next_cursor"]
    assert client.get("groups", cursor=cursor)[0] == 200
    assert client.get("projects", cursor=cursor)[0] == 400


@pytest.mark.parametrize("path", ["accounts", "groups", "projects", "grants"])
def test_a_tampered_cursor_is_refused(client: Client, path: str) -> None:
    status, body = client.get(path, cursor="AAAA")
    assert (status, body["code"]) == (400, "invalid_cursor")


def test_another_integration_has_none_of_these_rows(client: Client) -> None:
    for path in ("accounts", "groups", "projects", "grants"):
        assert client.every(path, integration="i2") == []
    assert client.every("grants", integration="i2", account_id=5) == []
    assert client.get("accounts/5", integration="i2")[0] == 404


@pytest.mark.parametrize("path", ["accounts", "accounts/5", "groups", "projects", "grants"])
def test_nobody_reads_without_a_token_for_the_integration(client: Client, path: str) -> None:
    limited = Principal("t2", Role.OWNER, frozenset({"i2"}))
    assert client.get(path, who=None)[0] == 401
    assert client.get(path, who=limited)[0] == 404


def test_one_request_reads_a_bounded_number_of_rows() -> None:
    client = Client()
    client.store(*(Account(id=number, username=f"u{number}") for number in range(1, MAX_READ + 3)))
    status, body = client.get("accounts", q=f"u{MAX_READ + 1}")
    assert (status, body["accounts"]) == (200, [])
    assert body["next_cursor"] is not None
    assert [account["id"] for account in client.every("accounts", q=f"u{MAX_READ + 1}")] == [MAX_READ + 1]


def test_a_personal_project_names_its_owner(client: Client) -> None:
    client.store(Resource(id=9, full_path="jane/dotfiles", name="Dotfiles", owner_id=5), kind=ResourceType.PROJECT)
    status, body = client.get("projects/9")
    assert (status, body["project"]["parent_id"], body["project"]["owner_id"]) == (200, None, 5)


def test_a_share_without_a_custom_role_has_none(client: Client) -> None:
    share: Share = {"group_id": 3, "full_path": "ops", "access_level": 20, "ends_at": None, "member_role_id": None}
    client.store(Resource(id=2, full_path="acme/teams", name="Teams", shared_with=[share]))
    _, body = client.get("groups/2")
    assert body["group"]["shared_with"][0]["member_role"] is None


def test_what_the_release_before_stored_of_a_group_is_shown(client: Client) -> None:
    client.store(Resource(id=2, full_path="acme/teams", name="Teams"))
    old = client.table.get("i1#groups", "000000000002") or {}
    added = ("share_with_group_lock", "membership_lock", "marked_for_deletion_on", "owner_id")
    client.table.put({name: value for name, value in old.items() if name not in added})
    _, body = client.get("groups/2")
    assert [body["group"][name] for name in added[:3]] == [None, None, None]
