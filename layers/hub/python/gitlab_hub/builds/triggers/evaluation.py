"""Whether an event makes a trigger build, and why; pure.

Every check answers, passed or refused, so that a dry run explains itself; one refusal is enough. Two stop early: of an
event of another kind nothing more can be said, and paths are looked at only where all else fits, as that may cost a
question to GitLab.

| checks | passed | refused |
|---|---|---|
| scope | `trigger_enabled`, `event_wanted`, `project_fits`, `group_fits` | `trigger_disabled`, `event_not_wanted`, `other_project`, `other_group`, `project_unknown` |
| push | `branch_pushed`, `branch_deletion_wanted`, `commit_known`, `branch_fits` | `branch_created`, `branch_deleted`, `no_commit`, `no_ref`, `branch_excluded`, `branch_not_included` |
| tag | `commit_known`, `tag_fits` | `tag_deleted`, `no_commit`, `no_ref`, `tag_excluded`, `tag_not_included` |
| merge request | `action_builds`, `commit_known`, `branch_fits`, `target_branch_fits`, `no_draft`, `draft_builds`, `labels_fit`, `no_fork`, `fork_allowed`, `fork_needs_approval` | `merge_request_unreadable`, `merge_request_not_open`, `action_ignored`, `no_commit`, `no_ref`, `branch_excluded`, `target_branch_not_included`, `draft`, `label_missing`, `fork_ignored` |
| skipping | `skip_ci_not_asked`, `skip_ci_ignored` | `skip_ci_message`, `skip_ci_push_option` |
| paths | `paths_fit`, `paths_not_asked`, `paths_unknown` | `no_path_fits` |
| one build | `one_build_per_commit`: a push and a merge request of one commit make one build, whichever comes first | |
"""  # noqa: E501 - a table

from collections.abc import Sequence
from dataclasses import dataclass

from gitlab_hub.builds.triggers import merge_request_rules, rules
from gitlab_hub.builds.triggers.changed_paths import path_check, paths_matter
from gitlab_hub.builds.triggers.globs import first_passing
from gitlab_hub.builds.triggers.group_resolver import Ancestors
from gitlab_hub.builds.triggers.model import BRANCH, FORK, MERGE_REQUEST, PUSH, TAG, TAG_PUSH, BuildRequest, Trigger
from gitlab_hub.builds.triggers.rules import Reason, is_wanted, passed, scope_checks
from gitlab_hub.gitlab.webhooks.parse import HookEvent

__all__ = ["Decision", "Facts", "Reason", "decide", "needs_message", "needs_paths"]

CHECKS = {PUSH: rules.branch_checks, TAG_PUSH: rules.tag_checks, MERGE_REQUEST: merge_request_rules.checks}
"""What is asked of each event that may build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known beyond the event."""

    ancestors: Ancestors | None = None
    """Where the event's project lies; None = nobody could say."""
    own_paths: Sequence[str] = ()
    """Paths that the event itself names."""
    changed_paths: Sequence[str] | None = None
    """Everything that a push or a merge request changes, as GitLab says; None = nobody could say."""
    message: str | None = None
    """Of the commit that would be built, where the event does not have it; None = nobody could say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a trigger makes of an event."""

    reasons: tuple[Reason, ...]
    request: BuildRequest | None
    """The build that is wanted."""

    @property
    def would_build(self) -> bool:
        """Whether a build is wanted."""
        return self.request is not None

    @property
    def refusals(self) -> tuple[str, ...]:
        """The codes of the checks that keep it from building."""
        return tuple(reason.code for reason in self.reasons if not reason.ok)


def decide(trigger: Trigger, event: HookEvent, facts: Facts, *, delivery_id: str | None = None) -> Decision:
    """Ask every check. Nothing is read or sent, and the same arguments give the same decision."""
    reasons = _before_paths(trigger, event, facts)
    if _all_ok(reasons):
        reasons.append(path_check(trigger.paths, event, facts.own_paths, facts.changed_paths))
    if not _all_ok(reasons):
        return Decision(reasons=tuple(reasons), request=None)
    if event.kind in {PUSH, MERGE_REQUEST} and {PUSH, MERGE_REQUEST} <= set(trigger.events):
        reasons.append(passed("one_build_per_commit", "A push and a merge request of one commit make one build."))
    return Decision(reasons=tuple(reasons), request=_request(trigger, event, delivery_id))


def needs_message(trigger: Trigger, event: HookEvent, facts: Facts) -> bool:
    """Whether the decision hangs on the message of a commit that the event does not list."""
    return (
        trigger.skip_ci
        and event.message is None
        and not event.deletes_ref
        and _all_ok(_before_paths(trigger, event, facts))
    )


def needs_paths(trigger: Trigger, event: HookEvent, facts: Facts) -> bool:
    """Whether the decision hangs on what changed, and the event does not say it."""
    return (
        paths_matter(trigger.paths, event)
        and _all_ok(_before_paths(trigger, event, facts))
        and first_passing(trigger.paths, facts.own_paths) is None
    )


def _before_paths(trigger: Trigger, event: HookEvent, facts: Facts) -> list[Reason]:
    reasons = list(scope_checks(trigger, event, facts.ancestors))
    if is_wanted(trigger, event):
        reasons += CHECKS[event.kind](trigger, event)
        reasons.append(rules.skip_requested_by_push(trigger, event, event.message or facts.message))
    return reasons


def _all_ok(reasons: Sequence[Reason]) -> bool:
    return all(reason.ok for reason in reasons)


def _request(trigger: Trigger, event: HookEvent, delivery_id: str | None) -> BuildRequest:
    found, sha = event.merge_request, rules.built_sha(event)
    if event.project_id is None or event.ref is None or sha is None:
        raise ValueError("Only what has passed all checks is built.")
    return BuildRequest(
        trigger_id=trigger.id,
        integration_id=trigger.integration_id,
        project_id=event.project_id,
        project_path=event.project_path,
        event=event.kind,
        ref=event.ref,
        sha=sha,
        actor=event.actor,
        delivery_id=delivery_id,
        merge_request_iid=None if found is None else found.iid,
        source_project_id=None if found is None else found.source_project_id,
        needs_approval=merge_request_rules.needs_approval(trigger.merge_requests, found),
        cancel_previous=trigger.cancel_previous,
        ref_kind=_kind_of_ref(event),
        before=event.before,
        new_code=merge_request_rules.brings_code(event),
        deletes_ref=event.deletes_ref,
    )


def _kind_of_ref(event: HookEvent) -> str:
    if event.kind == TAG_PUSH:
        return TAG
    return FORK if event.merge_request is not None and event.merge_request.from_fork else BRANCH
