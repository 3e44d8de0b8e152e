"""Access, changed: planned, applied, told of in the feed, and taken back."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.demo.hub import Hub
from local.demo.steps import steps
from local.problems import Problem

PATIENCE = 60.0
DEVELOPER = 30
T = TypeVar("T")


class AccessChange:
    """A grant to somebody who has none in a project, as an owner of the hub makes it."""

    def __init__(self, hub: Hub, integration_id: str) -> None:
        self._hub, self._one = hub, f"/v1/integrations/{integration_id}"
        self._integration_id = integration_id

    def plan(self) -> dict[str, Any]:
        """Plan to give the first person without any access to the first project the role Developer there."""
        project = next(row for row in self._hub.all(self._integration_id, "projects") if not row["archived"])
        filters: dict[str, str | int] = {"project_id": project["id"], "view": "effective"}
        known = {row["account_id"] for row in self._hub.all(self._integration_id, "grants", **filters)}
        people = self._hub.all(self._integration_id, "accounts", kind="human", status="active")
        person = next(row for row in people if row["id"] not in known)
        operation = {
            "op": "grant",
            "account_id": person["id"],
            "resource": {"type": "project", "id": project["id"]},
            "access_level": DEVELOPER,
        }
        body = {"operations": [operation], "note": "Shown by the demo"}
        plan: dict[str, Any] = self._hub.call("POST", f"{self._one}/plans", body)["plan"]
        return plan

    def apply(self, plan: dict[str, Any]) -> dict[str, Any]:
        """Apply a plan as it was shown, and wait until it is done."""
        path = f"{self._one}/plans/{plan['id']}"
        self._hub.call("POST", f"{path}/apply", {"hash": plan["hash"]}, expected=(202,))

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self._hub.call("GET", path)["plan"]
            return None if found["status"] == "applying" else found

        done = until(look)
        if done["status"] != "applied":
            raise Problem(f"the plan {plan['id']} was not applied: {done['summary']}")
        return done

    def told(self, plan: dict[str, Any]) -> dict[str, Any]:
        """What the feed of changes says of it."""
        account_id = plan["operations"][0]["account_id"]

        def look() -> dict[str, Any] | None:
            changes = self._hub.all(self._integration_id, "changes", account_id=account_id)
            return next((row for row in changes if row["by"] == "hub"), None)

        return until(look)

    def undo(self, plan: dict[str, Any]) -> dict[str, Any]:
        """Plan to take a plan back, and do so."""
        made = self._hub.call("POST", f"{self._one}/plans/{plan['id']}/undo", {})
        return self.apply(made["plan"])


def show_access_change(console: Console, hub: Hub, integration_id: str) -> None:
    """Change access and take it back, and print what was seen on the way."""
    with steps(console, "Planning a change of access, applying it, taking it back …"):
        change = AccessChange(hub, integration_id)
        planned = change.plan()
        done = change.apply(planned)
        told = change.told(planned)
        undone = change.undo(planned)
    console.print(table_of(done, told, undone))


def table_of(done: dict[str, Any], told: dict[str, Any], undone: dict[str, Any]) -> Table:
    """The change as it was planned, as the feed tells of it, and as it was taken back."""
    title = "Access, changed and taken back: POST …/plans"
    table = Table("step", "what", "status", title=title, title_justify="left")
    for step, plan in (("planned and applied", done), ("taken back", undone)):
        [operation] = plan["operations"]
        table.add_row(step, escape(operation["sentence"]), operation["status"])
        if plan is done:
            table.add_row("GET …/changes", f"{told['kind']}, noticed by the sync", f"by: {told['by']}")
    return table


def until(look: Callable[[], T | None]) -> T:
    """Look until there is something to see."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.1)
    raise Problem(f"the change of access was not done within {PATIENCE:.0f} s")
