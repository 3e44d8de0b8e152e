"""The two limiters, each with its own manners."""

from typing import Any

from stand_in_gitlab.control.limits import TOO_OFTEN, Limits


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 600.0

    def __call__(self) -> float:
        return self.now


def limits(watch: Watch, **settings: Any) -> Limits:
    made = Limits(watch)
    made.configure(settings.get("general"), settings.get("endpoints", []))
    return made


def test_off_until_configured() -> None:
    assert Limits(Watch()).check("1", "/api/v4/user", 0) == ({}, None)


def test_the_general_limiter_counts_down_in_headers() -> None:
    watch = Watch()
    made = limits(watch, general={"limit": 2, "period": 60})
    headers, refusal = made.check("1", "/api/v4/user", server_now=5_000)
    assert refusal is None
    assert headers == {
        "RateLimit-Limit": "2",
        "RateLimit-Name": "throttle_authenticated_api",
        "RateLimit-Observed": "1",
        "RateLimit-Remaining": "1",
        "RateLimit-Reset": "5061",
    }


def test_all_answers_of_a_window_name_the_same_end_also_while_the_clock_stands_still() -> None:
    watch = Watch()
    watch.now = 59.0
    made = limits(watch, general={"limit": 9, "period": 60})
    ends = []
    for pause in (0, 20, 39, 1):
        watch.now += pause
        ends.append(made.check("1", "/api/v4/user", server_now=5_000)[0]["RateLimit-Reset"])
    assert ends == ["5061"] * 4


def test_the_general_limiter_refuses_in_plain_text_until_its_window_ends() -> None:
    watch = Watch()
    made = limits(watch, general={"limit": 1, "period": 60})
    made.check("1", "/", 0)
    watch.now += 20
    _, refusal = made.check("1", "/", 0)
    assert refusal is not None
    assert (refusal.status, refusal.body, refusal.content_type) == (429, b"Retry later\n", "text/plain")
    assert refusal.headers["Retry-After"] == "41"
    assert made.check("2", "/", 0)[1] is None
    watch.now += 40
    assert made.check("1", "/", 0)[1] is None


def test_the_endpoint_limiter_says_nothing_about_when() -> None:
    made = limits(Watch(), endpoints=[{"path": r"/projects/\d+$", "limit": 1, "period": 60}])
    assert made.check("1", "/api/v4/projects/1", 0) == ({}, None)
    headers, refusal = made.check("1", "/api/v4/projects/2", 0)
    assert headers == {}
    assert refusal is not None
    assert (refusal.status, refusal.headers) == (429, {})
    assert str(TOO_OFTEN["message"]["error"]).encode() in refusal.body
    assert made.check("1", "/api/v4/projects", 0)[1] is None
