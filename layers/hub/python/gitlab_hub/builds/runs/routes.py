"""The HTTP routes of builds."""

import heapq
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from gitlab_hub.builds.runs.commands import BuildCommands
from gitlab_hub.builds.runs.model import Build, BuildStatus
from gitlab_hub.builds.runs.schemas import MAX_REF, BuildBody, BuildEnvelope, BuildList, BuildView, ReportBody
from gitlab_hub.builds.runs.store import BuildStore
from gitlab_hub.builds.triggers.ports import Integrations, Triggers
from gitlab_hub.builds.triggers.requests import ID_LIMIT
from gitlab_hub.errors import NotFound
from gitlab_hub.ids import owner_of
from gitlab_hub.web.api import Route, Seed
from gitlab_hub.web.auth import Caller, Principal, Role
from gitlab_hub.web.errors import Unprocessable
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor

# Lists of builds, newest first, of one integration or of several.

LEAST_SCANNED, SCANNED_FOR_EACH = 100, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFilter:
    """Which builds are wanted; None = any."""

    project_id: int | None = None
    status: str | None = None
    trigger_id: str | None = None
    ref: str | None = None

    def takes(self, build: Build) -> bool:
        """Say whether a build is wanted."""
        named = (
            (self.project_id, build.project_id),
            (self.status, str(build.status)),
            (self.trigger_id, build.trigger_id),
            (self.ref, build.ref),
        )
        return all(wanted is None or wanted == has for wanted, has in named)


@dataclass(frozen=True, slots=True)
class BuildPage:
    """Some builds, and the place to go on behind; None at the end. A page may be short and still have a next one."""

    builds: list[Build]
    last: str | None


def page_of(
    store: BuildStore, integrations: Iterable[str], wanted: BuildFilter, *, limit: int, after: str | None
) -> BuildPage:
    """Merge the builds of some integrations into one page.

    The index says in which order they come; rows are read for what may be shown only: without a filter the `limit`
    builds themselves, with one at most `most_scanned`.
    """
    streams = [store.list_positions(integration_id, after=after, batch=limit + 1) for integration_id in integrations]
    merged = heapq.merge(*streams, reverse=True)
    found: list[Build] = []
    scanned = 0
    while scanned < most_scanned(limit, wanted):
        positions = list(islice(merged, limit - len(found)))
        if not positions:
            return BuildPage(found, None)
        for build in store.at(positions):
            found += [build] if wanted.takes(build) else []
        after, scanned = positions[-1], scanned + len(positions)
        if len(found) == limit:
            break
    return BuildPage(found, after if next(merged, None) is not None else None)


def most_scanned(limit: int, wanted: BuildFilter) -> int:
    """How many builds one request reads: a rare match behind them is found by the pages that follow."""
    return limit if wanted == BuildFilter() else max(LEAST_SCANNED, SCANNED_FOR_EACH * limit)


BASE = "/v1/builds"
ONE = f"{BASE}/<build_id>"
MAX_MERGED = 100
"""Integrations whose builds one list can show together."""

BuildId = Annotated[str, Path()]
Id = Annotated[str | None, Query(min_length=1, max_length=200)]
ProjectId = Annotated[int | None, Query(ge=1, le=ID_LIMIT - 1)]
Ref = Annotated[str | None, Query(min_length=1, max_length=MAX_REF)]
AnyStatus = Annotated[Literal["pending", "running", "success", "failed", "canceled"] | None, Query()]


