"""Members by GraphQL over a written-down GitLab: what is asked which way, and what is never taken at its word."""

from collections.abc import Mapping
from typing import Any

import pytest

from gitlab_hub.access.feature import AccessFeature
from gitlab_hub.gitlab.errors import GitLabError, HostUnreachable, NotGitLab, Unauthorized
from gitlab_hub.sync.ports import SyncTarget
from tests.fakes.session import FakeSession, run
from tests.functional.access.company import ADMIN, JANE, MEMBER, OLE, Company, member

MEMBERS = {"Group": "groupMembers", "Project": "projectMembers"}


class GraphQL:
    """Tells the members that the script tells, of an Enterprise Edition where nobody waits for approval."""

    def __init__(self, company: Company) -> None:
        self.script = company.script
        self.asked: list[tuple[str, list[str]]] = []
        self.roles, self.fails = True, dict[str, GitLabError]()
        company.script["/api/graphql"] = self
        company.script["/personal_access_tokens/self"] = {"scopes": ["read_api"]}
        for path in [path for path in company.script if path.endswith("/members")]:
            company.script[path] = [{"membership_state": "active", **row} for row in company.script[path]]

    def __call__(self, params: Mapping[str, Any]) -> Any:
        name = params["name"]
        ids = [one for part in ("ids0", "ids1") for one in params.get(part, ())]
        self.asked.append((name, ids))
        if name in self.fails:
            return self.fails[name]
        if name == "SchemaForMembers":
            return {"data": self.schema()}
        return {"data": {"part0": {"nodes": [self.node(one) for one in ids]}}}

    def schema(self) -> dict[str, Any]:
        role = [{"name": "memberRole"}] if self.roles else []
        group = [{"name": name} for name in ("groupMembers", "pendingMembers", "sharedGroups")]
        lists = [{"name": name, "args": [{"name": "ids"}]} for name in ("groups", "projects")]
        members = {"fields": role}
        return {
            "query": {"fields": lists},
            "group": {"fields": group},
            "groupMember": members,
            "projectMember": members,
        }

    def node(self, gid: str) -> dict[str, Any]:
        kind, number = gid.split("/")[-2:]
        rows = self.script[f"/{kind.lower()}s/{number}/members"]
        return {"id": gid, MEMBERS[kind]: page([told(row) for row in rows]), "pendingMembers": page([]),
                "sharedGroups": page([{"id": "gid://gitlab/Group/1"}] if number == "2" else [])}  # fmt: skip

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.asked]


def page(nodes: list[Any]) -> dict[str, Any]:
    return {"nodes": nodes, "pageInfo": {"hasNextPage": False, "endCursor": None}}


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "accessLevel": {"integerValue": row["access_level"]},
        "createdAt": row.get("created_at"),
        "expiresAt": row["expires_at"],
        "createdBy": None,
        "memberRole": None,
        "user": None if row.get("hidden") else {
            "id": f"gid://gitlab/User/{row['id']}", "username": row["username"], "name": row["name"],
            "state": row["state"], "webUrl": row["web_url"], "publicEmail": None,
        },
    }  # fmt: skip


@pytest.fixture
def company() -> Company:
    company = Company()
    company.feature = AccessFeature(company.table, graphql_from=1)
    return company


@pytest.fixture
def graphql(company: Company) -> GraphQL:
    return GraphQL(company)


async def sync(company: Company, sync_id: str = "s1", who: SyncTarget = ADMIN) -> FakeSession:
    session = company.session(who)
    session.sync_id = sync_id
    assert await run(company.feature, session) == {}
    return session


GRANTS = [("group", 1, JANE, 50), ("project", 8, JANE, 30), ("project", 8, 7, 40), ("project", 9, OLE, 20)]


async def test_the_first_sync_of_a_day_reads_tops_and_pages_by_rest(company: Company, graphql: GraphQL) -> None:
    session = await sync(company)
    assert company.grants() == GRANTS
    assert (session.counts["lists_by_rest"], session.counts["lists_by_graphql"]) == (1, 3)
    assert {"/groups/1", "/groups/2", "/groups/1/members"} <= set(company.gitlab.paths)
    assert {"/groups/2/members", "/projects/9/members"} & set(company.gitlab.paths) == set()


async def test_later_only_pages_of_groups_with_invitations_are_read(company: Company, graphql: GraphQL) -> None:
    await sync(company)
    company.gitlab.calls.clear()
    session = await sync(company, "s2")
    assert (session.counts["lists_by_rest"], session.counts["rows_written"]) == (1, 0)
    # Group 2 was invited into group 1, whose page tells at what level; of group 2 itself the lock is not known.
    assert {"/groups/1", "/groups/1/members"} <= set(company.gitlab.paths)
    assert "OutlinesOfGroups" in graphql.names


