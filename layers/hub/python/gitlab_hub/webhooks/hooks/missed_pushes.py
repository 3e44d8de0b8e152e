"""Finding the pushes that GitLab never announces: an hourly look at the refs of projects that somebody builds."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.clients import GitLabConnection, GitLabs
from gitlab_hub.gitlab.errors import Forbidden, RateLimited, ResourceNotFound, UnexpectedResponse
from gitlab_hub.gitlab.fields import first_text, mapping, part, text
from gitlab_hub.gitlab.messages import Scalar
from gitlab_hub.gitlab.webhooks.parse import HookEvent
from gitlab_hub.storage.ports import StorageRefused
from gitlab_hub.webhooks.hooks.gitlab_api import GitLabRunner
from gitlab_hub.webhooks.hooks.locks import HookLocks
from gitlab_hub.webhooks.hooks.model import CHECK_SECONDS, Hook, HookStatus
from gitlab_hub.webhooks.hooks.ref_diff import Ref, RefListing, diff_refs, is_suspicious, merge_refs
from gitlab_hub.webhooks.hooks.ref_snapshots import PollingRound, RefSnapshot, RefSnapshots
from gitlab_hub.webhooks.hooks.scopes import HookCoverage

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab

LIST_DEADLINE = 45.0
"""For one project: its lists have up to forty pages."""

RESERVE_SECONDS = LIST_DEADLINE + 15.0

MAX_REFS = 2_000
"""Of branches, and of tags, that are looked at in one project."""

MAX_ANNOUNCED = 50
"""Pushes of one project that one look announces; the others wait for the next one."""

MOST_IN_A_ROW = 16
"""Projects in a row that GitLab fails at although it answers; then the next integration has its turn. A few, such as
those of one broken storage, or one with too many refs, must not keep those behind them from being looked at."""

_PUSHES = frozenset({"push", "tag_push"})
_DELIVERING = frozenset({HookStatus.ACTIVE, HookStatus.TEMPORARILY_DISABLED, HookStatus.DRIFTED, HookStatus.MANUAL})


class Announce(Protocol):
    """Where a found push goes, as a delivery would."""

    def push(self, integration_id: str, event: HookEvent, key: str) -> None:
        """Have a push handled once; `key` (64 hex digits) is the same whenever the same push is found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedPushesReport:
    """What a tick did."""

    projects: int = 0
    announced: int = 0
    failed: int = 0
    finished: bool = True


class _Progress:
    """How far a round has come."""

    def __init__(self, round_: PollingRound) -> None:
        self.round = round_

    def enter(self, integration_id: str) -> None:
        """Come to an integration; to the one where the last tick stopped, behind its last project."""
        if integration_id != self.round.integration_id:
            self.round = replace(self.round, integration_id=integration_id, project_id=0)

    def enter_project(self, project_id: int) -> None:
        """Come to a project."""
        self.round = replace(self.round, project_id=project_id)

    def end(self) -> None:
        """Come to the end."""
        self.round = replace(self.round, integration_id=None, project_id=0, is_over=True)


