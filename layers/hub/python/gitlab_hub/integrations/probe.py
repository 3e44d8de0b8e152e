"""The requests of a verification, one method per step; what an answer means is decided elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from http import HTTPStatus

from gitlab_hub.gitlab.client import GitLab, Reply
from gitlab_hub.gitlab.errors import Forbidden, GitLabError, HostUnreachable, Missing, RateLimited, UnexpectedResponse
from gitlab_hub.gitlab.grants import INFO_PATH
from gitlab_hub.gitlab.protocol import segment
from gitlab_hub.integrations import codes, resource_steps, token_steps
from gitlab_hub.integrations.checks import Check, Facts, Step, passed, troubled
from gitlab_hub.integrations.reach import reach
from gitlab_hub.integrations.resource_steps import Seen

Answer = Reply | GitLabError
Param = str | int | bool

LISTED = 20
LEAST_LEVEL = 10
"""Guest: the lowest level that makes somebody a member."""


class Probe:
    """One run over one client; later steps build on the facts of earlier ones."""

    def __init__(
        self, gitlab: GitLab, token: str, group: str | None, *, writes: bool, now: int, oauth: bool = False
    ) -> None:
        self._gitlab, self._token, self._group, self._writes, self._now = gitlab, token, group, writes, now
        self._oauth = oauth
        self._user: Answer | None = None
        self._projects: list[int] = []
        self._pipeline: tuple[int, int] | None = None
        self.facts = Facts()

    async def taken(self, steps: tuple[Step, ...], clock: Callable[[], float]) -> AsyncIterator[Check]:
        """Take the steps in order, as far as there is a point in going on."""
        for step, take in self._takers().items():
            if step not in steps or not self._possible(step):
                continue
            started = clock()
            checks = await take()
            latency = round((clock() - started) * 1000)
            for check in checks:
                yield replace(check, latency_ms=latency if check.step == step else None)
            if any(not check.ok and codes.stops(check.code) for check in checks):
                return

    def _takers(self) -> dict[Step, Callable[[], Awaitable[list[Check]]]]:
        return {
            Step.TOKEN: self._take_token,
            Step.ACCOUNT: self._take_account,
            Step.VERSION: self._take_version,
            Step.GROUPS: self._take_groups,
            Step.PROJECTS: self._take_projects,
            Step.PIPELINES: self._take_pipelines,
            Step.JOBS: self._take_jobs,
        }

    def _possible(self, step: Step) -> bool:
        return step not in (Step.PIPELINES, Step.JOBS) or bool(self._projects)

    async def _take_token(self) -> list[Check]:
        seen = await (self._ask_info() if self._oauth else self._ask("/personal_access_tokens/self"))
        way = reach(seen if isinstance(seen, GitLabError) else None)
        return [*way, await self._token_check(seen)] if all(check.ok for check in way) else way

    async def _token_check(self, seen: Answer) -> Check:
        if isinstance(seen, Missing) or (isinstance(seen, GitLabError) and seen.http_status == HTTPStatus.BAD_REQUEST):
            # GitLab before 15.5 does not have the route, and an OAuth token has another: 404 or, in newer ones, 400.
            seen = await self._ask_info()
            if isinstance(seen, GitLabError) and not isinstance(seen, RateLimited | HostUnreachable):
                return await self._judged_by_its_user()
        if isinstance(seen, GitLabError):
            return token_steps.token_refused(seen, self._token, writes=self._writes)
        facts = token_steps.token_facts(seen.body)
        self.facts = replace(self.facts, token=facts)
        return token_steps.token_check(seen.body, facts, status=seen.http_status, writes=self._writes, now=self._now)

    async def _judged_by_its_user(self) -> Check:
        user = await self._ask_user()
        if isinstance(user, GitLabError) and not isinstance(user, Forbidden):
            return token_steps.token_refused(user, self._token, writes=self._writes)
        return passed(Step.TOKEN, status=user.http_status, hint="This GitLab does not describe the token.")

    async def _take_account(self) -> list[Check]:
        seen = await self._ask_user()
        check = token_steps.account_check(seen)
        if isinstance(seen, Reply) and check.ok:
            self.facts = replace(self.facts, account=token_steps.account_of(seen.body))
        return [check]

    async def _take_version(self) -> list[Check]:
        seen = await self._ask("/version")
        if isinstance(seen, Missing):
            seen = await self._ask("/metadata")
        if isinstance(seen, Missing | Forbidden):
            return [resource_steps.version_check(None, seen.http_status)]
        if isinstance(seen, GitLabError):
            return [troubled(Step.VERSION, seen)]
        version = seen.body.get("version")
        self.facts = replace(self.facts, version=version if isinstance(version, str) else None)
        return [resource_steps.version_check(self.facts.version, seen.http_status)]

    async def _take_groups(self) -> list[Check]:
        if self._group is None:
            return [
                resource_steps.groups_check(await self._list("/groups", min_access_level=LEAST_LEVEL, per_page=1), None)
            ]
        seen = await self._ask(self._group_path(), {"with_projects": False})
        if isinstance(seen, Reply):
            self.facts = replace(self.facts, group=str(seen.body.get("full_path") or self._group))
        return [resource_steps.groups_check(seen if isinstance(seen, GitLabError) else seen.body, self._group)]

    async def _take_projects(self) -> list[Check]:
        listed = await self._list_projects(per_page=LISTED)
        active = [] if isinstance(listed, GitLabError) else resource_steps.active_of(listed)
        if not isinstance(listed, GitLabError) and len(listed) == LISTED and not active:
            again = await self._list_projects(per_page=LISTED, archived=False)
            active = [] if isinstance(again, GitLabError) else resource_steps.active_of(again)
        self._projects = resource_steps.sample(active)
        return [resource_steps.projects_check(listed, active)]

    async def _take_pipelines(self) -> list[Check]:
        sampled = await asyncio.gather(
            *(self._list(f"/projects/{id_}/pipelines", per_page=1) for id_ in self._projects)
        )
        for project_id, seen in zip(self._projects, sampled, strict=True):
            if self._pipeline is None and not isinstance(seen, GitLabError) and seen:
                self._pipeline = (project_id, int(seen[0]["id"]))
        return [resource_steps.pipelines_check(sampled)]

    async def _take_jobs(self) -> list[Check]:
        if self._pipeline is None:
            return [resource_steps.jobs_check(None)]
        project_id, pipeline_id = self._pipeline
        return [
            resource_steps.jobs_check(
                await self._list(f"/projects/{project_id}/pipelines/{pipeline_id}/jobs", per_page=1)
            )
        ]

    async def _list_projects(self, **params: Param) -> Seen:
        if self._group is not None:
            return await self._list(
                f"{self._group_path()}/projects", include_subgroups=True, with_shared=False, **params
            )
        if self.facts.account is not None and self.facts.account.is_admin:
            return await self._list("/projects", **params)
        return await self._list("/projects", membership=True, **params)

    def _group_path(self) -> str:
        return f"/groups/{segment(self._group or '')}"

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
