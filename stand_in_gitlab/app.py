"""The stand-in as an ASGI application: one request in, limits and faults on the way, one answer out."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, unquote

from stand_in_gitlab.clock import Clock, http_date
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.control.api import ControlApi
from stand_in_gitlab.control.faults import Faults
from stand_in_gitlab.control.limits import Limits
from stand_in_gitlab.control.stats import Stats
from stand_in_gitlab.control.writes import Writes
from stand_in_gitlab.fault_injection import REPLACING, Line, deliver, inject
from stand_in_gitlab.fault_injection_lists import PLACES
from stand_in_gitlab.graphql.api import GraphQLApi
from stand_in_gitlab.oauth.openid import OpenId
from stand_in_gitlab.oauth.routes import OAuth
from stand_in_gitlab.rest.api import Call, RestApi
from stand_in_gitlab.rest.ask import Answer, reply
from stand_in_gitlab.rest.auth import token_text
from stand_in_gitlab.rest.refusals import Refusal
from stand_in_gitlab.webhooks.sender import Sender
from stand_in_gitlab.webhooks.transport import Post, http_post

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
CONTROL, API, OAUTH, GRAPHQL = "__standin__", ("api", "v4"), ("oauth",), ("api", "graphql")
DISCOVERY = (".well-known", "openid-configuration")
NO_PAGE = b"<!DOCTYPE html><html><body>404</body></html>"


@dataclass(slots=True)
class Pace:
    """How long every answer waits."""

    latency: float = 0.0


class StandIn:
    """Serves REST v4, GraphQL, OAuth and, below /__standin__, the control API; calls hooks."""

    def __init__(
        self,
        company: Company,
        clock: Clock,
        base: str,
        *,
        root_path: str = "",
        latency: float = 0.0,
        jobs: int = 8,
        post: Post = http_post,
    ) -> None:
        self.company, self.clock, self._origin = company, clock, base
        self._root = tuple(part for part in root_path.split("/") if part)
        outside = base + "".join(f"/{part}" for part in self._root)
        self.sender = Sender(company, clock, outside, post)
        self.rest, self.openid = RestApi(company, clock, outside, self.sender), OpenId(company, outside)
        self.oauth = OAuth(company, clock, self.openid)
        self.graphql = GraphQLApi(company, clock, outside, self.rest.view)
        self.faults, self.limits, self.stats, self.pace = Faults(), Limits(time.monotonic), Stats(), Pace(latency)
        self.writes = Writes(company)
        self.control_api = ControlApi(
            self.rest, company, clock, self.faults, self.limits, self.stats, self.pace, jobs, self.sender, self.writes
        )
        self.lines: Callable[[Scope], Line | None] = lambda _scope: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection scope."""
        if scope["type"] != "http":
            return
        call, request_id = await _read(scope, receive), uuid.uuid4().hex.upper()[:26]
        if call.segments[:1] == (CONTROL,):
            answer = await _settled(self.control_api.answer(call))
            await deliver(send, _dressed(answer, self.clock.now(), request_id))
            return
        began, status, fault, write = self.stats.begin(), 0, None, None
        try:
            if self.pace.latency:
                await asyncio.sleep(self.pace.latency)
            query = scope["query_string"].decode("latin-1")
            fault = self.faults.strike(call.method, call.path, query)
            replaced = fault is not None and fault.kind in REPLACING
            if fault is not None and fault.kind == "first_page":
                call = replace(call, params={name: value for name, value in call.params.items() if name not in PLACES})
            # Nothing waits between noting and answering: the list has the order in which calls took effect.
            if inside := self._inside(call):
                write = self.writes.note(inside, self.clock.now(), request_id, fault.kind if fault else None)
            answer = Answer(200) if replaced else await _settled(self._answer(call))
            if write and not replaced:
                write.answered = answer.status
            answer = _dressed(answer, self.clock.now(), request_id)
            if fault:
                here = f"{self._origin}{call.path}?{query}"
                status = await inject(send, answer, fault, self.lines(scope), here)
            else:
                status = answer.status
                await deliver(send, answer)
        finally:
            struck = fault.kind if fault else None
            if write:
                write.sent = status
            self.stats.end(began, self._kind(call), self._caller(call), f"{call.method} {call.path}", status, struck)

    def _inside(self, call: Call, area: tuple[str, ...] = API) -> Call | None:
        """The call as the API sees it, without the relative root; None outside of the API."""
        prefix = (*self._root, *area)
        if call.segments[: len(prefix)] != prefix:
            return None
        path = "/" + call.path.lstrip("/").removeprefix("/".join(self._root)).lstrip("/")
        return replace(call, path=path, segments=call.segments[len(prefix) :])

    def _answer(self, call: Call) -> Answer:
        inside = self._inside(call)
        if inside is None and (asked := self._inside(call, OAUTH)):
            return self.oauth.answer(asked)
        if inside is None and call.method == "GET" and (asked := self._inside(call, DISCOVERY)) and not asked.segments:
            return reply(self.openid.discovery())
        if inside is None and call.method == "POST" and (asked := self._inside(call, GRAPHQL)):
            headers, refusal = self.limits.check(self._caller(call), asked.path, self.clock.now())
            return _with(refusal or self.graphql.answer(asked), headers)
        if inside is None:
            return Answer(404, NO_PAGE, content_type="text/html; charset=utf-8")
        headers, refusal = self.limits.check(self._caller(call), inside.path, self.clock.now())
        answer = refusal or self.rest.answer(inside)
        if inside.method not in {"GET", "HEAD"}:
            self.catch_up()
        answer.headers.update(headers)
        return answer if answer.later is None else replace(answer, later=lambda: _with(answer.settled(), headers))

    def catch_up(self) -> None:
        """Do what is due by now, and tell hooks what time and callers did to pipelines since the last call."""
        self.rest.jobs.catch_up()
        self.control_api.emitter.catch_up()

    def _kind(self, call: Call) -> str:
        inside = self._inside(call)
        if inside is None and (asked := self._inside(call, OAUTH)):
            return f"{call.method} /oauth/{'/'.join(asked.segments)}"
        if inside is None:
            return f"{call.method} /api/graphql" if self._inside(call, GRAPHQL) else "outside"
        try:
            return f"{call.method} /{self.rest.router.find(call.method, inside.segments)[2]}"
        except Refusal:
            return "unknown"

    def _caller(self, call: Call) -> str:
        """The user behind the token: GitLab counts limits by user, not by token."""
        token = self.company.tokens.get(token_text(call.headers, call.params) or "")
        return str(token.user_id) if token else "nobody"


