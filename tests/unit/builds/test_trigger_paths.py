"""What changed: as the event says, as GitLab says, or as nobody can say."""

from dataclasses import replace

import pytest

from gitlab_hub.builds.decision import needs_paths
from gitlab_hub.builds.paths import MAX_PATHS, bounded, listed
from gitlab_hub.gitlab.events import Commit, HookEvent
from tests.fakes.triggers import (
    SHA,
    ZERO,
    asked,
    changing,
    codes,
    excluding,
    including,
    merge_request,
    push,
    tag,
    trigger,
)

DOCS = trigger(paths=including("docs/**"))


def commits(count: int, total: int | None = None) -> HookEvent:
    found = tuple(Commit(id=SHA, message="", paths=(f"src/{number}",)) for number in range(count))
    return push(commits=found, total_commits=count if total is None else total)


def test_a_push_of_few_commits_lists_every_path_once() -> None:
    both = Commit(id=SHA, message="", paths=("a", "b")), Commit(id=SHA, message="", paths=("b", "c"))
    assert listed(push(commits=both, total_commits=2)) == ("a", "b", "c")


@pytest.mark.parametrize(
    "event",
    [
        commits(20, total=21),
        push(commits=(Commit(id=SHA, message="", paths=(), lists_paths=False),), total_commits=1),
        push(before=ZERO),
        tag(),
        merge_request(),
    ],
)
def test_an_event_that_does_not_list_everything_lists_nothing(event: HookEvent) -> None:
    assert listed(event) is None


def test_twenty_commits_of_twenty_are_everything() -> None:
    assert len(listed(commits(20)) or ()) == 20


def test_a_new_branch_with_commits_of_its_own_lists_them() -> None:
    assert listed(changing("docs/a", before=ZERO)) == ("docs/a",)


def test_a_push_without_commits_to_an_old_branch_changed_nothing() -> None:
    # As when a branch is set back.
    assert listed(push()) == ()
    assert asked(DOCS, push(), changed=()).refusals == ("no_path_fits",)


def test_more_paths_than_can_be_looked_through_are_unknown() -> None:
    assert len(bounded(str(number) for number in range(MAX_PATHS)) or ()) == MAX_PATHS
    assert bounded(str(number) for number in range(MAX_PATHS + 1)) is None
    assert bounded(["a"] * (MAX_PATHS + 1)) == ("a",)


@pytest.mark.parametrize(
    ("changed", "builds"),
    [
        (["docs/a"], True),
        (["src/a", "docs/a"], True),
        (["src/a"], False),
        (["docs/tmp/a"], False),
        (["docs/tmp/a", "src/a"], False),
        (["docs/tmp/a", "docs/a"], True),
    ],
)
def test_one_path_that_is_included_and_not_excluded_is_enough(changed: list[str], builds: bool) -> None:
    one = trigger(paths=including("docs/**", exclude=["docs/tmp/**"]))
    assert asked(one, push(), changed=changed).would_build is builds


def test_a_change_of_excluded_paths_only_does_not_build() -> None:
    one = trigger(paths=excluding("**/*.md"))
    assert asked(one, push(), changed=["a.md", "x/b.md"]).refusals == ("no_path_fits",)
    assert asked(one, push(), changed=["a.md", "x/b.py"]).would_build


def test_what_nobody_knows_builds_and_says_so() -> None:
    decision = asked(DOCS, push(), changed=None)
    assert decision.would_build
    assert "paths_unknown" in codes(decision)


@pytest.mark.parametrize("event", [push(), merge_request(), push(before=ZERO)])
def test_a_decision_hangs_on_paths_where_everything_else_fits(event: HookEvent) -> None:
    assert needs_paths(DOCS, event)
    assert not needs_paths(trigger(), event)
    assert not needs_paths(replace(DOCS, enabled=False), event)
    assert not needs_paths(replace(DOCS, branches=excluding("**")), event)


def test_no_decision_about_tags_or_deletions_hangs_on_paths() -> None:
    assert not needs_paths(DOCS, tag())
    assert not needs_paths(replace(DOCS, on_branch_delete=True), push(after=ZERO, sha=None))


def test_paths_are_not_looked_at_where_something_else_refuses() -> None:
    assert codes(asked(replace(DOCS, enabled=False), push(), changed=["src/a"]))[-1] == "skip_ci_not_asked"
