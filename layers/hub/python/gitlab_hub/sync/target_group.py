"""Where the group is that a target is limited to: asked before anything is compared with its path."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    RateLimited,
    ResourceNotFound,
    Unauthorized,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.fields import first_id, first_text, mapping
from gitlab_hub.gitlab.messages import group_path
from gitlab_hub.storage.blocking import run_uncancelled
from gitlab_hub.sync.errors import Parked, RunFailed
from gitlab_hub.sync.ports import SyncTarget, Targets
from gitlab_hub.sync.session import RunSession
from gitlab_hub.sync.stages import RETRY_AFTER_SECONDS

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab


async def resolve_group(session: RunSession, targets: Targets, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Give a run's session the target as it is now. Raises Parked, or RunFailed where GitLab cannot be asked."""
    for seconds in (*RETRY_AFTER_SECONDS, None):
        try:
            session.target = await with_current_group(session.gitlab, targets, session.target)
        except RateLimited as error:
            raise session.stop(Parked(error.retry_after or 60)) from error
        except GitLabError as error:
            if seconds is None or not error.retryable:
                raise session.stop(RunFailed(error)) from error
            await sleep(seconds)
            session.check()
        else:
            return


async def with_current_group(gitlab: "GitLab", targets: Targets, target: SyncTarget) -> SyncTarget:
    """The target with its group's id and its path of this moment; what is new about them is kept.

    A group that GitLab refuses to show is left as it was: whoever reads it next meets the same refusal, and says so.
    Raises any other GitLabError: with a path that may be a former one, everything in the group would seem to be gone.
    """
    if target.group is None:
        return target
    try:
        body = (await gitlab.get(group_path(target.group, target.group_id), {"with_projects": "false"})).body
    except (ResourceNotFound, Forbidden, Unauthorized):
        return target
    number, path = first_id(mapping(body), "id"), first_text(mapping(body), "full_path")
    if number is None or path is None:
        raise UnexpectedResponse("GitLab answered for a group with something else.")
    if (number, path) != (target.group_id, target.group):
        await run_uncancelled(targets.store_group, target, group_id=number, path=path)
    return replace(target, group_id=number, group=path)