async def _settled(answer: Answer) -> Answer:
    """Wait for what has to be waited for beside the event loop: a hook's receiver may ask us something meanwhile."""
    return await asyncio.to_thread(answer.settled) if answer.later else answer


def _with(answer: Answer, headers: Mapping[str, str]) -> Answer:
    answer.headers.update(headers)
    return answer


async def _read(scope: Scope, receive: Receive) -> Call:
    body = b""
    if scope["method"] not in {"GET", "HEAD"}:
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
    raw = scope.get("raw_path") or scope["path"].encode()
    path = raw.partition(b"?")[0].decode("latin-1")
    return Call(
        method=scope["method"],
        path=path,
        segments=tuple(unquote(part) for part in path.split("/") if part),
        params=_joined(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Repeated `name[]` parameters become one, separated by commas."""
    params: dict[str, str] = {}
    for name, value in pairs:
        params[name] = f"{params[name]},{value}" if name in params and name.endswith("[]") else value
    return params


def _dressed(answer: Answer, now: float, request_id: str) -> Answer:
    """Put on the headers that every answer has."""
    common = {
        "Content-Type": answer.content_type,
        "Content-Length": str(len(answer.body)),
        "Date": http_date(now),
        "Cache-Control": "max-age=0, private, must-revalidate",
        "Vary": "Origin",
        "X-Content-Type-Options": "nosniff",
        "X-Request-Id": request_id,
        "X-Runtime": "0.010000",
    }
    answer.headers = {**common, **answer.headers}
    if answer.status == 204:  # noqa: PLR2004 - No Content
        del answer.headers["Content-Type"], answer.headers["Content-Length"]
    return answer
