"""Whether pushes and tags build, rule by rule, each with what passes it and what does not."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitlab_hub.builds.triggers.evaluation import Facts, decide
from gitlab_hub.builds.triggers.globs import passes
from gitlab_hub.builds.triggers.model import BuildRequest, Globs
from gitlab_hub.gitlab.webhooks.event_types import BUILDING
from gitlab_hub.gitlab.webhooks.parse import HookEvent
from tests.fakes.triggers import (
    BEFORE,
    INTEGRATION,
    SHA,
    ZERO,
    asked,
    changing,
    codes,
    excluding,
    including,
    merge_request,
    push,
    rules,
    tag,
    trigger,
)

DELETED = {"after": ZERO, "sha": None, "message": None}
IN_GROUP = {"project_id": None}


def test_a_push_builds_its_commit() -> None:
    decision = asked(trigger(cancel_previous=True), push())
    assert decision.request == BuildRequest(
        trigger_id="trg_0a1b_1",
        integration_id=INTEGRATION,
        project_id=15,
        project_path="mike/tools/diaspora",
        event="push",
        ref="main",
        sha=SHA,
        actor="jsmith",
        delivery_id=None,
        before=BEFORE,
        cancel_previous=True,
    )


def test_every_check_says_what_it_found_in_order() -> None:
    assert codes(asked(trigger(events=("push",)), push())) == [
        "trigger_enabled", "event_wanted", "project_fits", "branch_pushed", "commit_known", "branch_fits",
        "skip_ci_not_asked", "paths_fit",
    ]  # fmt: skip


def test_a_refusal_does_not_hide_the_next_one() -> None:
    found = asked(trigger(enabled=False, branches=excluding("main"), project_id=16), push(message="[skip ci]"))
    assert found.refusals == ("trigger_disabled", "other_project", "branch_excluded", "skip_ci_message")
    assert found.request is None


@pytest.mark.parametrize(
    ("changes", "event", "refusal"),
    [
        ({"enabled": False}, push(), "trigger_disabled"),
        ({"events": ("tag_push",)}, push(), "event_not_wanted"),
        ({"project_id": 16}, push(), "other_project"),
        ({}, push(project_id=None), "project_unknown"),
        (IN_GROUP | {"group": "mike/other"}, push(), "other_group"),
        (IN_GROUP | {"group": "mike/tool"}, push(), "other_group"),
        (IN_GROUP | {"group": "mike/tools/diaspora"}, push(), "other_group"),
        (IN_GROUP | {"group": "mike"}, push(project_path=None), "project_unknown"),
        (IN_GROUP | {"group": "mike"}, push(project_id=None), "project_unknown"),
        ({}, push(**DELETED), "branch_deleted"),
        ({"on_branch_create": False}, push(before=ZERO), "branch_created"),
        ({}, push(sha=None), "no_commit"),
        ({}, push(sha="main"), "no_commit"),
        ({}, push(sha="A" * 40), "no_commit"),
        ({}, push(sha="a" * 41), "no_commit"),
        ({}, push(sha="a" * 40 + "\n"), "no_commit"),
        ({}, push(ref=None), "no_ref"),
        ({}, push(ref="ä" * 251), "no_ref"),
        ({"branches": including("release/*")}, push(), "branch_not_included"),
        ({"branches": including("main", exclude=["m*"])}, push(), "branch_excluded"),
        ({"branches": including("main")}, push(ref="Main"), "branch_not_included"),
        ({"tags": including("x*")}, tag(), "tag_not_included"),
        ({"tags": excluding("v*")}, tag(), "tag_excluded"),
        ({}, tag(**DELETED), "tag_deleted"),
        ({}, push(message="fix\n\n[CI SKIP]"), "skip_ci_message"),
        ({}, tag(message="[skip ci]"), "skip_ci_message"),
        ({}, push(push_options={"ci": {"skip": True}}), "skip_ci_push_option"),
        ({}, tag(push_options={"ci": {"skip": True}}), "skip_ci_push_option"),
        ({"paths": including("docs/**")}, changing("src/a"), "no_path_fits"),
    ],
)
def test_one_rule_refuses(changes: dict[str, Any], event: HookEvent, refusal: str) -> None:
    changed = [path for commit in event.commits for path in commit.paths]
    decision = asked(trigger(**changes), event, changed=changed)
    assert decision.refusals == (refusal,)
    assert not decision.would_build


@pytest.mark.parametrize(
    ("changes", "event", "code"),
    [
        (IN_GROUP | {"group": "mike"}, push(), "group_fits"),
        (IN_GROUP | {"group": "Mike/TOOLS"}, push(), "group_fits"),
        (IN_GROUP | {"group": "mike"}, push(project_path="MIKE/x"), "group_fits"),
        ({}, push(before=ZERO), "branch_pushed"),
        ({"on_branch_create": False}, push(), "branch_pushed"),
        ({}, push(sha="a" * 64), "commit_known"),
        ({}, push(ref="ä" * 250), "commit_known"),
        ({"branches": including("release/*", "m*")}, push(), "branch_fits"),
        ({"branches": excluding("release/*")}, push(), "branch_fits"),
        ({"branches": including("release/*"), "tags": including("v*")}, tag(), "tag_fits"),
        ({"tags": excluding("v*"), "events": ("push",)}, push(), "branch_fits"),
        ({"skip_ci": False}, push(message="[skip ci]", push_options={"ci": {"skip": True}}), "skip_ci_ignored"),
        ({}, push(message="do not [skip  ci]"), "skip_ci_not_asked"),
        ({}, push(message=None), "skip_ci_not_asked"),
        ({"paths": including("docs/**")}, changing("src/a", "docs/b"), "paths_fit"),
        ({"paths": including("docs/**")}, tag(), "paths_not_asked"),
    ],
)
def test_the_same_rule_lets_the_counter_case_pass(changes: dict[str, Any], event: HookEvent, code: str) -> None:
    changed = [path for commit in event.commits for path in commit.paths]
    decision = asked(trigger(**changes), event, changed=changed)
    assert decision.would_build
    assert code in codes(decision)


def test_a_deleted_branch_is_built_where_it_stood_if_the_trigger_wants_to_know() -> None:
    decision = asked(trigger(on_branch_delete=True, paths=including("docs/**")), push(**DELETED))
    assert decision.request is not None
    assert (decision.request.sha, decision.request.deletes_ref) == (BEFORE, True)
    assert "branch_deletion_wanted" in codes(decision)


def test_an_annotated_tag_builds_the_commit_and_not_the_tag() -> None:
    request = asked(trigger(), tag(after="c" * 40)).request
    assert request is not None
    assert (request.event, request.ref, request.sha, request.deletes_ref) == ("tag_push", "v1.0", SHA, False)


def test_no_trigger_builds_a_kind_of_event_that_this_release_does_not_know() -> None:
    # A row that a later release has written.
    decision = asked(trigger(events=("push", "release")), push(kind="release"))
    assert decision.refusals == ("event_not_wanted",)


@pytest.mark.parametrize("kind", ["pipeline", "job", "note", "member", "unknown"])
def test_nothing_more_is_said_about_an_event_of_another_kind(kind: str) -> None:
    assert codes(asked(trigger(), push(kind=kind))) == ["trigger_enabled", "event_not_wanted", "project_fits"]


def test_a_push_and_a_merge_request_of_one_commit_are_marked_as_one_build() -> None:
    both, pushes = trigger(), trigger(events=("push", "tag_push"))
    of_push, of_merge_request = asked(both, push(ref="feature")), asked(both, merge_request())
    for decision in (of_push, of_merge_request):
        assert decision.request is not None
        assert codes(decision)[-1] == "one_build_per_commit"
    assert of_push.request is not None
    assert of_merge_request.request is not None
    key = ("trigger_id", "project_id", "sha", "ref")
    assert [getattr(of_push.request, name) for name in key] == [getattr(of_merge_request.request, name) for name in key]
    assert "one_build_per_commit" not in codes(asked(pushes, push())) + codes(asked(both, tag()))


def test_the_delivery_is_handed_on() -> None:
    request = decide(trigger(), push(), Facts(), delivery_id="dlv_0a1b_1").request
    assert request is not None
    assert request.delivery_id == "dlv_0a1b_1"


NAMES = st.text("ab/-", min_size=1, max_size=6)
PATTERNS = st.lists(st.text("ab/*?", min_size=1, max_size=5), max_size=3).map(tuple)
GLOBS = st.builds(Globs, PATTERNS, PATTERNS)
EVENT = st.one_of(
    st.builds(lambda ref, before: push(ref=ref, before=before), NAMES, st.sampled_from([BEFORE, ZERO])),
    st.builds(lambda ref: replace(tag(), ref=ref), NAMES),
    st.builds(lambda ref, draft: merge_request(source_branch=ref, draft=draft), NAMES, st.booleans()),
)


@given(
    GLOBS,
    GLOBS,
    st.lists(st.sampled_from(BUILDING), min_size=1).map(tuple),
    st.booleans(),
    EVENT,
    st.none() | st.lists(NAMES, max_size=3),
)
def test_what_is_excluded_never_builds_and_the_same_question_has_one_answer(
    branches: Globs, paths: Globs, events: tuple[str, ...], drafts: bool, event: HookEvent, changed: list[str] | None
) -> None:
    one = trigger(branches=branches, tags=branches, paths=paths, events=events, merge_requests=rules(drafts=drafts))
    decision = asked(one, event, changed=changed)
    assert decision == asked(one, event, changed=changed)
    assert decision.would_build == (decision.refusals == ())
    if not decision.would_build:
        return
    assert event.kind in events
    assert passes(Globs(exclude=branches.exclude), event.ref or "")
    if changed is not None and paths and event.kind != "tag_push":
        assert any(passes(paths, path) for path in changed)
