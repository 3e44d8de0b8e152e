"""Whether a pushed branch or tag builds, by what happened to it and by its name."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gitlab_hub.builds.triggers.globs import first_fit
from gitlab_hub.builds.triggers.group_resolver import Ancestors
from gitlab_hub.builds.triggers.model import MERGE_REQUEST, Globs, Trigger
from gitlab_hub.gitlab.fields import is_below
from gitlab_hub.gitlab.webhooks.event_types import BUILDING
from gitlab_hub.gitlab.webhooks.parse import HookEvent

# What a trigger's checks answer: a word for machines that stays the same, and a text for people.


class Reason(NamedTuple):
    """One check: whether it lets the event build, and why. All codes stand in the table of evaluation.py."""

    ok: bool
    code: str
    text: str


def passed(code: str, text: str) -> Reason:
    """The check lets the event build."""
    return Reason(True, code, text)


def refused(code: str, text: str) -> Reason:
    """The check keeps the event from building."""
    return Reason(False, code, text)


# Whether an event is any of a trigger's business at all: switched on, of a wanted kind, of its project or group.


def scope_checks(trigger: Trigger, event: HookEvent, ancestors: Ancestors | None) -> Iterator[Reason]:
    """All checks of the scope, in order."""
    yield enabled(trigger)
    yield wanted(trigger, event)
    yield place(trigger, event, ancestors)


def enabled(trigger: Trigger) -> Reason:
    """Whether the trigger is switched on."""
    if trigger.enabled:
        return passed("trigger_enabled", "The trigger is switched on.")
    return refused("trigger_disabled", "The trigger is switched off.")


def wanted(trigger: Trigger, event: HookEvent) -> Reason:
    """Whether the trigger waits for events of this kind."""
    if is_wanted(trigger, event):
        return passed("event_wanted", f"The trigger waits for {event.kind}.")
    return refused("event_not_wanted", f"The trigger waits for {', '.join(trigger.events)}, not for {event.kind}.")


def is_wanted(trigger: Trigger, event: HookEvent) -> bool:
    """Whether the kind is one of the trigger's. A later release may have written kinds that are not known here."""
    return event.kind in trigger.events and event.kind in BUILDING


def place(trigger: Trigger, event: HookEvent, ancestors: Ancestors | None) -> Reason:
    """Whether it happened in the trigger's project, or in a project below its group.

    `ancestors` is what GitLab says of the event's project. A group is told by its id, by its path only where nobody
    knows.
    """
    if event.project_id is None:
        return refused("project_unknown", "The event does not say which project it is about.")
    if trigger.group is None:
        return _project(trigger, event)
    path = event.project_path or (None if ancestors is None else ancestors.path)
    if path is None:
        return refused("project_unknown", "The event does not say where its project lies.")
    if lies_below(trigger, path, ancestors):
        return passed("group_fits", f"The project {path} is below {trigger.group}.")
    return refused("other_group", f"The project {path} is not below {trigger.group}.")


def lies_below(trigger: Trigger, path: str, ancestors: Ancestors | None) -> bool:
    """Whether a project lies below a trigger's group."""
    if trigger.group is None:
        return False
    if trigger.group_id is not None and ancestors is not None:
        if ancestors.group(trigger.group_id) is not None:
            return True
        if ancestors.complete:
            return False  # Whatever is called so by now is another group.
    return is_below(path, trigger.group)


def _project(trigger: Trigger, event: HookEvent) -> Reason:
    if event.project_id == trigger.project_id:
        return passed("project_fits", f"It is the project {trigger.project_id}.")
    return refused("other_project", f"The trigger is for the project {trigger.project_id}, not {event.project_id}.")


_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

# Longer names exist, and nobody means them; they are part of keys.
MAX_REF_BYTES = 500


def branch_checks(trigger: Trigger, event: HookEvent) -> Iterator[Reason]:
    """What a push to a branch must fulfil."""
    yield _branch_change(trigger, event)
    yield commit(event)
    yield name(trigger.branches, event.ref, what="branch")


