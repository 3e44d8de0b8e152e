"""The hub's HTTP API: calls that may be sent again are, lists are read page by page, everything else is a problem."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from hub_cli import __version__
from hub_cli.answers import Row, code_of, problem_of, read, retry_after
from hub_cli.causes import unreachable
from hub_cli.problems import Unreachable, WrongUsage
from hub_cli.retries import Failure, wait_before
from hub_cli.settings import Login

_PAGE = 200
_TIMEOUT = httpx.Timeout(40.0, connect=10.0)
"""A function answers within 29 seconds or never."""


class Hub:
    """A running hub, asked as the holder of a token. Every method raises Refused and Unreachable."""

    def __init__(
        self,
        login: Login,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        new_key: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self.url = login.url
        self._sleep, self._new_key = sleep, new_key
        self._http = _opened(login, transport)

    def get(self, path: str, /, **query: Any) -> Row:
        """Read one thing; what is None is left out of the query."""
        return self._call("GET", path, query=query)

    def rows(self, path: str, plural: str, /, **query: Any) -> Iterator[Row]:
        """Read a list to its end, a page whenever the next row is wanted."""
        for page in self.pages(path, **query):
            yield from page[plural]

    def pages(self, path: str, /, **query: Any) -> Iterator[Row]:
        """Read a list to its end, page by page."""
        cursor, known = None, set[str]()
        while True:
            page = self._call("GET", path, query={"limit": _PAGE, **query, "cursor": cursor})
            yield page
            cursor = page.get("next_cursor")
            if cursor is None:
                return
            if cursor in known:
                raise Unreachable("The hub gave the same page again; the list was not read to its end.")
            known.add(cursor)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Row:
        """Do something once, however often it has to be sent."""
        return self._call("POST", path, body=dict(body or {}), headers={"idempotency-key": self._new_key()})

    def patch(self, path: str, body: Mapping[str, Any]) -> Row:
        """Change something."""
        return self._call("PATCH", path, body=dict(body))

    def put(self, path: str, body: Mapping[str, Any]) -> Row:
        """Put something in the place of what is there."""
        return self._call("PUT", path, body=dict(body))

    def delete(self, path: str) -> Row:
        """Remove something."""
        return self._call("DELETE", path)

    def file(self, path: str) -> str:
        """Read a text that is no JSON, such as CSV."""
        answer = self._answered("GET", path)
        if answer.headers.get("content-type", "").startswith("text/csv"):
            return answer.text
        raise problem_of(answer)

    def any(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Send any request of the API; gives its answer, which is no refusal."""
        headers = {"idempotency-key": self._new_key()} if method == "POST" else {}
        return self._answered(method, path, body=body, headers=headers)

    def _call(self, method: str, path: str, **more: Any) -> Row:
        return read(self._answered(method, path, **more))

    def _answered(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        asked = {name: _spelled(value) for name, value in (query or {}).items() if value is not None}
        request = self._http.build_request(method, path, params=asked or None, json=body, headers=dict(headers or {}))
        attempt = 0
        while True:
            attempt += 1
            answer = self._send(request)
            failure = _failure(answer)
            pause = None if failure is None else wait_before(attempt, method, failure)
            if pause is None:
                if isinstance(answer, httpx.HTTPError):
                    raise unreachable(answer)
                if answer.is_success:
                    return answer
                raise problem_of(answer)
            self._sleep(pause)

    def _send(self, request: httpx.Request) -> httpx.Response | httpx.HTTPError:
        try:
            return self._http.send(request)
        except httpx.HTTPError as error:
            return error


def path(*parts: str | int) -> str:
    """A path of the API of these parts; what somebody typed stays one part, whatever is in it."""
    return "/v1/" + "/".join(quote(str(part), safe="") for part in parts)


def _opened(login: Login, transport: httpx.BaseTransport | None) -> httpx.Client:
    headers = {"authorization": f"Bearer {login.token}", "user-agent": f"gitlab-hub-cli/{__version__}"}
    try:
        # A redirect is not followed: the token belongs to this address alone. Only an address on this machine may go
        # without encryption, and then no proxy that the environment names may carry the token away from it.
        return httpx.Client(
            base_url=login.url, headers=headers, timeout=_TIMEOUT, transport=transport, follow_redirects=False,
            trust_env=login.url.startswith("https:"),
        )  # fmt: skip
    except (httpx.InvalidURL, UnicodeError, ValueError):
        hint = "`hub login` stores another one."
        raise WrongUsage("The address, or the token, holds characters that none has.", hint=hint) from None
    except OSError as error:
        hint = "SSL_CERT_FILE names the certificates to trust."
        raise WrongUsage(f"Certificates cannot be read: {error.strerror or error}.", hint=hint) from None


def _failure(answer: httpx.Response | httpx.HTTPError) -> Failure | None:
    if isinstance(answer, httpx.HTTPError):
        return Failure(was_sent=not isinstance(answer, httpx.ConnectError | httpx.ConnectTimeout))
    if answer.is_success:
        return None
    return Failure(status=answer.status_code, code=code_of(answer), retry_after=retry_after(answer))


def _spelled(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
