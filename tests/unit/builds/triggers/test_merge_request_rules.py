"""Which merge requests build, rule by rule, each with what passes it and what does not."""

from collections.abc import Sequence
from typing import Any

import pytest

from gitlab_hub.gitlab.webhooks.parse import HookEvent, parse
from tests.fakes.triggers import (
    BEFORE,
    SHA,
    asked,
    codes,
    excluding,
    including,
    merge_request,
    push,
    rules,
    trigger,
)

FORK: dict[str, Any] = {"source_project_id": 99}


def test_an_opened_merge_request_builds_its_head() -> None:
    request = asked(trigger(), merge_request(head_pipeline_id=5)).request
    assert request is not None
    assert (request.event, request.ref, request.sha) == ("merge_request", "feature", SHA)
    assert (request.merge_request_iid, request.source_project_id, request.needs_approval) == (7, 15, False)
    # GitLab's head pipeline may still be that of the commit before.
    assert request.pipeline_id is None


@pytest.mark.parametrize(
    ("asks", "event", "refusal"),
    [
        ({}, push(kind="merge_request"), "merge_request_unreadable"),
        ({}, merge_request(state="merged"), "merge_request_not_open"),
        ({}, merge_request(state="closed", action="update", oldrev=BEFORE), "merge_request_not_open"),
        ({}, merge_request(action="close"), "action_ignored"),
        ({}, merge_request(action="merge"), "action_ignored"),
        ({}, merge_request(action="approved"), "action_ignored"),
        ({}, merge_request(action="unapproval"), "action_ignored"),
        ({}, merge_request(action=None), "action_ignored"),
        ({}, merge_request(action="update", state="locked"), "merge_request_not_open"),
        ({"drafts": False}, merge_request(draft=True), "draft"),
        ({"labels": ("ci",)}, merge_request(labels=("CI", "other")), "label_missing"),
        ({"target_branches": ("release/*",)}, merge_request(), "target_branch_not_included"),
        ({"forks": "ignore"}, merge_request(**FORK), "fork_ignored"),
        ({"forks": "ignore"}, merge_request(source_project_id=None), "fork_ignored"),
        ({}, merge_request(event={"sha": None}), "no_commit"),
        ({}, merge_request(event={"message": "[skip ci]"}), "skip_ci_message"),
    ],
)
def test_one_rule_refuses(asks: dict[str, Any], event: HookEvent, refusal: str) -> None:
    decision = asked(trigger(merge_requests=rules(**asks)), event)
    assert decision.refusals == (refusal,)
    assert decision.request is None


@pytest.mark.parametrize(
    ("asks", "event", "code"),
    [
        ({}, merge_request(state=""), "action_builds"),
        ({}, merge_request(action="reopen"), "action_builds"),
        ({}, merge_request(action="update", oldrev=BEFORE), "action_builds"),
        ({}, merge_request(action="update"), "action_builds"),
        ({"drafts": False}, merge_request(action="update"), "action_builds"),
        ({"labels": ("ci",)}, merge_request(action="update", labels=("ci",)), "action_builds"),
        ({"target_branches": ("main",)}, merge_request(action="update"), "action_builds"),
        ({"drafts": False}, merge_request(), "no_draft"),
        ({}, merge_request(draft=True), "draft_builds"),
        ({"labels": ("ci", "x")}, merge_request(labels=("x",)), "labels_fit"),
        ({"target_branches": ("release/*", "m*")}, merge_request(), "target_branch_fits"),
        ({"forks": "ignore"}, merge_request(), "no_fork"),
        ({"forks": "approve"}, merge_request(**FORK), "fork_needs_approval"),
        ({"forks": "allow"}, merge_request(**FORK), "fork_allowed"),
    ],
)
def test_the_same_rule_lets_the_counter_case_pass(asks: dict[str, Any], event: HookEvent, code: str) -> None:
    decision = asked(trigger(merge_requests=rules(**asks)), event)
    assert decision.would_build
    assert code in codes(decision)


