"""Merge requests: what they say, how they follow their branch, how the API shows them."""

from typing import Any

import pytest


@pytest.fixture
def listening(hooked: Any) -> Any:
    hooked.hook(merge_requests_events=True, push_events=True)
    return hooked


def test_opening_one_pushes_its_branch_first(listening: Any) -> None:
    done = listening.do("open_merge_request", project_id=1, source_branch="feature/1", files=["a.py"], title="Add a")
    push, opened = sorted(listening.heard(), key=lambda each: -ord(each["object_kind"][0]))
    assert (push["ref"], push["after"]) == ("refs/heads/feature/1", done["sha"])
    facts = opened["object_attributes"]
    assert (opened["object_kind"], facts["action"], facts["iid"], facts["state"]) == (
        "merge_request",
        "open",
        1,
        "opened",
    )
    assert (facts["source_branch"], facts["target_branch"]) == ("feature/1", "main")
    assert (facts["source_project_id"], facts["target_project_id"]) == (1, 1)
    assert facts["last_commit"]["id"] == done["sha"]
    assert "oldrev" not in facts


def test_a_push_to_its_branch_is_told_as_push_and_as_update_with_oldrev(listening: Any) -> None:
    iid = listening.do("open_merge_request", project_id=1, source_branch="f", files=["a.py"])["iid"]
    listening.heard()
    done = listening.do("update_merge_request", project_id=1, iid=iid, files=["b.py"])
    kinds = {each["object_kind"]: each for each in listening.heard()}
    assert set(kinds) == {"push", "merge_request"}
    facts = kinds["merge_request"]["object_attributes"]
    assert (facts["action"], facts["oldrev"]) == ("update", kinds["push"]["before"])
    assert facts["last_commit"]["id"] == kinds["push"]["after"] == done["sha"]
    listening.do("push", project_id=1, branch="main", files=["c.py"])
    assert [each["object_kind"] for each in listening.heard()] == ["push"]


def test_changes_of_its_words_are_told_without_oldrev(listening: Any) -> None:
    iid = listening.do("open_merge_request", project_id=1, source_branch="f", files=["a.py"])["iid"]
    listening.heard()
    fields = {"labels": ["ready"], "draft": True}
    listening.do("update_merge_request", project_id=1, iid=iid, **fields)
    (told,) = listening.heard()
    assert "oldrev" not in told["object_attributes"]
    assert (told["object_attributes"]["draft"], told["object_attributes"]["work_in_progress"]) == (True, True)
    assert told["changes"]["title"] == {"previous": "Merge f", "current": "Draft: Merge f"}
    assert [each["title"] for each in told["changes"]["labels"]["current"]] == ["ready"]
    assert [each["title"] for each in told["labels"]] == ["ready"]


@pytest.mark.parametrize(("action", "state"), [("close", "closed"), ("approved", "opened"), ("unapproved", "opened")])
def test_actions_have_their_state(listening: Any, action: str, state: str) -> None:
    iid = listening.do("open_merge_request", project_id=1, source_branch="f", files=["a.py"])["iid"]
    listening.heard()
    listening.do("update_merge_request", project_id=1, iid=iid, action=action)
    (told,) = listening.heard()
    assert (told["object_attributes"]["action"], told["object_attributes"]["state"]) == (action, state)


def test_a_closed_one_does_not_follow_its_branch(listening: Any) -> None:
    iid = listening.do("open_merge_request", project_id=1, source_branch="f", files=["a.py"])["iid"]
    listening.do("update_merge_request", project_id=1, iid=iid, action="close")
    listening.heard()
    listening.do("push", project_id=1, branch="f", files=["b.py"])
    assert [each["object_kind"] for each in listening.heard()] == ["push"]


def test_merging_pushes_to_the_target(listening: Any) -> None:
    iid = listening.do("open_merge_request", project_id=1, source_branch="f", files=["a.py"])["iid"]
    listening.heard()
    done = listening.do("update_merge_request", project_id=1, iid=iid, action="merge")
    kinds = {each["object_kind"]: each for each in listening.heard()}
    assert (kinds["push"]["ref"], kinds["push"]["after"]) == ("refs/heads/main", done["merge_commit_sha"])
    assert kinds["push"]["total_commits_count"] == 2
    assert kinds["merge_request"]["object_attributes"]["state"] == "merged"


def test_a_fork_s_merge_request_belongs_to_the_target(listening: Any) -> None:
    fork = listening.do("fork_project", project_id=1, user_id=2)["id"]
    done = listening.do(
        "open_merge_request", project_id=1, source_project_id=fork, source_branch="theirs", files=["evil.py"]
    )
    (told,) = listening.heard()
    facts = told["object_attributes"]
    assert (told["project"]["id"], facts["source_project_id"], facts["target_project_id"]) == (1, fork, 1)
    assert facts["source"]["path_with_namespace"] != facts["target"]["path_with_namespace"]
    listening.do("push", project_id=fork, branch="theirs", files=["more.py"])
    (told,) = listening.heard()
    assert told["object_attributes"]["oldrev"] == done["sha"]
    shown = listening.ask(f"/projects/1/merge_requests/{done['iid']}/diffs", "admin").json
    assert [each["new_path"] for each in shown] == ["evil.py", "more.py"]


def test_the_api_shows_it(listening: Any) -> None:
    wanted = [{"message": "One", "added": ["a"], "modified": ["README.md"]}, {"message": "Two", "renamed": {"a": "b"}}]
    labels = {"labels": ["x"], "draft": True}
    done = listening.do("open_merge_request", project_id=1, source_branch="f", commits=wanted, **labels)
    listening.do("push", project_id=1, branch="main", files=["elsewhere.md"])
    here = f"/projects/1/merge_requests/{done['iid']}"
    row = listening.ask(here, "admin").json
    assert (row["sha"], row["labels"], row["draft"], row["title"]) == (done["sha"], ["x"], True, "Draft: Merge f")
    assert row["diff_refs"]["head_sha"] == done["sha"]
    assert row["diff_refs"]["base_sha"] != row["diff_refs"]["start_sha"]
    assert row["changes_count"] == "2"
    diffs = listening.ask(f"{here}/diffs", "admin").json
    assert [(each["old_path"], each["new_path"], each["renamed_file"]) for each in diffs] == [
        ("README.md", "README.md", False),
        ("a", "b", True),
    ]
    assert [each["title"] for each in listening.ask(f"{here}/commits", "admin").json] == ["Two", "One"]
    assert [each["iid"] for each in listening.ask("/projects/1/merge_requests?state=opened", "admin").json] == [1]
    assert listening.ask("/projects/1/merge_requests?source_branch=g", "admin").json == []
    assert listening.ask("/projects/1/merge_requests/9", "admin").status == 404


def test_a_merged_one_still_shows_what_it_changed(listening: Any) -> None:
    iid = listening.do("open_merge_request", project_id=1, source_branch="f", files=["a.py"])["iid"]
    before = listening.ask(f"/projects/1/merge_requests/{iid}/diffs", "admin").json
    listening.do("update_merge_request", project_id=1, iid=iid, action="merge")
    assert listening.ask(f"/projects/1/merge_requests/{iid}/diffs", "admin").json == before != []
