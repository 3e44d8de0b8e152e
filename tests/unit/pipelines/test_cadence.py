"""How often a project is asked where nothing happens in it."""

from dataclasses import replace

import pytest

from gitlab_hub.pipelines.cadence import ACTIVE_SECONDS, LONGEST_REST_SECONDS, next_look
from gitlab_hub.pipelines.projects import ReadState

NOW, DAY = 1_790_000_000, 86_400


@pytest.mark.parametrize(
    ("idle", "rest"),
    [
        (0, None),
        (ACTIVE_SECONDS - 1, None),
        (ACTIVE_SECONDS, 450),
        (DAY // 2, 10_800),
        (3 * DAY, LONGEST_REST_SECONDS),
        (900 * DAY, LONGEST_REST_SECONDS),
        (-DAY, None),
    ],
)
def test_the_longer_nothing_happens_the_rarer_it_is_asked(idle: int, rest: int | None) -> None:
    assert next_look(looked_at=NOW, active_at=NOW - idle) == (None if rest is None else NOW + rest)


@pytest.mark.parametrize(("looked_at", "active_at"), [(None, NOW), (NOW, None), (None, None)])
def test_one_of_which_nothing_is_known_is_asked(looked_at: int | None, active_at: int | None) -> None:
    assert next_look(looked_at=looked_at, active_at=active_at) is None


def test_a_look_is_noted_where_nothing_has_happened_lately() -> None:
    state = ReadState().with_look((NOW - 3 * DAY) * 1000, NOW)
    assert (state.active_at, state.looked_at) == (NOW - 3 * DAY, NOW)
    assert (state.rests(NOW), state.rests(NOW + LONGEST_REST_SECONDS)) == (True, False)
    assert not state.rests(NOW - 1), "clocks are set back"
    assert not replace(state, error="invalid_permissions").rests(NOW), "one that could not be read"
    quiet = state.with_look(None, NOW + LONGEST_REST_SECONDS)
    assert (quiet.active_at, quiet.looked_at) == (NOW - 3 * DAY, NOW + LONGEST_REST_SECONDS)
    busy = quiet.with_look((NOW + DAY) * 1000, NOW + DAY)
    assert (busy.active_at, busy.looked_at, busy.rests(NOW + DAY)) == (NOW + DAY, None, False)


def test_a_project_without_pipelines_counts_from_the_first_look() -> None:
    state = ReadState().with_look(None, NOW)
    assert (state.active_at, state.rests(NOW)) == (NOW, False)
    assert state.with_look(None, NOW + DAY).rests(NOW + DAY)
