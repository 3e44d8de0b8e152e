"""Bodies of deployments, releases and comments."""

import time

from stand_in_gitlab.company.code_model import Commit, MergeRequest
from stand_in_gitlab.company.deployment_model import Deployment
from stand_in_gitlab.company.model import Project, User
from stand_in_gitlab.payloads.merge_request import attributes_of, url_of
from stand_in_gitlab.payloads.parts import Json, Parts, utc

PLAIN_NOTE = {"attachment": None, "line_code": None, "system": False, "st_diff": None, "action": "create"}


def deployment(parts: Parts, made: Deployment, commit: Commit, now: float) -> Json:
    """A deployment whose status changed (lib/gitlab/data_builder/deployment.rb)."""
    project = parts.company.projects[made.project_id]
    where, user = parts.company.environments[project.id][made.environment_id], parts.someone(made.user_id)
    page, job = parts.project(project)["web_url"], made.job and made.job[1]
    return {
        "object_kind": "deployment",
        "status": made.status,
        "status_changed_at": time.strftime("%Y-%m-%d %H:%M:%S +0000", time.gmtime(now)),
        "deployment_id": made.id,
        "deployable_id": job,
        "deployable_url": job and f"{page}/-/jobs/{job}",
        "environment": where.name,
        "environment_tier": where.tier,
        "environment_slug": where.slug,
        "environment_external_url": where.external_url,
        "project": parts.project(project),
        "short_sha": commit.sha[:8],
        "user": parts.user(user),
        "user_url": f"{parts.base}/{user.username}",
        "commit_url": f"{page}/-/commit/{commit.sha}",
        "commit_title": commit.title,
        "ref": made.ref,
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
    subject: Json
    if isinstance(on, Commit):
        row = parts.commit(on, project)
        about, page = {"commit": row}, row["url"]
        subject = {"noteable_type": "Commit", "noteable_id": None, "commit_id": on.sha}
    else:
        about, page = {"merge_request": attributes_of(parts, on, head)}, url_of(parts, project, on)
        subject = {"noteable_type": "MergeRequest", "noteable_id": on.id, "commit_id": ""}
    own: Json = {"id": number, "note": text, "description": text, "author_id": user.id, "project_id": project.id}
    times = {"created_at": utc(now), "updated_at": utc(now), "url": f"{page}#note_{number}"}
    return {
        "object_kind": "note",
        "event_type": "note",
        "user": parts.user(user),
        "project_id": project.id,
        "project": parts.project(project),
        "repository": parts.repository(project, short=True),
        "object_attributes": {**own, **subject, **times, **PLAIN_NOTE},
        **about,
    }
