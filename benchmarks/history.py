"""How long a snapshot of the access history and the files made of it take, and how much memory."""

from collections.abc import Mapping
from typing import Any

from benchmarks.children import answer_of, dynamo
from benchmarks.starts import ENVIRONMENT
from benchmarks.tables import table

Steps = Mapping[str, Mapping[str, float]]
"""Step → seconds, those of the processor, MB in the bucket, MB of memory taken at most beyond what was in use, rows."""

COLUMNS = ("step", "seconds", "CPU seconds", "MB", "peak memory MB", "rows")


def kept(*, quick: bool) -> Steps:
    """Keep the estate, or a tenth of it, and make every file, each in a process of its own."""
    share, found = (0.1 if quick else 1.0), dict[str, Any]()
    with dynamo() as store:
        told = {"AWS_ENDPOINT_URL": store.endpoint, **ENVIRONMENT}
        folder = answer_of("benchmarks.history_worker", "store", str(share), **told)
        for step in ("snapshot", "access-review.csv", "one group", "population.csv"):
            found[step] = answer_of("benchmarks.history_worker", step, folder, **told)
    return found


def kept_table(steps: Steps) -> str:
    """One row for every step."""
    rows = [
        [
            step,
            f"{told['seconds']:.1f}",
            f"{told['cpu']:.1f}",
            f"{told['mb']:.1f}",
            f"{told['peak']:.0f}",
            f"{told['rows']:,.0f}",
        ]
        for step, told in steps.items()
    ]
    return table(COLUMNS, rows)
