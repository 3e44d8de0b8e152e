"""Branches, tags, commits and comparisons."""

from typing import Any

import pytest

from tests.unit.stand_in.test_schemas import assert_fits


def test_branches_are_listed_and_searched(hooked: Any) -> None:
    for name in ("release/1", "release/2", "topic"):
        hooked.do("push", project_id=1, branch=name, files=[name])
    rows = hooked.ask("/projects/1/repository/branches", "admin").json
    assert [row["name"] for row in rows] == ["main", "release/1", "release/2", "topic"]
    assert [row["default"] for row in rows] == [True, False, False, False]
    assert_fits("commit/basic.json", rows[0]["commit"])
    for search, found in (("^release", 2), ("1$", 1), ("opi", 1), ("nothing", 0)):
        got = hooked.ask(f"/projects/1/repository/branches?search={search}", "admin").json
        assert len(got) == found
    one = hooked.ask("/projects/1/repository/branches/release%2F1", "admin")
    assert one.json == rows[1]
    assert hooked.ask("/projects/1/repository/branches/nothing", "admin").status == 404


def test_tags_are_listed_newest_first(hooked: Any) -> None:
    head = hooked.do("push", project_id=1, files=["a"])["sha"]
    hooked.do("push_tag", project_id=1, tag="v1")
    annotated = hooked.do("push_tag", project_id=1, tag="v2", message="Second")["after"]
    two, one = hooked.ask("/projects/1/repository/tags", "admin").json
    assert (one["name"], one["target"], one["message"]) == ("v1", head, "")
    assert (two["name"], two["target"], two["message"], two["commit"]["id"]) == ("v2", annotated, "Second", head)
    assert hooked.ask("/projects/1/repository/tags/v2", "admin").json == two
    assert hooked.ask("/projects/1/repository/tags/v3", "admin").status == 404


def test_a_commit_by_sha_short_sha_branch_or_tag(hooked: Any) -> None:
    sha = hooked.do("push", project_id=1, files=["a"], message="Title\n\nText")["sha"]
    hooked.do("push_tag", project_id=1, tag="v1")
    rows = [hooked.ask(f"/projects/1/repository/commits/{name}", "admin").json for name in (sha, sha[:8], "main", "v1")]
    assert [row["id"] for row in rows] == [sha] * 4
    assert (rows[0]["title"], rows[0]["message"], len(rows[0]["parent_ids"])) == ("Title", "Title\n\nText", 1)
    assert hooked.ask("/projects/1/repository/commits", "admin").json[0]["id"] == sha
    changed = hooked.ask(f"/projects/1/repository/commits/{sha}/diff", "admin").json
    assert [each["new_path"] for each in changed] == ["a"]
    assert hooked.ask(f"/projects/1/repository/commits/{'0' * 40}", "admin").status == 404


def test_the_commits_of_pipelines_are_there_too(hooked: Any) -> None:
    pipeline = next(iter(hooked.app.company.pipelines[1].values()))
    row = hooked.ask(f"/projects/1/repository/commits/{pipeline.sha}", "admin").json
    assert (row["id"], row["last_pipeline"]["sha"]) == (pipeline.sha, pipeline.sha)


def test_what_changed_between_two_refs(hooked: Any) -> None:
    base = hooked.do("push", project_id=1, files=["old", "gone", "kept"])["sha"]
    wanted = [
        {"message": "One", "added": ["new", "short-lived"], "modified": ["kept"]},
        {"message": "Two", "renamed": {"old": "moved"}, "removed": ["gone", "short-lived"]},
    ]
    head = hooked.do("push", project_id=1, branch="topic", commits=wanted)["sha"]
    hooked.do("push", project_id=1, branch="main", files=["not-mine"])
    got = hooked.ask("/projects/1/repository/compare?from=main&to=topic", "admin").json
    assert [each["title"] for each in got["commits"]] == ["One", "Two"]
    kinds = {
        each["new_path"]: [name for name in ("new_file", "renamed_file", "deleted_file") if each[name]]
        for each in got["diffs"]
    }
    assert kinds == {"new": ["new_file"], "kept": [], "moved": ["renamed_file"], "gone": ["deleted_file"]}
    assert next(each["old_path"] for each in got["diffs"] if each["new_path"] == "moved") == "old"
    assert hooked.ask(f"/projects/1/repository/compare?from={base}&to={head}", "admin").json["diffs"] == got["diffs"]
    assert hooked.ask("/projects/1/repository/compare?from=main&to=main", "admin").json["compare_same_ref"] is True


def test_a_straight_comparison_says_how_two_commits_differ_in_either_direction(hooked: Any) -> None:
    base = hooked.do("push", project_id=1, files=["kept", "old", "gone"])["sha"]
    ours = hooked.do("push", project_id=1, commits=[{"modified": ["kept"], "removed": ["gone"]}])["sha"]
    theirs = hooked.do("push", project_id=1, force_to=base, commits=[{"renamed": {"old": "new"}, "added": ["x"]}])[
        "sha"
    ]

    def compared(old: str, new: str, more: str = "") -> set[tuple[str, str]]:
        got = hooked.ask(f"/projects/1/repository/compare?from={old}&to={new}{more}", "admin").json
        return {(each["old_path"], each["new_path"]) for each in got["diffs"]}

    straight = {("kept", "kept"), ("gone", "gone"), ("old", "new"), ("x", "x")}
    assert compared(ours, theirs, "&straight=true") == straight
    assert compared(ours, theirs) == {("old", "new"), ("x", "x")}
    assert compared(ours, base, "&straight=true") == {("kept", "kept"), ("gone", "gone")}
    assert compared(ours, base) == set()


@pytest.mark.parametrize(("query", "status"), [("from=main", 400), ("to=main", 400), ("from=main&to=x", 404)])
def test_comparisons_that_cannot_be(hooked: Any, query: str, status: int) -> None:
    assert hooked.ask(f"/projects/1/repository/compare?{query}", "admin").status == status


def test_code_is_for_reporters_where_it_is_private(hooked: Any) -> None:
    hooked.app.company.projects[1].visibility = "private"
    user = hooked.do("add_user", username="rita")["id"]
    hooked.do("add_token", name="rita", user_id=user, scopes=["read_api"])
    for level, status in ((10, 403), (20, 200)):
        hooked.do("add_member", source="project", source_id=1, user_id=user, level=level)
        assert hooked.ask("/projects/1/repository/branches", "rita").status == status


def test_an_empty_repository_has_no_branches(hooked: Any) -> None:
    hooked.app.company.projects[1].default_branch = None
    assert hooked.ask("/projects/1/repository/branches", "admin").json == []
    assert hooked.ask("/projects/1/repository/commits", "admin").json == []


def test_a_project_by_its_former_path_is_elsewhere_for_those_who_read_and_nowhere_for_those_who_write(
    hooked: Any,
) -> None:
    group = hooked.do("add_group", path="before")["id"]
    made = hooked.do("add_project", path="moving", group_id=group)
    hooked.do("rename_group", id=group, path="after")
    old = f"/projects/{made['path_with_namespace'].replace('/', '%2F')}"
    answer = hooked.ask(old, "admin")
    assert answer.status == 301
    assert answer.headers["Location"].endswith(f"/api/v4/projects/{made['id']}")
    assert hooked.ask(f"{old}/hooks", "admin", method="POST").status == 405
    assert hooked.ask(old, "outsider").status in {401, 404}
