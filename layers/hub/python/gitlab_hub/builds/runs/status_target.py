"""Where a commit status belongs: which pipeline shows a build.

GitLab puts a status into the newest pipeline of its commit and `ref`, and makes a second, external one where there is
none (app/services/ci/create_commit_status_service.rb). A merge request's pipelines have a ref of their own, so a status
that names the source branch would open one beside them. Where a merge request has a pipeline, it is named by its id,
and without a ref: given both, GitLab looks for a pipeline that fits both, and answers 404 where none does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gitlab_hub.builds.runs.model import Build
from gitlab_hub.builds.triggers.model import FORK, TAG
from gitlab_hub.gitlab.errors import Forbidden, NotGitLab, ResourceNotFound, Unavailable, UnexpectedResponse
from gitlab_hub.gitlab.fields import first_id, first_text, mapping, part, rows_in

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab

_OF_MERGE_REQUESTS = "refs/merge-requests/"
_OF_ONE_ROUTE = (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.NOT_IMPLEMENTED)


@dataclass(frozen=True, slots=True)
class StatusTarget:
    """What a status is posted with: the commit, and the pipeline or the ref by which GitLab finds one."""

    sha: str
    ref: str | None = None
    pipeline_id: int | None = None


def default_target(build: Build) -> StatusTarget:
    """The target of a build that no pipeline of a merge request shows.

    A build of a bare commit has no ref: GitLab finds a branch that has it. A fork's branch is none of the project's.
    """
    if build.ref == build.sha:
        return StatusTarget(build.sha)
    is_fork = build.kind == FORK and build.merge_request_iid is not None
    return StatusTarget(build.sha, f"{_OF_MERGE_REQUESTS}{build.merge_request_iid}/head" if is_fork else build.ref)


async def resolve_status_target(gitlab: "GitLab", build: Build) -> StatusTarget:
    """Ask GitLab where to show a build. A merge request may get its pipeline at any time, so ask each time.

    Raises GitLabErrors that concern the post as well. What goes wrong with merge requests alone (they are not to be
    seen, or GitLab answers 500 for one of them for weeks) does not keep the status from being shown.
    """
    try:
        found = await _of_merge_request(gitlab, build)
    except (ResourceNotFound, Forbidden, UnexpectedResponse, NotGitLab):
        found = None
    except Unavailable as error:
        if error.http_status not in _OF_ONE_ROUTE:
            raise
        found = None
    return found or last_or_default_target(build)


def last_or_default_target(build: Build) -> StatusTarget:
    """Where a build was shown before, else wherever GitLab puts it."""
    if build.status_pipeline_id is None:
        return default_target(build)
    return StatusTarget(build.status_sha or build.sha, pipeline_id=build.status_pipeline_id)


def left_targets(build: Build, now_in: StatusTarget) -> list[StatusTarget]:
    """Where a build was shown, but for the pipeline in which it is shown now; pure."""
    shown = [StatusTarget(sha, pipeline_id=int(pipeline_id)) for pipeline_id, sha in build.left_pipelines.items()]
    if build.status_pipeline_id is not None:
        shown.append(last_or_default_target(build))
    return [each for each in shown if each.pipeline_id != now_in.pipeline_id]


async def _of_merge_request(gitlab: "GitLab", build: Build) -> StatusTarget | None:
    if build.kind == TAG or build.ref == build.sha:
        return None
    iid = build.merge_request_iid or await _merge_request_from(gitlab, build)
    if iid is None:
        return None
    here = f"/projects/{build.project_id}/merge_requests/{iid}"
    body = mapping((await gitlab.get(here)).body)
    head = part(body, "head_pipeline") if body.get("sha") in {None, build.sha} else {}
    if await _shows(gitlab, build, head):
        return StatusTarget(first_text(head, "sha") or build.sha, None, first_id(head, "id"))
    return _listed(build, rows_in((await gitlab.get(f"{here}/pipelines")).body))


async def _merge_request_from(gitlab: "GitLab", build: Build) -> int | None:
    """The merge request from a pushed branch to its own project: that of this commit before others, then an open one.

    It may be merged or closed by now, or have newer commits: its pipelines stay, and one of them may show the build.
    """
    query = {"source_branch": build.ref, "state": "all"}
    rows = rows_in((await gitlab.get(f"/projects/{build.project_id}/merge_requests", query)).body)
    own = [row for row in rows if first_id(row, "source_project_id") == build.project_id]
    own.sort(key=lambda row: (first_text(row, "sha") != build.sha, first_text(row, "state") != "opened"))
    return first_id(own[0], "iid") if own else None


async def _shows(gitlab: "GitLab", build: Build, head: Mapping[str, Any]) -> bool:
    """Whether a pipeline is one of this project for this commit, or for its merge into the target branch."""
    if first_id(head, "id") is None or first_id(head, "project_id") not in {None, build.project_id}:
        return False
    sha = first_text(head, "sha")
    if sha in {None, build.sha}:
        return True
    if not (first_text(head, "ref") or "").startswith(_OF_MERGE_REQUESTS):
        return False
    commit = (await gitlab.get(f"/projects/{build.project_id}/repository/commits/{sha}")).body
    return build.sha in (mapping(commit).get("parent_ids") or ())


def _listed(build: Build, rows: Sequence[Mapping[str, Any]]) -> StatusTarget | None:
    """The newest of a merge request's pipelines that is for this commit; those with its own ref before others."""
    mine = [
        row
        for row in rows
        if first_text(row, "sha") == build.sha
        and first_id(row, "id") is not None
        and first_id(row, "project_id") in {None, build.project_id}
    ]
    mine.sort(
        key=lambda row: ((first_text(row, "ref") or "").startswith(_OF_MERGE_REQUESTS), first_id(row, "id")),
        reverse=True,
    )
    return StatusTarget(build.sha, None, first_id(mine[0], "id")) if mine else None
