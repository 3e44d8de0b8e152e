"""What was measured, read back from results.md: the costs are worked out from these figures, not from others."""

from pathlib import Path

RESULTS = Path(__file__).parent / "results.md"
Row = dict[str, str]


def rows(title: str) -> list[Row]:
    """The first table below a heading, one mapping for each row. Raises ValueError where there is no such heading."""
    _, found, text = RESULTS.read_text().partition(f"\n## {title}\n")
    if not found:
        raise ValueError(f"results.md has no section “{title}”")
    lines = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("|")]
    head, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(head, cells, strict=True)) for cells in body]


def number(row: Row, column: str) -> float:
    """A figure of a row."""
    return float(row[column].replace(",", ""))


def sync(kind: str, *, projects: str = "1,000", gitlab_ms: str = "50") -> Row:
    """The figures of one sync, `access, second`, at so many projects and such a GitLab.

    Its units were counted later, on a machine too busy to take the time: the seconds grow with the requests.
    """
    timed = [row for row in rows("Syncs") if (row["projects"], row["GitLab ms"]) == (projects, gitlab_ms)]
    found, counted = ({row["sync"]: row for row in table}[kind] for table in (timed, rows("Units of the syncs")))
    seconds = number(found, "wall s") * number(counted, "requests") / number(found, "requests")
    return {**counted, "wall s": f"{seconds:.1f}"}
