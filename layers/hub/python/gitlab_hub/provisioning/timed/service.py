"""What can be done with requests for access: ask, approve, deny, end earlier; and who may, by the policies."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.clients import GitLabConnection, GitLabs
from gitlab_hub.gitlab.roles import role_name
from gitlab_hub.provisioning.service import usable
from gitlab_hub.provisioning.timed.errors import PolicyRefused, RequestDecided, RequestExists, SelfApproval, rival
from gitlab_hub.provisioning.timed.incidents import BREAK_GLASS, BY_HAND, RequestIncidents
from gitlab_hub.provisioning.timed.model import (
    GIVEN,
    PENDING_SECONDS,
    PREFIX,
    AccessRequest,
    Approval,
    RequestStatus,
    grant,
)
from gitlab_hub.provisioning.timed.plans import RequestPlans, check
from gitlab_hub.provisioning.timed.policies import Asked, Policy, against, people, policy_for
from gitlab_hub.provisioning.timed.store import PolicyStore, RequestStore, spelled
from gitlab_hub.provisioning.timed.wanted import Names, Wanted
from gitlab_hub.storage.due import AT_ONCE
from gitlab_hub.storage.ports import Function, StorageUnavailable
from gitlab_hub.web.principal import Principal, Role

_TRIES = 3


class RequestService:
    """Takes requests and decisions about them. All calls block."""

    def __init__(
        self,
        *,
        store: RequestStore,
        policies: PolicyStore,
        making: RequestPlans,
        names: Names,
        gitlabs: GitLabs,
        provisioner: Function,
        incidents: RequestIncidents,
        audit: Audit,
        now: Callable[[], float],
    ) -> None:
        self.store, self._policies, self._making, self._names = store, policies, making, names
        self._gitlabs, self._provisioner, self._incidents = gitlabs, provisioner, incidents
        self._audit, self._now = audit, now

    def policies(self, integration_id: str) -> list[Policy]:
        """The policies of an integration, in their order."""
        return self._policies.of(integration_id)

    def put_policies(self, integration_id: str, policies: Sequence[Policy], *, actor: str) -> list[Policy]:
        """Put others in their place. Requests that wait are judged by them when somebody approves."""
        before, after = ([spelled(one) for one in some] for some in (self._policies.of(integration_id), policies))
        self._audit.record(
            AuditAction.ACCESS_POLICIES_CHANGE,
            actor=actor,
            integration_id=integration_id,
            before={"policies": before},
            after={"policies": after},
        )
        self._policies.put(integration_id, policies)
        return self._policies.of(integration_id)

    def ask(self, integration_id: str, wanted: Wanted, caller: Principal, seed: str) -> AccessRequest:
        """Keep a request; one for break-glass is carried out at once.

        Raises PolicyRefused, PlanBlocked, AccessHeld, RequestExists, NotInGitLab, GitLabError or Conflict.
        """
        connection, now = usable(self._gitlabs.connection(integration_id)), int(self._now())
        ends_at = wanted.ends_at(now)
        account_id, resource_id = self._names.ids(connection, wanted)
        step = self._making.step(
            connection, grant(account_id, wanted.resource_type, resource_id, wanted.access_level, ends_at)
        )
        request = AccessRequest(
            id=f"{PREFIX}{now:08x}{hashlib.sha256(f'{integration_id}/{seed}'.encode()).hexdigest()[:12]}",
            integration_id=integration_id,
            account_id=account_id,
            account=step.subject,
            resource_type=wanted.resource_type,
            resource_id=resource_id,
            full_path=step.full_path,
            access_level=wanted.access_level,
            reason=wanted.reason,
            seconds=wanted.seconds,
            until=wanted.until,
            status=RequestStatus.PENDING,
            created_at=now,
            valid_until=min(now + PENDING_SECONDS, wanted.until or now + PENDING_SECONDS),
            requested_by=caller.token_id,
            requester_role=str(caller.role),
            requester_accounts=tuple(sorted(caller.accounts_in(integration_id))),
            policy_id="",
            break_glass=wanted.break_glass,
        )
        policy = self._policy(request)
        check(step)
        before = self.store.claimed_by(request)
        self._check_none(integration_id, before)
        told = {"sentence": step.sentence, "reason": wanted.reason, "policy_id": policy.id, "seconds": ends_at - now}
        self._record(AuditAction.ACCESS_REQUEST_CREATE, request, caller, **told, break_glass=wanted.break_glass)
        return self._kept(connection, replace(request, policy_id=policy.id, version=0), policy, before)

    def _kept(
        self, connection: GitLabConnection, request: AccessRequest, policy: Policy, before: str | None
    ) -> AccessRequest:
        claim = self.store.claim(request, instead_of=before)
        if not request.break_glass:
            kept = request.following()
            if self.store.write([claim, *self.store.puts(kept, look_at=kept.valid_until)]):
                return kept
            self._check_none(request.integration_id, self.store.claimed_by(request))
            raise rival()
        due = int(self._now()) + (policy.review_within_minutes or 0) * 60
        given = self._making.give(
            connection, replace(request, review_due_at=due), actor=request.requested_by, beside=[claim]
        )
        if given is None:
            self._check_none(request.integration_id, self.store.claimed_by(request))
            raise rival()
        self._start()
        self._incidents.break_glass(given)
        return given

    def approve(self, integration_id: str, request_id: str, caller: Principal, comment: str | None) -> AccessRequest:
        """Say yes to a request: with the last yes that its policy asks for it is carried out.

        What was taken by break-glass is reviewed by this. Saying it twice changes nothing. Raises SelfApproval,
        PolicyRefused, RequestDecided, PlanBlocked, AccessHeld, GitLabError or Conflict.
        """
        for _ in range(_TRIES):
            request, now = self.read(integration_id, request_id), int(self._now())
            _check_other(request, caller)
            if request.break_glass:
                self._check_approver(request, caller)
                if (reviewed := self._reviewed(request, caller, comment)) is not None:
                    return reviewed
                continue
            mine = Approval(token_id=caller.token_id, accounts=sorted(caller.accounts_in(integration_id)), at=now)
            if request.status_at(now) is not RequestStatus.PENDING:
                if request.status in GIVEN and caller.token_id in {one.token_id for one in request.approvals}:
                    return request
                raise RequestDecided.at(str(request.status_at(now)))
            connection = usable(self._gitlabs.connection(integration_id))
            policy = self._policy(request, self._making.step(connection, request.operation(now)).full_path)
            if not policy.approvers.include(caller.token_id, str(caller.role)):
                raise PolicyRefused.of_approver(policy.id)
            others = [one for one in request.approvals if one.token_id != caller.token_id]
            agreed = replace(
                request,
                approvals=(*others, mine),
                policy_id=policy.id,
                comment=comment or request.comment,
                decided_by=caller.token_id,
            )
            self._record(AuditAction.ACCESS_REQUEST_APPROVE, request, caller, comment=comment, policy_id=policy.id)
            if people((one.token_id, one.accounts) for one in agreed.approvals) < policy.approver_count:
                kept = replace(agreed, decided_by=None).following()
                if self.store.save(kept):
                    return kept
            elif (given := self._making.give(connection, agreed, actor=caller.token_id, beside=[])) is not None:
                self._start()
                return given
        raise rival()

    def deny(self, integration_id: str, request_id: str, caller: Principal, comment: str | None) -> AccessRequest:
        """Say no to a request; what was taken by break-glass ends by that. Raises as `approve` does."""
        for _ in range(_TRIES):
            request, now = self.read(integration_id, request_id), int(self._now())
            _check_other(request, caller)
            self._check_approver(request, caller)
            if request.break_glass:
                reviewed = self._reviewed(request, caller, comment)
                if reviewed is not None:
                    return self._ended_early(reviewed, caller) or reviewed
                continue
            if request.status is RequestStatus.DENIED and request.decided_by == caller.token_id:
                return request
            if request.status_at(now) is not RequestStatus.PENDING:
                raise RequestDecided.at(str(request.status_at(now)))
            self._record(AuditAction.ACCESS_REQUEST_DENY, request, caller, comment=comment)
            denied = request.following(
                status=RequestStatus.DENIED, decided_by=caller.token_id, decided_at=now, comment=comment
            )
            if self.store.save(denied):
                return denied
        raise rival()

    def revoke(self, integration_id: str, request_id: str, caller: Principal, comment: str | None) -> AccessRequest:
        """End a request now: whoever made it, whom it is for, admins, owners, and who may approve it.

        One that is over stays as it is; what it left to a person to look at is closed. Raises PolicyRefused, Conflict.
        """
        for _ in range(_TRIES):
            request, now = self.read(integration_id, request_id), int(self._now())
            is_own = caller.token_id == request.requested_by or request.account_id in caller.accounts_in(integration_id)
            if not is_own and not caller.role.includes(Role.ADMIN):
                self._check_approver(request, caller)
            self._record(AuditAction.ACCESS_REQUEST_REVOKE, request, caller, comment=comment)
            if request.is_over(now):
                self._incidents.close(BY_HAND, request)
                return request
            if request.status is RequestStatus.PENDING:
                withdrawn = request.following(
                    status=RequestStatus.ENDED, ended_at=now, ended_by=caller.token_id, comment=comment
                )
                if self.store.save(withdrawn):
                    return withdrawn
            elif (ending := self._ended_early(request, caller)) is not None:
                return ending
        raise rival()

    def read(self, integration_id: str, request_id: str) -> AccessRequest:
        """Read one request. Raises NotFound."""
        request = self.store.get(integration_id, request_id)
        if request is None:
            raise NotFound("There is no such access request.")
        return request

    def _ended_early(self, request: AccessRequest, caller: Principal) -> AccessRequest | None:
        """A request with its end now, written; None where it is another by now."""
        now = int(self._now())
        if request.status not in GIVEN or (request.ends_at or 0) <= now:
            return request
        ending = request.following(ends_at=now, ended_by=caller.token_id)
        if not self.store.write(self.store.puts(ending, look_at=AT_ONCE)):
            return None
        self._start()
        return ending

    def _reviewed(self, request: AccessRequest, caller: Principal, comment: str | None) -> AccessRequest | None:
        """A use of break-glass that somebody has looked at, written; None where it is another by now."""
        if request.reviewed_at is not None:
            self._incidents.close(BREAK_GLASS, request)
            return request
        self._record(AuditAction.ACCESS_REQUEST_REVIEW, request, caller, comment=comment)
        now = int(self._now())
        reviewed = request.following(reviewed_at=now, reviewed_by=caller.token_id, comment=comment or request.comment)
        if not self.store.save(reviewed):
            return None
        self._incidents.close(BREAK_GLASS, reviewed)
        return reviewed

    def _policy(self, request: AccessRequest, full_path: str | None = None) -> Policy:
        """The policy that a request goes by now. Raises PolicyRefused."""
        policies = self._policies.of(request.integration_id)
        asked = Asked(
            full_path=full_path or request.full_path,
            access_level=request.access_level,
            seconds=request.seconds_from(int(self._now())),
            token_id=request.requested_by,
            role=request.requester_role,
            break_glass=request.break_glass,
        )
        policy = policy_for(policies, asked)
        if policy is None:
            raise PolicyRefused(
                f"No policy lets this token ask for {role_name(request.access_level)} there for that long.",
                details={"policies": [{"id": one.id, "against": against(one, asked)} for one in policies]},
            )
        return policy

    def _check_approver(self, request: AccessRequest, caller: Principal) -> None:
        """Owners may always decide, and who may by the policy that the request was made under. Raises PolicyRefused."""
        policies = {one.id: one for one in self._policies.of(request.integration_id)}
        policy = policies.get(request.policy_id)
        may = policy is not None and policy.approvers.include(caller.token_id, str(caller.role))
        if not may and not caller.role.includes(Role.OWNER):
            raise PolicyRefused.of_approver(None if policy is None else policy.id)

    def _check_none(self, integration_id: str, request_id: str | None) -> None:
        """Make sure that the request which counts is over. Raises RequestExists."""
        other = None if request_id is None else self.store.get(integration_id, request_id)
        if other is not None and not other.is_over(self._now()):
            raise RequestExists(
                "There is a request for this account and resource already. Wait until it is over, or end it first.",
                details={"access_request_id": other.id, "status": str(other.status_at(self._now()))},
            )

    def _start(self) -> None:
        with suppress(StorageUnavailable):  # The next tick comes within a minute.
            self._provisioner.start()

    def _record(self, action: AuditAction, request: AccessRequest, caller: Principal, **told: object) -> None:
        self._audit.record(
            action,
            actor=caller.token_id,
            integration_id=request.integration_id,
            target=request.id,
            after={"account_id": request.account_id, "full_path": request.full_path, **told},
        )


def _check_other(request: AccessRequest, caller: Principal) -> None:
    """Nobody decides about their own request: by the token, and by the people that it belongs to."""
    own = {request.account_id, *request.requester_accounts}
    if caller.token_id == request.requested_by or own & caller.accounts_in(request.integration_id):
        raise SelfApproval("This is your own request. Somebody else has to decide.")