class BuildRoutes:
    """Reads, asks for and changes builds."""

    def __init__(
        self,
        *,
        store: BuildStore,
        commands: BuildCommands,
        triggers: Triggers,
        integrations: Integrations,
        cursors: Cursors,
    ) -> None:
        self._store, self._commands, self._triggers = store, commands, triggers
        self._integrations, self._cursors = integrations, cursors

    def routes(self) -> list[Route]:
        """All routes of this part."""
        viewer, developer = Role.VIEWER, Role.DEVELOPER
        return [
            Route(method="GET", path=BASE, handler=self.list_builds, role=viewer, summary="List builds"),
            Route(method="GET", path=ONE, handler=self.get, role=viewer, summary="Read one build"),
            Route(method="POST", path=BASE, handler=self.start, role=developer, status=201, summary="Ask for a build"),
            Route(method="PATCH", path=ONE, handler=self.report, role=developer, summary="Report how far a build is"),
            Route(method="POST", path=f"{ONE}/cancel", handler=self.cancel, role=developer, summary="Cancel a build"),
            Route(method="POST", path=f"{ONE}/rerun", handler=self.rerun, role=developer, status=201,
                  summary="Run a finished build again"),
            Route(method="POST", path=f"{ONE}/approve", handler=self.approve, role=developer,
                  summary="Let a build start that waits for approval"),
        ]  # fmt: skip

    def list_builds(
        self,
        caller: Caller,
        integration_id: Id = None,
        project_id: ProjectId = None,
        status: AnyStatus = None,
        trigger_id: Id = None,
        ref: Ref = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> BuildList:
        """List builds, newest first: of one integration, or of all that the caller may see."""
        wanted = BuildFilter(project_id=project_id, status=status, trigger_id=trigger_id, ref=ref)
        listing = json.dumps(["builds", integration_id, project_id, status, trigger_id, ref])
        after = self._cursors.open(listing, cursor)
        seen = self._seen(caller, integration_id, trigger_id)
        page = page_of(self._store, seen, wanted, limit=limit, after=after)
        following = self._cursors.following(listing, page.last)
        return BuildList(builds=[BuildView.of(build) for build in page.builds], next_cursor=following)

    def get(self, build_id: BuildId) -> BuildEnvelope:
        """Read one build."""
        return _shown(self._store.require(build_id))

    def start(self, body: BuildBody, caller: Caller, seed: Seed) -> BuildEnvelope:
        """Have a trigger build a branch, a tag or a commit, whatever its own rules say."""
        self._must_see(caller, owner_of(body.trigger_id))
        trigger = self._triggers.require(body.trigger_id)
        build = self._commands.build(
            trigger, project_id=body.project_id, ref=body.ref, sha=body.sha, actor=caller.token_id, seed=seed
        )
        return _shown(build)

    def report(self, build_id: BuildId, body: ReportBody) -> BuildEnvelope:
        """Say how far a build is; GitLab shows it as the commit status."""
        status = BuildStatus(body.status)
        return _shown(self._commands.report(build_id, status, description=body.description, target_url=body.target_url))

    def cancel(self, build_id: BuildId, caller: Caller) -> BuildEnvelope:
        """End a build, here and at its target."""
        return _shown(self._commands.cancel(build_id, actor=caller.token_id))

    def rerun(self, build_id: BuildId, caller: Caller, seed: Seed) -> BuildEnvelope:
        """Build the same commit once more, as a new build."""
        return _shown(self._commands.rerun(build_id, actor=caller.token_id, seed=seed))

    def approve(self, build_id: BuildId, caller: Caller) -> BuildEnvelope:
        """Let a build of a fork's code start."""
        return _shown(self._commands.approve(build_id, actor=caller.token_id))

    def _seen(self, caller: Principal, integration_id: str | None, trigger_id: str | None) -> list[str]:
        """The integrations whose builds are wanted, all of them visible to the caller."""
        named = integration_id if trigger_id is None else owner_of(trigger_id) or ""
        if named is not None:
            self._must_see(caller, named)
            return [named] if integration_id in {None, named} else []
        all_visible = self._integrations.after(None, among=caller.integration_ids)
        visible = [each.id for each in islice(all_visible, MAX_MERGED + 1)]
        if len(visible) > MAX_MERGED:
            fields = [{"field": "query.integration_id", "problem": "missing"}]
            raise Unprocessable("There are too many integrations for one list: name one.", details={"fields": fields})
        return visible

    def _must_see(self, caller: Principal, integration_id: str | None) -> None:
        if (
            integration_id is None
            or not caller.can_see(integration_id)
            or not self._integrations.exists(integration_id)
        ):
            raise NotFound("There is no such integration.")


def _shown(build: Build) -> BuildEnvelope:
    return BuildEnvelope(build=BuildView.of(build))