@pytest.mark.parametrize(
    ("forks", "event", "waits"),
    [
        ("approve", merge_request(**FORK), True),
        ("allow", merge_request(**FORK), False),
        ("approve", merge_request(), False),
        # What a later release may have written.
        ("members_only", merge_request(**FORK), None),
    ],
)
def test_a_forks_code_runs_only_with_approval_unless_forks_are_allowed(
    forks: str, event: HookEvent, waits: bool | None
) -> None:
    request = asked(trigger(merge_requests=rules(forks=forks)), event).request
    assert (None if request is None else request.needs_approval) == waits


def test_forks_need_approval_where_nothing_else_was_said() -> None:
    request = asked(trigger(), merge_request(**FORK)).request
    assert request is not None
    assert (request.needs_approval, request.source_project_id) == (True, 99)


def test_included_branches_are_about_pushes_and_excluded_ones_about_both() -> None:
    of_main, without_bots = trigger(branches=including("main")), trigger(branches=excluding("bots/**"))
    assert asked(of_main, merge_request()).would_build
    assert not asked(of_main, push(ref="feature")).would_build
    assert asked(without_bots, merge_request(source_branch="bots/a/b")).refusals == ("branch_excluded",)
    assert asked(without_bots, push(ref="bots/a/b")).refusals == ("branch_excluded",)


def test_the_push_option_does_not_skip_merge_requests() -> None:
    assert asked(trigger(), merge_request(event={"push_options": {"ci": {"skip": True}}})).would_build


def test_paths_count_for_merge_requests() -> None:
    one = trigger(paths=including("docs/**"))
    assert asked(one, merge_request(), changed=["src/a"]).refusals == ("no_path_fits",)
    assert asked(one, merge_request(), changed=["src/a", "docs/b"]).would_build
    assert "paths_unknown" in codes(asked(one, merge_request(), changed=None))


def updated(changes: object, labels: Sequence[str] = ("ci",), **attributes: Any) -> HookEvent:
    shown = {"iid": 7, "action": "update", "state": "opened", "source_branch": "feature", "target_branch": "main"}
    shown |= {"source_project_id": 15, "target_project_id": 15, "last_commit": {"id": SHA}}
    body = {"object_kind": "merge_request", "project": {"id": 15}, "object_attributes": shown | attributes}
    return parse("Merge Request Hook", body | {"changes": changes, "labels": [{"title": one} for one in labels]})


@pytest.mark.parametrize(
    "changes",
    [
        {"draft": {"previous": True, "current": False}},
        {"title": {"previous": "Draft: x", "current": "x"}},
        {"labels": {"previous": [], "current": [{"title": "ci"}]}},
        {"target_branch": {"previous": "develop", "current": "main"}},
        {"updated_at": {"previous": "2026-01-02 03:04:05 UTC", "current": "2026-01-02 03:05:05 UTC"}},
        {},
        None,
        "everything",
    ],
)
def test_an_update_builds_where_the_rules_fit_now_whatever_it_says_has_changed(changes: object) -> None:
    strict = rules(drafts=False, labels=("ci",), target_branches=("main",))
    assert asked(trigger(merge_requests=strict), updated(changes)).would_build


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"draft": True}, "draft"),
        ({"title": "Draft: x"}, "draft"),
        ({"labels": ("x",)}, "label_missing"),
        ({"target_branch": "develop"}, "target_branch_not_included"),
    ],
)
def test_an_update_does_not_build_what_the_rules_do_not_fit(more: dict[str, Any], refusal: str) -> None:
    strict = rules(drafts=False, labels=("ci",), target_branches=("main",))
    assert asked(trigger(merge_requests=strict), updated({}, **more)).refusals == (refusal,)


def test_only_an_update_with_an_older_head_brings_code() -> None:
    one = trigger()
    news = [asked(one, event).request for event in (updated({}), updated({}, oldrev=BEFORE), merge_request(), push())]
    assert [request.new_code for request in news if request] == [False, True, True, True]
