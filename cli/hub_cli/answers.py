"""Answers of a hub: JSON objects, or its error envelope. Pure."""

import json
from http import HTTPStatus
from typing import Any

import httpx

from hub_cli.problems import PASSING, Problem, Refused, Unreachable

Row = dict[str, Any]
_NO_HUB = "Is this the hub's own address? It looks like https://hub.example.com, without /v1 or /console."


def read(response: httpx.Response) -> Row:
    """Give the object of an answer that is no refusal. Raises Unreachable where no hub has answered."""
    content = _object(response)
    if content is None:
        raise problem_of(response)
    return content


def problem_of(response: httpx.Response) -> Problem:
    """Say what is wrong with an answer, and when to try again where it tells."""
    message = f"What answers at {response.url.host} is no gitlab-hub (HTTP {response.status_code})."
    problem = _refusal(response) or Unreachable(message, hint=_NO_HUB)
    seconds = retry_after(response)
    if seconds is not None:
        problem.hint = f"Try again in {seconds:.0f} seconds."
    return problem


def code_of(response: httpx.Response) -> str | None:
    """The code of the hub's own envelope; None where somebody else has answered."""
    code = (_object(response) or {}).get("code")
    return code if isinstance(code, str) else None


def retry_after(response: httpx.Response) -> float | None:
    """How many seconds to wait; None where it does not tell, or tells a date (the hub and AWS send seconds)."""
    value = response.headers.get("retry-after", "").strip()
    return float(value) if value.isascii() and value.isdecimal() else None


def _refusal(response: httpx.Response) -> Refused | None:
    content = _object(response) or {}
    if isinstance(content.get("error"), str) and isinstance(content.get("code"), str):
        details = content.get("details")
        return Refused(
            content["error"],
            status=response.status_code,
            code=content["code"],
            retryable=content.get("retryable") is True,
            request_id=str(content.get("request_id") or "") or None,
            details=details if isinstance(details, dict) else None,
        )
    if response.status_code in PASSING or response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
        phrase = HTTPStatus(response.status_code).phrase
        request_id = response.headers.get("apigw-requestid") or response.headers.get("x-request-id")
        message = f"The gateway before the hub answered “{phrase}”."
        return Refused(message, status=response.status_code, code="no_answer", request_id=request_id)
    return None


def _object(response: httpx.Response) -> Row | None:
    try:
        content = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
