"""Bodies of deployments, releases and comments."""

import time

from local.gitlab.company.code_model import Commit, MergeRequest
from local.gitlab.company.model import Project, User
from local.gitlab.payloads.merge_request import attributes_of, url_of
from local.gitlab.payloads.parts import Json, Parts, utc


def deployment(
    parts: Parts,
    number: int,
    project: Project,
    user: User,
    commit: Commit,
    ref: str,
    environment: str,
    status: str,
    now: float,
) -> Json:
    """A deployment whose status changed."""
    page = parts.project(project)["web_url"]
    return {
        "object_kind": "deployment",
        "status": status,
        "status_changed_at": time.strftime("%Y-%m-%d %H:%M:%S +0000", time.gmtime(now)),
        "deployment_id": number,
        "deployable_id": number,
        "deployable_url": f"{page}/-/jobs/{number}",
        "environment": environment,
        "environment_tier": environment if environment in {"production", "staging"} else "other",
        "environment_slug": environment,
        "environment_external_url": f"https://{environment}.acme.example",
        "project": parts.project(project),
        "short_sha": commit.sha[:8],
        "user": parts.user(user),
        "user_url": f"{parts.base}/{user.username}",
        "commit_url": f"{page}/-/commit/{commit.sha}",
        "commit_title": commit.title,
        "ref": ref,
    }


def release(parts: Parts, number: int, project: Project, commit: Commit, tag: str, action: str, now: float) -> Json:
    """A release that was created, updated or deleted."""
    page = parts.project(project)["web_url"]
    sources = [
        {"format": kind, "url": f"{page}/-/archive/{tag}/{project.path}-{tag}.{kind}"}
        for kind in ("zip", "tar.gz", "tar.bz2", "tar")
    ]
    return {
        "id": number,
        "created_at": utc(now),
        "description": f"Release {tag}",
        "name": tag,
        "released_at": utc(now),
        "tag": tag,
        "object_kind": "release",
        "project": parts.project(project),
        "url": f"{page}/-/releases/{tag}",
        "action": action,
        "assets": {"count": len(sources), "links": [], "sources": sources},
        "commit": parts.commit(commit, project),
    }


def note(
    parts: Parts,
    number: int,
    project: Project,
    user: User,
    text: str,
    on: Commit | MergeRequest,
    head: Commit,
    now: float,
) -> Json:
    """A comment on a commit or a merge request; `head` is the commit or the request's last one."""
    is_commit = isinstance(on, Commit)
    page = parts.commit(on, project)["url"] if isinstance(on, Commit) else url_of(parts, project, on)
    about = (
        {"commit": parts.commit(on, project)}
        if isinstance(on, Commit)
        else {"merge_request": attributes_of(parts, on, head)}
    )
    return {
        "object_kind": "note",
        "event_type": "note",
        "user": parts.user(user),
        "project_id": project.id,
        "project": parts.project(project),
        "repository": parts.repository(project, short=True),
        "object_attributes": {
            "id": number,
            "note": text,
            "description": text,
            "noteable_type": "Commit" if is_commit else "MergeRequest",
            "author_id": user.id,
            "created_at": utc(now),
            "updated_at": utc(now),
            "project_id": project.id,
            "attachment": None,
            "line_code": None,
            "commit_id": head.sha if is_commit else "",
            "noteable_id": None if isinstance(on, Commit) else on.id,
            "system": False,
            "st_diff": None,
            "action": "create",
            "url": f"{page}#note_{number}",
        },
        **about,
    }