def tag_checks(trigger: Trigger, event: HookEvent) -> Iterator[Reason]:
    """What a pushed tag must fulfil."""
    if event.deletes_ref:
        yield refused("tag_deleted", "The tag was deleted.")
    yield commit(event)
    yield name(trigger.tags, event.ref, what="tag")


def commit(event: HookEvent) -> Reason:
    """Whether the event names a commit that could be built, and where it lies."""
    sha = built_sha(event)
    if sha is None or not _SHA.fullmatch(sha):
        return refused("no_commit", "The event names no commit that could be built.")
    if event.ref is None or len(event.ref.encode()) > MAX_REF_BYTES:
        return refused("no_ref", "The event names no branch or tag, or one whose name is too long.")
    return passed("commit_known", f"It would build the commit {sha}.")


def built_sha(event: HookEvent) -> str | None:
    """The commit that a build would be of: of a deleted branch the one where it stood."""
    return event.before if event.deletes_ref and event.sha is None else event.sha


def name(globs: Globs, ref: str | None, *, what: str) -> Reason:
    """Whether the name is included and not excluded."""
    ref = ref or ""
    excluded = first_fit(globs.exclude, ref)
    if excluded is not None:
        return refused(f"{what}_excluded", f'The {what} "{ref}" is excluded by "{excluded}".')
    if not globs.include:
        return passed(f"{what}_fits", f"No {what} has to be included by name.")
    included = first_fit(globs.include, ref)
    if included is None:
        return refused(f"{what}_not_included", f'The {what} "{ref}" fits no pattern that is included.')
    return passed(f"{what}_fits", f'The {what} "{ref}" is included by "{included}".')


def skip_requested_by_push(trigger: Trigger, event: HookEvent, message: str | None) -> Reason:
    """Whether whoever pushed asked for no build; `message` None = nobody could say what the commit says."""
    if not trigger.skip_ci:
        return passed("skip_ci_ignored", "The trigger builds although somebody may have asked to skip it.")
    if not event.deletes_ref and skip_in_message(message):
        return refused("skip_ci_message", "The commit's message says [skip ci].")
    if event.kind != MERGE_REQUEST and skip_requested(event.push_options):
        return refused("skip_ci_push_option", "It was pushed with the option ci.skip.")
    return passed("skip_ci_not_asked", "Nobody asked to skip it.")


def _branch_change(trigger: Trigger, event: HookEvent) -> Reason:
    if event.deletes_ref:
        if trigger.on_branch_delete:
            return passed("branch_deletion_wanted", "The branch was deleted, and the trigger wants to know.")
        return refused("branch_deleted", "The branch was deleted.")
    if event.creates_ref and not trigger.on_branch_create:
        return refused("branch_created", "The branch was created, and the trigger does not build new branches.")
    return passed("branch_pushed", "The branch was created." if event.creates_ref else "The branch was pushed to.")


# Whether whoever pushed asked for no build, by GitLab's own rules.
#
# lib/gitlab/ci/pipeline/chain/skip.rb: anywhere in the whole message of the commit that would be built, in any case;
# not in the messages of other commits of the push. A push that lists no commits (a new branch or a branch that was
# set back) has such a commit too: its message is asked of GitLab. The push option counts for the pushed branch or
# tag, not for merge requests (https://docs.gitlab.com/topics/git/commit/#push-options).
# Bodies should have it, and have nothing there: `push_data_params` in app/services/git/base_hooks_service.rb.

_SKIP = re.compile(r"\[(?:ci[ _-]skip|skip[ _-]ci)\]", re.IGNORECASE)


def skip_in_message(message: str | None) -> bool:
    """Whether a commit's message says so."""
    return message is not None and _SKIP.search(message) is not None


def skip_requested(options: Mapping[str, Any]) -> bool:
    """Whether a push was made with `-o ci.skip`. Any value counts that is not blank, "false" too, as in GitLab."""
    ci = options.get("ci")
    value = ci.get("skip") if isinstance(ci, Mapping) else options.get("ci.skip")
    return bool(value.strip()) if isinstance(value, str) else bool(value)
