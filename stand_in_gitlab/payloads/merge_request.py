"""Bodies of merge-request events."""

import zlib
from collections.abc import Mapping
from typing import Any

from stand_in_gitlab.company.code_model import Commit, MergeRequest
from stand_in_gitlab.company.model import Project, User
from stand_in_gitlab.payloads.parts import Json, Parts, utc

STATE_IDS = {"opened": 1, "closed": 2, "merged": 3, "locked": 4}
ZERO_TIME = {"total_time_spent": 0, "time_change": 0, "time_estimate": 0}


def merge_request(
    parts: Parts,
    mr: MergeRequest,
    user: User,
    head: Commit,
    action: str,
    *,
    oldrev: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Json:
    """What happened to a merge request; `oldrev` is there only when its code changed."""
    target = parts.company.projects[mr.project_id]
    attributes = {**attributes_of(parts, mr, head), "action": action}
    if oldrev is not None:
        attributes["oldrev"] = oldrev
    return {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": parts.user(user),
        "project": parts.project(target),
        "object_attributes": attributes,
        "labels": attributes["labels"],
        "changes": dict(changes or {}),
        "repository": parts.repository(target, short=True),
    }


def attributes_of(parts: Parts, mr: MergeRequest, head: Commit) -> Json:
    """A merge request as events and comments on it show it."""
    projects = parts.company.projects
    source, target = projects.get(mr.source_project_id), projects[mr.project_id]
    return {
        **_plain(mr),
        "url": url_of(parts, target, mr),
        "source": parts.project(source) if source else None,
        "target": parts.project(target),
        "last_commit": parts.commit(head, source or target),
        "labels": [label(mr, title) for title in mr.labels],
        "created_at": utc(mr.created),
        "updated_at": utc(mr.updated),
        "last_edited_at": None,
        "last_edited_by_id": None,
        **ZERO_TIME,
        "human_total_time_spent": None,
        "human_time_change": None,
        "human_time_estimate": None,
    }


def _plain(mr: MergeRequest) -> Json:
    status = "can_be_merged" if mr.state == "opened" else "unchecked"
    return {
        "id": mr.id,
        "iid": mr.iid,
        "title": mr.title,
        "description": mr.description,
        "state": mr.state,
        "state_id": STATE_IDS[mr.state],
        "source_branch": mr.source_branch,
        "target_branch": mr.target_branch,
        "source_project_id": mr.source_project_id,
        "target_project_id": mr.project_id,
        "author_id": mr.author_id,
        "assignee_id": None,
        "assignee_ids": [],
        "reviewer_ids": [],
        "milestone_id": None,
        "draft": mr.draft,
        "work_in_progress": mr.draft,
        "merge_status": status,
        "detailed_merge_status": "draft_status" if mr.draft else "mergeable",
        "merge_commit_sha": mr.merge_commit,
        "head_pipeline_id": None,
        "blocking_discussions_resolved": True,
        "first_contribution": False,
        "prepared_at": utc(mr.created),
    }


def label(mr: MergeRequest, title: str) -> Json:
    """A label of the target project; its id follows from its title."""
    return {
        "id": zlib.crc32(f"{mr.project_id}/{title}".encode()) % 1_000_000,
        "title": title,
        "color": "#1f75cb",
        "project_id": mr.project_id,
        "created_at": utc(mr.created),
        "updated_at": utc(mr.created),
        "template": False,
        "description": None,
        "type": "ProjectLabel",
        "group_id": None,
    }


def url_of(parts: Parts, project: Project, mr: MergeRequest) -> str:
    """The merge request's page."""
    return f"{parts.base}/{project.full_path}/-/merge_requests/{mr.iid}"
