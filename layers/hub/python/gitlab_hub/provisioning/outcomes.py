"""What became of a step: judged by what GitLab answered, and by what it shows afterwards. Pure.

An answer is no proof either way. Member calls answer 2xx with `status: error` in the body, or with the word that a
request waits for an administrator (lib/api/invitations.rb; ee/app/services/ee/members/create_service.rb); and a write
that timed out may have been done. So what counts is what is read afterwards.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.errors import GitLabError, NoConnection, RateLimited, ReadOnly
from gitlab_hub.provisioning.model import Step, StepStatus
from gitlab_hub.provisioning.operation import IN_BACKGROUND, Kind
from gitlab_hub.provisioning.operations.base import Decision
from gitlab_hub.provisioning.operations.table import OPERATIONS
from gitlab_hub.provisioning.refusals import Code
from gitlab_hub.provisioning.states import State

MOST_TRIES = 5
"""Writes of one step. After each of them GitLab was asked, and showed that nothing was done."""

DRIFTED, NOT_DONE, REFUSED = "plan_drifted", "not_done", "gitlab_refused"
HELD_BACK = "held_back"

DONE_WITHIN_SECONDS = 600
"""How long something is watched that GitLab has taken and does later; after that it is told as it is."""

SENT_WITHIN_SECONDS = 120
"""How long one is waited for whose answer was lost, before it is sent again."""

_LATER_HINT = "GitLab has taken it and does it in the background, which takes longer where there is much to move."
_DRIFTED_HINT = "Somebody changed this in GitLab after the plan was applied. It was left as it is now; make a new plan."
_NOT_DONE_HINT = "GitLab took the request, and shows no change. Look at it there, and make a new plan."
_REFUSED_HINT = "GitLab refused the request. The audit log has its request id; ask GitLab's administrator about it."
_UNSURE_HINT = "Its request had gone out, and may have been done: look at it in GitLab."
_RIVAL_HINT = "Somebody else made this account at the same moment. It was left as it is; look at it in GitLab."
_HELD_BACK_HINT = (
    "The account is not deleted, as another operation of this plan about it was not carried out. Look at that one "
    "first, then make a new plan."
)
_UNKNOWN_HINT = "GitLab gave no answer again and again, and shows no change. Make a new plan once it answers."


class Taken(Enum):
    """What an answer says about a write."""

    YES = auto()
    QUEUED = auto()
    NO = auto()
    """Refused, for good."""
    LATER = auto()
    """Certainly not done, and worth another try."""
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer to a write, without its words. `error` is the code of what went wrong."""

    taken: Taken
    request_id: str | None = None
    error: str | None = None
    retry_after: int = 0


def answer_of(body: Any, request_id: str | None) -> Answer:
    """Read a successful answer."""
    row: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    message = row.get("message")
    if row.get("queued_users"):  # ee/app/services/ee/members/invite_service.rb
        return Answer(taken=Taken.QUEUED, request_id=request_id)
    words = [message] if isinstance(message, str) else message.values() if isinstance(message, Mapping) else ()
    if any(isinstance(one, str) and "queued for administrator approval" in one.lower() for one in words):
        return Answer(taken=Taken.QUEUED, request_id=request_id)
    if row.get("status") == "error":
        return Answer(taken=Taken.NO, request_id=request_id, error=REFUSED)
    return Answer(taken=Taken.YES, request_id=request_id)


def answer_of_error(error: HubError) -> Answer:
    """Read a failure."""
    if not isinstance(error, GitLabError):
        return Answer(taken=Taken.UNKNOWN, error=error.code)
    status = error.http_status or 0
    wait = error.retry_after or 0
    if isinstance(error, RateLimited | ReadOnly | NoConnection):
        return Answer(taken=Taken.LATER, request_id=error.request_id, error=error.code, retry_after=wait)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.REQUEST_TIMEOUT:
        code = error.code if not error.retryable else REFUSED
        return Answer(taken=Taken.NO, request_id=error.request_id, error=code)
    return Answer(taken=Taken.UNKNOWN, request_id=error.request_id, error=error.code, retry_after=wait)


def held_back(step: Step, steps: Iterable[Step], *, at: int) -> Step | None:
    """The step at its end, where it is a deletion that must not go out; else None.

    A deletion is for good. It comes last, and only where all else that its plan does about the account was done: what
    was left over may be what somebody has to look at while the account is there.
    """
    one = step.operation
    if one.kind is not Kind.DELETE_ACCOUNT or step.tries:
        return None
    others = (other for other in steps if other.index != step.index and other.operation.account_id == one.account_id)
    if all(other.is_done for other in others if other.is_settled):
        return None
    return step.settled(StepStatus.SKIPPED, at=at, error=HELD_BACK, hint=_HELD_BACK_HINT)


