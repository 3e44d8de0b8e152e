"""The bodies of single kinds of events: which of GitLab's fields means what.

Each reader gives the fields of a `HookEvent` that are special to its kind.
"""

import re
from collections.abc import Mapping
from typing import Any

from gitlab_hub.gitlab.webhooks.event import Commit, MergeRequest
from gitlab_hub.gitlab.webhooks.fields import Object, moment, number, objects, part, text, texts

Fields = dict[str, Any]

# More are cut off: GitLab lists at most 20.
_MAX_COMMITS = 100
_REFS = ("refs/heads/", "refs/tags/")
_PATHS = ("added", "modified", "removed")
_TIMES = ("updated_at", "created_at")

# How GitLab reads a title where it does not say `draft`: app/models/merge_request.rb, DRAFT_REGEX.
_DRAFT = re.compile(r"\s*(?:\[draft\]|\(draft\)|draft:|\[wip\]|wip:)", re.IGNORECASE)


def push(body: Object) -> Fields:
    """A push to a branch or of a tag. Of an annotated tag `after` is the tag's object, `checkout_sha` its commit."""
    commits = tuple(_commit(row) for row in objects(body.get("commits"))[-_MAX_COMMITS:])
    sha, total = text(body, "checkout_sha"), number(body, "total_commits_count")
    return {
        "ref": short(text(body, "ref")),
        "sha": sha,
        "before": text(body, "before"),
        "after": text(body, "after"),
        "message": next((commit.message for commit in reversed(commits) if commit.id == sha), None),
        "commits": commits,
        "total_commits": max(total or 0, len(commits)),
        "push_options": _options(body.get("push_options")),
        "default_branch": text(part(body, "project"), "default_branch"),
    } | actor_of(body)


def merge_request(body: Object) -> Fields:
    """A merge request; the project is the one that it goes to."""
    attributes = part(body, "object_attributes")
    head, found = part(attributes, "last_commit"), merge_request_of(attributes, body.get("labels"))
    return {
        "action": text(attributes, "action"),
        "ref": text(attributes, "source_branch"),
        "sha": text(head, "id"),
        "before": text(attributes, "oldrev"),
        "message": text(head, "message"),
        "merge_request": found,
        "pipeline_id": None if found is None else found.head_pipeline_id,
        "project_id": number(part(body, "project"), "id") or number(attributes, "target_project_id"),
        "at": moment(attributes, *_TIMES),
    }


def pipeline(body: Object) -> Fields:
    """A pipeline; `action` is the status it had when GitLab wrote this."""
    attributes = part(body, "object_attributes")
    return {
        "action": text(attributes, "status"),
        "ref": text(attributes, "ref"),
        "sha": text(attributes, "sha"),
        "message": text(part(body, "commit"), "message"),
        "merge_request": merge_request_of(part(body, "merge_request")),
        "pipeline_id": number(attributes, "id"),
        "at": moment(attributes, "finished_at", "created_at"),
    }


def job(body: Object) -> Fields:
    """A job. Its `commit.id` is the id of the pipeline."""
    commit = part(body, "commit")
    return {
        "action": text(body, "build_status"),
        "ref": text(body, "ref"),
        "sha": text(body, "sha") or text(commit, "sha"),
        "message": text(commit, "message"),
        "pipeline_id": number(body, "pipeline_id") or number(commit, "id"),
        "job_id": number(body, "build_id"),
        "at": moment(body, "build_finished_at", "build_started_at", "build_created_at"),
    }


def deployment(body: Object) -> Fields:
    """A deployment; GitLab gives its commit in short form only."""
    return {
        "action": text(body, "status"),
        "ref": text(body, "ref"),
        "job_id": number(body, "deployable_id"),
        "at": moment(body, "status_changed_at"),
    }


def release(body: Object) -> Fields:
    """A release and the commit of its tag."""
    commit = part(body, "commit")
    return {
        "action": text(body, "action"),
        "ref": text(body, "tag"),
        "sha": text(commit, "id"),
        "message": text(commit, "message"),
        "at": moment(body, "released_at", "created_at"),
    }


def note(body: Object) -> Fields:
    """A comment, with the merge request or the commit that it is about."""
    commit = part(body, "commit")
    return attributed(body) | {
        "sha": text(commit, "id"),
        "message": text(commit, "message"),
        "merge_request": merge_request_of(part(body, "merge_request")),
    }


def attributed(body: Object) -> Fields:
    """Any event with `object_attributes`, like issues and wiki pages."""
    attributes = part(body, "object_attributes")
    return {"action": text(attributes, "action") or text(body, "action"), "at": moment(attributes, *_TIMES)}


def merge_request_of(row: Object, labels: Any = None) -> MergeRequest | None:
    """Read a merge request; None where it has no number, as then nobody could ask for it."""
    iid = number(row, "iid")
    if iid is None:
        return None
    flags = [value for name in ("draft", "work_in_progress") if isinstance(value := row.get(name), bool)]
    return MergeRequest(
        iid=iid,
        action=text(row, "action"),
        state=text(row, "state") or "",
        draft=any(flags) if flags else _says_draft(text(row, "title")),
        labels=_titles(row.get("labels") if labels is None else labels),
        source_branch=text(row, "source_branch") or "",
        target_branch=text(row, "target_branch") or "",
        source_project_id=number(row, "source_project_id"),
        target_project_id=number(row, "target_project_id"),
        oldrev=text(row, "oldrev"),
        head_pipeline_id=number(row, "head_pipeline_id"),
    )


def actor_of(body: Object) -> Fields:
    """Who did it. Events about members and users carry the same fields for whom it was done to."""
    return {"actor_id": number(body, "user_id"), "actor": text(body, "user_username", "user_name")}


def short(ref: str | None) -> str | None:
    """A branch or tag without what Git puts before its name."""
    return next((ref.removeprefix(one) for one in _REFS if ref and ref.startswith(one)), ref) or None


def _says_draft(title: str | None) -> bool:
    return title is not None and _DRAFT.match(title) is not None


def _titles(labels: Any) -> tuple[str, ...]:
    return tuple(title for label in objects(labels) if (title := text(label, "title")))


def _commit(row: Object) -> Commit:
    return Commit(
        id=text(row, "id") or "",
        message=text(row, "message") or "",
        paths=tuple(dict.fromkeys(path for name in _PATHS for path in texts(row.get(name)))),
    )


def _options(value: Any) -> Mapping[str, Any]:
    # GitLab nests `-o ci.skip` as {"ci": {"skip": true}}.
    return value if isinstance(value, Mapping) else {}
