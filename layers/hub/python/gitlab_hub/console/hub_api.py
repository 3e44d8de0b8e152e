"""The hub's own API as the console calls it: the same routes, roles, checks and answers that every other caller meets.

Each call is one of the API's functions, asked with the event that the gateway would make for whoever is signed in. So
there is no second set of rules here, and the function that shows pages holds no token of a GitLab.
"""

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from threading import Event
from typing import Any
from urllib.parse import urlencode

from gitlab_hub.errors import HubError
from gitlab_hub.storage.ports import Function, FunctionUnavailable
from gitlab_hub.web.principal import Principal

PATIENCE_SECONDS = 18.0
"""How long the parts of a page may take, all together: a function has 29 seconds, and makes the page besides."""


class Part(StrEnum):
    """The functions that the API is made of, as far as pages need them."""

    ACCESS = "access"
    BUILDS = "builds"
    INTEGRATIONS = "integrations"
    OAUTH = "oauth"
    OPERATIONS = "operations"
    PIPELINES = "pipelines"
    PROVISIONING = "provisioning"


class ApiRefusal(Exception):
    """The API said no, or could not answer; `status` and `refused` are its status and its code."""

    def __init__(
        self,
        status: int,
        refused: str,
        message: str,
        *,
        retryable: bool,
        request_id: str,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.refused, self.request_id = status, refused, request_id
        self.may_work_later, self.details = retryable, dict(details or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One call; `query` leaves out what is None or empty. `key` makes a repeated POST take effect once."""

    part: Part
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    method: str = "GET"
    body: Mapping[str, Any] | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a call came to: what it answered, or why it did not."""

    data: dict[str, Any] | None
    problem: ApiRefusal | None = None

    def __bool__(self) -> bool:
        """Whether there is something to show."""
        return self.data is not None

    def __getitem__(self, name: str) -> Any:
        """A field of the answer; only where there is one."""
        if self.data is None:
            raise KeyError(name)
        return self.data[name]


class HubApi:
    """Calls in the name of whoever is signed in."""

    def __init__(
        self,
        function_of: Callable[[Part], Function],
        principal: Principal,
        context: Mapping[str, Any],
        *,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """`context`: the `requestContext` of the request behind it; `patience`: for how many seconds a page waits.

        They begin now, and some pages ask several times, for what an answer before has named.
        """
        self._function_of, self._principal, self._context = function_of, principal, context
        self._waits_until = time.monotonic() + patience
        self._request_id = str(context.get("requestId") or "unknown")

    @property
    def request_id(self) -> str:
        """The id of the request behind it, which stands in the log."""
        return self._request_id

    def call(self, ask: Ask) -> dict[str, Any]:
        """Give the answer's body. Raises ApiRefusal."""
        return dict(json.loads(self.text(ask) or "{}"))

    def text(self, ask: Ask) -> str:
        """Give the answer's body as it was sent. Raises ApiRefusal."""
        try:
            response = self._function_of(ask.part).ask(self._event(ask))
        except HubError as error:
            raise self._away(error) from error
        text = str(response.get("body") or "")
        if response["statusCode"] >= HTTPStatus.BAD_REQUEST:
            body = json.loads(text)
            raise ApiRefusal(
                response["statusCode"],
                body["code"],
                body["error"],
                retryable=body["retryable"],
                request_id=body["request_id"],
                details=body.get("details"),
            )
        return text

    def load(self, ask: Ask) -> Loaded:
        """Call, and let a page show the rest where this part of it cannot be had."""
        try:
            return Loaded(self.call(ask))
        except ApiRefusal as problem:
            return Loaded(None, problem)

    def load_all(self, asks: Mapping[str, Ask]) -> dict[str, Loaded]:
        """Several calls, by the same names: of different functions at once, of one function one after the other.

        Two calls of one function at the same time may each begin with a cold start, and take two of the executions that
        an account may have at once; a new one has ten (Lambda quotas). What does not come in time is a part that cannot
        be shown: whoever asked is answered for half a minute at most (API Gateway quotas), and shall see the rest.
        """
        lines: dict[Part, dict[str, Ask]] = {}
        for name, ask in asks.items():
            lines.setdefault(ask.part, {})[name] = ask

        found: dict[str, Loaded] = {}
        is_over = Event()

        def in_line(line: Mapping[str, Ask]) -> None:
            for name, ask in line.items():
                if not is_over.is_set():
                    found[name] = self.load(ask)

        pool = ThreadPoolExecutor(max(1, len(lines)))
        try:
            running = [pool.submit(in_line, line) for line in lines.values()]
            done, _ = wait(running, timeout=max(0.0, self._waits_until - time.monotonic()))
        finally:
            is_over.set()
            pool.shutdown(wait=False, cancel_futures=True)
        for one in done:
            one.result()
        late = Loaded(None, self._away(FunctionUnavailable()))
        return {name: found.get(name, late) for name in asks}

    def _away(self, error: HubError) -> ApiRefusal:
        return ApiRefusal(
            HTTPStatus.SERVICE_UNAVAILABLE, error.code, str(error), retryable=True, request_id=self._request_id
        )

    def _event(self, ask: Ask) -> dict[str, Any]:
        query = {name: value for name, value in ask.query.items() if value is not None and value != ""}
        headers = {"content-type": "application/json", **({"idempotency-key": ask.key} if ask.key else {})}
        return {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": ask.path,
            "rawQueryString": urlencode(query, doseq=True),
            "queryStringParameters": {name: _joined(value) for name, value in query.items()} or None,
            "headers": headers,
            "requestContext": {
                "requestId": self._request_id,
                # The functions learn the hub's own address from the gateway's id.
                "apiId": self._context.get("apiId"),
                "stage": "$default",
                "http": {"method": ask.method, "path": ask.path},
                "authorizer": {"lambda": self._principal.to_context()},
            },
            "body": None if ask.body is None else json.dumps(ask.body),
            "isBase64Encoded": False,
        }


ApiOf = Callable[[Principal, Mapping[str, Any]], HubApi]
"""(who is signed in, context of the request) → the API in their name."""


def _joined(value: Any) -> str:
    """A parameter as the gateway gives it: what is repeated stands there once, with commas."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