class MissedPushes:
    """Compares projects' refs with those last seen."""

    def __init__(
        self,
        *,
        locks: HookLocks,
        refs: RefSnapshots,
        runner: GitLabRunner,
        gitlabs: GitLabs,
        integrations: Callable[[str | None], Iterable[str]],
        built_projects: Callable[[str], Iterable[int]],
        announce: Announce,
    ) -> None:
        self._locks, self._refs, self._runner, self._gitlabs = locks, refs, runner, gitlabs
        self._integrations, self._built, self._announce = integrations, built_projects, announce

    def tick(self, remaining: Callable[[], float]) -> MissedPushesReport:
        """Go on with the present round, or begin the next one an hour after the last; one read where there is none due.

        A round goes on behind the last project that was looked at, also where that look broke off.
        """
        round_, now = self._refs.round(), self._locks.now()
        if round_.is_over:
            if round_.began_at + CHECK_SECONDS > now:
                return MissedPushesReport()
            round_ = PollingRound(began_at=now, is_over=False)
        progress = _Progress(round_)
        try:
            return self._run(progress, remaining)
        finally:
            self._refs.keep_round(progress.round)

    def _run(self, progress: "_Progress", remaining: Callable[[], float]) -> MissedPushesReport:
        report, first = MissedPushesReport(), progress.round.integration_id
        for integration_id in chain(() if first is None else (first,), self._integrations(first)):
            if remaining() <= RESERVE_SECONDS:
                return replace(report, finished=False)
            progress.enter(integration_id)
            hooks = [hook for hook in self._locks.of(integration_id) if covers_pushes(hook)]
            connection = self._gitlabs.connection(integration_id) if hooks else None
            if connection is not None and connection.credential_works and not connection.paused:
                report = self._integration(connection, hooks, report, progress, remaining)
            if not report.finished:
                return report
        progress.end()
        return report

    def _integration(
        self,
        connection: GitLabConnection,
        hooks: Sequence[Hook],
        report: MissedPushesReport,
        progress: "_Progress",
        remaining: Callable[[], float],
    ) -> MissedPushesReport:
        in_a_row, coverage = 0, HookCoverage(hooks, self._locks.store)
        behind = progress.round.project_id
        for project_id in sorted({one for one in self._built(connection.integration_id) if one > behind}):
            if remaining() <= RESERVE_SECONDS:
                return replace(report, finished=False)
            progress.enter_project(project_id)
            before = self._refs.get(connection.integration_id, project_id)
            if before is not None and before.looked_at + CHECK_SECONDS > self._locks.now():
                continue
            try:
                announced = self._project(connection, coverage, project_id, before)
            except (Forbidden, ResourceNotFound):
                report = replace(report, failed=report.failed + 1)
            except StorageRefused:
                raise  # The tick fails where everybody sees it; the next one goes on behind this project.
            except HubError as error:
                report, in_a_row = replace(report, failed=report.failed + 1), in_a_row + 1
                is_of_all = isinstance(error, RateLimited) or not self._runner.answers(connection)
                if is_of_all or in_a_row == MOST_IN_A_ROW:
                    return report
            else:
                in_a_row = 0
                report = replace(report, projects=report.projects + 1, announced=report.announced + announced)
        return report

    def _project(
        self, connection: GitLabConnection, coverage: HookCoverage, project_id: int, before: RefSnapshot | None
    ) -> int:
        listing = self._runner.run(connection, lambda gitlab: _list_refs(gitlab, coverage, project_id))
        if listing is None:
            return 0
        if before is not None and is_suspicious(before, listing):
            return 0
        found = [] if before is None else diff_refs(before, listing)
        # Announced first, then remembered: a crash in between announces the same again, under the same key.
        for update in found[:MAX_ANNOUNCED]:
            self._announce.push(connection.integration_id, update.event, update.key)
        deferred = {update.name for update in found[MAX_ANNOUNCED:]}
        self._refs.keep(self._snapshot(connection, before, listing, deferred), before)
        return len(found) - len(deferred)

    def _snapshot(
        self, connection: GitLabConnection, before: RefSnapshot | None, listing: RefListing, deferred: set[str]
    ) -> RefSnapshot:
        return RefSnapshot(
            integration_id=connection.integration_id,
            project_id=listing.project_id,
            looked_at=self._locks.now(),
            complete=listing.complete,
            heads=merge_refs(before, listing, deferred=deferred),
        )


def covers_pushes(hook: Hook) -> bool:
    """Whether a hook is there to announce pushes; then what it does not announce is missed."""
    return not hook.uses_fallback and hook.status in _DELIVERING and not _PUSHES.isdisjoint(hook.events)


async def _list_refs(gitlab: "GitLab", coverage: HookCoverage, project_id: int) -> RefListing | None:
    """What a project has; None where no hook hears of it, which then costs one request and not forty."""
    project = (await gitlab.get(f"/projects/{project_id}")).body
    path = first_text(mapping(project), "path_with_namespace")
    place = RefListing(project_id=project_id, project_path=path, tips={}, complete=False)
    if not await coverage.covers(gitlab, project_id, path):
        return None
    base = f"/projects/{project_id}/repository"
    branches, all_branches = await _listed(gitlab, f"{base}/branches", {"sort": "updated_desc"})
    tags, all_tags = await _listed(gitlab, f"{base}/tags", {"order_by": "updated", "sort": "desc"})
    tips = {f"heads/{row['name']}": _branch(row) for row in branches}
    tips |= {f"tags/{row['name']}": _tag(row) for row in tags}
    return replace(place, tips=tips, complete=all_branches and all_tags)


async def _listed(gitlab: "GitLab", path: str, params: dict[str, Scalar]) -> tuple[list[dict[str, Any]], bool]:
    rows: list[dict[str, Any]] = []
    async for page in gitlab.pages(path, params):
        if not all(_is_ref(row) for row in page.rows):
            raise UnexpectedResponse("GitLab's list of refs has something else in it.")
        rows += page.rows
        if len(rows) >= MAX_REFS and page.next is not None:
            return rows[:MAX_REFS], False
    return rows, True


def _is_ref(row: dict[str, Any]) -> bool:
    return first_text(row, "name") is not None and first_text(part(row, "commit"), "id") is not None


def _branch(row: dict[str, Any]) -> Ref:
    return Ref(sha=row["commit"]["id"], commit=row["commit"]["id"], message=_message(row))


def _tag(row: dict[str, Any]) -> Ref:
    commit = row["commit"]["id"]
    return Ref(sha=first_text(row, "target") or commit, commit=commit, message=_message(row))


def _message(row: dict[str, Any]) -> str | None:
    return text(row["commit"].get("message"), None)
