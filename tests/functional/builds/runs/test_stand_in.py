"""What GitLab says of pushes and merge requests, and what is built of it: both sides together."""

from gitlab_hub.builds.triggers.model import Globs
from tests.functional.builds.build_company import WorldWithGitLab

SRC = Globs(include=("src/**",))


def test_a_file_that_is_moved_out_of_a_folder_builds_what_waits_for_the_folder() -> None:
    world = WorldWithGitLab(paths=SRC)
    world.happens("push", commits=[{"added": ["src/lib.py", "notes/a"]}])
    done, built, reasons = world.happens("push", commits=[{"renamed": {"src/lib.py": "docs/lib.py"}}])
    assert [world.build(one).sha for one in built] == [done["sha"]]
    _, built, reasons = world.happens("push", commits=[{"renamed": {"notes/a": "notes/b"}}])
    assert (built, reasons) == ([], ["no_path_fits"])


def test_a_branch_that_is_set_back_builds_where_it_gave_something_up() -> None:
    world = WorldWithGitLab(paths=SRC)
    first = world.happens("push", commits=[{"added": ["docs/a"]}])[0]["sha"]
    second = world.happens("push", commits=[{"modified": ["docs/a"]}])[0]["sha"]
    world.happens("push", commits=[{"added": ["src/a"]}])
    done, built, _ = world.happens("push", force_to=second)
    assert [world.build(one).sha for one in built] == [done["sha"]]
    _, built, reasons = world.happens("push", force_to=first)
    assert (built, reasons) == ([], ["no_path_fits"])


def test_a_commit_that_takes_the_place_of_another_builds_what_the_other_had_changed() -> None:
    world = WorldWithGitLab(paths=SRC)
    base = world.happens("push", commits=[{"added": ["src/a", "docs/a"]}])[0]["sha"]
    world.happens("push", commits=[{"modified": ["src/a"]}])
    done, built, _ = world.happens("push", force_to=base, commits=[{"modified": ["docs/a"]}])
    assert [world.build(one).sha for one in built] == [done["sha"]]


def test_a_new_branch_at_a_commit_that_skips_is_built_by_neither() -> None:
    world = WorldWithGitLab()
    world.happens("push", files=["a"], skip_ci=True)
    _, built, reasons = world.happens("push", branch="from-skip")
    assert (built, reasons) == ([], ["skip_ci_message"])
    world.triggers(skip_ci=False)
    _, built, _ = world.happens("push", branch="next-from-skip")
    assert len(built) == 1


def test_a_new_branch_is_compared_with_the_default_branch() -> None:
    world = WorldWithGitLab(paths=SRC)
    world.happens("push", commits=[{"added": ["src/a", "docs/a"]}])
    _, built, reasons = world.happens("push", branch="docs", commits=[{"added": ["docs/b"]}])
    assert (built, reasons) == ([], ["no_path_fits"])
    _, built, _ = world.happens("push", branch="moved", commits=[{"renamed": {"src/a": "docs/c"}}])
    assert len(built) == 1


def test_a_merge_request_builds_by_all_that_it_changes() -> None:
    world = WorldWithGitLab(paths=SRC, events=("merge_request",))
    world.happens("push", commits=[{"added": ["src/a"]}])
    world.happens("push", branch="feature", commits=[{"renamed": {"src/a": "docs/a"}}])
    _, built, _ = world.happens("open_merge_request", source_branch="feature")
    assert len(built) == 1
    world.happens("push", branch="other", commits=[{"added": ["docs/b"]}])
    _, built, reasons = world.happens("open_merge_request", source_branch="other")
    assert (built, reasons) == ([], ["no_path_fits"])
