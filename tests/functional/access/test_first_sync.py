from typing import Any

import pytest

from gitlab_hub.sync.ports import SyncTarget
from tests.fakes.session import FakeSession
from tests.functional.access.company import ADMIN, BOT, JANE, MEMBER, OLE, TOP_GROUP, Company, group, member, project

EVERY_GRANT = [
    ("group", 1, JANE, 50),
    ("project", 8, JANE, 30),
    ("project", 8, BOT, 40),
    ("project", 9, OLE, 20),
]


@pytest.mark.parametrize("who", [ADMIN, MEMBER, TOP_GROUP])
@pytest.mark.parametrize("page_size", [1, 100])
async def test_every_token_brings_the_same_company(who: SyncTarget, page_size: int) -> None:
    company = Company(page_size=page_size)
    session = await company.sync(who)
    assert session.durable.errors == {}
    assert company.ids("accounts") == [JANE, OLE, BOT]
    assert company.ids("groups") == [1, 2]
    assert company.ids("projects") == [8, 9]
    assert company.grants() == EVERY_GRANT


async def test_rows_lie_where_the_contract_says() -> None:
    company = Company()
    await company.sync()
    grant = company.rows("grants")["project#000000000009#000000000006"]
    assert (grant["by_account_pk"], grant["by_account_sk"]) == ("i1#000000000006", grant["sk"])
    assert (grant["schema_version"], grant["ends_at"]) == (1, 1772236800)
    assert list(company.rows("accounts")) == ["000000000005", "000000000006", "000000000007"]
    assert company.rows("groups")["000000000001"]["shared_with"][0]["group_id"] == 2
    assert company.rows("projects")["000000000009"]["archived"] is True


async def test_a_second_sync_writes_nothing() -> None:
    company = Company()
    await company.sync()
    before = company.table.dump()
    session = await company.sync()
    assert (session.counts["rows_written"], session.counts["rows_removed"]) == (0, 0)
    assert company.table.dump() == before


@pytest.mark.parametrize(
    ("who", "path", "parameters"),
    [
        (ADMIN, "/users", {"order_by": "id", "sort": "asc", "pagination": "keyset"}),
        (ADMIN, "/groups", {"order_by": "id", "sort": "asc"}),
        (ADMIN, "/projects", {"order_by": "id", "sort": "asc", "pagination": "keyset"}),
        (MEMBER, "/groups", {"min_access_level": 10}),
        (MEMBER, "/projects", {"membership": "true", "pagination": "keyset"}),
        (TOP_GROUP, "/groups/Acme/projects", {"include_subgroups": "true", "with_shared": "false"}),
        (ADMIN, "/groups/1", {"with_projects": "false"}),
    ],
)
async def test_lists_are_asked_for_as_the_token_may(who: SyncTarget, path: str, parameters: dict[str, Any]) -> None:
    company = Company()
    await company.sync(who)
    asked = [called for name, called in company.gitlab.calls if name == path]
    assert any(called.items() >= parameters.items() for called in asked)


async def test_an_administrator_asks_for_no_membership() -> None:
    company = Company()
    await company.sync(ADMIN)
    for path, parameters in company.gitlab.calls:
        assert not parameters.keys() & {"membership", "min_access_level"}, path


async def test_a_token_without_the_user_list_does_not_ask_for_it() -> None:
    company = Company()
    await company.sync(MEMBER)
    assert "/users" not in company.gitlab.paths


async def test_a_gitlab_without_descendant_groups_is_walked_down() -> None:
    company = Company(page_size=1)
    del company.script["/groups/1/descendant_groups"]
    company.script["/groups/1/subgroups"] = [group(2, "acme/teams"), group(3, "acme/ops")]
    company.script["/groups/2/subgroups"] = [group(4, "acme/teams/red")]
    for number in (3, 4):
        company.script[f"/groups/{number}/subgroups"] = company.script[f"/groups/{number}/members"] = []
        company.script[f"/groups/{number}"] = {}
    company.script["/groups/2/subgroups"] = [group(4, "acme/teams/red")]
    session = await company.sync(TOP_GROUP)
    assert session.durable.errors == {}
    assert company.ids("groups") == [1, 2, 3, 4]


async def test_projects_of_other_groups_are_not_taken() -> None:
    company = Company()
    company.script["/groups/Acme/projects"] += [project(30, "others/lib"), project(31, "acme-labs/lib")]
    await company.sync(TOP_GROUP)
    assert company.ids("projects") == [8, 9]


async def test_a_gitlab_that_shows_nothing_is_said_to() -> None:
    company = Company()
    company.gitlab.answers = {"/users": [], "/groups": [], "/projects": []}
    session = await company.sync()
    assert {place[0]: error.code for place, error in session.durable.errors.items()} == {"projects": "no_resources"}
    assert company.table.dump() == []


async def test_a_list_that_shows_a_member_twice_gives_one_grant() -> None:
    company = Company(page_size=2)
    company.script["/projects/8/members"] = [member(JANE, "jane"), member(OLE, "ole"), member(OLE, "ole", 40)]
    await company.sync()
    assert [grant for grant in company.grants() if grant[1] == 8] == [("project", 8, JANE, 30), ("project", 8, OLE, 40)]


def errors(session: FakeSession) -> dict[str, str]:
    """Stage → error code of what could not be read."""
    return {place[0]: error.code for place, error in session.durable.errors.items()}


def asks_for_access(number: int, path: str, group_id: int) -> dict[str, Any]:
    """A project whose row shows the level of a pending request for access to its group."""
    permissions = {"project_access": {"access_level": 30}, "group_access": {"access_level": 40}}
    namespace = {"id": group_id, "kind": "group", "full_path": path.rpartition("/")[0]}
    return project(number, path, namespace=namespace, permissions=permissions)


@pytest.mark.parametrize(("member_of", "failed"), [([], {}), ([3], {"groups": "no_resources"})])
async def test_an_empty_list_of_groups_is_believed_unless_the_user_is_a_member_of_one(
    member_of: list[int], failed: dict[str, str]
) -> None:
    company = Company()
    company.script["/groups"] = []
    company.script["/projects"] = [asks_for_access(8, "ops/store", 2), asks_for_access(9, "dev/wiki", 3)]
    del company.script["/groups/2/members/all/1"]
    company.script.update({f"/groups/{number}/members/all/1": member(1, "root") for number in member_of})
    assert errors(await company.sync(MEMBER)) == failed


@pytest.mark.parametrize(("path", "failed"), [("others/lib", {}), ("acme/ops/lib", {"groups": "no_resources"})])
async def test_a_group_without_subgroups_is_believed_unless_one_of_its_own_has_a_project(
    path: str, failed: dict[str, str]
) -> None:
    company = Company()
    company.script["/groups/1/descendant_groups"] = []
    namespace = {"id": 30, "kind": "group", "full_path": path.rpartition("/")[0]}
    company.script["/groups/Acme/projects"] = [project(8, "acme/store"), project(30, path, namespace=namespace)]
    del company.script["/projects/9"]
    company.script["/projects/30"], company.script["/projects/30/members"] = project(30, path), []
    assert errors(await company.sync(TOP_GROUP)) == failed
