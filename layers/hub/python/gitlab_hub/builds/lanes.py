"""Which builds overtake each other: those of one trigger, project and ref; pure.

A ref has a kind: tag `v1` is not branch `v1`, and a fork's branch is not the project's own of the same name.
"""

import hashlib

from gitlab_hub.builds.build import Build
from gitlab_hub.builds.model import FORK, TAG


def lane_of(build: Build) -> str:
    """The sort key that all unfinished builds of a lane begin with."""
    named = f"{build.source_project_id or build.project_id}\n{build.ref}"
    if build.kind == TAG:
        named = f"tag\n{build.project_id}\n{build.ref}"
    elif build.kind == FORK and build.source_project_id is None:
        named = f"fork\n{build.merge_request_iid}\n{build.ref}"
    return _key(build, named)


def lanes_of(build: Build) -> tuple[str, ...]:
    """Where a build may lie: the release before knew no kinds, and took a tag for the branch of its name."""
    return tuple(
        dict.fromkeys((lane_of(build), _key(build, f"{build.source_project_id or build.project_id}\n{build.ref}")))
    )


def _key(build: Build, named: str) -> str:
    digest = hashlib.sha256(named.encode()).hexdigest()[:32]
    return f"RUNNING#{build.project_id}#{build.trigger_id}#{digest}#"