def before_sending(step: Step, decision: Decision, *, at: int) -> Step | None:
    """The step at its end, or as it is where it is to be waited for; None where its calls are to go out now.

    `decision`: the operation as it is judged at this moment.
    """
    # What has gone out once is not skipped, whatever became of it.
    unsent = StepStatus.FAILED if step.tries else StepStatus.SKIPPED
    if decision.refusals_first and decision.refusals:
        return step.settled(unsent, at=at, error=str(decision.refusals[0]))
    if decision.before == step.after:
        # An earlier try has done it, or its answer was lost; without one it was so from the start.
        return reached(step, at) if step.tries else step.settled(StepStatus.SKIPPED, at=at)
    waited = _waited(step, decision.before, at) if step.operation.kind in IN_BACKGROUND else None
    if waited is not None:
        return waited
    has_drifted = decision.before != step.before or tuple(decision.calls) != tuple(step.calls)
    if has_drifted or decision.refusals:
        error, hint = (DRIFTED, _DRIFTED_HINT) if has_drifted else (str(decision.refusals[0]), None)
        return step.settled(unsent, at=at, error=error, hint=hint)
    if step.tries >= MOST_TRIES:
        return step.settled(StepStatus.FAILED, at=at, error="gitlab_unavailable", hint=_UNKNOWN_HINT)
    return None


def after_sending(step: Step, answer: Answer, now_is: State | None, *, at: int) -> Step:
    """The step as it is after a write, by what GitLab shows now; still pending where it is to be tried again."""
    step = replace(step, gitlab_request_id=answer.request_id or step.gitlab_request_id)
    if now_is == step.after and not _is_of_a_rival(step, answer):
        return reached(step, at)
    if step.operation.kind in IN_BACKGROUND and answer.taken in {Taken.YES, Taken.UNKNOWN}:
        return replace(step, taken_at=at if answer.taken is Taken.YES else None)
    if answer.taken is Taken.QUEUED:
        return step.settled(StepStatus.ACCEPTED, at=at, hint="GitLab waits for an administrator's approval.")
    if now_is != step.before:
        hint = _RIVAL_HINT if _is_of_a_rival(step, answer) else _DRIFTED_HINT
        return step.settled(StepStatus.FAILED, at=at, error=str(Code.GRANT_CHANGED), hint=hint)
    failed = {Taken.NO: (answer.error or REFUSED, _REFUSED_HINT), Taken.YES: (NOT_DONE, _NOT_DONE_HINT)}
    if answer.taken in failed:
        error, hint = failed[answer.taken]
        return step.settled(StepStatus.FAILED, at=at, error=error, hint=hint)
    # A write that certainly was not done is no try.
    return replace(step, sent_at=None, tries=step.tries - (answer.taken is Taken.LATER))


def _is_of_a_rival(step: Step, answer: Answer) -> bool:
    """Whether an account that is there was made by somebody else, so that undo must not block it.

    GitLab refused the only request for it that ever went out: the name or the address was taken already.
    """
    return step.operation.kind is Kind.CREATE_ACCOUNT and answer.taken is Taken.NO and step.tries == 1


def given_up(step: Step, code: str, hint: str, *, at: int, shows_before: bool = False) -> Step:
    """The step at its end, where it is not to be tried any more; `code` and `hint` say why.

    What has gone out may have been done, unless GitLab has shown since that it was not (`shows_before`).
    """
    if step.taken_at is not None:
        return step.settled(StepStatus.ACCEPTED, at=at, hint=_LATER_HINT)
    if not step.tries:
        return step.settled(StepStatus.SKIPPED, at=at, error=code, hint=hint)
    return step.settled(StepStatus.FAILED, at=at, error=code, hint=hint if shows_before else f"{hint} {_UNSURE_HINT}")


def _waited(step: Step, now_is: State | None, at: int) -> Step | None:
    """A step that GitLab does in the background, or may do; None where nobody knows that it ever took it."""
    if step.taken_at is not None:
        is_late = at - step.taken_at >= DONE_WITHIN_SECONDS
        return step.settled(StepStatus.ACCEPTED, at=at, hint=_LATER_HINT) if is_late else step
    if step.sent_at is None:
        return None
    if now_is != step.before:  # The account is closed before it goes (app/services/users/destroy_service.rb).
        return replace(step, taken_at=at)
    return step if at - step.sent_at < SENT_WITHIN_SECONDS else None


def reached(step: Step, at: int) -> Step:
    """The step, now that GitLab has what was planned; perhaps somebody else has to do something still."""
    waits_for = None if step.after is None else OPERATIONS[step.operation.kind].waits_for
    status = StepStatus.APPLIED if waits_for is None else StepStatus.ACCEPTED
    return step.settled(status, at=at, hint=waits_for)
