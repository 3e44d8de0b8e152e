"""The loop, shown: GitLab is pushed to, the hub hears of it and has it built, and the status stands at the commit."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.demo.hub import Hub
from local.demo.runner import Runner, running_runner
from local.demo.steps import steps
from local.problems import Problem
from stand_in_gitlab.process import Running

PATIENCE = 30.0
STATUS_NAME = "gitlab-hub demo"
MOMENTS = {"delivery": "received", "build": "build", "status": "status", "finished": "success"}
EXPLAINED = (
    "Seconds after the push until the hub had the webhook (received), had made a build of it (build), and GitLab\n"
    "showed the build at the commit (status) and that it had succeeded (success). What is not built is only received."
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one push has set off; `moments` are seconds after the push, by what was seen then."""

    what: str
    builds: list[dict[str, Any]]
    moments: dict[str, float]


class Loop:
    """A project of the stand-in whose pushes the hub builds."""

    def __init__(self, hub: Hub, company: Running, integration_id: str, runner: Runner) -> None:
        self._hub, self._company, self._integration_id, self._runner = hub, company, integration_id, runner
        self.project_id = int(next(row for row in company.truth("projects") if not row["archived"])["id"])
        runner.report = self._report

    def prepare(self) -> None:
        """Register a hook with the project, and a trigger that builds its main branch and merge requests."""
        one = f"/v1/integrations/{self._integration_id}"
        events = ["push", "tag_push", "merge_request", "pipeline", "job"]
        self._hub.call("POST", f"{one}/webhooks", {"scope": "project", "target": self.project_id, "events": events})
        body = {
            "integration_id": self._integration_id,
            "project_id": self.project_id,
            "events": ["push", "merge_request"],
            "branches": {"include": ["main", "feature/*"]},
            "target": {"type": "https", "url": self._runner.url},
            "report_status": {"enabled": True, "name": STATUS_NAME},
        }
        trigger = self._hub.call("POST", "/v1/triggers", body)["trigger"]
        secret = self._hub.call("POST", f"/v1/triggers/{trigger['id']}/signing-secret", {})
        self._runner.secret = secret["signing_secret"]

    def push(self, what: str, branch: str = "main", **more: Any) -> Shown:
        """Push to the project and follow what comes of it to the end."""
        started = time.monotonic()
        sha = str(self._company.push(self.project_id, branch, **more)["after"])
        moments: dict[str, float] = {}

        def seen(name: str, found: T) -> T:
            if found:
                moments.setdefault(name, time.monotonic() - started)
            return found

        def look() -> list[str] | None:
            seen("delivery", self._deliveries(sha))
            builds = seen("build", self._builds(sha))
            statuses = seen("status", self._statuses(sha))
            is_over = bool(builds) and builds[0]["finished_at"] is not None and statuses[-1:] == ["success"]
            return seen("finished", statuses) if is_over else None

        until(look)
        return Shown(what=what, builds=self._builds(sha), moments=moments)

    def skipped(self, what: str, branch: str = "main", **more: Any) -> Shown:
        """Push something that is not to be built, and wait until the hub has decided so."""
        started = time.monotonic()
        sha = str(self._company.push(self.project_id, branch, **more)["after"])
        until(lambda: [one for one in self._deliveries(sha) if one["status"] == "ignored"])
        moments = {"delivery": time.monotonic() - started}
        return Shown(what=what, builds=self._builds(sha), moments=moments)

    def _deliveries(self, sha: str) -> list[dict[str, Any]]:
        found = self._hub.call("GET", "/v1/deliveries", query={"integration_id": self._integration_id, "limit": 20})
        return [one for one in found["deliveries"] if one["sha"] == sha]

    def _builds(self, sha: str) -> list[dict[str, Any]]:
        found = self._hub.call("GET", "/v1/builds", query={"integration_id": self._integration_id, "limit": 20})
        return [one for one in found["builds"] if one["sha"] == sha]

    def _statuses(self, sha: str) -> list[str]:
        rows = self._company.truth("statuses", project_id=self.project_id)
        return [str(row["status"]) for row in rows if row["sha"] == sha and row["name"] == STATUS_NAME]

    def _report(self, build_id: str, status: str, description: str) -> None:
        self._hub.call("PATCH", f"/v1/builds/{build_id}", {"status": status, "description": description})


def show_loop(console: Console, hub: Hub, company: Running, integration_id: str) -> None:
    """Go through the loop a few times and print when what was seen."""
    with ExitStack() as cleaning_up:
        runner = cleaning_up.enter_context(running_runner())
        with steps(console, "Registering a webhook and a trigger, pushing …"):
            loop = Loop(hub, company, integration_id, runner)
            loop.prepare()
            shown = [
                loop.push("push to main", files=["app/main.py"]),
                loop.push("push to feature/login", "feature/login", files=["app/login.py"]),
                loop.skipped("push with [skip ci]", files=["README.md"], message="Fix a typo [skip ci]"),
            ]
        console.print(table_of(shown))


def until(look: Callable[[], T | None]) -> T:
    """Look until there is something to see."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.02)
    raise Problem(f"the loop did not close within {PATIENCE:.0f} s")


def table_of(shown: list[Shown]) -> Table:
    """What became of each push, and when it was seen."""
    title = "From a push to a build and back, in seconds"
    table = Table("pushed", *MOMENTS.values(), "became", title=title, title_justify="left")
    table.caption, table.caption_justify = EXPLAINED, "left"
    for one in shown:
        moments = [f"{one.moments[name]:.2f}" if name in one.moments else "" for name in MOMENTS]
        builds = ", ".join(f"#{build['number']} {build['status']}" for build in one.builds) or "none wanted"
        table.add_row(escape(one.what), *moments, builds)
    return table
