"""Webhooks of projects."""

from local.gitlab.clock import DAY
from local.gitlab.company.dice import dice
from local.gitlab.company.model import Hook
from local.gitlab.company.names import words
from local.gitlab.company.state import Company

ON_BY_DEFAULT = ("push_events", "enable_ssl_verification")
FLAGS = words(
    "push_events tag_push_events merge_requests_events repository_update_events enable_ssl_verification issues_events "
    "confidential_issues_events note_events confidential_note_events pipeline_events wiki_page_events job_events "
    "deployment_events releases_events emoji_events"
)


def hang_hooks(company: Company) -> None:
    """One project in ten tells somebody else about its pushes."""
    for project_id in company.projects:
        if dice(company.seed, "hook", project_id).hits(0.1):
            add_hook(company, project_id, f"https://ci.acme.example/hooks/{project_id}", company.epoch - 50 * DAY)


def add_hook(company: Company, project_id: int, url: str, created: float) -> Hook:
    """Create a hook with GitLab's defaults."""
    flags = {flag: flag in ON_BY_DEFAULT for flag in FLAGS}
    hook = Hook(id=company.next_id("hook"), project_id=project_id, url=url, created=round(created, 6), flags=flags)
    company.hooks[project_id][hook.id] = hook
    return hook
