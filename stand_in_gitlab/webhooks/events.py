"""What may happen, and which hooks hear of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stand_in_gitlab.company.hook_model import SYSTEM, Hook, HookKind, HookOwner
from stand_in_gitlab.company.state import Company

FLAG = {
    "push_hooks": "push_events",
    "tag_push_hooks": "tag_push_events",
    "merge_request_hooks": "merge_requests_events",
    "note_hooks": "note_events",
    "pipeline_hooks": "pipeline_events",
    "job_hooks": "job_events",
    "deployment_hooks": "deployment_events",
    "release_hooks": "releases_events",
    "member_hooks": "member_events",
    "subgroup_hooks": "subgroup_events",
    "project_hooks": "project_events",
    "repository_update_hooks": "repository_update_events",
}
# Instance-wide events go to system hooks without a flag, and to nobody else.
ALWAYS = "system_hooks"
FOR_SYSTEM_ONLY = frozenset({ALWAYS, "repository_update_hooks"})
FOR_SYSTEM = frozenset({*FOR_SYSTEM_ONLY, "push_hooks", "tag_push_hooks", "merge_request_hooks"})
FOR_GROUPS_ONLY = frozenset({"member_hooks", "subgroup_hooks", "project_hooks"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, as it is told: in a project, in a group, or to the instance."""

    trigger: str
    payload: dict[str, Any]
    project_id: int | None = None
    group_id: int | None = None


def header(trigger: str, kind: HookKind) -> str:
    """The value of `X-Gitlab-Event`: system hooks do not say what happened."""
    if kind == "system":
        return "System Hook"
    return trigger.removesuffix("s").replace("_", " ").title()


def audience(company: Company, event: Event) -> Iterator[Hook]:
    """Every hook that wants to hear of it, whether it is executable or not."""
    for owner in _owners(company, event):
        yield from (hook for hook in company.hooks.get(owner, {}).values() if _wants(hook, event))


def _owners(company: Company, event: Event) -> Iterator[HookOwner]:
    """Those whose hooks may hear of it: a project, the groups above it, the instance."""
    trigger = event.trigger
    if trigger not in FOR_SYSTEM_ONLY:
        if event.project_id and trigger not in FOR_GROUPS_ONLY:
            yield "project", event.project_id
        for group in company.ancestors(_home(company, event)):
            yield "group", group.id
    if trigger in FOR_SYSTEM:
        yield SYSTEM


def _home(company: Company, event: Event) -> int | None:
    if event.group_id is not None:
        return event.group_id if event.group_id in company.groups else None
    project = company.projects.get(event.project_id or 0)
    return project.group_id if project else None


def _wants(hook: Hook, event: Event) -> bool:
    if event.trigger == ALWAYS:
        return True
    if not hook.flags.get(FLAG[event.trigger]):
        return False
    ref = str(event.payload.get("ref", ""))
    return event.trigger != "push_hooks" or _passes(hook, ref.removeprefix("refs/heads/"))


def _passes(hook: Hook, branch: str) -> bool:
    """The branch filter counts for pushes alone."""
    if not hook.branch_filter or hook.filter_strategy == "all_branches":
        return True
    if hook.filter_strategy == "regex":
        return re.search(hook.branch_filter, branch) is not None
    # Only the star is special: lib/ref_matcher.rb.
    return re.fullmatch(".*".join(map(re.escape, hook.branch_filter.split("*"))), branch) is not None
