"""A commit that was built before: when it is built again, and when it is not."""

import json

import pytest

from gitlab_hub.builds.runs.claims import MAX_REJECTED
from gitlab_hub.builds.runs.model import BuildStatus
from gitlab_hub.builds.triggers.model import MergeRequestRules
from gitlab_hub.gitlab.webhooks.parse import parse
from tests.functional.builds.builds_hub import (
    NEWER,
    SHA,
    merge_request,
    push,
)
from tests.functional.builds.runs.second_builds import (
    FIELD,
    IN_THE_WAY,
    ZERO,
    by_number,
    cancel,
    gone,
    updated,
    world_of,
)


def test_a_branch_that_is_set_back_to_a_superseded_commit_has_its_head_built() -> None:
    body = json.loads((FIELD / "push__back_to_superseded.json").read_bytes())
    back, project, ref = body["after"], body["project_id"], "roll"
    world = world_of(cancel_previous=True, project_id=project)
    first = world.receive(push(back, ref=ref, project_id=project, before="c" * 40), "dlv_0a1b_1")[0][0]
    world.work()
    world.receive(push(body["before"], ref=ref, project_id=project, before=back), "dlv_0a1b_2")
    world.work()
    assert world.build(first).status is BuildStatus.CANCELED
    [again], reasons = world.receive(parse("Push Hook", body), "dlv_0a1b_3")
    world.work()
    assert (again != first, reasons) == (True, [])
    assert [build.status for build in by_number(world)] == [
        BuildStatus.CANCELED,
        BuildStatus.CANCELED,
        BuildStatus.RUNNING,
    ]
    assert world.build(again).sha == back


@pytest.mark.parametrize("status", ["success", "failed", "running", None])
def test_a_build_that_was_not_cut_short_is_the_only_one(status: str | None) -> None:
    world = world_of()
    first = world.push()
    world.work()
    if status:
        world.call("PATCH", f"/v1/builds/{first}", {"status": status})
    assert world.receive(push(before=NEWER), "dlv_0a1b_2") == IN_THE_WAY


@pytest.mark.parametrize("how", ["person", "runner"])
def test_a_cancelled_build_does_not_stand_in_the_way_of_a_push_back_to_its_commit(how: str) -> None:
    world = world_of()
    first = world.push()
    world.work()
    if how == "person":
        cancel(world, first)
    else:
        world.call("PATCH", f"/v1/builds/{first}", {"status": "canceled"})
    [second], _ = world.receive(push(before=NEWER), "dlv_0a1b_2")
    cancel(world, second)
    [third], _ = world.receive(push(before=NEWER), "dlv_0a1b_3")
    assert len({first, second, third}) == 3
    assert world.receive(push(before=NEWER), "dlv_0a1b_4") == IN_THE_WAY


def test_a_delivery_that_comes_again_makes_nothing_whatever_became_of_its_build() -> None:
    world = world_of()
    first = world.push()
    assert world.receive(merge_request(), "dlv_0a1b_2") == IN_THE_WAY
    cancel(world, first)
    assert world.receive(push()) == ([first], [])
    assert world.receive(merge_request(), "dlv_0a1b_2") == IN_THE_WAY
    [second], _ = world.receive(push(before=NEWER), "dlv_0a1b_3")
    cancel(world, second)
    [third], _ = world.receive(push(before=NEWER), "dlv_0a1b_4")
    found = [world.receive(push(before=NEWER), f"dlv_0a1b_{number}")[0] for number in (1, 3, 4)]
    assert found == [[first], [second], [third]]
    assert len(by_number(world)) == 3


def test_a_branch_that_is_made_and_deleted_twice_is_built_and_torn_down_twice() -> None:
    world = world_of(on_branch_delete=True)
    found = []
    for life in (1, 2):
        for name, event in (("made", push(before=ZERO)), ("gone", gone())):
            build_ids, reasons = world.receive(event, f"dlv_0a1b_{name}{life}")
            found += build_ids
            assert reasons == []
            world.work()
            world.call("PATCH", f"/v1/builds/{build_ids[0]}", {"status": "success"})
    assert len(set(found)) == 4
    assert [build.deletes_ref for build in by_number(world)] == [False, True, False, True]
    for number, name in enumerate(("made1", "gone1", "made2", "gone2")):
        event = push(before=ZERO) if name.startswith("made") else gone()
        assert world.receive(event, f"dlv_0a1b_{name}")[0] == [found[number]], "a delivery that comes twice"
    for event in (gone(), push(before=NEWER)):
        # The branch is gone: its end was told already by another hook, its commit may come back.
        assert len(world.receive(event, "dlv_0a1b_other")[0]) == (0 if event.deletes_ref else 1)


def test_the_end_of_a_branch_that_two_hooks_tell_of_is_built_once() -> None:
    world = world_of(on_branch_delete=True)
    world.push()
    assert len(world.receive(gone(), "dlv_0a1b_2")[0]) == 1
    assert world.receive(gone(), "dlv_0a1b_3") == IN_THE_WAY


