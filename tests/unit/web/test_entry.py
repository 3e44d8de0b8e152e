from math import inf

from gitlab_hub.web.entry import set_context, time_left
from tests.fakes.events import Context


def test_outside_of_an_invocation_there_is_no_end() -> None:
    set_context(None)
    assert time_left() == inf


def test_it_is_the_time_of_the_invocation_that_began_last() -> None:
    set_context(Context(left_ms=90_000))
    set_context(Context(left_ms=4_500))
    assert time_left() == 4.5
    set_context(None)
