"""The published least permissions are enough for what the hub calls, and each of them is needed.

The syncs are tried the same way in tests/integration/sync.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpx
import pytest

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.client import ClientOptions, GitLab, Tokens
from gitlab_hub.gitlab.errors import MissingPermissions
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.integrations.connector import FixedToken
from gitlab_hub.integrations.permissions import NEEDS, need_of
from gitlab_hub.integrations.tokens.gitlab_api import ROTATE_PATH, SELF_PATH
from gitlab_hub.integrations.verification.checks import Step, Verification
from gitlab_hub.integrations.verification.verifier import Subject, Verifier
from gitlab_hub.webhooks.hooks.gitlab_api import HooksApi
from stand_in_gitlab.app import StandIn
from stand_in_gitlab.company.build import Sizes
from stand_in_gitlab.company.model import Grant
from stand_in_gitlab.company.tokens import add
from stand_in_gitlab.rest.api import Call
from stand_in_gitlab.server import stand_in
from stand_in_gitlab.webhooks.request import Request
from stand_in_gitlab.webhooks.transport import Reply

BASE, TOKEN = "http://gitlab.test", "glpat-standin-tried"
NOW = 1_790_000_000


class Connector:
    """Opens clients whose way ends at a stand-in in this process."""

    def __init__(self, app: StandIn) -> None:
        self._app, self._policy = app, NetworkPolicy(allow_http=True)

    def address(self, url: str) -> Address:
        return self._policy.vetted(url)

    def open(self, address: Address, tokens: Tokens) -> GitLab:
        transport = httpx.ASGITransport(self._app)
        return GitLab(address, tokens, policy=self._policy, options=ClientOptions(deadline=8.0), transport=transport)


@pytest.fixture(scope="module")
def app() -> StandIn:
    def taken(_request: Request) -> Reply:
        return Reply(status=200, headers={}, body="")

    sizes = Sizes(users=30, groups=6, projects=12, pipelines=3, jobs=2)
    return stand_in(BASE, seed=3, sizes=sizes, epoch=float(NOW), frozen=True, post=taken)


@pytest.fixture
def project(app: StandIn) -> int:
    """A private project that the token's user owns."""
    number = min(app.company.projects)
    change(app, do="update_project", id=number, visibility="private", builds_enabled=True, default_branch="main")
    change(app, do="add_member", source="project", source_id=number, user_id=owner(app), level=50)
    return number


def owner(app: StandIn) -> int:
    return app.company.tokens[app.company.well_known["owner-read"]].user_id


def grant(app: StandIn, permissions: Iterable[str]) -> None:
    """Let the tried token hold these permissions wherever its user is a member, and no others."""
    loaded = tuple(permissions)
    grants = tuple(Grant(access=access, permissions=loaded) for access in ("user", "instance", "all_memberships"))
    add(app.company, "tried", owner(app), ("granular",), value=TOKEN, grants=grants)


def change(app: StandIn, **body: Any) -> Any:
    """Change the company."""
    call = Call(
        method="POST", path="changes", segments=("__standin__", "changes"), params={}, headers={},
        body=json.dumps(body).encode(),
    )  # fmt: skip
    answer = app.control_api.answer(call).settled()
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def verify(app: StandIn) -> Verification:
    verifier = Verifier(Connector(app), now=lambda: NOW)
    return verifier.verify(Subject(host_url=BASE, token=TOKEN), lambda _host, _account: False)


def lacked(verification: Verification, *, ok: bool) -> list[str]:
    return [
        name for check in verification.checks if check.ok is ok for name in check.details.get("missing_permissions", ())
    ]


def test_connecting_needs_what_is_published(app: StandIn) -> None:
    need = need_of("connect")
    grant(app, (*need.permissions, *need.better_with))
    assert (verify(app).code, lacked(verify(app), ok=True)) == (None, [])
    grant(app, need.permissions)
    verification = verify(app)
    assert (verification.code, set(lacked(verification, ok=True))) == (None, set(need.better_with))


@pytest.mark.parametrize("permission", need_of("connect").permissions)
def test_connecting_without_one_of_them_names_it(app: StandIn, permission: str) -> None:
    need = need_of("connect")
    grant(app, {*need.permissions, *need.better_with} - {permission})
    verification = verify(app)
    assert (verification.code, lacked(verification, ok=False)) == ("invalid_permissions", [permission])


