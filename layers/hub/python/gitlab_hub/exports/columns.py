"""The columns of each dataset: their order, their types, and what they mean. Pure.

A column that was told of once stays where it is; new ones come at the end, so that whoever reads by position reads on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gitlab_hub.exports.model import Dataset
from gitlab_hub.gitlab.fields import seconds

Row = Mapping[str, Any]


class Type(StrEnum):
    """The type of a column; empty, null and NULL stand for what is unknown or not there."""

    TEXT = "text"
    WHOLE = "integer"
    NUMBER = "number"
    FLAG = "boolean"
    TIME = "time"
    """Unix seconds, as everywhere in the API."""
    JSON = "json"
    """A list or an object: as such in JSONL, as its JSON text in CSV and Parquet."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `path` leads to its value in a row as the API shows it (empty: its own name)."""

    name: str
    type: Type
    meaning: str
    path: tuple[str, ...] = ()

    def value(self, row: Row) -> Any:
        """Read its value in a row."""
        value: Any = row
        for part in self.path or (self.name,):
            value = value.get(part) if isinstance(value, Mapping) else None
        if self.type is Type.TIME and isinstance(value, str):
            return seconds(value)
        return str(value) if self.type is Type.TEXT and value is not None else value


def _text(name: str, meaning: str, *path: str) -> Column:
    return Column(name, Type.TEXT, meaning, path)


def _whole(name: str, meaning: str, *path: str) -> Column:
    return Column(name, Type.WHOLE, meaning, path)


def _number(name: str, meaning: str) -> Column:
    return Column(name, Type.NUMBER, meaning)


def _flag(name: str, meaning: str) -> Column:
    return Column(name, Type.FLAG, meaning)


def _time(name: str, meaning: str) -> Column:
    return Column(name, Type.TIME, meaning)


def _json(name: str, meaning: str) -> Column:
    return Column(name, Type.JSON, meaning)


_USER = (
    _whole("user_id", "GitLab's id of the user who started it", "user", "id"),
    _text("user_username", "the username at that time", "user", "username"),
    _text("user_name", "the name at that time", "user", "name"),
)
_RUN = (
    _time("created_at", "when GitLab created it"),
    _time("started_at", "when it began to run"),
    _time("finished_at", "when it ended"),
    _number("duration", "seconds that it ran"),
    _number("queued_duration", "seconds that it waited for a runner"),
    _text("coverage", "test coverage in percent, as GitLab says it"),
    _text("web_url", "its page in GitLab"),
)
_ENDED = (
    _text("failure_class", "why it failed: script, infra, timeout, config, quota, policy or unknown"),
    _text("first_terminal_status", "how it ended first, before anybody retried"),
    _time("first_terminal_at", "when that was"),
)
_IN_PROJECT = (
    _whole("project_id", "GitLab's id of the project"),
    _text("project_path", "the project's full path when the export was made"),
)
_RESOURCE = (
    _text("resource_type", "group or project", "resource", "type"),
    _whole("resource_id", "GitLab's id of it", "resource", "id"),
    _text("resource_path", "its full path", "resource", "full_path"),
)

