"""What is read from bodies that are unusual, old, cut down or hostile."""

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitlab_hub.gitlab.webhooks.parse import HookEvent, kind_named, parse

SHA, OTHER, ZERO = "a" * 40, "b" * 40, "0" * 40
ODD: list[Any] = [None, True, 0, -1, 1.5, 2**70, "", "text", "\ud800", [], [[]], ["a"], {}, {"id": {}}, [{"id": []}]]


def push(**fields: Any) -> HookEvent:
    body = {"object_kind": "push", "ref": "refs/heads/main", "before": OTHER, "after": SHA, "checkout_sha": SHA}
    return parse("Push Hook", body | fields)


def merge_request(**attributes: Any) -> HookEvent:
    return parse("Merge Request Hook", {"object_kind": "merge_request", "object_attributes": {"iid": 7} | attributes})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Push Hook", "push"),
        ("push", "push"),
        ("Tag Push Hook", "tag_push"),
        ("Merge Request Hook", "merge_request"),
        ("MERGE_REQUEST", "merge_request"),
        ("Job Hook", "job"),
        ("build", "job"),
        ("System Hook", "system"),
        ("", "unknown"),
        ("Hook", "unknown"),
        ("é" * 10_000, "unknown"),
    ],
)
def test_an_event_has_one_name_however_it_is_written(name: str, kind: str) -> None:
    assert kind_named(name) == kind


def test_the_body_decides_what_it_is() -> None:
    assert parse("Push Hook", {"object_kind": "merge_request"}).kind == "merge_request"
    assert parse("System Hook", {"event_name": "push"}).kind == "push"
    assert parse("System Hook", {"object_kind": "build", "event_name": "x"}).kind == "job"


def test_the_header_decides_where_the_body_does_not_say() -> None:
    assert parse("Tag Push Hook", {}).kind == "tag_push"
    assert parse("Tag Push Hook", {"object_kind": 3}).kind == "tag_push"


@pytest.mark.parametrize(
    ("name", "kind", "action"),
    [
        ("user_add_to_team", "member", "user_add_to_team"),
        ("user_access_request_to_group", "member", "user_access_request_to_group"),
        ("subgroup_destroy", "subgroup", "destroy"),
        ("project_transfer", "project", "transfer"),
        ("user_failed_login", "user", "failed_login"),
        ("gitlab_subscription_member_approval", "gitlab_subscription_member_approval", None),
    ],
)
def test_system_events_say_what_happened_to_what(name: str, kind: str, action: str | None) -> None:
    event = parse("System Hook", {"event_name": name})
    assert (event.kind, event.action) == (kind, action)


def test_whom_a_membership_is_about_did_not_do_it() -> None:
    event = parse("Member Hook", {"event_name": "user_add_to_group", "user_id": 3, "user_username": "ada"})
    assert (event.actor, event.actor_id) == (None, None)


def test_a_deleted_branch_has_nothing_to_build() -> None:
    event = push(after=ZERO, checkout_sha=None)
    assert (event.deletes_ref, event.creates_ref, event.sha, event.message) == (True, False, None, None)


def test_a_new_branch_without_commits_lists_none() -> None:
    event = push(before=ZERO, commits=[], total_commits_count=0)
    assert (event.creates_ref, event.sha, event.commits, event.total_commits) == (True, SHA, (), 0)


def test_the_message_is_that_of_the_commit_which_would_be_built() -> None:
    first, last = {"id": OTHER, "message": "[skip ci]"}, {"id": SHA, "message": "work"}
    assert push(commits=[first, last]).message == "work"
    assert push(commits=[first]).message is None


def test_a_commit_names_a_path_once() -> None:
    [commit] = push(commits=[{"id": SHA, "added": ["a", "b"], "modified": ["b"], "removed": ["c", 3, ""]}]).commits
    assert commit.paths == ("a", "b", "c")


def test_branches_and_tags_have_short_names() -> None:
    assert push(ref="refs/heads/feature/refs/heads/x").ref == "feature/refs/heads/x"
    assert push(ref="refs/tags/v1").ref == "v1"
    assert push(ref="refs/keep-around/1").ref == "refs/keep-around/1"
    assert push(ref="refs/heads/").ref is None


