"""The control API: what tests and demos may change, below /__standin__."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Protocol

from stand_in_gitlab.ci.progress import Progress
from stand_in_gitlab.clock import Clock, iso
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.company.visibility import Visibility
from stand_in_gitlab.control.changes import Changes
from stand_in_gitlab.control.events import EventEmitter
from stand_in_gitlab.control.faults import Faults
from stand_in_gitlab.control.ground_truth import Truth
from stand_in_gitlab.control.limits import Limits
from stand_in_gitlab.control.stats import Stats
from stand_in_gitlab.control.writes import Writes
from stand_in_gitlab.rest.api import Call, RestApi
from stand_in_gitlab.rest.ask import Answer, reply
from stand_in_gitlab.webhooks.sender import Sender

Handler = Callable[[Call, dict[str, Any]], object]


class Paced(Protocol):
    """Something whose slowness can be set."""

    latency: float


class ControlApi:
    """Answers control calls; a wrong one is a 400 that says why."""

    def __init__(
        self,
        rest: RestApi,
        company: Company,
        clock: Clock,
        faults: Faults,
        limits: Limits,
        stats: Stats,
        pace: Paced,
        jobs: int,
        sender: Sender,
        writes: Writes,
    ) -> None:
        self._company, self._clock, self._rest = company, clock, rest
        self._faults, self._limits, self._stats, self._pace, self._jobs = faults, limits, stats, pace, jobs
        self._truth = Truth(company, rest.view, clock)
        self._progress, self._sender, self._writes = Progress(company, rest.view), sender, writes
        self.emitter = EventEmitter(rest, clock, sender, jobs)
        self._changes = Changes(company, clock, rest.view, self._progress, jobs, self.emitter, rest.memberships)
        self._table: dict[tuple[str, str], Handler] = {
            ("GET", "health"): lambda _call, _body: {"ok": True},
            ("GET", "tokens"): lambda _call, _body: company.well_known,
            ("GET", "clock"): lambda _call, _body: self._time(),
            ("POST", "clock"): self._set_clock,
            ("POST", "advance"): self._advance,
            ("GET", "stats"): self._get_stats,
            ("DELETE", "stats"): self._reset_stats,
            ("GET", "writes"): lambda call, _body: writes.since(int(call.params.get("since", 0))),
            ("DELETE", "writes"): self._clear_writes,
            ("GET", "faults"): lambda _call, _body: faults.rules(),
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._remove_faults,
            ("POST", "limits"): self._set_limits,
            ("POST", "latency"): self._set_latency,
            ("GET", "ground-truth"): self._tell,
            ("POST", "changes"): lambda _call, body: self._changes.apply(body),
            ("GET", "behaviour"): lambda _call, _body: asdict(company.behaviour),
            ("POST", "behaviour"): self._behave,
            ("POST", "wait_for_hooks"): self._wait_for_hooks,
        }

    def answer(self, call: Call) -> Answer:
        """Answer one control call."""
        handler = self._table.get((call.method, call.segments[1] if call.segments[1:] else ""))
        if handler is None:
            return reply({"error": "no such control", "controls": sorted(" /".join(key) for key in self._table)}, 404)
        try:
            self._rest.jobs.catch_up()
            answer = handler(call, json.loads(call.body or b"{}"))
            return answer if isinstance(answer, Answer) else reply(answer)
        except (KeyError, TypeError, ValueError) as problem:
            return reply({"error": f"{type(problem).__name__}: {problem}"}, 400)

    def _time(self) -> dict[str, object]:
        now = self._clock.now()
        return {"now": now, "iso": iso(now), "epoch": self._company.epoch, "frozen": self._clock.frozen}

    def _set_clock(self, _call: Call, body: dict[str, Any]) -> object:
        self._clock.freeze(frozen=bool(body["frozen"]))
        return self._time()

    def _advance(self, _call: Call, body: dict[str, Any]) -> object:
        self.emitter.catch_up()
        old = self._clock.now()
        self._clock.advance(float(body["seconds"]))
        work = (
            {} if body.get("idle") else self._progress.work(old, self._clock.now(), int(body.get("jobs", self._jobs)))
        )
        self.emitter.catch_up()
        return {**self._time(), "started": work}

    def _get_stats(self, call: Call, _body: dict[str, Any]) -> object:
        recent = {"recent": self._stats.recent(int(call.params["recent"]))} if "recent" in call.params else {}
        return {**self._stats.report(), **recent}

    def _reset_stats(self, _call: Call, _body: dict[str, Any]) -> object:
        self._stats.reset()
        return {"ok": True}

    def _clear_writes(self, _call: Call, _body: dict[str, Any]) -> object:
        self._writes.clear()
        return {"ok": True}

    def _add_fault(self, _call: Call, body: dict[str, Any]) -> object:
        return {"id": self._faults.add(body).id}

    def _remove_faults(self, call: Call, _body: dict[str, Any]) -> object:
        self._faults.remove(int(call.segments[2]) if call.segments[2:] else None)
        return {"ok": True}

    def _set_limits(self, _call: Call, body: dict[str, Any]) -> object:
        self._limits.configure(body.get("general"), body.get("endpoints") or [])
        return {"ok": True}

    def _set_latency(self, _call: Call, body: dict[str, Any]) -> object:
        self._pace.latency = float(body["ms"]) / 1000
        return {"ok": True}

    def _behave(self, _call: Call, body: dict[str, Any]) -> object:
        self._company.behaviour.turn(body)
        return asdict(self._company.behaviour)

    def _wait_for_hooks(self, _call: Call, body: dict[str, Any]) -> Answer:
        seconds = float(body.get("seconds", 15))
        return Answer(202, later=lambda: reply({"quiet": self._sender.wait(seconds), "sent": self._sender.sent}))

    def _tell(self, call: Call, _body: dict[str, Any]) -> object:
        if not call.segments[2:]:
            without = self._truth.without_builds()
            return {"counts": self._truth.counts(), "datasets": self._truth.names(), "projects_without_builds": without}
        if call.segments[2] == "visibility":
            return self._visibility(call.params["token"])
        rows = self._truth.rows(call.segments[2])
        for name in ("project_id", "group_id", "pipeline_id", "hook_id", "source", "source_id"):
            if name in call.params:
                rows = [row for row in rows if str(row.get(name)) == call.params[name]]
        page, size = int(call.params.get("page", 1)), int(call.params.get("per_page", len(rows) or 1))
        return {"total": len(rows), "rows": rows[(page - 1) * size : page * size]}

    def _visibility(self, name: str) -> object:
        """What the holder of a well-known token can reach."""
        user = self._company.users[self._company.tokens[self._company.well_known[name]].user_id]
        visibility = Visibility(self._company, user)
        groups = {
            group_id: visibility.group_level(group_id)
            for group_id in self._company.groups
            if visibility.sees_group(group_id)
        }
        projects = {
            number: visibility.project_level(number)
            for number in self._company.projects
            if visibility.sees_project(number)
        }
        return {"user_id": user.id, "is_admin": user.is_admin, "groups": groups, "projects": projects}
