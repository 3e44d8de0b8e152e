"""A small company without any socket."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

from stand_in_gitlab.app import StandIn
from stand_in_gitlab.company.build import Sizes
from stand_in_gitlab.rest.api import Call
from stand_in_gitlab.server import stand_in
from stand_in_gitlab.webhooks.request import Request
from stand_in_gitlab.webhooks.transport import Reply, Undelivered

EPOCH = 1_790_000_000.0


@dataclass(frozen=True, slots=True)
class Got:
    """An answer with its JSON read."""

    status: int
    json: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Caller:
    """Asks the REST API directly, as the holder of a well-known token."""

    app: StandIn

    def __call__(self, target: str, holder: str | None = "admin-read", method: str = "GET", body: object = None) -> Got:
        path, _, query = target.partition("?")
        headers = {"authorization": f"Bearer {self.app.company.well_known.get(holder, holder)}"} if holder else {}
        if body is not None:
            headers["content-type"] = "application/json"
        call = Call(
            method=method,
            path=f"/api/v4{path}",
            segments=tuple(unquote(part) for part in path.split("/") if part),
            params=dict(parse_qsl(query)),
            headers=headers,
            body=b"" if body is None else json.dumps(body).encode(),
        )
        answer = self.app.rest.answer(call).settled()
        return Got(answer.status, json.loads(answer.body) if answer.body else None, answer.headers)

    def everything(self, target: str, holder: str = "admin-read") -> list[dict[str, Any]]:
        """All rows of a list, by page number."""
        rows, page = [], "1"
        while page:
            got = self(f"{target}{'&' if '?' in target else '?'}per_page=100&page={page}", holder)
            assert got.status == 200
            rows += got.json
            page = got.headers["X-Next-Page"]
        return rows


class Receiver:
    """Stands where hooks call: answers what it is told to, in turn, and keeps what it got."""

    def __init__(self) -> None:
        self.got: list[Request] = []
        self.statuses: list[int | None] = []

    def __call__(self, request: Request) -> Reply:
        self.got.append(request)
        status = self.statuses.pop(0) if self.statuses else 200
        if status is None:
            raise Undelivered("timed out")
        return Reply(status=status, headers={"Content-Type": "application/json"}, body='{"ok":true}')

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(each.body) for each in self.got]

    def kinds(self) -> list[str]:
        return sorted(each.headers["X-Gitlab-Event"] for each in self.got)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def app(receiver: Receiver) -> StandIn:
    sizes = Sizes(users=60, groups=14, projects=30, pipelines=6, jobs=8)
    return stand_in("http://gitlab.test", seed=3, sizes=sizes, epoch=EPOCH, frozen=True, post=receiver)


@pytest.fixture
def ask(app: StandIn) -> Caller:
    return Caller(app)


@pytest.fixture
def control(app: StandIn) -> Callable[..., Any]:
    """Calls the control API without a socket."""

    def call(method: str, path: str, body: object = None) -> Any:
        target, _, query = path.partition("?")
        answer = app.control_api.answer(
            Call(
                method=method,
                path=path,
                segments=("__standin__", *target.split("/")),
                params=dict(parse_qsl(query)),
                headers={},
                body=b"" if body is None else json.dumps(body).encode(),
            )
        ).settled()
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    return call


@pytest.fixture
def hooked(app: StandIn, ask: Caller, control: Callable[..., Any], receiver: Receiver) -> Any:
    """A project 1 that somebody may listen to; the hooks the company had are gone."""
    from tests.unit.stand_in.hooked_project import Hooked  # noqa: PLC0415 - it needs this module's classes

    app.company.hooks.clear()
    app.company.projects[1].default_branch, app.company.projects[1].builds_enabled = "main", True
    return Hooked(app, ask, control, receiver)


@pytest.fixture
def house(app: StandIn, ask: Caller, control: Callable[..., Any]) -> Any:
    """Two groups, two projects and an Owner."""
    from tests.unit.stand_in.memberships import House  # noqa: PLC0415 - it needs this module's classes

    return House(app, ask, control).build()