COLUMNS: Mapping[Dataset, tuple[Column, ...]] = {
    Dataset.PIPELINES: (
        _whole("id", "GitLab's id of the pipeline"),
        _whole("iid", "its number within the project"),
        *_IN_PROJECT,
        _text("sha", "the commit"),
        _text("before_sha", "the commit before the push"),
        _text("ref", "the branch or tag"),
        _flag("tag", "whether the ref is a tag"),
        _text("ref_class", "what it ran for: default_branch, merge_request, tag or other"),
        _text("status", "GitLab's status"),
        _text("source", "what started it, as GitLab says it"),
        _text("name", "its name, where its configuration gives one"),
        *_RUN,
        _time("updated_at", "when GitLab last changed it"),
        _time("committed_at", "when its commit was made"),
        _text("yaml_errors", "what is wrong with its configuration"),
        *_USER,
        _whole("job_count", "how many attempts of jobs it has"),
        _whole("bridge_count", "how many trigger jobs it has"),
        *_ENDED,
        _time("deleted_at_source", "when GitLab was found to have it no longer"),
    ),
    Dataset.JOBS: (
        _whole("id", "GitLab's id of this attempt of the job"),
        _whole("pipeline_id", "GitLab's id of its pipeline"),
        *_IN_PROJECT,
        _text("name", "the job"),
        _text("stage", "its stage"),
        _text("status", "GitLab's status"),
        _text("ref", "the branch or tag"),
        _flag("tag", "whether the ref is a tag"),
        _text("ref_class", "what it ran for: default_branch, merge_request, tag or other"),
        _flag("allow_failure", "whether the pipeline may succeed although it fails"),
        *_RUN,
        _time("erased_at", "when its log was erased"),
        _text("failure_reason", "why it failed, as GitLab says it"),
        _json("tag_list", "the tags that its runner must have"),
        *_USER,
        _whole("runner_id", "GitLab's id of the runner", "runner", "id"),
        _text("runner_description", "what the runner is described as", "runner", "description"),
        _text("runner_type", "instance_type, group_type or project_type", "runner", "runner_type"),
        _whole("attempt_no", "which attempt it is; the first is 1"),
        _whole("attempt_count", "how many attempts there are of this name in the pipeline"),
        _flag("retried", "whether there is a later attempt"),
        *_ENDED,
    ),
    Dataset.DEPLOYMENTS: (
        _whole("id", "GitLab's id of the deployment"),
        _whole("iid", "its number within the project"),
        *_IN_PROJECT,
        _whole("environment_id", "GitLab's id of the environment"),
        _text("environment", "the environment's name"),
        _text("tier", "the tier of the environment today: production, staging, testing, development, other or unknown"),
        _text("status", "GitLab's status"),
        _text("ref", "the branch or tag"),
        _text("sha", "the commit"),
        _time("created_at", "when GitLab created it"),
        _time("updated_at", "when GitLab last changed it"),
        _time("finished_at", "when its job ended, else when it was last changed"),
        _whole("pipeline_id", "GitLab's id of the pipeline that deploys"),
        _whole("job_id", "GitLab's id of the job that deploys"),
        _text("username", "the username of the user who deployed"),
    ),
    Dataset.ACCOUNTS: (
        _whole("id", "GitLab's id of the user"),
        _text("username", "the username"),
        _text("name", "the name"),
        _text("kind", "human, service_account, project_bot, group_bot, internal or unknown"),
        _text("status", "active, disabled, pending or unknown"),
        _text("state", "GitLab's own word for the status"),
        _json("emails", "addresses, each with value, source and primary"),
        _json("identities", "names at identity providers, each with provider and extern_uid"),
        _flag("is_admin", "whether it administers the GitLab"),
        _flag("is_auditor", "whether it is an auditor of the GitLab"),
        _flag("external", "whether GitLab counts it as external"),
        _flag("two_factor_enabled", "whether it has a second factor"),
        _time("last_sign_in_at", "when it last signed in"),
        _time("current_sign_in_at", "when the present sign-in began"),
        _text("last_activity_on", "the day of its last activity"),
        _text("activity_source", "where that is known from"),
        _time("created_at", "when GitLab created it"),
        _text("web_url", "its page in GitLab"),
        _json("told_by", "the lists of GitLab beside /users and the members that tell of it"),
        _json("sources", "the fields that such a list has filled, each with its list"),
    ),
    Dataset.GRANTS: (
        _whole("account_id", "GitLab's id of the user"),
        _text("username", "the username"),
        *_RESOURCE,
        _whole("access_level", "the level that was given"),
        _text("role", "its name"),
        _whole("member_role_id", "GitLab's id of the custom role", "member_role", "id"),
        _text("member_role_name", "its name", "member_role", "name"),
        _time("expires_at", "the first moment without the access"),
        _flag("overdue", "whether that is over and GitLab still lists it"),
        _time("since", "when it was given"),
        _whole("granted_by", "GitLab's id of the user who granted it"),
        _text("membership_state", "active or awaiting, where GitLab tells"),
    ),
    Dataset.CHANGES: (
        _text("id", "numbered within the integration: chg_1234"),
        _time("at", "when it happened, as far as GitLab tells"),
        _time("noticed_at", "when the hub noticed it; never goes down from one row to the next"),
        _text("kind", "what happened to what: grant_added, account_removed, …"),
        _whole("account_id", "GitLab's id of the user"),
        *_RESOURCE,
        _json("before", "what it was"),
        _json("after", "what it became"),
        _text("sync_id", "the sync that noticed it"),
        _text("by", "hub or gitlab"),
        _text("audit_id", "line of the audit log about it"),
    ),
    Dataset.GITLAB_CREDENTIALS: (
        _text("kind", "personal_token, group_token, …, ssh_key"),
        _whole("id", "GitLab's id of it, within its kind"),
        _text("name", "what it is called"),
        _whole("account_id", "GitLab's id of the user"),
        _text("username", "the username"),
        *_RESOURCE,
        _json("scopes", "what it may do"),
        _flag("granular", "whether it has fine-grained permissions"),
        _whole("access_level", "the level that it has"),
        _text("role", "its name"),
        _flag("can_push", "whether a deploy key may push"),
        _time("created_at", "when it was made"),
        _time("last_used_at", "when it was last used"),
        _time("expires_at", "the first moment at which it opens nothing"),
        _text("status", "active, expired or revoked"),
        _json("risks", "what is risky about it"),
        _flag("is_hub", "whether it is the token that the hub reads with"),
        _text("fingerprint", "of a key"),
        _text("web_url", "where it is found in GitLab"),
    ),
}
