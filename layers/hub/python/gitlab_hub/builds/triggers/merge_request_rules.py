"""Whether a merge request builds: what happened to it, what it is, where it goes and where it comes from."""

from collections.abc import Iterator

from gitlab_hub.builds.triggers import rules as refs
from gitlab_hub.builds.triggers.globs import first_fit
from gitlab_hub.builds.triggers.model import ALLOW, APPROVE, Globs, MergeRequestRules, Trigger
from gitlab_hub.builds.triggers.rules import Reason, passed, refused
from gitlab_hub.gitlab.webhooks.parse import HookEvent, MergeRequest

_OPENING, UPDATE = ("open", "reopen"), "update"
_OPEN_STATES = ("opened", "")


def checks(trigger: Trigger, event: HookEvent) -> Iterator[Reason]:
    """What a merge request must fulfil.

    `branches.include` names the branches whose pushes build, so it is not asked here: a trigger for `main` builds the
    merge requests into it. `branches.exclude` keeps a branch from building in any way.
    """
    found, rules = event.merge_request, trigger.merge_requests
    if found is None:
        yield refused("merge_request_unreadable", "The event does not say which merge request it is about.")
        return
    yield action(event, found)
    yield refs.commit(event)
    yield refs.name(Globs(exclude=trigger.branches.exclude), event.ref, what="branch")
    yield target(rules, found)
    yield draft(rules, found)
    yield labels(rules, found)
    yield fork(rules, found)


def action(event: HookEvent, found: MergeRequest) -> Reason:
    """Whether something happened after which it may build: it was opened, or anything about it changed.

    What changed is not asked. `changes` names a new target, labels or an end of drafting, but not always, and a trigger
    may be newer than the merge request: whether its rules fit now decides, and each commit is built once.
    """
    if found.state not in _OPEN_STATES:
        return refused("merge_request_not_open", f"The merge request is {found.state}.")
    if event.action in _OPENING:
        return passed("action_builds", "The merge request was opened.")
    if event.action == UPDATE:
        return passed("action_builds", "The merge request was updated; each of its commits is built once.")
    return refused("action_ignored", f"Nothing is built when a merge request sees: {event.action or 'no action'}.")


def brings_code(event: HookEvent) -> bool:
    """Whether an event brings the commit it names; an update may be about a label or a title only."""
    found = event.merge_request
    return found is None or event.action != UPDATE or found.oldrev is not None


def target(rules: MergeRequestRules, found: MergeRequest) -> Reason:
    """Whether it goes into a wanted branch."""
    if not rules.target_branches:
        return passed("target_branch_fits", "Any target branch will do.")
    pattern = first_fit(rules.target_branches, found.target_branch)
    if pattern is None:
        return refused("target_branch_not_included", f'No pattern fits the target branch "{found.target_branch}".')
    return passed("target_branch_fits", f'The target branch "{found.target_branch}" is included by "{pattern}".')


def draft(rules: MergeRequestRules, found: MergeRequest) -> Reason:
    """Whether it is ready, where drafts do not build."""
    if found.draft and not rules.drafts:
        return refused("draft", "The merge request is a draft.")
    return passed("draft_builds" if found.draft else "no_draft", "Drafts build." if found.draft else "It is no draft.")


def labels(rules: MergeRequestRules, found: MergeRequest) -> Reason:
    """Whether it has one of the wanted labels."""
    if not rules.labels:
        return passed("labels_fit", "No label is needed.")
    have = [label for label in rules.labels if label in found.labels]
    if not have:
        return refused("label_missing", f"The merge request has none of the labels {', '.join(rules.labels)}.")
    return passed("labels_fit", f'The merge request has the label "{have[0]}".')


def fork(rules: MergeRequestRules, found: MergeRequest) -> Reason:
    """Whether it comes from the project itself, or what becomes of forks."""
    if not found.from_fork:
        return passed("no_fork", "The merge request comes from the project itself.")
    if rules.forks == ALLOW:
        return passed("fork_allowed", "The merge request comes from a fork, and forks build.")
    if rules.forks == APPROVE:
        return passed("fork_needs_approval", "The merge request comes from a fork: somebody has to approve its build.")
    return refused("fork_ignored", "The merge request comes from a fork, and forks do not build.")


def needs_approval(rules: MergeRequestRules, found: MergeRequest | None) -> bool:
    """Whether a build of it waits for somebody. Whatever is not allowed outright has to be approved."""
    return found is not None and found.from_fork and rules.forks != ALLOW
