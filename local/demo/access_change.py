"""Access, changed: given for an hour and ended early, taken away and given back, and told of in the feed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.demo.hub import Hub
from local.demo.steps import steps
from local.problems import Problem

PATIENCE = 60.0
DEVELOPER = 30
AN_HOUR = 3_600
CANDIDATES = 10
TITLE = "Access, changed by plans: POST …/plans, then …/apply"
Row = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What was done: the plans as they were carried out, a row of the feed, and an access request that is over."""

    given: Row
    told: Row
    ended: Row
    revoked: Row
    undone: Row


class AccessChange:
    """Changes of access as an owner of the hub makes them."""

    def __init__(self, hub: Hub, integration_id: str) -> None:
        self._hub, self._one = hub, f"/v1/integrations/{integration_id}"
        self._integration_id = integration_id

    def plan_an_hour(self) -> Row:
        """Plan to make the first person without any access to the first project a Developer there, for an hour."""
        project = next(row for row in self._hub.all(self._integration_id, "projects") if not row["archived"])
        filters: dict[str, str | int] = {"project_id": project["id"], "view": "effective"}
        known = {row["account_id"] for row in self._hub.all(self._integration_id, "grants", **filters)}
        person = next(row for row in self._people() if row["id"] not in known)
        return self._plan(
            op="grant",
            account_id=person["id"],
            resource={"type": "project", "id": project["id"]},
            access_level=DEVELOPER,
            until=int(time.time()) + AN_HOUR,
        )

    def plan_a_revoke(self) -> Row:
        """Plan to take a Developer's own membership of a project away: the first one that nothing stands against."""
        people = {row["id"] for row in self._people()}
        grants = (
            row
            for row in self._hub.all(self._integration_id, "grants", view="direct")
            if row["resource"]["type"] == "project" and row["access_level"] == DEVELOPER and row["account_id"] in people
        )
        for row in islice(grants, CANDIDATES):
            resource = {"type": "project", "id": row["resource"]["id"]}
            plan = self._plan(op="revoke", account_id=row["account_id"], resource=resource, expected_level=DEVELOPER)
            # The mirror may still show what GitLab does not any more: then there is nothing to do.
            if plan["status"] == "ready" and plan["operations"][0]["calls"]:
                return plan
        raise Problem("there is nobody whose membership could be taken away")

    def apply(self, plan: Row) -> Row:
        """Apply a plan as it was shown, and wait until it is done."""
        path = f"{self._one}/plans/{plan['id']}"
        self._hub.call("POST", f"{path}/apply", {"hash": plan["hash"]}, expected=(202,))

        def look() -> Row | None:
            found: Row = self._hub.call("GET", path)["plan"]
            return None if found["status"] == "applying" else found

        done = until(look)
        if done["status"] != "applied":
            raise Problem(f"the plan {plan['id']} was not applied: {done['summary']}")
        return done

    def told(self, plan: Row) -> Row:
        """What the feed of changes says of it."""
        account_id = plan["operations"][0]["account_id"]

        def look() -> Row | None:
            changes = self._hub.all(self._integration_id, "changes", account_id=account_id)
            return next((row for row in changes if row["by"] == "hub"), None)

        return until(look)

    def end(self, plan: Row) -> Row:
        """End what a plan has given for a while before its time, and wait until GitLab shows it no more."""
        request_id = plan["operations"][0]["access_request_id"]
        self._hub.call("POST", f"{self._one}/access-requests/{request_id}/revoke", {})

        def look() -> Row | None:
            ended = self._hub.all(self._integration_id, "access-requests", status="ended")
            return next((row for row in ended if row["id"] == request_id), None)

        return until(look)

    def undo(self, plan: Row) -> Row:
        """Plan to take a plan back, and do so."""
        made = self._hub.call("POST", f"{self._one}/plans/{plan['id']}/undo", {})
        return self.apply(made["plan"])

    def _people(self) -> list[Row]:
        return list(self._hub.all(self._integration_id, "accounts", kind="human", status="active"))

    def _plan(self, **operation: Any) -> Row:
        body = {"operations": [operation], "note": "Shown by the demo"}
        plan: Row = self._hub.call("POST", f"{self._one}/plans", body)["plan"]
        return plan


def show_access_change(console: Console, hub: Hub, integration_id: str) -> None:
    """Change access and take it back, and print what was seen on the way."""
    change = AccessChange(hub, integration_id)
    with steps(console, "Giving somebody access for an hour, and ending it early …") as say:
        given = change.apply(change.plan_an_hour())
        told = change.told(given)
        ended = change.end(given)
        say("Taking somebody's access away, and giving it back …")
        revoked = change.apply(change.plan_a_revoke())
        undone = change.undo(revoked)
    console.print(table_of(Changes(given=given, told=told, ended=ended, revoked=revoked, undone=undone)))


def table_of(changes: Changes) -> Table:
    """Each change as it was planned, what the feed tells of the first one, and how each was taken back."""
    table = Table("step", "what", "status", title=TITLE, title_justify="left")
    told, ended = changes.told, changes.ended
    place = f"{ended['account']} on {ended['resource']['full_path']}"
    table.add_row("given for an hour", *_operation(changes.given))
    table.add_row("GET …/changes", f"{told['kind']}, noticed by the sync", f"by: {told['by']}")
    table.add_row("ended early", escape(f"{place}: taken back before its time"), ended["status"])
    table.add_row("taken away", *_operation(changes.revoked))
    table.add_row("undone", *_operation(changes.undone))
    return table


def _operation(plan: Row) -> tuple[str, str]:
    [operation] = plan["operations"]
    return escape(operation["sentence"]), operation["status"]


def until(look: Callable[[], T | None]) -> T:
    """Look until there is something to see."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.1)
    raise Problem(f"the change of access was not done within {PATIENCE:.0f} s")
