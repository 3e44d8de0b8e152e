"""Answers on their way to the gateway, and the one shape of an error."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from gitlab_hub.errors import HubError, NotFound, NotInGitLab
from gitlab_hub.web.errors import MethodNotAllowed, NoSuchId, NoSuchPath, NothingThere, Unprocessable
from gitlab_hub.web.status import status_of

NOT_FOUND = "There is nothing of this id that your token may see; check the id."
INTERNAL_ERROR = "The hub failed at this; try again, and give the request id to whoever runs the hub."


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """A finished HTTP answer. `final` = the same request would be answered the same again.

    `untouched` = the request was refused as it stands, before anything was done about it.
    """

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    is_base64: bool = False
    final: bool = True
    untouched: bool = False

    def to_gateway(self, request_id: str) -> dict[str, Any]:
        """Spell the answer for API Gateway, with the headers that every answer has."""
        common = {"cache-control": "no-store", "x-content-type-options": "nosniff", "x-request-id": request_id}
        return {
            "statusCode": self.status,
            "headers": {**self.headers, **common},
            "cookies": list(self.cookies),
            "body": self.body,
            "isBase64Encoded": self.is_base64,
        }


MAX_ANSWER_BYTES = 6_000_000
"""Of an answer Lambda takes 6 MB ("Lambda quotas", invocation payload), as the JSON that its runtime makes of it."""
_LONGEST_ESCAPE = 12


def check_size(answer: HttpResponse) -> None:
    """Refuse what Lambda would not take: the caller would be told 500, in words of the gateway's. Raises Unprocessable.

    A page of a list is bounded by its rows, which are small unless somebody has filled them.
    """
    if len(answer.body) * _LONGEST_ESCAPE > MAX_ANSWER_BYTES and len(json.dumps(answer.body)) > MAX_ANSWER_BYTES:
        told = "asks for more than fits an answer of 6 MB; send a smaller one"
        raise Unprocessable(
            f"query.limit {told}.",
            details={"fields": [{"field": "query.limit", "problem": "answer_too_large", "message": told}]},
        )


def response_of(response: Mapping[str, Any]) -> HttpResponse:
    """Read what the resolver made of a handler's result."""
    status = int(response["statusCode"])
    return HttpResponse(
        status=status,
        body=response["body"] or "",
        headers={name.lower(): str(value) for name, value in response["headers"].items()},
        cookies=tuple(response.get("cookies") or ()),
        is_base64=response["isBase64Encoded"],
        final=status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.TOO_MANY_REQUESTS,
    )


def spelled(body: Any) -> str:
    """Spell JSON in UTF-8, with every letter as it is; what UTF-8 cannot hold, half a character, has it all escaped."""
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":"))
    return text


def json_response(
    status: int, body: Mapping[str, Any], *, retry_after: int | None = None, final: bool = True
) -> HttpResponse:
    """Make an answer of a JSON object."""
    headers = {"content-type": "application/json"}
    if retry_after is not None:
        headers["retry-after"] = str(retry_after)
    return HttpResponse(status=status, body=spelled(body), headers=headers, final=final)


def is_hidden(error: HubError) -> bool:
    """Whether an error's own text could tell an unknown thing from a foreign one."""
    told = NoSuchPath | NoSuchId | NotInGitLab | NothingThere
    return isinstance(error, NotFound) and not isinstance(error, told)


def error_envelope(error: HubError, request_id: str) -> dict[str, Any]:
    """Tell a person and a program what went wrong; nothing tells unknown things from foreign ones."""
    hidden = is_hidden(error)
    envelope = {
        "error": NOT_FOUND if hidden else str(error),
        "code": error.code,
        "retryable": error.retryable,
        "request_id": request_id,
    }
    if error.details and not hidden:
        envelope["details"] = error.details
    return envelope


def error_response(error: HubError, request_id: str) -> HttpResponse:
    """Answer with an error in the hub's own convention."""
    envelope = error_envelope(error, request_id)
    answer = json_response(status_of(error), envelope, retry_after=error.retry_after, final=not error.retryable)
    if isinstance(error, MethodNotAllowed):
        # RFC 9110, 15.5.6: an answer 405 must name the methods in this header.
        return replace(answer, headers={**answer.headers, "allow": ", ".join(error.details["allowed"])})
    return answer


def internal_error(request_id: str) -> HttpResponse:
    """Answer for a failure that nobody foresaw; it says nothing about it."""
    return error_response(HubError(INTERNAL_ERROR), request_id)
