"""What the hub found, as tables a person can read."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from rich.columns import Columns
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.demo.hub import Hub

Row = dict[str, Any]
RISKIEST = 5


def show(console: Console, hub: Hub, integration_id: str, kinds: dict[str, Any]) -> None:
    """Read everything back through the API and print it."""
    accounts = list(hub.all(integration_id, "accounts"))
    pipelines = list(hub.all(integration_id, "pipelines"))
    grants = list(hub.all(integration_id, "grants", view="direct"))
    jobs = list(hub.all(integration_id, "jobs"))
    console.print(
        Columns(
            [
                _crossed("Accounts", accounts, "kind", "status"),
                _counted("Grants by role", grants, "role"),
                _counted("Pipelines by status", pipelines, "status"),
                _counted("Jobs by status (all attempts)", jobs, "status"),
                _listed("Resources", _resources(hub, integration_id)),
            ],
            padding=(0, 3),
        )
    )
    console.print(_syncs(kinds))
    _explain(console, hub, integration_id)
    console.print(riskiest(list(hub.all(integration_id, "gitlab-credentials"))))


def riskiest(credentials: list[Row]) -> Table:
    """The tokens and keys with the most risks."""
    title = f"The riskiest of {len(credentials)} tokens and keys: GET …/gitlab-credentials"
    table = Table("kind", "name", "of", "risks", title=title, title_justify="left")
    for row in sorted(credentials, key=lambda row: (-len(row["risks"]), row["kind"], row["id"]))[:RISKIEST]:
        of = (row["resource"] or {}).get("full_path") or row["username"] or ""
        table.add_row(row["kind"], escape(row["name"]), of, ", ".join(row["risks"]))
    return table


def _explain(console: Console, hub: Hub, integration_id: str) -> None:
    """Explain the access with the most steps among the first hundreds, which nobody would have guessed."""
    path = f"/v1/integrations/{integration_id}/grants"
    rows = hub.call("GET", path, query={"view": "effective", "kind": "shared", "limit": 200})["grants"]
    if not rows:
        return
    row = max(rows, key=lambda row: (len(row["path"]), row["access_level"]))
    wanted = {"account_id": row["account_id"], f"{row['resource']['type']}_id": row["resource"]["id"]}
    answer = hub.call("GET", f"/v1/integrations/{integration_id}/explain", query=wanted)
    asked = f"explain?username={answer['account']['username']}&path={answer['resource']['full_path']}"
    table = Table("way", "level", "from", title=f"Why? GET …/{asked}", title_justify="left", caption=answer["sentence"])
    for way in answer["paths"]:
        steps = " → ".join(f"{edge['full_path']} ({edge['level']})" for edge in way["edges"])
        table.add_row(way["kind"], f"{way['level']} {way['role']}", steps)
    console.print(table)


def _resources(hub: Hub, integration_id: str) -> dict[str, int]:
    projects = list(hub.all(integration_id, "projects"))
    return {
        "groups": sum(1 for _ in hub.all(integration_id, "groups")),
        "projects": len(projects),
        "of them archived": sum(project["archived"] is True for project in projects),
    }


def _syncs(kinds: dict[str, Any]) -> Table:
    columns = ("sync", "status", "seconds", "requests", "rows read", "rows written")
    table = Table(*columns, title="Syncs", title_justify="left")
    for kind, state in kinds.items():
        counts = state["counts"]
        seconds = state["finished_at"] - state["started_at"]
        figures = (seconds, *(counts.get(name, 0) for name in ("requests", "rows_read", "rows_written")))
        table.add_row(kind, state["status"], *(f"{figure:,}" for figure in figures))
        if state["last_error"]:
            table.add_row("", f"{state['last_error']['code']}: {state['last_error']['hint']}")
    return table


def _crossed(title: str, rows: Iterable[Row], down: str, across: str) -> Table:
    counts = Counter((row[down], row[across]) for row in rows)
    names = sorted({name for _, name in counts})
    table = Table(down, *names, "all", title=title, title_justify="left")
    for kind in sorted({kind for kind, _ in counts}):
        figures = [counts[kind, name] for name in names]
        table.add_row(kind, *(str(figure or "") for figure in figures), str(sum(figures)))
    table.add_section()
    sums = [sum(count for (_, name), count in counts.items() if name == column) for column in names]
    table.add_row("all", *(str(figure) for figure in sums), str(sum(sums)))
    return table


def _counted(title: str, rows: Iterable[Row], field: str) -> Table:
    counts = Counter(str(row[field]) for row in rows)
    return _listed(title, {**dict(counts.most_common()), "all": sum(counts.values())})


def _listed(title: str, figures: dict[str, int]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, figure in figures.items():
        table.add_row(name, f"{figure:,}")
    return table
