"""How fast questions about effective access are answered, and what they read."""

from collections.abc import Mapping
from typing import Any

from benchmarks.children import answer_of, dynamo
from benchmarks.starts import ENVIRONMENT
from benchmarks.tables import table

Answers = Mapping[str, Mapping[str, float]]
"""Question → p50 and p95 in milliseconds, requests and items of one answer."""

ONE_READ = "one read"
COLUMNS = ("question", "p50 ms", "p95 ms", "requests", "items read", "floor ms", "ratio")


def answered(*, quick: bool) -> Answers:
    """Ask over the estate, or over a tenth of it."""
    share, times = (0.1, 20) if quick else (1.0, 100)
    with dynamo() as store:
        found: Any = answer_of(
            "benchmarks.effective_worker", str(share), str(times), AWS_ENDPOINT_URL=store.endpoint, **ENVIRONMENT
        )
    return dict(found)


def answers_table(answers: Answers) -> str:
    """One row for every question; the floor is its requests, each as fast as one read of the table was."""
    single = answers[ONE_READ]["p50"]
    rows = []
    for question, told in answers.items():
        floor = single * max(1.0, told["requests"])
        figures = (told["p50"], told["p95"], told["requests"], told["items"], floor)
        rows.append([question, *(f"{figure:,.1f}" for figure in figures), f"{told['p50'] / floor:.2f}"])
    return table(COLUMNS, rows)
