"""Whether something changed that a trigger is about.

What nobody can say counts as changed: a build too many is cheaper than one that is missing.
"""

from collections.abc import Iterable, Sequence

from gitlab_hub.builds.globs import first_passing
from gitlab_hub.builds.model import MERGE_REQUEST, PUSH, Globs
from gitlab_hub.builds.reasons import Reason, passed, refused
from gitlab_hub.gitlab.events import HookEvent

# A change of more files than this is not looked through for every trigger.
MAX_PATHS = 10_000


def listed(event: HookEvent) -> tuple[str, ...] | None:
    """All paths that changed, as the event itself says; None where it does not say all.

    Of a push GitLab lists 20 commits, without their paths in system hooks. A new branch without commits of its own has
    nothing to be compared with.
    """
    if event.kind != PUSH or not event.lists_all_paths or (event.creates_ref and not event.commits):
        return None
    return bounded(path for commit in event.commits for path in commit.paths)


def bounded(paths: Iterable[str]) -> tuple[str, ...] | None:
    """Each path once, in order; None where there are too many."""
    found: dict[str, None] = {}
    for path in paths:
        found[path] = None
        if len(found) > MAX_PATHS:
            return None
    return tuple(found)


def check(globs: Globs, event: HookEvent, changed: Sequence[str] | None) -> Reason:
    """Whether one of the changed paths is included and not excluded; `changed` None = nobody can say."""
    if not globs:
        return passed("paths_fit", "Any change will do.")
    if event.kind not in {PUSH, MERGE_REQUEST} or event.deletes_ref:
        return passed("paths_not_asked", "Paths count for pushed commits and merge requests only.")
    if changed is None:
        return passed("paths_unknown", "Nobody could say which paths changed, so it builds.")
    fitting = first_passing(globs, changed)
    if fitting is None:
        return refused("no_path_fits", f"None of the {len(changed)} changed paths is meant by the trigger.")
    return passed("paths_fit", f'"{fitting}" changed.')
