"""Which builds cancel each other: those of one ref, and a ref has a kind."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitlab_hub.builds.runs.model import SUPERSEDED_BY_PERSON, BuildStatus, concurrency_key, concurrency_keys
from gitlab_hub.builds.triggers.model import TAG
from gitlab_hub.gitlab.webhooks.parse import HookEvent, parse
from tests.functional.builds.builds_hub import INTEGRATION, NEWER, PROJECT, SHA, World, merge_request, push, trigger

FIELD = Path(__file__).parents[3] / "data" / "gitlab" / "field"


def world_of(**changes: Any) -> World:
    world = World()
    world.add(trigger(cancel_previous=True, **changes))
    return world


def running(world: World) -> set[str]:
    world.work()
    return {build.id for build in world.builds() if build.status is BuildStatus.RUNNING}


def test_a_tag_and_a_branch_of_one_name_both_run() -> None:
    branch, tag = json.loads((FIELD / "pushes__branch_and_tag_of_one_name.json").read_bytes())
    world = world_of(project_id=60)
    [first], _ = world.receive(parse("Push Hook", branch), "dlv_0a1b_1")
    world.work()
    [second], _ = world.receive(parse("Tag Push Hook", tag), "dlv_0a1b_2")
    assert running(world) == {first, second}


def test_a_newer_tag_of_the_same_name_cancels_the_older_one() -> None:
    world = world_of()
    first = world.receive(push(ref="v1", kind="tag_push"), "dlv_0a1b_1")[0][0]
    world.work()
    second = world.receive(push(NEWER, ref="v1", kind="tag_push"), "dlv_0a1b_2")[0][0]
    assert running(world) == {second}
    assert world.build(first).superseded


@pytest.mark.parametrize("source", [99, None])
def test_a_fork_and_the_branch_of_its_name_both_run(source: int | None) -> None:
    world = world_of(merge_requests=replace(trigger().merge_requests, forks="allow"))
    own = world.push()
    world.work()
    event = merge_request(NEWER)
    found = replace(event.merge_request, source_project_id=source)  # type: ignore[type-var]
    [theirs], _ = world.receive(replace(event, merge_request=found), "dlv_0a1b_2")
    assert running(world) == {own, theirs}


def test_a_fork_that_gitlab_no_longer_knows_does_not_take_the_claim_of_the_branch_of_its_name() -> None:
    world = world_of(merge_requests=replace(trigger().merge_requests, forks="allow"))
    own = world.push()
    event = merge_request(SHA)
    found = replace(event.merge_request, source_project_id=None)  # type: ignore[type-var]
    build_ids, _ = world.receive(replace(event, merge_request=found), "dlv_0a1b_2")
    assert own not in build_ids
    assert len(build_ids) == 1


def old_form(world: World, build_id: str) -> None:
    """Make a build's rows what the release before had written: its concurrency key knew no kind."""
    build = world.build(build_id)
    row = world.rows.get(f"BUILD#{build_id}", "BUILD")
    assert row is not None
    world.rows.put({name: value for name, value in row.items() if name not in {"ref_kind", "before", "superseded"}})
    place = f"INTEGRATION#{INTEGRATION}"
    row = world.rows.get(place, f"{concurrency_key(build)}{build_id}")
    assert row is not None
    world.rows.delete(place, row["sk"])
    world.rows.put(row | {"sk": f"{concurrency_keys(build)[-1]}{build_id}"})


def test_builds_of_the_release_before_keep_their_kind() -> None:
    world = world_of()
    branch = world.push(ref="v1")
    tag = world.receive(push(ref="v1", kind="tag_push"), "dlv_0a1b_2")[0][0]
    world.work()
    old_form(world, branch)
    old_form(world, tag)
    assert world.build(tag).kind == TAG
    [newer], _ = world.receive(push(NEWER, ref="v1"), "dlv_0a1b_3")
    assert running(world) == {tag, newer}
    [newest], _ = world.receive(push(NEWER, ref="v1", kind="tag_push"), "dlv_0a1b_4")
    assert running(world) == {newer, newest}


def test_an_ended_build_of_the_release_before_leaves_nothing_behind() -> None:
    world = world_of()
    tag = world.receive(push(ref="v1", kind="tag_push"), "dlv_0a1b_2")[0][0]
    world.work()
    old_form(world, tag)
    assert world.feature.store.any_active(INTEGRATION)
    assert world.call("PATCH", f"/v1/builds/{tag}", {"status": "success"})[0] == 200
    assert not world.feature.store.any_active(INTEGRATION)
    assert [row for row in world.rows.dump() if str(row["sk"]).startswith("RUNNING#")] == []


def test_a_row_that_was_left_of_an_ended_build_is_in_nobodys_way() -> None:
    world = world_of()
    build_id = world.push()
    build = world.build(build_id)
    world.work()
    world.call("PATCH", f"/v1/builds/{build_id}", {"status": "success"})
    world.rows.put(
        {"pk": f"INTEGRATION#{INTEGRATION}", "sk": f"{concurrency_key(build)}{build_id}", "build_id": build_id}
    )
    assert not world.feature.store.any_active(INTEGRATION)
    assert build.project_id == PROJECT


