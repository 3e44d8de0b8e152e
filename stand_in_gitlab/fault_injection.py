"""Sends answers, whole or with an injected fault."""

import asyncio
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any, Protocol

from stand_in_gitlab.control.faults import Fault
from stand_in_gitlab.control.limits import retry_later, too_often
from stand_in_gitlab.fault_injection_graphql import GRAPHQL_SHAPED
from stand_in_gitlab.fault_injection_lists import SHAPED
from stand_in_gitlab.rest.ask import Answer, reply
from stand_in_gitlab.rest.refusals import EXPIRED, invalid_token

LOOPED, REQUEST_ID = "looped_link", "X-Request-Id"
HIDDEN = ("X-", "Link", "RateLimit")
"""What headers an answer that something else gives in GitLab's place does not have."""
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
HTML = b"<!DOCTYPE html><html><head><title>GitLab</title></head><body>Something is not right here.</body></html>"


class Line(Protocol):
    """The connection below HTTP, where there is one."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """The socket, under the name `socket`."""

    def close(self) -> None:
        """Send what is buffered, then close the connection."""

    def abort(self) -> None:
        """Close the connection at once."""


async def deliver(send: Send, answer: Answer) -> None:
    """Send an answer as it is."""
    await _start(send, answer)
    await send({"type": "http.response.body", "body": answer.body})


async def _start(send: Send, answer: Answer) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})


async def inject(send: Send, answer: Answer, fault: Fault, line: Line | None, here: str) -> int:
    """Send an answer with a fault in it; returns the status that went out, 0 for none. `here` was asked for."""
    if fault.kind == "reset":
        _reset(line)
        return 0
    if fault.kind == "truncated":
        await _truncated(send, answer, line)
    elif fault.kind == "drip":
        await _drip(send, answer, fault.seconds)
    else:
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        else:
            answer = _other(answer, fault, here)
        await deliver(send, answer)
    return answer.status


def _reset(line: Line | None) -> None:
    if line is None:
        message = "the connection was reset"
        raise ConnectionResetError(message)
    line.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.abort()


async def _truncated(send: Send, answer: Answer, line: Line | None) -> None:
    await _start(send, answer)
    await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
    if line is not None:
        line.close()


async def _drip(send: Send, answer: Answer, seconds: float) -> None:
    """One byte at a time: every single read is in time, the whole never ends."""
    await _start(send, answer)
    for byte in answer.body:
        await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
        await asyncio.sleep(seconds)
    await send({"type": "http.response.body", "body": b""})


def _other(answer: Answer, fault: Fault, here: str) -> Answer:
    """A whole answer in place of, or made from, the right one."""
    if shape := {**SHAPED, **GRAPHQL_SHAPED}.get(fault.kind):
        return shape(answer, fault)
    new = _looped(answer, here) if fault.kind == LOOPED else _MADE[fault.kind](answer, fault)
    kept = {name: value for name, value in answer.headers.items() if name not in {"Content-Length", "Content-Type"}}
    if fault.kind not in {LOOPED, "empty_list"}:
        kept = {name: value for name, value in kept.items() if name == REQUEST_ID or not name.startswith(HIDDEN)}
    return Answer(
        new.status,
        new.body,
        {**kept, "Content-Type": new.content_type, "Content-Length": str(len(new.body)), **new.headers},
    )


def _status(_answer: Answer, fault: Fault) -> Answer:
    messages = {401: "401 Unauthorized", 403: "403 Forbidden", 404: "404 Not Found", 500: "500 Internal Server Error"}
    return reply({"message": messages.get(fault.status, f"{fault.status} Something")}, fault.status)


def _unauthorized(_answer: Answer, _fault: Fault) -> Answer:
    refusal = invalid_token(EXPIRED)
    answer = reply(refusal.body, refusal.status)
    answer.headers.update(refusal.headers)
    return answer


def _limited(_answer: Answer, fault: Fault) -> Answer:
    if fault.kind == "endpoint_limited":
        return too_often()
    limited = retry_later(0)
    limited.headers["Retry-After"] = str(fault.retry_after)
    return limited


def _html(_answer: Answer, fault: Fault) -> Answer:
    return Answer(200 if fault.kind == "html_200" else 502, HTML, content_type="text/html; charset=utf-8")


def _bomb(_answer: Answer, fault: Fault) -> Answer:
    return Answer(200, _packed(fault.size), {"Content-Encoding": "gzip"})


@lru_cache(maxsize=2)
def _packed(size: int) -> bytes:
    """A JSON list of one long string, compressed without ever being whole in memory."""
    packer, block = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16), b"a" * 65_536
    parts = [packer.compress(b'["')]
    parts += [packer.compress(block) for _ in range(size // len(block))]
    return b"".join([*parts, packer.compress(b'"]'), packer.flush()])


def _deep(_answer: Answer, fault: Fault) -> Answer:
    return Answer(200, b"[" * fault.depth + b"]" * fault.depth)


def _looped(answer: Answer, here: str) -> Answer:
    """The next page is this very page again."""
    headers = {"Link": f'<{here}>; rel="next"', "X-Next-Page": answer.headers.get("X-Page", "")}
    return Answer(answer.status, answer.body, headers)


def _redirect(_answer: Answer, fault: Fault) -> Answer:
    return Answer(302, b"", {"Location": fault.location}, "text/html")


_MADE: dict[str, Callable[[Answer, Fault], Answer]] = {
    "status": _status,
    "unauthorized": _unauthorized,
    "rate_limited": _limited,
    "endpoint_limited": _limited,
    "html_502": _html,
    "html_200": _html,
    "empty_list": lambda _answer, _fault: Answer(200, b"[]", {"Link": "", "X-Next-Page": "", "X-Total": "0"}),
    "broken_json": lambda answer, _fault: Answer(200, answer.body[: len(answer.body) // 2]),
    "gzip_bomb": _bomb,
    "deep_json": _deep,
    "redirect": _redirect,
    "status_after": _status,
    "html_502_after": _html,
}

# With these the request never reaches the API and nothing happens; with the others only the answer suffers.
REPLACING = frozenset(_MADE) - {"empty_list", "broken_json", "status_after", "html_502_after"}
