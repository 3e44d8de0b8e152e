"""Whether a pushed branch or tag builds, by what happened to it and by its name."""

import re
from collections.abc import Iterator

from gitlab_hub.builds import skip_ci
from gitlab_hub.builds.globs import first_fit
from gitlab_hub.builds.model import MERGE_REQUEST, Globs, Trigger
from gitlab_hub.builds.reasons import Reason, passed, refused
from gitlab_hub.gitlab.events import HookEvent

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


def wish(trigger: Trigger, event: HookEvent, message: str | None) -> Reason:
    """Whether whoever pushed asked for no build; `message` None = nobody could say what the commit says."""
    if not trigger.skip_ci:
        return passed("skip_ci_ignored", "The trigger builds although somebody may have asked to skip it.")
    if not event.deletes_ref and skip_ci.in_message(message):
        return refused("skip_ci_message", "The commit's message says [skip ci].")
    if event.kind != MERGE_REQUEST and skip_ci.in_options(event.push_options):
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
