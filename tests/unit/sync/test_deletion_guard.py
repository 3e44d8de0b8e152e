"""When a listing is to be doubted rather than believed."""

import pytest

from gitlab_hub.sync.deletion_guard import DeletionTally, exceeds_limit, is_suspicious, is_suspicious_scope


@pytest.mark.parametrize(
    ("stored", "missing", "suspicious"),
    [
        (0, 0, False),
        (5, 0, False),
        (5, 5, True),
        (1, 1, True),
        (3, 1, False),
        (5, 3, True),
        (10, 3, False),
        (10, 4, True),
        (1000, 300, False),
        (1000, 301, True),
    ],
)
def test_more_than_thirty_percent_or_all(stored: int, missing: int, suspicious: bool) -> None:
    assert is_suspicious(DeletionTally(stored, missing)) is suspicious


@pytest.mark.parametrize(("stored", "missing", "suspicious"), [(9, 9, False), (10, 10, True), (10, 3, False)])
def test_a_small_scope_is_judged_only_with_its_dataset(stored: int, missing: int, suspicious: bool) -> None:
    assert is_suspicious_scope(DeletionTally(stored, missing)) is suspicious


def test_one_doubtful_scope_makes_its_dataset_wait() -> None:
    assert exceeds_limit({"grants": DeletionTally(1000, 12)}, {"grants": 12}, {}) == {"grants": 12}


def test_what_an_owner_accepted_goes_but_not_more() -> None:
    tallies = {"accounts": DeletionTally(10, 6)}
    assert exceeds_limit(tallies, {}, {"accounts": 6}) == {}
    assert exceeds_limit(tallies, {}, {"accounts": 5}) == {"accounts": 6}
