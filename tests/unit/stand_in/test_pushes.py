"""What pushes say, and when GitLab says nothing at all."""

from collections.abc import Callable
from typing import Any

import pytest

from stand_in_gitlab.app import StandIn
from tests.unit.stand_in.conftest import Receiver

NOTHING = "0" * 40
Do = Callable[..., dict[str, Any]]


@pytest.fixture
def do(control: Any, ask: Any, app: StandIn) -> Do:
    """Carries out a change of project 1, which has one hook for pushes and tags, and waits for the calls."""
    app.company.hooks.clear()
    app.company.projects[1].default_branch = "main"
    ask("/projects/1/hooks", "admin", "POST", {"url": "https://hub.test/hook", "tag_push_events": True})

    def call(verb: str = "push", **what: Any) -> dict[str, Any]:
        done: dict[str, Any] = control("POST", "changes", {"do": verb, "project_id": 1, **what})
        assert control("POST", "wait_for_hooks")["quiet"]
        return done

    return call


def test_a_push_moves_the_branch_and_names_the_files(do: Do, receiver: Receiver, control: Any) -> None:
    done = do(files=["README.md", "docs/new.md"], message="Say more\n\nMuch more")
    (body,) = receiver.bodies
    assert (body["object_kind"], body["event_name"], body["ref"]) == ("push", "push", "refs/heads/main")
    assert (body["before"], body["after"], body["checkout_sha"]) == (done["before"], done["after"], done["after"])
    assert (body["project_id"], body["project"]["id"], body["total_commits_count"]) == (1, 1, 1)
    (commit,) = body["commits"]
    assert (commit["id"], commit["title"], commit["message"]) == (done["after"], "Say more", "Say more\n\nMuch more")
    assert (commit["added"], commit["modified"], commit["removed"]) == (["docs/new.md"], ["README.md"], [])
    heads = {row["ref"]: row["sha"] for row in control("GET", "ground-truth/refs?project_id=1")["rows"]}
    assert heads["refs/heads/main"] == done["after"]


def test_the_same_company_has_the_same_commits(do: Do, control: Any) -> None:
    first = do(files=["a.py"])["sha"]
    assert len(first) == 40
    assert do(files=["a.py"])["before"] == first


def test_commits_may_be_given_one_by_one(do: Do, receiver: Receiver) -> None:
    wanted = [{"message": "One", "added": ["a"]}, {"message": "Two", "renamed": {"a": "b"}, "removed": ["README.md"]}]
    do(commits=wanted)
    one, two = receiver.bodies[0]["commits"]
    # GitLab names a moved file as an added one, and its old name nowhere.
    assert (one["added"], two["added"], two["removed"]) == (["a"], ["b"], ["README.md"])


def test_a_branch_that_is_set_back_lists_no_commits_and_one_beside_it_lists_its_own(do: Do, receiver: Receiver) -> None:
    old = do(files=["a"])["after"]
    new = do(files=["b"])["after"]
    do(force_to=old)
    beside = do(force_to=new, commits=[{"message": "Beside", "modified": ["a"]}])
    *_, back, forth = receiver.bodies
    assert (back["before"], back["after"], back["commits"], back["total_commits_count"]) == (new, old, [], 0)
    assert (forth["before"], forth["after"]) == (old, beside["after"])
    assert [each["modified"] for each in forth["commits"]] == [[], ["a"]]


def test_a_new_branch_lists_what_the_default_branch_has_not(do: Do, receiver: Receiver) -> None:
    do(branch="feature", files=["a"])
    do(branch="next", start="feature")
    first, second = receiver.bodies
    assert [each["id"] for each in second["commits"]] == [each["id"] for each in first["commits"]]
    assert len(first["commits"]) == 1


def test_at_most_twenty_commits_are_listed_the_latest_ones(do: Do, receiver: Receiver) -> None:
    done = do(commits=25)
    (body,) = receiver.bodies
    assert (len(body["commits"]), body["total_commits_count"]) == (20, 25)
    assert [each["id"] for each in body["commits"]] == done["commits"][5:]


