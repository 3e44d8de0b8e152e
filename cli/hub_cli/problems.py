"""What ends a command early: a sentence for whoever typed it, and an exit code for scripts."""

from collections.abc import Mapping
from enum import IntEnum
from http import HTTPStatus
from typing import Any


class ExitCode(IntEnum):
    """What a command ends with; `hub --help` tells of each."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    ATTENTION = 4


class Problem(Exception):
    """The command cannot go on; `hint` says what to do about it."""

    exit_code = ExitCode.REFUSED

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class WrongUsage(Problem):
    """The command was asked for in a way that cannot work."""

    exit_code = ExitCode.USAGE


class Unreachable(Problem):
    """No answer of a hub arrived."""

    exit_code = ExitCode.UNREACHABLE


class Refused(Problem):
    """The hub said no, or failed: its error envelope, see `docs/operations.md` for the codes."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str,
        retryable: bool = False,
        request_id: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, hint=_HINTS.get(code))
        self.status, self.code, self.retryable = status, code, retryable
        self.request_id, self.details = request_id, dict(details or {})

    @property
    def may_work_later(self) -> bool:
        """Whether the hub only could not answer just now."""
        return self.retryable or self.status in PASSING


PASSING = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""What passes by itself, also where the gateway answers in the place of the hub, without an envelope."""

_HINTS = {
    "unauthorized": "`hub login` stores another token; an owner makes one with `hub tokens create`.",
    "permission_denied": "`hub whoami` shows the role of your token.",
    "sync_in_progress": "`hub sync --watch` follows the one that is under way.",
    "plan_expired": "A plan is good for 15 minutes: make it anew, or `hub undo` it.",
    "plan_drifted": "Something has changed since the plan was shown: make it anew.",
}
