"""The bodies of single kinds of events: which of GitLab's fields means what.

Each reader gives the fields of a `HookEvent` that are special to its kind.
"""

import re
from typing import Any

from gitlab_hub.gitlab.fields import GitLabRow, first_id, first_moment, first_text, part, rows_in, texts_in
from gitlab_hub.gitlab.webhooks.event import Commit, MergeRequest

Fields = dict[str, Any]

# More are cut off: GitLab lists at most 20.
_MAX_COMMITS = 100
_REFS = ("refs/heads/", "refs/tags/")
_PATHS = ("added", "modified", "removed")
_TIMES = ("updated_at", "created_at")

# How GitLab reads a title where it does not say `draft`: app/models/merge_request.rb, DRAFT_REGEX.
_DRAFT = re.compile(r"\s*(?:\[draft\]|\(draft\)|draft:|\[wip\]|wip:)", re.IGNORECASE)


def push(body: GitLabRow) -> Fields:
    """A push to a branch or of a tag. Of an annotated tag `after` is the tag's object, `checkout_sha` its commit."""
    commits = tuple(_commit(row) for row in rows_in(body.get("commits"))[-_MAX_COMMITS:])
    sha, total = first_text(body, "checkout_sha"), first_id(body, "total_commits_count")
    return {
        "ref": short(first_text(body, "ref")),
        "sha": sha,
        "before": first_text(body, "before"),
        "after": first_text(body, "after"),
        "message": next((commit.message for commit in reversed(commits) if commit.id == sha), None),
        "commits": commits,
        "total_commits": max(total or 0, len(commits)),
        "push_options": part(body, "push_options"),  # GitLab nests `-o ci.skip` as {"ci": {"skip": true}}.
        "default_branch": first_text(part(body, "project"), "default_branch"),
    } | actor_of(body)


def merge_request(body: GitLabRow) -> Fields:
    """A merge request; the project is the one that it goes to."""
    attributes = part(body, "object_attributes")
    head, found = part(attributes, "last_commit"), merge_request_of(attributes, body.get("labels"))
    return {
        "action": first_text(attributes, "action"),
        "ref": first_text(attributes, "source_branch"),
        "sha": first_text(head, "id"),
        "before": first_text(attributes, "oldrev"),
        "message": first_text(head, "message"),
        "merge_request": found,
        "pipeline_id": None if found is None else found.head_pipeline_id,
        "project_id": first_id(part(body, "project"), "id") or first_id(attributes, "target_project_id"),
        "at": first_moment(attributes, *_TIMES),
    }


def pipeline(body: GitLabRow) -> Fields:
    """A pipeline; `action` is the status it had when GitLab wrote this."""
    attributes = part(body, "object_attributes")
    return {
        "action": first_text(attributes, "status"),
        "ref": first_text(attributes, "ref"),
        "sha": first_text(attributes, "sha"),
        "message": first_text(part(body, "commit"), "message"),
        "merge_request": merge_request_of(part(body, "merge_request")),
        "pipeline_id": first_id(attributes, "id"),
        "at": first_moment(attributes, "finished_at", "created_at"),
    }


def job(body: GitLabRow) -> Fields:
    """A job. Its `commit.id` is the id of the pipeline."""
    commit = part(body, "commit")
    return {
        "action": first_text(body, "build_status"),
        "ref": first_text(body, "ref"),
        "sha": first_text(body, "sha") or first_text(commit, "sha"),
        "message": first_text(commit, "message"),
        "pipeline_id": first_id(body, "pipeline_id") or first_id(commit, "id"),
        "job_id": first_id(body, "build_id"),
        "at": first_moment(body, "build_finished_at", "build_started_at", "build_created_at"),
    }


def deployment(body: GitLabRow) -> Fields:
    """A deployment; GitLab gives its commit in short form only."""
    return {
        "action": first_text(body, "status"),
        "ref": first_text(body, "ref"),
        "job_id": first_id(body, "deployable_id"),
        "at": first_moment(body, "status_changed_at"),
    }


def release(body: GitLabRow) -> Fields:
    """A release and the commit of its tag."""
    commit = part(body, "commit")
    return {
        "action": first_text(body, "action"),
        "ref": first_text(body, "tag"),
        "sha": first_text(commit, "id"),
        "message": first_text(commit, "message"),
        "at": first_moment(body, "released_at", "created_at"),
    }


def note(body: GitLabRow) -> Fields:
    """A comment, with the merge request or the commit that it is about."""
    commit = part(body, "commit")
    return attributed(body) | {
        "sha": first_text(commit, "id"),
        "message": first_text(commit, "message"),
        "merge_request": merge_request_of(part(body, "merge_request")),
    }


def attributed(body: GitLabRow) -> Fields:
    """Any event with `object_attributes`, like issues and wiki pages."""
    attributes = part(body, "object_attributes")
    return {
        "action": first_text(attributes, "action") or first_text(body, "action"),
        "at": first_moment(attributes, *_TIMES),
    }


def merge_request_of(row: GitLabRow, labels: Any = None) -> MergeRequest | None:
    """Read a merge request; None where it has no number, as then nobody could ask for it."""
    iid = first_id(row, "iid")
    if iid is None:
        return None
    flags = [value for name in ("draft", "work_in_progress") if isinstance(value := row.get(name), bool)]
    return MergeRequest(
        iid=iid,
        action=first_text(row, "action"),
        state=first_text(row, "state") or "",
        draft=any(flags) if flags else _says_draft(first_text(row, "title")),
        labels=_titles(row.get("labels") if labels is None else labels),
        source_branch=first_text(row, "source_branch") or "",
        target_branch=first_text(row, "target_branch") or "",
        source_project_id=first_id(row, "source_project_id"),
        target_project_id=first_id(row, "target_project_id"),
        oldrev=first_text(row, "oldrev"),
        head_pipeline_id=first_id(row, "head_pipeline_id"),
    )


def actor_of(body: GitLabRow) -> Fields:
    """Who did it. Events about members and users carry the same fields for whom it was done to."""
    return {"actor_id": first_id(body, "user_id"), "actor": first_text(body, "user_username", "user_name")}


def short(ref: str | None) -> str | None:
    """A branch or tag without what Git puts before its name."""
    return next((ref.removeprefix(one) for one in _REFS if ref and ref.startswith(one)), ref) or None


def _says_draft(title: str | None) -> bool:
    return title is not None and _DRAFT.match(title) is not None


def _titles(labels: Any) -> tuple[str, ...]:
    return tuple(title for label in rows_in(labels) if (title := first_text(label, "title")))


def _commit(row: GitLabRow) -> Commit:
    return Commit(
        id=first_text(row, "id") or "",
        message=first_text(row, "message") or "",
        paths=tuple(dict.fromkeys(path for name in _PATHS for path in texts_in(row.get(name)))),
    )
