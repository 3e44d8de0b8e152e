"""Deciding about requests for access: approve, deny, review what was taken by break-glass, end earlier."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.provisioning.service import usable
from gitlab_hub.provisioning.timed.errors import PolicyRefused, RequestDecided, rival
from gitlab_hub.provisioning.timed.incidents import BREAK_GLASS, BY_HAND, RequestIncidents
from gitlab_hub.provisioning.timed.judging import RequestPolicies, check_other
from gitlab_hub.provisioning.timed.model import GIVEN, AccessRequest, Approval, RequestStatus
from gitlab_hub.provisioning.timed.plans import RequestPlans
from gitlab_hub.provisioning.timed.policies import people
from gitlab_hub.provisioning.timed.store import RequestStore
from gitlab_hub.storage.due import AT_ONCE
from gitlab_hub.storage.ports import Function, StorageUnavailable
from gitlab_hub.web.principal import Principal, Role

_TRIES = 3


class Deciding:
    """Takes decisions about requests. All calls block."""

    def __init__(
        self,
        *,
        store: RequestStore,
        policies: RequestPolicies,
        making: RequestPlans,
        gitlabs: GitLabs,
        provisioner: Function,
        incidents: RequestIncidents,
        audit: Audit,
        now: Callable[[], float],
    ) -> None:
        self.store, self._policies, self._making = store, policies, making
        self._gitlabs, self._provisioner, self._incidents = gitlabs, provisioner, incidents
        self._audit, self._now = audit, now

    def approve(self, integration_id: str, request_id: str, caller: Principal, comment: str | None) -> AccessRequest:
        """Say yes to a request: with the last yes that its policy asks for it is carried out.

        What was taken by break-glass is reviewed by this. Saying it twice changes nothing. Raises SelfApproval,
        PolicyRefused, RequestDecided, PlanBlocked, AccessHeld, GitLabError or Conflict.
        """
        for _ in range(_TRIES):
            request, now = self.read(integration_id, request_id), int(self._now())
            check_other(request, caller)
            if request.break_glass:
                self._policies.check_approver(request, caller)
                if (reviewed := self._reviewed(request, caller, comment)) is not None:
                    return reviewed
                continue
            mine = Approval(
                token_id=caller.token_id,
                role=str(caller.role),
                accounts=sorted(caller.accounts_in(integration_id)),
                at=now,
            )
            if request.status_at(now) is not RequestStatus.PENDING:
                if request.status in GIVEN and caller.token_id in {one.token_id for one in request.approvals}:
                    return request
                raise RequestDecided.at(str(request.status_at(now)))
            connection = usable(self._gitlabs.connection(integration_id))
            policy = self._policies.of_request(request, self._making.step(connection, request.operation(now)).full_path)
            if not policy.approvers.include(caller.token_id, str(caller.role)):
                raise PolicyRefused.of_approver(policy.id)
            others = [one for one in request.approvals if one.token_id != caller.token_id]
            counting = self._policies.counting(policy, others)
            agreed = replace(
                request,
                approvals=(*counting, mine),
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
            check_other(request, caller)
            self._policies.check_approver(request, caller)
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
                self._policies.check_approver(request, caller)
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
