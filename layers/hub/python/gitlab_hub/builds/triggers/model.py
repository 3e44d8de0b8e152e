"""What a trigger is, and what it asks for when an event fires it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PUSH, TAG_PUSH, MERGE_REQUEST, MANUAL = "push", "tag_push", "merge_request", "manual"

BRANCH, TAG, FORK = "branch", "tag", "fork"
"""Kinds of refs: `v1` the branch, `v1` the tag and `v1` the branch of a fork are three."""

IGNORE, APPROVE, ALLOW = "ignore", "approve", "allow"
FORKS = (IGNORE, APPROVE, ALLOW)
"""What becomes of a merge request from a fork: nothing, a build that waits for somebody's approval, a build."""


@dataclass(frozen=True, slots=True)
class Globs:
    """Patterns of names: something passes that one of `include` fits (all do where it is empty) and none of `exclude`.

    What the patterns mean stands in globs.py.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether it asks for anything."""
        return bool(self.include or self.exclude)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequestRules:
    """Which merge requests build."""

    drafts: bool = True
    labels: tuple[str, ...] = ()
    """One of these must be there, spelt the same; none = any."""
    target_branches: tuple[str, ...] = ()
    """Patterns, one of which fits; none = any."""
    forks: str = APPROVE


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStatus:
    """Whether builds are shown at the commit in GitLab, and under what name."""

    enabled: bool = True
    name: str = "gitlab-hub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What is built when. It belongs to one project, or to all projects below one group."""

    id: str
    integration_id: str
    project_id: int | None
    group: str | None
    """Full path, as it was when GitLab said it last. Exactly one of `project_id` and `group` is set."""
    group_id: int | None = None
    """The group's id, which stays whatever it is called; None in rows of the release before, until it is learnt."""
    events: tuple[str, ...]
    branches: Globs = Globs()
    tags: Globs = Globs()
    paths: Globs = Globs()
    merge_requests: MergeRequestRules = field(default_factory=MergeRequestRules)
    on_branch_create: bool = True
    on_branch_delete: bool = False
    skip_ci: bool = True
    """Whether `[skip ci]` in a commit's message or the push option `ci.skip` keeps it from building."""
    cancel_previous: bool = False
    target: Mapping[str, Any]
    """Where builds go: `type` and what this type needs, as the API took it."""
    report_status: ReportStatus = field(default_factory=ReportStatus)
    enabled: bool = True
    created_by: str
    created_at: int
    updated_at: int
    """Unix seconds."""
    version: int = 1
    """Grows with every write; writers name the one they read."""
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What a later release has added to its row; it stays there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """A build that somebody or something wants."""

    trigger_id: str
    integration_id: str
    project_id: int
    project_path: str | None
    event: str
    """push, tag_push, merge_request or manual."""
    ref: str
    sha: str
    actor: str | None
    delivery_id: str | None
    merge_request_iid: int | None = None
    source_project_id: int | None = None
    pipeline_id: int | None = None
    needs_approval: bool = False
    """A fork's code: it waits until somebody approves."""
    cancel_previous: bool = False
    """Builds of the same trigger and ref that still run are to be canceled."""
    ref_kind: str = BRANCH
    """branch, tag or fork."""
    before: str | None = None
    """Where the branch or tag stood before, where the event says that it moved."""
    new_code: bool = True
    """Whether the event brings the commit; False for an update of a merge request that changes other things."""
    deletes_ref: bool = False
    """The branch is gone, and `sha` is where it stood: for targets that take down what its builds had put up. It is
    no second build of that commit, so no earlier build of the commit keeps it from being made."""
