"""What others need of exports: where they lie in the table of integrations and the bucket, and how one is begun."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from gitlab_hub.storage.due import DueRows

if TYPE_CHECKING:
    from gitlab_hub.storage.ports import Function, Table


def exports_pk(integration_id: str) -> str:
    """The partition of an integration's exports."""
    return f"EXPORTS#{integration_id}"


def files_pk(integration_id: str) -> str:
    """The partition of their files."""
    return f"EXPORT_FILES#{integration_id}"


def partitions(integration_id: str) -> list[str]:
    """Every partition that holds something of an integration."""
    return [files_pk(integration_id), exports_pk(integration_id)]


def prefix_of(integration_id: str, export_id: str = "") -> str:
    """The beginning of the keys of all objects of an export, or of all exports of an integration."""
    return f"exports/{integration_id}/" + (f"{export_id}/" if export_id else "")


def due_exports(table: "Table") -> DueRows:
    """The exports that a worker is to look at."""
    return DueRows(table, "exports")


def start_where_due(table: "Table", exporter: "Function", now: Callable[[], float]) -> None:
    """Start the exporter if there is something for it (blocking). Raises QueueUnavailable."""
    if next(due_exports(table).pages(int(now())), None):
        exporter.start()
