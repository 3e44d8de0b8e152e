"""What the tables of figures and exports say."""

from benchmarks.analytics import Analytics, analytics_tables


def test_every_question_and_every_format_has_a_row() -> None:
    told = {"p50": 10.0, "p95": 12.4, "cpu": 3.0, "requests": 5, "items": 1_130}
    made = {"seconds": 61.26, "cpu": 50.0, "mb": 3.0, "peak": 147.8, "rows": 50_000, "files": 1_550}
    found = Analytics(jobs=50_000, adding_up=0.04, answers={"summary": told}, exports={"csv": made})
    answers, exports = (
        [cell.strip() for cell in one.splitlines()[2].strip("|").split("|")] for one in analytics_tables(found)
    )
    assert answers == ["summary", "10", "12", "3", "5", "1,130"]
    assert exports == ["csv", "50,000", "61.3", "50.0", "1,550", "3.0", "148"]
