"""Webhooks of projects, groups and the instance."""

from stand_in_gitlab.clock import DAY
from stand_in_gitlab.company.hook_model import Hook, HookKind, HookOwner
from stand_in_gitlab.company.names import words
from stand_in_gitlab.company.prng import prng
from stand_in_gitlab.company.state import Company

PROJECT_FLAGS = words(
    "push_events tag_push_events merge_requests_events repository_update_events enable_ssl_verification issues_events "
    "confidential_issues_events note_events confidential_note_events pipeline_events wiki_page_events job_events "
    "deployment_events releases_events emoji_events feature_flag_events resource_access_token_events "
    "vulnerability_events"
)
FLAGS: dict[HookKind, list[str]] = {
    "project": PROJECT_FLAGS,
    "group": [*PROJECT_FLAGS, "subgroup_events", "member_events", "project_events"],
    "system": words(
        "push_events tag_push_events merge_requests_events repository_update_events enable_ssl_verification"
    ),
}
ON_BY_DEFAULT: dict[HookKind, tuple[str, ...]] = {
    "project": ("push_events", "enable_ssl_verification"),
    "group": ("push_events", "enable_ssl_verification"),
    "system": ("repository_update_events", "enable_ssl_verification"),
}


def add_hooks(company: Company) -> None:
    """One project in ten tells somebody else about its pushes."""
    for project_id in company.projects:
        if prng(company.seed, "hook", project_id).hits(0.1):
            url = f"https://ci.acme.example/hooks/{project_id}"
            add_hook(company, ("project", project_id), url, company.epoch - 50 * DAY)


def add_hook(company: Company, owner: HookOwner, url: str, created: float) -> Hook:
    """Create a hook with GitLab's defaults."""
    kind = owner[0]
    flags = {flag: flag in ON_BY_DEFAULT[kind] for flag in FLAGS[kind]}
    hook = Hook(id=company.next_id("hook"), owner=owner, url=url, created=round(created, 6), flags=flags)
    company.hooks[owner][hook.id] = hook
    return hook
