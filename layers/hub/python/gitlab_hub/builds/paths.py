"""Whether something changed that a trigger is about.

A push lists what its commits did, and that can say yes, but not no. GitLab lists a moved file as an added one only (its
old name is nowhere: lib/gitlab/git/commit.rb, `raw_deltas` by new path), the newest 20 commits, and of a push by force
those that the branch had not before, however far it was set back (app/services/git/branch_hooks_service.rb). So what
the list does not say is asked of GitLab. What nobody can say counts as changed, also where the list looks whole, as a
body does not say that it was forced: a build too many is cheaper than one that is missing.
"""

from collections.abc import Iterable, Sequence

from gitlab_hub.builds.globs import first_passing
from gitlab_hub.builds.model import MERGE_REQUEST, PUSH, Globs
from gitlab_hub.builds.reasons import Reason, passed, refused
from gitlab_hub.gitlab.events import HookEvent

# A change of more files than this is not looked through for every trigger.
MAX_PATHS = 10_000


def listed(event: HookEvent) -> tuple[str, ...]:
    """The paths that a push itself names; there may be more."""
    if event.kind != PUSH:
        return ()
    return bounded(path for commit in event.commits for path in commit.paths) or ()


def bounded(paths: Iterable[str]) -> tuple[str, ...] | None:
    """Each path once, in order; None where there are too many."""
    found: dict[str, None] = {}
    for path in paths:
        found[path] = None
        if len(found) > MAX_PATHS:
            return None
    return tuple(found)


def is_asked(globs: Globs, event: HookEvent) -> bool:
    """Whether what changed matters at all."""
    return bool(globs) and event.kind in {PUSH, MERGE_REQUEST} and not event.deletes_ref


def check(globs: Globs, event: HookEvent, own: Sequence[str], changed: Sequence[str] | None) -> Reason:
    """Whether one of the changed paths is included and not excluded.

    `own` are those that the event names, `changed` what GitLab says; None = nobody could say.
    """
    if not globs:
        return passed("paths_fit", "Any change will do.")
    if not is_asked(globs, event):
        return passed("paths_not_asked", "Paths count for pushed commits and merge requests only.")
    fitting = first_passing(globs, own) or first_passing(globs, changed or ())
    if fitting is not None:
        return passed("paths_fit", f'"{fitting}" changed.')
    if changed is None:
        return passed("paths_unknown", "Nobody could say which paths changed, so it builds.")
    return refused("no_path_fits", f"None of the {len(changed)} changed paths is meant by the trigger.")
