import pytest

from gitlab_hub.gitlab.calls import page_too_large, pause
from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    HostNotAllowed,
    HostUnreachable,
    Interrupted,
    NotGitLab,
    RateLimited,
    ResourceNotFound,
    TlsError,
    Unavailable,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.options import ClientOptions


def wait(error: GitLabError, *, failures: int = 1, left: float = 20.0, draw: float = 1.0) -> float | None:
    return pause(error, failures=failures, left=left, draw=draw, options=ClientOptions())


@pytest.mark.parametrize("kind", [HostUnreachable, Interrupted, Unavailable])
def test_what_may_pass_is_tried_three_times_in_all(kind: type[GitLabError]) -> None:
    assert [wait(kind("x"), failures=failures) for failures in (1, 2, 3)] == [0.5, 1.0, None]


@pytest.mark.parametrize("kind", [Forbidden, HostNotAllowed, ResourceNotFound, NotGitLab, TlsError, UnexpectedResponse])
def test_what_will_not_pass_is_not_tried_again(kind: type[GitLabError]) -> None:
    assert wait(kind("x")) is None


def test_the_pause_is_drawn_from_its_whole_span() -> None:
    assert (wait(Unavailable("x"), draw=0.0), wait(Unavailable("x"), draw=0.5)) == (0.0, 0.25)


def test_the_wait_that_gitlab_asks_for_comes_on_top_and_a_long_one_is_the_callers() -> None:
    assert wait(RateLimited("x", retry_after=5), draw=0.5) == 5.25
    assert wait(RateLimited("x", retry_after=6)) is None
    assert wait(Unavailable("x", retry_after=30)) is None


def test_there_is_no_pause_beyond_the_deadline() -> None:
    assert wait(Unavailable("x"), left=0.5) is None
    assert wait(RateLimited("x", retry_after=4), left=3.0) is None
    assert wait(Unavailable("x"), left=-1.0, draw=0.0) is None


def test_only_an_overloaded_gitlab_gets_smaller_pages() -> None:
    heavy = {
        status for status in (429, 500, 501, 502, 503, 504) if page_too_large(Unavailable("x", http_status=status))
    }
    assert heavy == {500, 502, 504}