def test_a_tag_that_is_deleted_and_made_again_is_built_again() -> None:
    world = world_of()
    [first], _ = world.receive(push(kind="tag_push", ref="v1", before=ZERO), "dlv_0a1b_1")
    assert world.receive(gone(kind="tag_push", ref="v1"), "dlv_0a1b_2")[0] == []
    [again], _ = world.receive(push(kind="tag_push", ref="v1", before=ZERO), "dlv_0a1b_3")
    assert first != again


def test_the_end_of_a_tag_is_not_the_end_of_the_branch_of_its_name() -> None:
    world = world_of()
    world.push(ref="v1")
    world.receive(gone(kind="tag_push", ref="v1"), "dlv_0a1b_2")
    assert world.receive(push(ref="v1", before=NEWER), "dlv_0a1b_3") == IN_THE_WAY


def test_an_end_that_is_told_of_late_counts_for_what_was_built_before_it_only() -> None:
    world = world_of()
    world.push()
    world.receive(gone(), "dlv_0a1b_2")
    [restored], _ = world.receive(push(before=ZERO), "dlv_0a1b_3")
    world.receive(gone(), "dlv_0a1b_2")
    assert world.receive(push(before=NEWER), "dlv_0a1b_4") == IN_THE_WAY
    assert world.build(restored).status is BuildStatus.PENDING


def test_a_late_merge_request_event_of_a_superseded_push_builds_nothing_and_cancels_nothing() -> None:
    world = world_of(cancel_previous=True)
    world.receive(push(SHA, before="d" * 40), "dlv_0a1b_1")
    [newest], _ = world.receive(push(NEWER, before=SHA), "dlv_0a1b_2")
    world.work()
    assert world.receive(updated(SHA, oldrev="d" * 40), "dlv_0a1b_3") == IN_THE_WAY
    assert world.receive(updated(NEWER, oldrev=SHA), "dlv_0a1b_4") == IN_THE_WAY
    world.work()
    assert world.build(newest).status is BuildStatus.RUNNING


def test_an_update_without_code_does_not_undo_what_a_person_cancelled() -> None:
    world = world_of()
    cancel(world, world.push())
    assert world.receive(updated(SHA, labels=("ci",)), "dlv_0a1b_2") == IN_THE_WAY
    assert len(world.receive(merge_request(), "dlv_0a1b_3")[0]) == 1, "opened: somebody wants it"


def test_an_update_without_code_has_a_superseded_head_built() -> None:
    world = world_of(cancel_previous=True)
    world.push()
    world.push(NEWER, delivery="dlv_0a1b_2")
    world.work()
    # The branch was set back while the merge request had not the label that builds.
    assert len(world.receive(updated(SHA, labels=("ci",)), "dlv_0a1b_3")[0]) == 1


def test_what_the_release_before_superseded_is_known_by_its_words() -> None:
    world = world_of(cancel_previous=True)
    old = world.push()
    world.push(NEWER, delivery="dlv_0a1b_2")
    world.work()
    row = world.rows.get(f"BUILD#{old}", "BUILD")
    assert row is not None
    world.rows.put({name: value for name, value in row.items() if name not in {"superseded", "before", "ref_kind"}})
    assert len(world.receive(updated(SHA, labels=("ci",)), "dlv_0a1b_3")[0]) == 1


def test_a_claim_remembers_the_newest_deliveries_it_turned_away() -> None:
    world = world_of()
    first = world.push()
    for number in range(MAX_REJECTED + 1):
        assert world.receive(merge_request(), f"dlv_0a1b_mr{number}") == IN_THE_WAY
    row = world.rows.get(f"BUILD#{first}", "CLAIM")
    assert row is not None
    assert row["heard"] == [f"dlv_0a1b_mr{number}" for number in range(1, MAX_REJECTED + 1)]


def test_a_claim_that_outlived_its_first_build_says_nothing_about_the_next_one() -> None:
    world = world_of()
    first = world.push()
    cancel(world, first)
    [second], _ = world.receive(push(before=NEWER), "dlv_0a1b_2")
    world.rows.delete(f"BUILD#{first}", "BUILD")
    assert world.receive(push(before=NEWER), "dlv_0a1b_3") == ([first], [])
    assert world.receive(push(before=NEWER), "dlv_0a1b_4") == IN_THE_WAY
    cancel(world, first)
    [fourth], _ = world.receive(push(before=NEWER), "dlv_0a1b_5")
    assert fourth not in {first, second}


def test_a_merge_request_that_is_retargeted_into_a_wanted_branch_builds_once() -> None:
    body = json.loads((FIELD / "merge_request__retargeted.json").read_bytes())
    world = world_of(project_id=body["project"]["id"], merge_requests=MergeRequestRules(target_branches=("main",)))
    opened = json.loads(json.dumps(body))
    opened["object_attributes"] |= {"action": "open", "target_branch": "develop"}
    assert world.receive(parse("Merge Request Hook", opened), "dlv_0a1b_1")[0] == []
    assert len(world.receive(parse("Merge Request Hook", body), "dlv_0a1b_2")[0]) == 1
    assert world.receive(parse("Merge Request Hook", body | {"changes": {}}), "dlv_0a1b_3") == IN_THE_WAY
