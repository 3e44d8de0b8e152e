"""Asking GitLab until there is an answer, the tries are used up, or the time is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple

from gitlab_hub.gitlab.bodies import decode
from gitlab_hub.gitlab.error_mapping import raise_for
from gitlab_hub.gitlab.errors import (
    GitLabError,
    HostUnreachable,
    Interrupted,
    RateLimited,
    Unauthorized,
    Unavailable,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.graphql import GraphQLReply, read_reply
from gitlab_hub.gitlab.limits import Limiter
from gitlab_hub.gitlab.link_header import with_smaller_pages
from gitlab_hub.gitlab.messages import RawResponse, Request
from gitlab_hub.gitlab.options import ClientOptions, Page, Reply, Tokens
from gitlab_hub.gitlab.paging import goes_on
from gitlab_hub.gitlab.rates import RateFacts, http_date, number

# A stretch of time that several tries share.


class Deadline:
    """Seconds left for a call; only what happens inside `running` uses them up, or what is spent by hand.

    Timeouts of sockets are per read, so a server that drips one byte now and then would never meet one.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self.left = seconds
        self._clock = clock

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """End what is inside when the time is up."""
        begun = self._clock()
        try:
            async with asyncio.timeout(max(self.left, 0)):
                yield
        except TimeoutError:
            raise HostUnreachable("GitLab did not answer completely in time.") from None
        finally:
            self.left -= self._clock() - begun

    def spend(self, seconds: float) -> None:
        """Count time that passes outside."""
        self.left -= seconds


# Whether to ask again, and when.

_BASE = 0.5
_CAP = 4.0
_MAY_PASS = (HostUnreachable, Interrupted, RateLimited, Unavailable)
_PAGE_TOO_HEAVY = frozenset({500, 502, 504})


def pause(error: GitLabError, *, failures: int, left: float, draw: float, options: ClientOptions) -> float | None:
    """Seconds to wait before the next try, None to give up.

    Full jitter: `draw` (0 to 1) of an exponentially growing span. GitLab's own `Retry-After` counts on top; a longer
    wait than a few seconds is left to the caller, and so is one that does not fit into the `left` seconds.
    """
    if failures >= options.tries or not isinstance(error, _MAY_PASS):
        return None
    asked = error.retry_after or 0
    if asked > options.longest_wait:
        return None
    seconds = asked + draw * min(_CAP, _BASE * 2 ** (failures - 1))
    return seconds if seconds < left else None


def page_too_large(error: GitLabError) -> bool:
    """Whether smaller pages may help: what an overloaded GitLab answers to a big one."""
    return error.http_status in _PAGE_TOO_HEAVY


Exchange = Callable[[Request, str], Awaitable[RawResponse]]


class FetchResult(NamedTuple):
    """A successful answer with the request that got it."""

    request: Request
    answer: RawResponse
    body: Any

    def reply(self) -> Reply:
        """Give the answer as one resource."""
        headers = self.answer.headers
        return Reply(self.body, self.answer.status, http_date(headers.get("date")), self.answer.request_id, headers)

    def page(self) -> Page:
        """Give the answer as one page of a list."""
        headers = self.answer.headers
        if not isinstance(self.body, list) or not all(isinstance(row, dict) for row in self.body):
            raise self.unusable("GitLab's answer is not a list of rows.")
        following = goes_on(self.answer, self.request, self.body)
        return Page(self.body, following, http_date(headers.get("date")), number(headers.get("x-total")))

    def graphql(self) -> GraphQLReply:
        """Give the answer as GraphQL's."""
        reply = read_reply(self.body)
        if reply is None:
            raise self.unusable("GitLab's answer is none of GraphQL's.")
        return replace(reply, server_time=http_date(self.answer.headers.get("date")))

    def whole(self) -> "FetchResult":
        """Raise unless a reading call was answered with 200.

        GitLab's API answers those with nothing else: 206 is a part, 203 what a proxy made of it, 204 no list at all
        (RFC 9110, 15.3).
        """
        if self.answer.status != HTTPStatus.OK:
            raise self.unusable(f"GitLab answered {self.answer.status}, which is not the whole of what was asked for.")
        return self

    def unusable(self, message: str) -> UnexpectedResponse:
        """Make the error for an answer that came whole and yet makes no sense."""
        return UnexpectedResponse(message, http_status=self.answer.status, request_id=self.answer.request_id)


class Calls:
    """The tries of a client: token, limits, deadline and pauses around a bare exchange."""

    def __init__(
        self,
        exchange: Exchange,
        tokens: Tokens,
        limiter: Limiter,
        options: ClientOptions,
        *,
        sleep: Callable[[float], Awaitable[None]],
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self.requests = 0
        self.rate_limited = 0
        self._exchange, self._tokens, self._limiter, self._options = exchange, tokens, limiter, options
        self._sleep, self._clock, self._random = sleep, clock, random
        self._slots = asyncio.Semaphore(options.concurrency)

    async def read(self, request: Request, *, is_list: bool = False) -> FetchResult:
        """Try a reading call as often as the options allow, with a newer token where GitLab rejects the first."""
        deadline = self._deadline()
        token, has_newest, failures = await self._token(request), request.anonymous, 0
        while True:
            await self._limiter.acquire(request.endpoint)
            try:
                return (await self._once(request, token, deadline)).whole()
            except Unauthorized:
                newer = None if has_newest else await self._tokens.renewed(token)
                if newer is None or newer == token:
                    raise
                token, has_newest = newer, True
            except GitLabError as error:
                failures += 1
                if is_list and page_too_large(error):
                    request = replace(request, query=with_smaller_pages(request.query))
                await self._wait_or_give_up(error, failures, deadline)

    async def write(self, request: Request) -> FetchResult:
        """Try a writing call once: a second time could do it twice.

        A refused token is no try: GitLab asks who calls before anything else (lib/api/helpers.rb, `authenticate!`), so
        after a 401 nothing was done, and the call goes out once more with a newer token, if there is one.
        """
        await self._limiter.acquire(request.endpoint)
        deadline, token = self._deadline(), await self._token(request)
        try:
            return await self._once(request, token, deadline)
        except Unauthorized:
            newer = None if request.anonymous else await self._tokens.renewed(token)
            if newer is None or newer == token:
                raise
        await self._limiter.acquire(request.endpoint)
        return await self._once(request, newer, deadline)

    async def _token(self, request: Request) -> str:
        return "" if request.anonymous else await self._tokens.current()

    async def _once(self, request: Request, token: str, deadline: Deadline) -> FetchResult:
        async with self._slots, deadline.running():
            self.requests += 1
            answer = await self._exchange(request, token)
        facts = RateFacts.of(answer.headers, answer.status)
        self.rate_limited += facts.limited
        self._limiter.observe(request.endpoint, facts)
        raise_for(answer)
        return FetchResult(request, answer, decode(answer, max_depth=self._options.max_depth))

    async def _wait_or_give_up(self, error: GitLabError, failures: int, deadline: Deadline) -> None:
        wait = pause(error, failures=failures, left=deadline.left, draw=self._random(), options=self._options)
        if wait is None:
            raise error
        deadline.spend(wait)
        await self._sleep(wait)

    def _deadline(self) -> Deadline:
        return Deadline(self._options.deadline, self._clock)
