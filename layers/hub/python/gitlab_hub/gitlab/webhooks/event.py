"""One event of a webhook or a system hook, as one value for all kinds; pure, and without validation models.

Nothing here is state: GitLab sends hooks late, twice, out of order, or not at all. Whoever needs the state of a
pipeline or a member asks GitLab by id.
https://docs.gitlab.com/user/project/integrations/webhook_events/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit of a push, as far as triggers care."""

    id: str
    message: str
    paths: tuple[str, ...]
    """What the body says that it added, changed or removed; system hooks do not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequest:
    """The merge request of an event."""

    iid: int
    action: str | None
    """open, close, reopen, update, approved, unapproved, approval, unapproval, merge; None where GitLab says none."""
    state: str
    """opened, closed, locked, merged; "" where GitLab says none."""
    draft: bool
    labels: tuple[str, ...]
    source_branch: str
    target_branch: str
    source_project_id: int | None
    target_project_id: int | None
    oldrev: str | None
    """The head before; only where the code changed."""
    head_pipeline_id: int | None = None

    @property
    def from_fork(self) -> bool:
        """Whether it comes from another project. A source that GitLab no longer knows is another one."""
        return self.source_project_id != self.target_project_id or self.source_project_id is None


@dataclass(frozen=True, slots=True, kw_only=True)
class HookEvent:
    """One event of a webhook or a system hook. Names that GitLab may extend are open strings."""

    kind: str
    """push, tag_push, merge_request, pipeline, job, deployment, release, note, member, project, subgroup, … or what
    GitLab calls an event that the hub does not know."""
    action: str | None = None
    """What happened: of a merge request or a release its action, of a pipeline, job or deployment its status."""
    project_id: int | None = None
    project_path: str | None = None
    """Full path."""
    default_branch: str | None = None
    group_id: int | None = None
    ref: str | None = None
    """Branch or tag by its short name; of a merge request its source branch."""
    sha: str | None = None
    """What would be built: `checkout_sha` of a push or tag, the head of a merge request; None for a deletion."""
    before: str | None = None
    after: str | None = None
    actor_id: int | None = None
    actor: str | None = None
    """Username, or name where GitLab sends no username."""
    message: str | None = None
    """Of the commit that would be built."""
    commits: tuple[Commit, ...] = ()
    """Oldest first; the newest 20 of a push."""
    total_commits: int = 0
    push_options: Mapping[str, Any] = field(default_factory=dict)
    merge_request: MergeRequest | None = None
    pipeline_id: int | None = None
    job_id: int | None = None
    is_system: bool = False
    at: int | None = None
    """When it happened, in unix seconds, where GitLab says so; pushes do not."""

    @property
    def creates_ref(self) -> bool:
        """Whether a push created its branch or tag."""
        return _is_zero(self.before)

    @property
    def deletes_ref(self) -> bool:
        """Whether a push deleted its branch or tag."""
        return _is_zero(self.after)


def _is_zero(sha: str | None) -> bool:
    return sha is not None and sha != "" and not sha.strip("0")
