"""Carrying out one step: look, write down, send once, look again."""

import asyncio
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.gitlab.clients import GitLabConnection, GitLabs
from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.provisioning.instead import became_member, made_member
from gitlab_hub.provisioning.model import Call, Plan, Step, StepStatus
from gitlab_hub.provisioning.operation import IN_BACKGROUND, ON_ACCOUNTS, Operation
from gitlab_hub.provisioning.outcomes import (
    Answer,
    Taken,
    after_sending,
    answer_of,
    answer_of_error,
    before_sending,
    given_up,
    held_back,
    reached,
)
from gitlab_hub.provisioning.planner import Planner
from gitlab_hub.provisioning.ports import OwnChanges
from gitlab_hub.provisioning.states import AccountState, Instead, Membership, State
from gitlab_hub.provisioning.store import PlanStore

SEND_SECONDS = 25.0
BACKGROUND_SECONDS = 3.0
"""After which it is looked whether GitLab has done in the background what it took."""

DELETE_EVERY_SECONDS = 1.0
"""GitLab takes 60 member deletions a minute (lib/gitlab/application_rate_limiter.rb, `members_delete`)."""


class Execution:
    """Carries out steps, one at a time, for whoever has the right to write to that GitLab. All calls block."""

    def __init__(
        self,
        store: PlanStore,
        planner: Planner,
        gitlabs: GitLabs,
        audit: Audit,
        own_changes: OwnChanges,
        now: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store, self._planner, self._gitlabs, self._audit = store, planner, gitlabs, audit
        self._own_changes, self._now, self._sleep = own_changes, now, sleep
        self._quiet_since = math.inf

    def begin(self) -> None:
        """Note that nobody else writes from now on: whoever did before has deleted nothing after this moment."""
        self._quiet_since = self._now()

    def carry_out(self, connection: GitLabConnection, plan: Plan, step: Step) -> Step:
        """Bring a step to its end, or leave it pending where it has to be tried again later.

        Raises GitLabError where GitLab cannot be asked what is so; nothing was sent then, or it is settled next time.
        """
        decision = self._planner.again(connection, step.operation)
        done = before_sending(step, decision, at=self._clock())
        if done is not None:
            return self._save(plan, done)
        members = self._planner.members(connection, step.operation)
        [call] = step.calls
        line = self._record(AuditAction.PLAN_OPERATION, plan, step)
        # Written down first: whoever comes after a crash knows that this may have gone out.
        sent = self._store.save_step(plan, replace(step, tries=step.tries + 1, sent_at=self._clock()))
        # After that line: what is given up before it has told nobody of a change.
        self._note_own(plan, step, line)
        if call.method == "DELETE":
            self._keep_distance()
        answer = asyncio.run(self._send(connection, call))
        self._quiet_since = self._now()
        try:
            now_is = self._planner.state(connection, step.operation)
            if answer.taken is Taken.YES and step.operation.kind in IN_BACKGROUND and now_is != step.after:
                self._sleep(BACKGROUND_SECONDS)
                now_is = self._planner.state(connection, step.operation)
            if members is not None and now_is == step.before != step.after:
                instead = made_member(step, members, self._planner.members(connection, step.operation))
                if instead is not None:
                    return self._became_member(plan, sent, answer, instead, line)
        except GitLabError as error:
            sent = self._store.save_step(plan, replace(sent, gitlab_request_id=answer.request_id))
            # It is settled by reading once GitLab can be asked; where it cannot for good, nobody is told that it was.
            return sent if error.retryable else self.give_up(plan, sent, error.code, str(error))
        return self._save(plan, after_sending(sent, answer, now_is, at=self._clock()))

    def _became_member(self, plan: Plan, step: Step, answer: Answer, instead: Instead, line: str) -> Step:
        """End a step in whose place GitLab has changed a membership; the feed and undo then know of that."""
        one = step.operation
        self._own_changes.note(
            plan.integration_id,
            *one.resource,
            instead.account_id,
            level=instead.after.access_level,
            audit_id=line,
        )
        step = replace(step, gitlab_request_id=answer.request_id or step.gitlab_request_id)
        return self._save(plan, became_member(step, instead, at=self._clock()))

    def held_back(self, plan: Plan, step: Step, steps: Iterable[Step]) -> Step | None:
        """End a deletion that must not go out, as something before it was not done; None where it may."""
        done = held_back(step, steps, at=self._clock())
        return None if done is None else self._save(plan, done)

    def settle(self, connection: GitLabConnection, plan: Plan, step: Step, code: str, hint: str) -> Step:
        """End a step that is not to be sent any more. What has gone out is judged by what GitLab shows.

        Raises GitLabError where GitLab cannot be asked.
        """
        if not step.tries:
            return self.give_up(plan, step, code, hint)
        now_is = self._planner.state(connection, step.operation)
        if now_is == step.after:
            return self._save(plan, reached(step, self._clock()))
        return self.give_up(plan, step, code, hint, shows_before=now_is == step.before)

    def give_up(self, plan: Plan, step: Step, code: str, hint: str, *, shows_before: bool = False) -> Step:
        """End a step that is not to be tried any more, whatever became of what has gone out."""
        done = given_up(step, code, hint, at=self._clock(), shows_before=shows_before)
        return self._save(plan, done, is_unsure=bool(step.tries) and not shows_before)

    def _keep_distance(self) -> None:
        """Wait for what is left of the time between two deletions; a clock that is set back makes it no longer."""
        left = DELETE_EVERY_SECONDS - (self._now() - self._quiet_since)
        if left > 0:
            self._sleep(min(left, DELETE_EVERY_SECONDS))

    async def _send(self, connection: GitLabConnection, call: Call) -> Answer:
        try:
            async with asyncio.timeout(SEND_SECONDS), self._gitlabs.open(connection) as gitlab:
                reply = await gitlab.send(call.method, call.path, call.body, params=call.query)
        except GitLabError as error:
            return answer_of_error(error)
        except TimeoutError:
            return Answer(taken=Taken.UNKNOWN, error="host_unreachable")
        return answer_of(reply.body, reply.request_id)

    def _save(self, plan: Plan, step: Step, *, is_unsure: bool = False) -> Step:
        saved = self._store.save_step(plan, step)
        if saved.tries and saved.is_settled:
            self._record(AuditAction.PLAN_OUTCOME, plan, saved)
        if saved.status is StepStatus.FAILED and not is_unsure:
            one = saved.operation
            if one.holder and one.resource_type is not None:
                self._own_changes.drop(plan.integration_id, *one.resource, one.holder, is_group=bool(one.group_id))
            elif one.kind in ON_ACCOUNTS:
                self._own_changes.drop_account(plan.integration_id, _account(one), state=_account_state(saved))
        return saved

    def _note_own(self, plan: Plan, step: Step, line: str) -> None:
        """Have the change feed know whose change this is, whoever finds it first."""
        one = step.operation
        if one.kind in ON_ACCOUNTS and one.resource_type is None:
            state = _account_state(step)
            self._own_changes.note_account(plan.integration_id, _account(one), state=state, audit_id=line)
        if not one.holder or one.resource_type is None:
            return
        self._own_changes.note(
            plan.integration_id,
            *one.resource,
            one.holder,
            is_group=bool(one.group_id),
            level=step.after.access_level if isinstance(step.after, Membership) else None,
            audit_id=line,
        )

    def _record(self, action: AuditAction, plan: Plan, step: Step) -> str:
        told: dict[str, object] = {"operation": step.sentence, "state": _state(step.after)}
        known: dict[str, object] = {}
        if action is AuditAction.PLAN_OUTCOME:
            told |= {"status": str(step.status), "error": step.error}
            told |= {} if step.instead is None else {"instead": asdict(step.instead)}
            known = {"gitlab_request_id": step.gitlab_request_id}
        return self._audit.record(
            action,
            actor=plan.applied_by or plan.created_by,
            integration_id=plan.integration_id,
            target=f"{plan.id}/{step.index}",
            before={"state": _state(step.before)},
            after=told,
            **known,
        )

    def _clock(self) -> int:
        return int(self._now())


def _account(one: Operation) -> int | str:
    """An account by its id, or one that is to be made by its username."""
    return one.account_id or one.username or ""


def _account_state(step: Step) -> str | None:
    return step.after.state if isinstance(step.after, AccountState) else None


def _state(state: State | None) -> dict[str, object] | None:
    return None if state is None else asdict(state)
