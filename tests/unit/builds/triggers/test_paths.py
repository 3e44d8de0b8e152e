"""What changed: as the event says, as GitLab says, or as nobody can say."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gitlab_hub.builds.triggers.changed_paths import MAX_PATHS, listed_paths, unique_paths
from gitlab_hub.builds.triggers.evaluation import Facts, needs_paths
from gitlab_hub.gitlab.webhooks.parse import Commit, HookEvent, parse
from tests.fakes.triggers import (
    BEFORE,
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

FIELD = Path(__file__).parents[3] / "data" / "gitlab" / "field"
DOCS = trigger(paths=including("docs/**"))


def commits(count: int, total: int | None = None) -> HookEvent:
    found = tuple(Commit(id=SHA, message="work", paths=(f"src/{number}",)) for number in range(count))
    return push(commits=found, total_commits=count if total is None else total)


def test_a_push_of_few_commits_lists_every_path_once() -> None:
    both = Commit(id=SHA, message="", paths=("a", "b")), Commit(id=SHA, message="", paths=("b", "c"))
    assert listed_paths(push(commits=both, total_commits=2)) == ("a", "b", "c")


@pytest.mark.parametrize(
    "event",
    [
        commits(20, total=21),
        push(commits=(Commit(id=SHA, message="", paths=()),), total_commits=1),
        push(commits=(Commit(id=BEFORE, message="", paths=("a",)),), total_commits=1),
        commits(20),
        changing("src/a"),
        changing("src/a", before=ZERO),
        push(),
        push(before=ZERO),
        merge_request(),
    ],
)
def test_what_gitlab_cannot_say_is_unknown_and_builds_however_whole_the_list_looks(event: HookEvent) -> None:
    decision = asked(DOCS, event, changed=None)
    assert decision.would_build
    assert "paths_unknown" in codes(decision)


def test_a_list_can_say_yes_but_not_no() -> None:
    assert asked(DOCS, changing("docs/a"), changed=["src/a"]).would_build
    assert asked(DOCS, changing("src/a"), changed=["docs/a"]).would_build
    assert asked(DOCS, changing("src/a"), changed=["src/a"]).refusals == ("no_path_fits",)


def test_a_moved_file_may_have_come_from_anywhere() -> None:
    body = json.loads((FIELD / "push__rename_out_of_folder.json").read_bytes())
    event, one = parse("Push Hook", body), trigger(project_id=60, paths=including("src/**"))
    assert listed_paths(event) == ("docs/lib.py",)
    assert asked(one, event, changed=["src/lib.py", "docs/lib.py"]).would_build
    assert asked(one, event, changed=["docs/other.py", "docs/lib.py"]).refusals == ("no_path_fits",)
    assert "paths_unknown" in codes(asked(one, event, changed=None))


def test_a_branch_that_is_set_back_changed_what_gitlab_says() -> None:
    body = json.loads((FIELD / "push__forced_back_without_commits.json").read_bytes())
    event, one = parse("Push Hook", body), trigger(project_id=60, paths=including("src/**"))
    assert asked(one, event, changed=["src/a"]).would_build
    assert asked(one, event, changed=["docs/a"]).refusals == ("no_path_fits",)
    assert asked(one, event, changed=()).refusals == ("no_path_fits",)
    assert "paths_unknown" in codes(asked(one, event, changed=None))


def test_more_paths_than_can_be_looked_through_are_unknown() -> None:
    assert len(unique_paths(str(number) for number in range(MAX_PATHS)) or ()) == MAX_PATHS
    assert unique_paths(str(number) for number in range(MAX_PATHS + 1)) is None
    assert unique_paths(["a"] * (MAX_PATHS + 1)) == ("a",)


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
    assert needs_paths(DOCS, event, Facts())
    assert not needs_paths(trigger(), event, Facts())
    assert not needs_paths(replace(DOCS, enabled=False), event, Facts())
    assert not needs_paths(replace(DOCS, branches=excluding("**")), event, Facts())
    assert not needs_paths(DOCS, event, Facts(own_paths=("docs/a",)))


def test_no_decision_about_tags_or_deletions_hangs_on_paths() -> None:
    assert not needs_paths(DOCS, tag(), Facts())
    assert not needs_paths(replace(DOCS, on_branch_delete=True), push(after=ZERO, sha=None), Facts())


def test_paths_are_not_looked_at_where_something_else_refuses() -> None:
    assert codes(asked(replace(DOCS, enabled=False), push(), changed=["src/a"]))[-1] == "skip_ci_not_asked"
