"""What was measured, read back from results.md: the costs are worked out from these figures, not from others."""

from pathlib import Path

RESULTS = Path(__file__).parent / "results.md"
Row = dict[str, str]


def rows(title: str, *, place: int = 0) -> list[Row]:
    """A table below a heading, by default the first: a mapping for each row. Raises ValueError where there is none."""
    _, found, text = RESULTS.read_text().partition(f"\n## {title}\n")
    if not found:
        raise ValueError(f"results.md has no section “{title}”")
    tables = [part for part in text.partition("\n## ")[0].split("\n\n") if part.lstrip().startswith("|")]
    lines = tables[place].strip().splitlines()
    head, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(head, cells, strict=True)) for cells in body]


def number(row: Row, column: str) -> float:
    """A figure of a row."""
    return float(row[column].replace(",", ""))


PIPELINES = "Pipelines by GraphQL and by REST"


def sync(kind: str, *, gitlab_ms: str = "50") -> Row:
    """The figures of one sync, `access, second`, of 1,000 projects by GraphQL at such a GitLab.

    Rows of an access sync are the same whichever way they are read: their units were counted with REST.
    """
    title, way = (
        (PIPELINES, "pipelines by")
        if kind.startswith("pipelines")
        else ("Members by GraphQL and by REST", "members by")
    )
    (found,) = [row for row in rows(title) if (row["GitLab ms"], row[way], row["sync"]) == (gitlab_ms, "GraphQL", kind)]
    units = {row["sync"]: row for row in rows("Units of the syncs")}
    return {**units.get(kind, {}), **found}


def hours() -> tuple[Row, Row]:
    """The hour of pipelines syncs in which nothing happened, and the one with some projects at work."""
    idle, active = (row for row in rows(PIPELINES, place=1) if row["pipelines by"] == "GraphQL, deployments too")
    return idle, active


def idle_run() -> Row:
    """One pipelines sync that finds nothing new."""
    idle, _ = hours()
    names = ("requests", "CPU s", "write units", "read units", "control units")
    return {name: f"{number(idle, name) / number(idle, 'runs'):.2f}" for name in names}