def test_a_branch_is_created_without_commits_and_deleted(do: Do, receiver: Receiver, control: Any) -> None:
    head = do(files=["a"])["after"]
    do(branch="feature/1")
    do(branch="feature/1", delete=True)
    _, created, deleted = receiver.bodies
    assert (created["before"], created["after"], created["commits"]) == (NOTHING, head, [])
    assert (deleted["before"], deleted["after"], deleted["checkout_sha"]) == (head, NOTHING, None)
    assert "refs/heads/feature/1" not in {row["ref"] for row in control("GET", "ground-truth/refs")["rows"]}


def test_more_than_three_refs_move_without_a_word(do: Do, receiver: Receiver, control: Any) -> None:
    assert do(branches=["a", "b", "c", "d"], files=["x"])["hooks"] == 0
    assert receiver.got == []
    heads = {row["ref"] for row in control("GET", "ground-truth/refs?project_id=1")["rows"]}
    assert {f"refs/heads/{name}" for name in "abcd"} <= heads
    do(branches=["a", "b", "c"], files=["y"])
    assert len(receiver.got) == 3
    assert do("push_tag", tags=["1", "2", "3", "4"])["hooks"] == 0


def test_a_system_hook_hears_of_refs_that_others_do_not(do: Do, receiver: Receiver, ask: Any) -> None:
    ask("/hooks", "admin", "POST", {"url": "https://hub.test/system", "push_events": True})
    do(branches=["a", "b", "c", "d"], files=["x"])
    (body,) = receiver.bodies
    assert body["event_name"] == "repository_update"
    assert body["refs"] == [f"refs/heads/{name}" for name in "abcd"]


def test_only_system_hooks_hear_of_repository_updates(do: Do, receiver: Receiver, ask: Any) -> None:
    options = {"url": "https://hub.test/2", "push_events": False, "repository_update_events": True}
    assert ask("/projects/1/hooks", "admin", "POST", options).status == 201
    do(files=["a"])
    assert [each.url for each in receiver.got] == ["https://hub.test/hook"]


def test_skip_ci_stands_in_the_last_message_and_options_come_along(do: Do, receiver: Receiver) -> None:
    do(files=["a"], skip_ci=True)
    do(commits=[{"message": "One"}, {"message": "Two"}], skip_ci=True)
    do(files=["a"], push_options={"ci": {"skip": True}})
    first, second, third = receiver.bodies
    assert first["commits"][0]["message"] == "Change\n\n[skip ci]"
    assert [each["message"] for each in second["commits"]] == ["One", "Two\n\n[skip ci]"]
    assert (first["push_options"], third["push_options"]) == ({}, {"ci": {"skip": True}})


def test_tags_light_and_annotated(do: Do, receiver: Receiver) -> None:
    head = do(files=["a"])["sha"]
    light, heavy = do("push_tag", tag="v1"), do("push_tag", tag="v2", message="Second")
    gone = do("push_tag", tag="v2", delete=True)
    _, one, two, three = receiver.bodies
    assert (one["object_kind"], one["ref"], one["before"]) == ("tag_push", "refs/tags/v1", NOTHING)
    assert one["after"] == one["checkout_sha"] == head == light["sha"]
    assert two["after"] != two["checkout_sha"] == head == heavy["sha"]
    assert (two["message"], two["after"]) == ("Second", heavy["after"])
    assert (three["before"], three["after"], three["checkout_sha"]) == (heavy["after"], NOTHING, None)
    assert gone["before"] == heavy["after"]
    assert receiver.kinds() == ["Push Hook", *["Tag Push Hook"] * 3]


def test_a_push_may_start_a_pipeline(do: Do, ask: Any) -> None:
    done = do(branch="topic", files=["a"], pipeline=True)
    row = ask(f"/projects/1/pipelines/{done['pipeline_id']}", "admin").json
    assert (row["sha"], row["ref"], row["source"]) == (done["sha"], "topic", "push")


def test_an_empty_repository_has_nothing_to_push_and_then_a_default_branch(do: Do, app: StandIn) -> None:
    app.company.projects[1].default_branch = None
    app.company.repositories.pop(1, None)
    with pytest.raises(AssertionError, match="nothing to push"):
        do(branch="main")
    assert do(branch="main", files=["a"])["before"] == NOTHING
    assert app.company.projects[1].default_branch == "main"
