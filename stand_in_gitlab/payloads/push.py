"""Bodies of pushes and tag pushes."""

from collections.abc import Mapping, Sequence

from stand_in_gitlab.company.code_model import NOTHING, Commit
from stand_in_gitlab.company.model import Project, User
from stand_in_gitlab.payloads.parts import Json, Parts

LISTED = 20


def push(
    parts: Parts,
    project: Project,
    user: User,
    ref: str,
    before: str,
    after: str,
    commits: Sequence[Commit],
    *,
    checkout: str | None = None,
    message: str | None = None,
    options: Mapping[str, object] | None = None,
) -> Json:
    """A moved ref; at most the twenty latest commits are listed. `checkout` differs for annotated tags."""
    kind = "tag_push" if ref.startswith("refs/tags/") else "push"
    return {
        "object_kind": kind,
        "event_name": kind,
        "before": before,
        "after": after,
        "ref": ref,
        "ref_protected": ref == f"refs/heads/{project.default_branch}",
        "checkout_sha": None if after == NOTHING else checkout or after,
        "message": message,
        "user_id": user.id,
        "user_name": user.name,
        "user_username": user.username,
        "user_email": None,
        "user_avatar": parts.avatar(user),
        "project_id": project.id,
        "project": parts.project(project),
        "commits": [parts.commit(each, project, files=True) for each in commits[-LISTED:]],
        "total_commits_count": len(commits),
        "push_options": dict(options or {}),
        "repository": parts.repository(project),
    }


def repository_update(parts: Parts, project: Project, user: User, changes: Sequence[Mapping[str, str]]) -> Json:
    """What system hooks hear of every push, however many refs it moved."""
    return {
        "event_name": "repository_update",
        "user_id": user.id,
        "user_name": user.name,
        "user_email": None,
        "user_avatar": parts.avatar(user),
        "project_id": project.id,
        "project": parts.project(project),
        "changes": [dict(change) for change in changes],
        "refs": sorted({change["ref"] for change in changes}),
    }