def test_push_options_are_an_object_or_nothing() -> None:
    assert push(push_options={"ci": {"skip": True}}).push_options == {"ci": {"skip": True}}
    assert push(push_options=["ci.skip"]).push_options == {}


@pytest.mark.parametrize(
    ("attributes", "draft"),
    [
        ({"draft": True}, True),
        ({"work_in_progress": True}, True),
        ({"draft": False, "title": "Draft: x"}, False),
        ({"title": "Draft: x"}, True),
        ({"title": "[DRAFT] x"}, True),
        ({"title": "(draft) x"}, True),
        ({"title": "Drafting"}, False),
        ({"draft": "yes"}, False),
    ],
)
def test_a_draft_is_what_gitlab_says_or_else_what_its_title_says(attributes: dict[str, Any], draft: bool) -> None:
    found = merge_request(**attributes).merge_request
    assert found is not None
    assert found.draft is draft


@pytest.mark.parametrize(
    ("source", "target", "fork"), [(1, 1, False), (2, 1, True), (None, 1, True), (None, None, True)]
)
def test_a_fork_is_another_project_or_one_that_is_gone(source: int | None, target: int | None, fork: bool) -> None:
    found = merge_request(source_project_id=source, target_project_id=target).merge_request
    assert found is not None
    assert found.from_fork is fork


def test_a_jobs_commit_has_the_pipelines_id() -> None:
    event = parse("Job Hook", {"object_kind": "build", "build_id": 5, "commit": {"id": 77, "sha": SHA}})
    assert (event.kind, event.job_id, event.pipeline_id, event.sha) == ("job", 5, 77, SHA)


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2016-08-12 15:26:12 UTC", 1471015572),
        ("2016-08-12T15:26:12Z", 1471015572),
        ("2016-08-12T17:26:12.345+02:00", 1471015572),
        ("2021-04-28 21:50:00 +0200", 1619639400),
        ("2021-04-28 14:50:00 -0500", 1619639400),
        ("2016-08-12 15:26:12", 1471015572),
        ("0001-01-01T00:00:00+23:59", None),
        ("tomorrow", None),
        (1471015572, None),
    ],
)
def test_times_come_in_three_spellings(written: Any, at: int | None) -> None:
    assert parse("Deployment Hook", {"object_kind": "deployment", "status_changed_at": written}).at == at


def test_halves_of_surrogate_pairs_do_not_get_through() -> None:
    push(ref="refs/heads/a\ud800b", commits=[{"id": SHA, "added": ["\udfff"]}])
    assert push(ref="refs/heads/a\ud800b").ref == "a?b"


@pytest.mark.parametrize("value", [True, 0, -1, 1.0, "15", 2**63, None, [15]])
def test_an_id_is_a_positive_number_or_none(value: Any) -> None:
    assert push(project_id=value, user_id=value).project_id is None


def test_a_body_nested_beyond_all_measure_is_read() -> None:
    deep: Any = "end"
    for _ in range(sys.getrecursionlimit() * 3):
        deep = {"object_kind": deep, "project": deep}
    assert parse("Push Hook", {"object_kind": deep, "project": deep, "push_options": deep}).kind == "push"


KINDS = ["push", "tag_push", "merge_request", "pipeline", "build", "deployment", "release", "note", "issue", "nothing"]
FIELDS = [
    "object_attributes", "project", "group", "user", "commits", "commit", "labels", "merge_request", "ref", "before",
    "after", "checkout_sha", "user_id", "total_commits_count", "push_options", "last_commit", "title", "draft", "iid",
    "id", "added", "path_with_namespace", "updated_at", "status_changed_at", "build_id", "tag", "message",
]  # fmt: skip
VALUES = st.recursive(
    st.sampled_from(ODD) | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@given(st.text(), st.sampled_from(KINDS) | VALUES, st.dictionaries(st.sampled_from(FIELDS) | st.text(), VALUES))
def test_any_json_object_is_an_event(header: str, kind: Any, fields: dict[str, Any]) -> None:
    event = parse(header, fields | {"object_kind": kind})
    assert event.kind
    for text in (event.ref, event.sha, event.message, event.actor, event.project_path, event.action):
        assert text is None or text.encode()