async def test_lists_of_projects_are_put_to_the_test_where_those_of_groups_were_not(
    company: Company, graphql: GraphQL
) -> None:
    company.script["/groups"] = [company.script["/groups"][0]]
    await sync(company)
    assert company.grants() == GRANTS
    asked = [(name, ids) for name, ids in graphql.asked if name.startswith("DirectMembers")]
    assert asked
    assert all(
        kind in one for name, ids in asked for kind in [name.removeprefix("DirectMembersOf")[:-1]] for one in ids
    )


async def test_who_is_stored_and_missing_is_asked_of_rest(company: Company, graphql: GraphQL) -> None:
    await sync(company)
    shown = company.script["/projects/8/members"]
    graphql.script = {**company.script, "/projects/8/members": shown[:1]}
    company.gitlab.calls.clear()
    session = await sync(company, "s2")
    assert "/projects/8/members" in company.gitlab.paths
    assert (company.grants(), session.counts["rows_removed"]) == (GRANTS, 0)


async def test_a_list_that_differs_leaves_all_to_rest(company: Company, graphql: GraphQL) -> None:
    await sync(company)
    graphql.script = {**company.script, "/groups/1/members": [member(JANE, "jane", 40)]}
    session = await sync(company, "s2")
    assert (session.counts["graphql_differs"], session.counts["lists_by_graphql"]) == (1, 0)
    assert company.grants() == GRANTS


@pytest.mark.parametrize("error", [NotGitLab("html"), Unauthorized("no"), HostUnreachable("slow")])
@pytest.mark.parametrize("name", ["SchemaForMembers", "OutlinesOfGroups", "DirectMembersOfGroups"])
async def test_whatever_graphql_refuses_rest_tells(
    company: Company, graphql: GraphQL, name: str, error: GitLabError
) -> None:
    graphql.fails[name] = error
    await sync(company)
    assert company.grants() == GRANTS


async def test_an_enterprise_edition_without_roles_is_read_by_rest(company: Company, graphql: GraphQL) -> None:
    graphql.roles = False
    session = await sync(company)
    assert (session.counts["graphql_refused"], session.counts["lists_by_graphql"]) == (2, 0)
    assert company.grants() == GRANTS


async def test_where_accounts_come_from_members_an_enterprise_edition_is_read_by_rest(
    company: Company, graphql: GraphQL
) -> None:
    session = await sync(company, who=MEMBER)
    assert (session.counts["lists_by_graphql"], company.grants()) == (0, GRANTS)


@pytest.mark.parametrize("told", [{"scopes": ["granular"], "granular": True}, {}, Unauthorized("no")])
async def test_a_token_that_may_be_fine_grained_asks_rest_only(company: Company, graphql: GraphQL, told: Any) -> None:
    company.script["/personal_access_tokens/self"] = told
    session = await sync(company)
    assert (session.counts["lists_by_graphql"], company.grants()) == (0, GRANTS)
    assert set(graphql.names) == {"SchemaForMembers"}


async def test_an_oauth_token_has_no_page_of_its_own(company: Company, graphql: GraphQL) -> None:
    del company.script["/personal_access_tokens/self"]
    assert (await sync(company)).counts["lists_by_graphql"] == 3


async def test_a_member_whose_account_graphql_hides_is_found_by_rest(company: Company, graphql: GraphQL) -> None:
    """Without an account, and not invited by email either: only REST tells who it is."""
    await sync(company)
    company.script["/projects/9/members"].append({**member(7, "bot", 40), "membership_state": "active", "hidden": True})
    company.gitlab.calls.clear()
    session = await sync(company, "s2")
    assert company.grants() == sorted([*GRANTS, ("project", 9, 7, 40)])
    assert session.counts["graphql_differs"] == 1
    assert {"/projects/9/invitations", "/projects/9/members"} <= set(company.gitlab.paths)


async def test_a_member_without_an_account_who_was_invited_costs_no_list(company: Company, graphql: GraphQL) -> None:
    row = {"invite_email": "new@example.com", "access_level": 40, "expires_at": None, "created_at": None}
    hidden = {**member(7, "bot", 40), "created_at": None, "hidden": True}
    members = company.script["/projects/9/members"]
    company.script["/projects/9/members"] = [*members, hidden]
    company.script["/projects/9/invitations"] = [row]
    for sync_id, asked in (("s1", 1), ("s2", 0)):
        company.gitlab.calls.clear()
        session = await sync(company, sync_id)
        assert company.gitlab.paths.count("/projects/9/invitations") == asked
        assert (session.counts["graphql_differs"], "/projects/9/members" in company.gitlab.paths) == (0, False)
    assert [one["email"] for one in company.rows("invitations").values()] == ["new@example.com"]
