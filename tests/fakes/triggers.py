"""Triggers and events to put them to, and a GitLab that says what changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gitlab_hub.builds.triggers.changed_paths import listed_paths
from gitlab_hub.builds.triggers.evaluation import Decision, Facts, decide
from gitlab_hub.builds.triggers.group_resolver import Ancestors, Group
from gitlab_hub.builds.triggers.model import Globs, MergeRequestRules, Trigger
from gitlab_hub.gitlab.errors import ResourceNotFound
from gitlab_hub.gitlab.fields import is_below
from gitlab_hub.gitlab.webhooks.parse import Commit, HookEvent, MergeRequest

INTEGRATION = "int_0a1b"
SHA, BEFORE, ZERO = "a" * 40, "b" * 40, "0" * 40

_TRIGGER = Trigger(
    id="trg_0a1b_1",
    integration_id=INTEGRATION,
    project_id=15,
    group=None,
    events=("push", "tag_push", "merge_request"),
    target={"type": "eventbridge"},
    created_by="t-owner",
    created_at=1,
    updated_at=1,
)
_PUSH = HookEvent(
    kind="push",
    project_id=15,
    project_path="mike/tools/diaspora",
    ref="main",
    sha=SHA,
    before=BEFORE,
    after=SHA,
    actor="jsmith",
    message="work",
)
_MERGE_REQUEST = MergeRequest(
    iid=7,
    action="open",
    state="opened",
    draft=False,
    labels=(),
    source_branch="feature",
    target_branch="main",
    source_project_id=15,
    target_project_id=15,
    oldrev=None,
)


def trigger(**changes: Any) -> Trigger:
    """A trigger for everything in one project, but for these changes."""
    return replace(_TRIGGER, **changes)


def rules(**changes: Any) -> MergeRequestRules:
    """Rules for merge requests."""
    return MergeRequestRules(**changes)


def including(*patterns: str, exclude: Sequence[str] = ()) -> Globs:
    """Patterns of which one must fit."""
    return Globs(include=patterns, exclude=tuple(exclude))


def excluding(*patterns: str) -> Globs:
    """Patterns of which none may fit."""
    return Globs(exclude=patterns)


def push(**changes: Any) -> HookEvent:
    """A push of a commit to main."""
    return replace(_PUSH, **changes)


def changing(*paths: str, **changes: Any) -> HookEvent:
    """A push of one commit that changes these paths."""
    return push(commits=(Commit(id=SHA, message="work", paths=paths),), total_commits=1, **changes)


def tag(**changes: Any) -> HookEvent:
    """A pushed tag."""
    return push(kind="tag_push", ref="v1.0", before=ZERO, **changes)


def merge_request(*, event: dict[str, Any] | None = None, **changes: Any) -> HookEvent:
    """An event of a merge request; `changes` are to the merge request, `event` to the rest."""
    found = replace(_MERGE_REQUEST, **changes)
    shown = {"action": found.action, "ref": found.source_branch, "before": found.oldrev, "after": None}
    return push(kind="merge_request", merge_request=found, **(shown | (event or {})))


def asked(one: Trigger, event: HookEvent, *, changed: Sequence[str] | None = None) -> Decision:
    """Decide with these facts."""
    return decide(one, event, Facts(own_paths=listed_paths(event), changed_paths=changed))


def codes(decision: Decision) -> list[str]:
    """The codes of all checks, in order."""
    return [reason.code for reason in decision.reasons]


@dataclass
class MemorySources:
    """Says what it was told, and remembers what it was asked."""

    paths: Sequence[str] | None = None
    message: str | None = None
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def changed_paths(self, integration_id: str, project_id: int, base: str, head: str) -> Sequence[str] | None:
        """What differs between two commits."""
        self.asked.append(("compare", integration_id, project_id, base, head))
        return self.paths

    def branch_paths(self, integration_id: str, project_id: int, base: str, head: str) -> Sequence[str] | None:
        """What a branch has changed."""
        self.asked.append(("branch", integration_id, project_id, base, head))
        return self.paths

    def merge_request_paths(self, integration_id: str, project_id: int, iid: int, sha: str) -> Sequence[str] | None:
        """What a merge request changes."""
        self.asked.append(("merge_request", integration_id, project_id, iid, sha))
        return self.paths

    def commit_message(self, integration_id: str, project_id: int, sha: str) -> str | None:
        """What a commit says."""
        self.asked.append(("message", integration_id, project_id, sha))
        return self.message


@dataclass
class MemoryGroups:
    """Knows where projects and groups lie: `projects` by id, `groups` by id; and remembers what it was asked."""

    projects: dict[int, Ancestors] = field(default_factory=dict)
    groups: dict[int, str] = field(default_factory=dict)
    silent: bool = True
    """Nobody can be asked."""
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def project_ancestors(self, integration_id: str, project_id: int, path: str | None = None) -> Ancestors | None:
        self.asked.append(("project_ancestors", project_id, path))
        return None if self.silent else self.projects.get(project_id)

    def group(self, integration_id: str, group_id: int) -> Group | None:
        path = None if self.silent else self.groups.get(group_id)
        return None if path is None else Group(group_id, path)

    def group_by_path(self, integration_id: str, path: str) -> Group | None:
        self.asked.append(("group_by_path", path))
        if self.silent:
            return None
        found = next((Group(number, name) for number, name in self.groups.items() if name == path), None)
        if found is None:
            raise ResourceNotFound("no such group")
        return found

    def group_ancestors(self, integration_id: str, group_id: int) -> tuple[Group, ...] | None:
        found = self.group(integration_id, group_id)
        if found is None:
            return None
        ancestors = (Group(number, name) for number, name in self.groups.items() if is_below(found.full_path, name))
        return (found, *ancestors)

    def project(self, integration_id: str, project_id: int) -> Ancestors | None:
        if self.silent:
            return None
        if project_id not in self.projects:
            raise ResourceNotFound("no such project")
        return self.projects[project_id]