def test_a_company_without_ci_is_connected_with_a_warning(app: StandIn) -> None:
    grant(app, (*need_of("connect").permissions, *need_of("connect").better_with))
    was = {number: project.builds_enabled for number, project in app.company.projects.items()}
    for project in app.company.projects.values():
        project.builds_enabled = False
    verification = verify(app)
    for number, enabled in was.items():
        app.company.projects[number].builds_enabled = enabled
    assert (verification.code, verification.warnings) == (None, ("ci_disabled",))
    assert next(check for check in verification.checks if check.step is Step.PIPELINES).http_status == 403


async def webhooks(gitlab: GitLab, project: int) -> None:
    await gitlab.get(f"/projects/{project}")
    calls = HooksApi(gitlab, "project", project)
    await calls.all()
    hook = (await calls.create({"url": "https://hub.test/hook", "push_events": True})).id
    await calls.get(hook)
    await calls.update(hook, {"url": "https://hub.test/hook", "tag_push_events": True})
    await anext(calls.events(hook, None))
    await calls.delete(hook)


async def statuses(gitlab: GitLab, project: int) -> None:
    await gitlab.send("POST", f"/projects/{project}/statuses/{SHAS[project]}", {"state": "running", "name": "hub"})


async def builds(gitlab: GitLab, project: int) -> None:
    await gitlab.get(f"/projects/{project}")
    await gitlab.get(f"/projects/{project}/repository/commits/main")
    await gitlab.get(f"/projects/{project}/repository/compare", {"from": "main", "to": "main", "straight": True})
    async for _ in gitlab.pages(f"/projects/{project}/merge_requests/{MERGE_REQUESTS[project]}/diffs"):
        pass


async def provisioning(gitlab: GitLab, project: int) -> None:
    members = f"/projects/{project}/members"
    space = (await gitlab.get(f"/projects/{project}")).body["namespace"]
    if space["kind"] == "group":
        await gitlab.get(f"/groups/{space['id']}", {"with_projects": "false"})
    listed = await anext(gitlab.pages(members))
    someone = next(number for number in range(1, 30) if number not in {row["id"] for row in listed.rows})
    await gitlab.get(f"/users/{someone}")
    await gitlab.send("POST", members, {"user_id": someone, "access_level": 50})
    await gitlab.get(f"{members}/{someone}")
    await gitlab.send("PUT", f"{members}/{someone}", {"access_level": 50, "expires_at": "2027-01-01"})
    await gitlab.send("DELETE", f"{members}/{someone}")


async def rotation(gitlab: GitLab, _project: int) -> None:
    await gitlab.send("POST", ROTATE_PATH, {"expires_at": "2027-01-01"})


async def revocation(gitlab: GitLab, _project: int) -> None:
    await gitlab.send("DELETE", SELF_PATH)


CALLS: dict[str, Callable[[GitLab, int], Awaitable[None]]] = {
    "manage_webhooks": webhooks,
    "report_statuses": statuses,
    "builds": builds,
    "provisioning": provisioning,
    "rotate": rotation,
    "revoke": revocation,
}
SHAS: dict[int, str] = {}
MERGE_REQUESTS: dict[int, int] = {}


def missing_permissions(app: StandIn, feature: str, project: int) -> list[str]:
    """Make the feature's calls; gives what GitLab says that the token lacks for them."""
    if project not in SHAS:
        SHAS[project] = change(app, do="push", project_id=project, branch="main", files=["a.py"])["sha"]
        opened = change(app, do="open_merge_request", project_id=project, source_branch="topic", files=["b.py"])
        MERGE_REQUESTS[project] = opened["iid"]

    async def run() -> None:
        connector = Connector(app)
        async with connector.open(connector.address(BASE), FixedToken(TOKEN)) as gitlab:
            await CALLS[feature](gitlab, project)

    try:
        asyncio.run(run())
    except MissingPermissions as refused:
        missing: list[str] = refused.details["missing_permissions"]
        return missing
    return []


def test_every_feature_is_tried_here_or_with_the_syncs() -> None:
    assert {need.feature for need in NEEDS} == {*CALLS, "connect", "access", "pipelines", "credentials"}


@pytest.mark.parametrize("feature", CALLS)
def test_what_is_published_is_enough(app: StandIn, project: int, feature: str) -> None:
    grant(app, need_of(feature).permissions)
    assert missing_permissions(app, feature, project) == []


@pytest.mark.parametrize(
    ("feature", "permission"), [(feature, name) for feature in CALLS for name in need_of(feature).permissions]
)
def test_without_one_of_them_gitlab_names_it(app: StandIn, project: int, feature: str, permission: str) -> None:
    grant(app, set(need_of(feature).permissions) - {permission})
    assert missing_permissions(app, feature, project) == [permission]
