"""Golden histories of one environment, counted by hand."""

import pytest

from gitlab_hub.pipelines.deployments.changes import LOOK_BACK, Change, Ended, changes

HOUR = 3_600


def history(*steps: tuple[float, str, str]) -> list[Ended]:
    """Deployments by when they ended (hours), their commit and their status; ids count from 1."""
    return [
        Ended(id=number, environment_id=4, sha=sha, status=status, at=int(at * HOUR))
        for number, (at, sha, status) in enumerate(steps, 1)
    ]


def told(found: list[Change]) -> list[tuple[int, bool, float | None]]:
    """The changes by id: whether they failed, and after how many hours they were restored."""
    return [(one.id, one.failed, None if one.restored_after is None else one.restored_after / HOUR) for one in found]


@pytest.mark.parametrize(("steps", "expected"), [
    ((), []),
    (((1, "a", "failed"),), []),
    (((1, "a", "success"), (2, "b", "success")), [(1, False, None), (2, False, None)]),
    # The same commit once more is the same change, even where another try of it failed before.
    (((1, "a", "success"), (2, "a", "success"), (3, "b", "success")), [(1, False, None), (3, False, None)]),
    (((1, "a", "success"), (2, "a", "failed"), (3, "a", "success")), [(1, True, 1.0)]),
    # A failure: since it ended, until the next that succeeds.
    (((1, "a", "success"), (2, "b", "failed"), (3, "b", "failed"), (5, "b", "success")),
     [(1, True, 3.0), (4, False, None)]),
    (((1, "a", "success"), (2, "b", "failed")), [(1, True, None)]),
    # A rollback: since the change, until it.
    (((1, "a", "success"), (4, "b", "success"), (6, "a", "success"), (9, "c", "success")),
     [(1, False, None), (2, True, 2.0), (4, False, None)]),
    # A failure, then a rollback: what the change broke was told already.
    (((1, "a", "success"), (4, "b", "success"), (5, "c", "failed"), (6, "a", "success")),
     [(1, False, None), (2, True, 1.0)]),
    # Forward again to what was rolled back is no change: it has been there.
    (((1, "a", "success"), (2, "b", "success"), (3, "a", "success"), (4, "b", "success")),
     [(1, False, None), (2, True, 1.0)]),
    (((1, "a", "success"), (2, "b", "canceled"), (3, "c", "success")), [(1, False, None), (3, False, None)]),
])  # fmt: skip
def test_what_a_history_comes_to(
    steps: tuple[tuple[float, str, str], ...], expected: list[tuple[int, bool, float | None]]
) -> None:
    assert told(changes([one for one in history(*steps) if one.status != "canceled"])) == expected


def test_they_are_told_in_the_order_of_their_ends() -> None:
    mixed = history((3, "c", "failed"), (1, "a", "success"), (4, "d", "success"))
    assert told(changes(mixed)) == [(2, True, 1.0), (3, False, None)]


def test_what_lies_far_apart_has_nothing_to_do_with_each_other() -> None:
    far = LOOK_BACK / HOUR + 1
    assert told(changes(history((1, "a", "success"), (1 + far, "a", "success")))) == [
        (1, False, None),
        (2, False, None),
    ]
    assert told(changes(history((1, "a", "success"), (1 + far, "b", "failed")))) == [(1, False, None)]
    assert told(changes(history((1, "a", "success"), (2, "b", "failed"), (2 + far, "b", "success")))) == [
        (1, True, None),
        (3, False, None),
    ]


def test_lead_times_are_those_of_what_was_merged_before() -> None:
    one = Ended(id=2, environment_id=4, sha="b", status="success", at=1_000, merged=[400, 900, 1_001])
    (found,) = changes([one])
    assert found.lead_times == [100, 600]
    (first,) = changes([one], first=2)
    assert (first.is_first, first.lead_times) == (True, None)
    (unknown,) = changes([Ended(id=3, environment_id=4, sha="b", status="success", at=1_000)])
    assert unknown.lead_times is None
