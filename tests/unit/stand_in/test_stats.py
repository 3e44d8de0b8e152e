"""What the stand-in counts of the requests it gets."""

from stand_in_gitlab.control.stats import Stats


def test_a_request_counts_where_it_came_in() -> None:
    stats = Stats()
    early = stats.begin()
    stats.reset()
    late = stats.begin()
    stats.end(early, "GET /user", "1", "GET /user", 200, "slow")
    assert (stats.report()["requests"], stats.report()["in_flight"]) == (0, 1)
    stats.end(late, "GET /user", "1", "GET /user", 200, None)
    report = stats.report()
    assert (report["requests"], report["in_flight"], report["in_flight_max"], report["by_fault"]) == (1, 0, 1, {})
