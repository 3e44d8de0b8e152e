"""Who may revoke which tokens and take which keys away, in GitLab's order and words."""

from typing import Any

import pytest

from stand_in_gitlab.company.people import bot_of, service_account
from stand_in_gitlab.rest.granular import needed


@pytest.fixture
def made(house: Any) -> dict[str, Any]:
    """One of each kind in the house: of its group, its project, a service account, and of Ana."""
    company = house.app.company
    ana = house.person("ana", token="ana")
    house.put("group", house.top, ana, 40)
    bots = {kind: bot_of(company, kind, number) for kind, number in (("group", house.top), ("project", house.shop))}
    house.put("group", house.top, bots["group"].id, 30)
    house.put("project", house.shop, bots["project"].id, 40)
    robot = service_account(company, house.top, "Robot")
    holders = {"group": bots["group"].id, "project": bots["project"].id, "robot": robot.id, "person": ana}
    tokens = {name: house.do("add_access_token", user_id=number)["id"] for name, number in holders.items()}
    return {
        "top": house.top, "shop": house.shop, "ana": ana, "robot_id": robot.id, "bot": bots["project"].id, **tokens,
        "impersonation": house.do("add_access_token", user_id=ana, impersonation=True)["id"],
        "group_deploy": house.do("add_deploy_token", source="group", source_id=house.top)["id"],
        "project_deploy": house.do("add_deploy_token", source="project", source_id=house.shop)["id"],
        "deploy_key": house.do("add_deploy_key", project_id=house.shop)["id"],
        "ssh_key": house.do("add_ssh_key", user_id=ana)["id"],
    }  # fmt: skip


# Olga owns the house, Ana is a Maintainer of it, Dan nothing.
WHO: list[tuple[str, dict[str, int]]] = [
    ("/personal_access_tokens/{person}", {"nobody": 400, "owner": 400, "ana": 204}),
    ("/personal_access_tokens/{person}", {"admin": 204}),
    ("/personal_access_tokens/{impersonation}", {"ana": 400, "admin": 204}),
    ("/personal_access_tokens/{robot}", {"ana": 400, "owner": 204}),
    ("/personal_access_tokens/99999", {"ana": 404, "admin": 404}),
    ("/groups/{top}/access_tokens/{group}", {"nobody": 404, "ana": 400, "owner": 204}),
    ("/groups/{top}/access_tokens/{project}", {"owner": 404}),
    ("/projects/{shop}/access_tokens/{project}", {"nobody": 404, "ana": 204}),
    ("/projects/{shop}/access_tokens/{person}", {"owner": 404}),
    ("/groups/{top}/service_accounts/{robot_id}/personal_access_tokens/{robot}", {"ana": 403, "owner": 204}),
    ("/groups/{top}/service_accounts/{robot_id}/personal_access_tokens/{person}", {"owner": 404}),
    ("/groups/{top}/service_accounts/{ana}/personal_access_tokens/{person}", {"owner": 404}),
    ("/users/{ana}/impersonation_tokens/{impersonation}", {"owner": 403, "ana": 403, "admin": 204}),
    ("/users/{ana}/impersonation_tokens/{person}", {"admin": 404}),
    ("/users/{ana}/keys/{ssh_key}", {"owner": 403, "ana": 403, "admin": 204}),
    ("/users/{bot}/keys/{ssh_key}", {"admin": 404}),
    ("/groups/{top}/deploy_tokens/{group_deploy}", {"ana": 403, "owner": 204}),
    ("/groups/{top}/deploy_tokens/{project_deploy}", {"owner": 404}),
    ("/projects/{shop}/deploy_tokens/{project_deploy}", {"nobody": 404, "ana": 204}),
    ("/projects/{shop}/deploy_keys/{deploy_key}", {"nobody": 404, "ana": 204}),
    ("/projects/{shop}/deploy_keys/99999", {"ana": 404}),
]


@pytest.mark.parametrize(("path", "answers"), WHO)
def test_who_may_end_what(house: Any, made: dict[str, Any], path: str, answers: dict[str, int]) -> None:
    house.person("dan", token="nobody", external=True)
    for holder, status in answers.items():
        assert house.ask(path.format(**made), holder, "DELETE").status == status, holder


def test_what_is_revoked_stays_listed_and_what_is_deleted_is_gone(house: Any, made: dict[str, Any]) -> None:
    tokens = f"/projects/{made['shop']}/access_tokens/{made['project']}"
    for _ in range(2):
        assert house.ask(tokens, "owner", "DELETE").status == 204
        row = house.ask(tokens, "owner").json
        assert (row["revoked"], row["active"]) == (True, False)
    assert house.level("project", made["shop"], made["bot"]) == 40
    for path in (
        f"/projects/{made['shop']}/deploy_tokens/{made['project_deploy']}",
        f"/projects/{made['shop']}/deploy_keys/{made['deploy_key']}",
        f"/users/{made['ana']}/keys/{made['ssh_key']}",
    ):
        assert [house.ask(path, "admin", method).status for method in ("GET", "DELETE", "GET", "DELETE")] == [
            200, 204, 404, 404,
        ]  # fmt: skip


def test_a_deploy_key_leaves_one_project_only(house: Any, made: dict[str, Any]) -> None:
    house.app.company.deploy_keys[made["deploy_key"]].projects[house.deep] = True
    assert house.ask(f"/projects/{made['shop']}/deploy_keys/{made['deploy_key']}", "owner", "DELETE").status == 204
    assert house.ask(f"/projects/{house.deep}/deploy_keys/{made['deploy_key']}", "owner").json["can_push"] is True


def test_who_may_not_is_told_in_gitlabs_words(house: Any, made: dict[str, Any]) -> None:
    company = house.app.company
    got = house.ask(f"/groups/{made['top']}/access_tokens/{made['group']}", "ana", "DELETE")
    bot = next(one for one in company.tokens.values() if one.id == made["group"]).user_id
    words = f"400 Bad request - Ana cannot delete {company.users[bot].name}"
    assert (got.status, got.json) == (400, {"message": words})
    got = house.ask(f"/personal_access_tokens/{made['person']}", "owner", "DELETE")
    assert (got.status, got.json) == (400, {"message": "400 Bad request"})


def test_older_releases_delete_the_bot_soon(house: Any, made: dict[str, Any]) -> None:
    house.control("POST", "behaviour", {"bots_go_with_tokens": True, "deletion_delay": 0.0})
    path = f"/projects/{made['shop']}/access_tokens/{made['project']}"
    assert house.ask(path, "owner", "DELETE").status == 204
    assert house.ask(path, "owner").status == 404
    assert house.level("project", made["shop"], made["bot"]) is None


@pytest.mark.parametrize(
    ("pattern", "permission", "of"),
    [
        ("personal_access_tokens/*", "Personal Access Token: Revoke", "user"),
        ("groups/*/access_tokens/*", "Resource Access Token: Delete", "group"),
        ("groups/*/service_accounts/*/personal_access_tokens/*",
         "Service Account Personal Access Token: Revoke", "group"),
        ("projects/*/deploy_tokens/*", "Deploy Token: Delete", "project"),
        ("projects/*/deploy_keys/*", "Deploy Key: Delete", "project"),
        ("users/*/keys/*", "SSH Key: Delete", "user"),
        ("users/*/impersonation_tokens/*", "Impersonation Token: Revoke", "instance"),
    ],
)  # fmt: skip
def test_the_permissions_are_gitlabs(pattern: str, permission: str, of: str) -> None:
    assert needed("DELETE", pattern) == (permission, of)
