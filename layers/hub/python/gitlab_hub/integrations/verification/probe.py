"""The requests of a verification, one method per step; what an answer means is decided elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple

from gitlab_hub.gitlab.client import GitLab, Reply
from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    GrantRefused,
    HostUnreachable,
    MissingPermissions,
    RateLimited,
    ResourceNotFound,
    Unauthorized,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.fields import ci_is_off, first_id, is_below, text
from gitlab_hub.gitlab.messages import group_path
from gitlab_hub.gitlab.oauth import INFO_PATH
from gitlab_hub.integrations.verification import codes
from gitlab_hub.integrations.verification import steps as token_steps
from gitlab_hub.integrations.verification.checks import Check, Facts, Step, errored, passed, permission_spared
from gitlab_hub.integrations.verification.connectivity import connectivity_checks
from gitlab_hub.integrations.verification.steps import (
    SAMPLE,
    Sampled,
    Seen,
    active_of,
    groups_check,
    jobs_check,
    pipelines_check,
    projects_check,
    sample,
    version_check,
)

Answer = Reply | GitLabError
Param = str | int | bool

LISTED = 20
GRANTED = 5
"""How many of the groups and of the projects that a grant names are looked at, and projects of such a group."""

LEAST_LEVEL = 10
"""Guest: the lowest level that makes somebody a member."""


class Named(NamedTuple):
    """A group by the path it was given or seen under, and by its id if that is known."""

    path: str
    id: int | None


class Probe:
    """One run over one client; later steps build on the facts of earlier ones."""

    def __init__(
        self, gitlab: GitLab, token: str, group: Named | None, *, writes: bool, now: int, oauth: bool = False
    ) -> None:
        self._gitlab, self._token, self._group, self._writes, self._now = gitlab, token, group, writes, now
        self._oauth = oauth
        self._user: Answer | None = None
        self._projects: list[Mapping[str, Any]] = []
        self._pipeline: tuple[int, int] | None = None
        self.facts = Facts()

    async def run(self, steps: tuple[Step, ...], clock: Callable[[], float]) -> AsyncIterator[Check]:
        """Take the steps in order, as far as there is a point in going on."""
        for step, take in self._steps().items():
            if step not in steps or not self._possible(step):
                continue
            started = clock()
            checks = await take()
            latency = round((clock() - started) * 1000)
            for check in checks:
                yield replace(check, latency_ms=latency if check.step == step else None)
            if any(not check.ok and codes.stops(check.code) for check in checks):
                return

    def _steps(self) -> dict[Step, Callable[[], Awaitable[list[Check]]]]:
        return {
            Step.TOKEN: self._run_token,
            Step.ACCOUNT: self._run_account,
            Step.VERSION: self._run_version,
            Step.GROUPS: self._run_groups,
            Step.PROJECTS: self._run_projects,
            Step.PIPELINES: self._run_pipelines,
            Step.JOBS: self._run_jobs,
        }

    def _possible(self, step: Step) -> bool:
        return step not in (Step.PIPELINES, Step.JOBS) or bool(self._projects)

    async def _run_token(self) -> list[Check]:
        seen = await (self._ask_oauth() if self._oauth else self._ask("/personal_access_tokens/self"))
        way = connectivity_checks(seen if isinstance(seen, GitLabError) else None)
        return [*way, await self._token_check(seen)] if all(check.ok for check in way) else way

    async def _token_check(self, seen: Answer) -> Check:
        if isinstance(seen, ResourceNotFound) or (
            isinstance(seen, GitLabError) and seen.http_status == HTTPStatus.BAD_REQUEST
        ):
            # GitLab before 15.5 does not have the route, and an OAuth token has another: 404 or, in newer ones, 400.
            seen = await self._ask_info()
            if isinstance(seen, GitLabError) and not isinstance(seen, RateLimited | HostUnreachable):
                return await self._check_by_user()
        if isinstance(seen, MissingPermissions) and seen.details["reason"] != "not_enabled":
            self.facts = replace(self.facts, token=token_steps.UNDESCRIBED)
            return permission_spared(Step.TOKEN, seen)
        if isinstance(seen, GitLabError):
            return token_steps.token_refused(seen, self._token, writes=self._writes, oauth=self._oauth)
        facts = token_steps.token_facts(seen.body)
        self.facts = replace(self.facts, token=facts)
        return token_steps.token_check(
            seen.body, facts, status=seen.http_status, writes=self._writes, oauth=self._oauth, now=self._now
        )

    async def _check_by_user(self) -> Check:
        user = await self._ask_user()
        if isinstance(user, GitLabError) and not isinstance(user, Forbidden):
            return token_steps.token_refused(user, self._token, writes=self._writes, oauth=self._oauth)
        return passed(Step.TOKEN, status=user.http_status, hint="This GitLab does not describe the token.")

    async def _run_account(self) -> list[Check]:
        seen = await self._ask_user()
        check = token_steps.account_check(seen)
        if isinstance(seen, Reply) and check.ok:
            self.facts = replace(self.facts, account=token_steps.account_of(seen.body))
        return [check]

    async def _run_version(self) -> list[Check]:
        seen = await self._ask("/version")
        if isinstance(seen, ResourceNotFound):
            seen = await self._ask("/metadata")
        if isinstance(seen, MissingPermissions):
            return [permission_spared(Step.VERSION, seen)]
        if isinstance(seen, ResourceNotFound | Forbidden):
            return [version_check(None, seen.http_status)]
        if isinstance(seen, GitLabError):
            return [errored(Step.VERSION, seen)]
        version = seen.body.get("version")
        self.facts = replace(self.facts, version=text(version, None))
        return [version_check(self.facts.version, seen.http_status)]

    async def _run_groups(self) -> list[Check]:
        if self._group is None:
            listed = await self._list("/groups", min_access_level=LEAST_LEVEL, per_page=1)
            return [groups_check(listed, None, self.facts.token)]
        seen = await self._ask(self._group_path(), {"with_projects": False})
        if isinstance(seen, Reply):
            path, known = seen.body.get("full_path"), first_id(seen.body, "id") or self._group.id
            self.facts = replace(self.facts, group=str(path or self._group.path), group_id=known)
        found = seen if isinstance(seen, GitLabError) else seen.body
        return [groups_check(found, self._group.path, self.facts.token)]

    async def _run_projects(self) -> list[Check]:
        listed = await self._first_projects()
        active = [] if isinstance(listed, GitLabError) else active_of(listed)
        if not isinstance(listed, GitLabError) and len(listed) == LISTED and not active:
            again = await self._list_projects(per_page=LISTED, archived=False)
            active = [] if isinstance(again, GitLabError) else active_of(again)
        self._projects = await self._to_look_into(active)
        return [projects_check(listed, active, self.facts.token)]

    async def _to_look_into(self, active: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """A few projects; of a fine-grained token more, those that its grant names first: lists show others too."""
        token = self.facts.token
        if not active or not token.fine_grained:
            return sample(active)
        named = await asyncio.gather(*(self._ask(f"/projects/{number}") for number in token.projects[:GRANTED]))
        below = await asyncio.gather(
            *(
                self._list(f"/groups/{number}/projects", include_subgroups=True, per_page=GRANTED)
                for number in token.groups[:GRANTED]
            )
        )
        granted = [seen.body for seen in named if isinstance(seen, Reply)]
        granted += [row for rows in below if not isinstance(rows, GitLabError) for row in rows]
        inside = [row for row in active_of(granted) if self._covers(row)]
        return sample([*inside, *active], LISTED)

    def _covers(self, project: Mapping[str, Any]) -> bool:
        path = str(project.get("path_with_namespace") or "")
        return self.facts.group is None or is_below(path, self.facts.group)

    async def _run_pipelines(self) -> list[Check]:
        sampled: list[Sampled] = []
        for start in range(0, len(self._projects), SAMPLE):
            some = self._projects[start : start + SAMPLE]
            sampled += zip(some, await asyncio.gather(*map(self._pipelines_of, some)), strict=True)
            if any(not isinstance(seen, GitLabError) for _, seen in sampled):
                break
        for project, seen in sampled:
            # Where CI/CD is off, jobs are refused to everybody, also those of pipelines that external CI has made.
            if self._pipeline is None and not isinstance(seen, GitLabError) and seen and not ci_is_off(project):
                self._pipeline = (project["id"], int(seen[0]["id"]))
        return [pipelines_check(sampled, self.facts.token)]

    async def _pipelines_of(self, project: Mapping[str, Any]) -> Seen:
        return await self._list(f"/projects/{project['id']}/pipelines", per_page=1)

    async def _run_jobs(self) -> list[Check]:
        if self._pipeline is None:
            return [jobs_check(None, self.facts.token)]
        project_id, pipeline_id = self._pipeline
        seen = await self._list(f"/projects/{project_id}/pipelines/{pipeline_id}/jobs", per_page=1)
        return [jobs_check(seen, self.facts.token)]

    async def _first_projects(self) -> Seen:
        """The newest projects, listed as the syncs do, one page followed: where that fails, so would they."""
        path, params = self._projects_list()
        keyset: dict[str, Param] = {**params, "pagination": "keyset", "order_by": "id", "sort": "desc"}
        pages = self._gitlab.pages(path, keyset, per_page=LISTED)
        try:
            first = await anext(pages)
            if first.next is not None:
                await anext(pages)
        except GitLabError as error:
            # A GitLab without keyset pages answers 405, and the syncs do without.
            without = error.http_status == HTTPStatus.METHOD_NOT_ALLOWED
            return await self._list_projects(per_page=LISTED) if without else error
        return first.rows

    async def _list_projects(self, **params: Param) -> Seen:
        path, own = self._projects_list()
        return await self._list(path, **own, **params)

    def _projects_list(self) -> tuple[str, dict[str, Param]]:
        if self._group is not None:
            return f"{self._group_path()}/projects", {"include_subgroups": True, "with_shared": False}
        if self.facts.account is not None and self.facts.account.is_admin:
            return "/projects", {}
        return "/projects", {"membership": True}

    def _group_path(self) -> str:
        path, number = self._group or Named("", None)
        return group_path(path, number if self.facts.group_id is None else self.facts.group_id)

    async def _ask_oauth(self) -> Answer:
        """What GitLab says about an OAuth token.

        A dead one is an invalid request to that route (app/controllers/oauth/token_info_controller.rb), and a 401 to
        the API: after that, the client has renewed it.
        """
        seen = await self._ask_info()
        if isinstance(seen, GrantRefused | Unauthorized) and isinstance(await self._ask_user(), Reply):
            return await self._ask_info()
        return seen

    async def _ask_info(self) -> Answer:
        return await self._ask(INFO_PATH, outside_api=True)

    async def _ask_user(self) -> Answer:
        if self._user is None:
            self._user = await self._ask("/user")
        return self._user

    async def _ask(self, path: str, params: Mapping[str, Param] | None = None, *, outside_api: bool = False) -> Answer:
        """One object, or why there is none."""
        try:
            reply = await self._gitlab.get(path, params, outside_api=outside_api)
        except GitLabError as error:
            return error
        return reply if isinstance(reply.body, Mapping) else _senseless(reply)

    async def _list(self, path: str, **params: Param) -> Seen:
        """The first rows of a list, or why there are none."""
        try:
            reply = await self._gitlab.get(path, params)
        except GitLabError as error:
            return error
        rows = reply.body
        if isinstance(rows, list) and all(isinstance(row, Mapping) for row in rows):
            return rows
        return _senseless(reply)


def _senseless(reply: Reply) -> UnexpectedResponse:
    return UnexpectedResponse(
        "GitLab answered with JSON of another shape.", http_status=reply.http_status, request_id=reply.request_id
    )
