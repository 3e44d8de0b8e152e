"""What the table of hours says of syncs."""

from benchmarks.cases import Case
from benchmarks.pipeline_hours import Hour, hours_table
from benchmarks.syncs import Figures

CASE = Case(users=1, groups=1, projects=200, latency_ms=50, by_rest=True)


def figures(requests: int, written: int) -> Figures:
    """One sync."""
    return Figures(
        case=CASE, sync="run", wall=2.0, cpu=0.5, peak_mib=80, start_mib=70, slices=1, requests=requests, rows=0,
        floor=1.0, data={"items_written": written, "write_units": 3 * written, "read_units": 7},
        control={"write_units": 2},
    )  # fmt: skip


def test_what_is_asked_for_new_pipelines_is_what_an_idle_hour_does_not_ask() -> None:
    hour = Hour(case=CASE, idle=[figures(10, 0)] * 2, active=[figures(40, 5)] * 2, pipelines=12)
    _, _, idle, active = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in hours_table([hour]).split("\n")
    )
    assert idle == ["REST", "200", "2", "0", "0", "20", "0.60", "", "1.0", "0", "0", "14", "4"]
    assert active == ["REST", "200", "2", "2", "12", "80", "", "5.0", "1.0", "10", "30", "14", "4"]
