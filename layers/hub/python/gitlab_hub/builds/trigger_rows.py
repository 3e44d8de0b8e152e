"""Triggers as table rows, and back."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from gitlab_hub.builds.model import Globs, MergeRequestRules, ReportStatus, Trigger
from gitlab_hub.storage.table import Item

SCHEMA_VERSION = 1
TRIGGER = "TRIGGER#"
HEAD = "TRIGGERS"
"""One row per integration that changes with each of its triggers: how many there are, and in which edition."""

_BEYOND = "beyond"
_KEY = frozenset({"pk", "sk", "schema_version"})
_GLOBS = ("branches", "tags", "paths")


def partition(integration_id: str) -> str:
    """Where an integration's triggers lie."""
    return f"INTEGRATION#{integration_id}"


def trigger_item(trigger: Trigger) -> Item:
    """Spell a trigger."""
    values: Item = _plain(asdict(trigger))
    key = {"pk": partition(values.pop("integration_id")), "sk": TRIGGER + values.pop("id")}
    # A later release's rows stay its own.
    beyond: Item = values.pop(_BEYOND)
    return key | {"schema_version": SCHEMA_VERSION} | values | beyond


def trigger_of(item: Mapping[str, Any]) -> Trigger:
    """Read a trigger; attributes of a later release are left alone, and kept."""
    known = _known(Trigger, item)
    later = {"schema_version": item["schema_version"]} if item["schema_version"] > SCHEMA_VERSION else {}
    rest = {
        "id": str(item["sk"]).removeprefix(TRIGGER),
        "integration_id": str(item["pk"]).partition("#")[2],
        "events": tuple(item["events"]),
        _BEYOND: {name: value for name, value in item.items() if name not in known.keys() | _KEY} | later,
        "merge_requests": MergeRequestRules(**_known(MergeRequestRules, item["merge_requests"])),
        "report_status": ReportStatus(**_known(ReportStatus, item["report_status"])),
    } | {name: Globs(**_known(Globs, item[name])) for name in _GLOBS}
    return Trigger(**(known | rest))


def head_item(integration_id: str, *, edition: int, count: int) -> Item:
    """Spell the row that changes with every trigger."""
    key = {"pk": partition(integration_id), "sk": HEAD, "schema_version": SCHEMA_VERSION}
    return key | {"edition": edition, "count": count}


def _known(kind: Any, item: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in item.items() if name in names}


def _plain(value: Any) -> Any:
    """Lists and dictionaries instead of tuples and other mappings: what a table holds."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value