@pytest.mark.parametrize(("ref", "kind"), [("v1", "tag"), ("refs/heads/v1", "branch"), ("refs/tags/v1", "tag")])
def test_a_build_that_a_person_asks_for_overtakes_its_own_kind_only(ref: str, kind: str) -> None:
    world = world_of()
    world.wall.commits["v1"], world.wall.tags["v1"] = NEWER, NEWER
    branch = world.push(ref="v1")
    tag = world.receive(push(ref="v1", kind="tag_push"), "dlv_0a1b_2")[0][0]
    world.work()
    status, body = world.call("POST", "/v1/builds", {"trigger_id": trigger().id, "ref": ref})
    assert (status, body["build"]["ref"]) == (201, "v1")
    assert running(world) == {branch if kind == "tag" else tag, body["build"]["id"]}
    again = world.call("POST", f"/v1/builds/{branch if kind == 'branch' else tag}/rerun")
    assert (again[0], world.build(again[1]["build"]["id"]).kind) == (201, kind)


def updated(sha: str, *, oldrev: str | None = None, **changes: Any) -> HookEvent:
    """An update of the merge request; without `oldrev` one that brings no commit, such as a new label."""
    event = merge_request(sha)
    found = replace(event.merge_request, action="update", oldrev=oldrev, **changes)  # type: ignore[type-var]
    return replace(event, action="update", before=oldrev, merge_request=found)


def asked_for(world: World, sha: str) -> str:
    world.wall.commits[sha] = sha
    status, body = world.call("POST", "/v1/builds", {"trigger_id": trigger().id, "ref": "main", "sha": sha})
    assert status == 201, body
    world.work()
    return str(body["build"]["id"])


@pytest.mark.parametrize("ended", [False, True])
def test_a_label_does_not_take_back_what_a_person_has_built_instead(ended: bool) -> None:
    world = world_of()
    [head], _ = world.receive(updated(NEWER, oldrev=SHA), "dlv_0a1b_1")
    world.work()
    older = asked_for(world, SHA)
    assert running(world) == {older}
    assert world.build(head).description == SUPERSEDED_BY_PERSON
    if ended:
        assert world.call("PATCH", f"/v1/builds/{older}", {"status": "success"})[0] == 200
    assert world.receive(updated(NEWER), "dlv_0a1b_2") == ([], [f"{trigger().id}: already_built"])
    assert running(world) == (set() if ended else {older})
    [again], _ = world.receive(push(NEWER, before="c" * 40), "dlv_0a1b_3")
    assert running(world) == {again}, "a push is new code, whatever a person has asked for before"


@pytest.mark.parametrize("sha", [SHA, NEWER])
def test_the_first_build_that_a_label_brings_leaves_alone_what_a_person_has_asked_for(sha: str) -> None:
    world = world_of(merge_requests=replace(trigger().merge_requests, labels=("build",)))
    manual = asked_for(world, sha)
    [labelled], _ = world.receive(updated(NEWER, labels=("build",)), "dlv_0a1b_1")
    assert running(world) == {manual, labelled}


def test_a_rerun_is_asked_for_too() -> None:
    world = world_of(merge_requests=replace(trigger().merge_requests, labels=("build",)))
    first = world.push()
    world.work()
    assert world.call("PATCH", f"/v1/builds/{first}", {"status": "failed"})[0] == 200
    status, body = world.call("POST", f"/v1/builds/{first}/rerun")
    assert status == 201
    world.work()
    [labelled], _ = world.receive(updated(NEWER, labels=("build",)), "dlv_0a1b_1")
    assert running(world) == {body["build"]["id"], labelled}


def test_a_label_still_cancels_the_build_of_an_older_push() -> None:
    world = world_of(merge_requests=replace(trigger().merge_requests, labels=("build",)))
    world.push()
    world.work()
    [labelled], _ = world.receive(updated(NEWER, labels=("build",)), "dlv_0a1b_2")
    assert running(world) == {labelled}


def test_a_label_undoes_what_the_hub_itself_has_cut_short() -> None:
    world = world_of()
    [first], _ = world.receive(updated(NEWER, oldrev=SHA), "dlv_0a1b_1")
    world.work()
    world.receive(push(SHA, before=NEWER), "dlv_0a1b_2")
    world.work()
    assert world.build(first).superseded
    assert len(world.receive(updated(NEWER), "dlv_0a1b_3")[0]) == 1


def test_a_token_that_may_not_read_tags_builds_a_branch_of_that_name() -> None:
    world = world_of()
    world.wall.no_tags = True
    status, body = world.call("POST", "/v1/builds", {"trigger_id": trigger().id, "ref": "main"})
    assert (status, world.build(body["build"]["id"]).kind) == (201, "branch")
