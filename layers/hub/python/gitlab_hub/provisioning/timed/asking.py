"""Asking for access: a request is kept until somebody decides; one for break-glass is carried out at once."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.gitlab.clients import GitLabConnection, GitLabs
from gitlab_hub.provisioning.service import usable
from gitlab_hub.provisioning.timed.errors import RequestExists, rival
from gitlab_hub.provisioning.timed.incidents import RequestIncidents
from gitlab_hub.provisioning.timed.judging import RequestPolicies
from gitlab_hub.provisioning.timed.model import PENDING_SECONDS, PREFIX, AccessRequest, RequestStatus, grant
from gitlab_hub.provisioning.timed.plans import RequestPlans, check
from gitlab_hub.provisioning.timed.policies import Policy
from gitlab_hub.provisioning.timed.store import RequestStore
from gitlab_hub.provisioning.timed.wanted import Names, Wanted
from gitlab_hub.storage.ports import Function, StorageUnavailable
from gitlab_hub.web.principal import Principal


class Asking:
    """Takes requests. All calls block."""

    def __init__(
        self,
        *,
        store: RequestStore,
        policies: RequestPolicies,
        making: RequestPlans,
        names: Names,
        gitlabs: GitLabs,
        provisioner: Function,
        incidents: RequestIncidents,
        audit: Audit,
        now: Callable[[], float],
    ) -> None:
        self._store, self._policies, self._making, self._names = store, policies, making, names
        self._gitlabs, self._provisioner, self._incidents = gitlabs, provisioner, incidents
        self._audit, self._now = audit, now

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
        policy = self._policies.of_request(request)
        check(step)
        before = self._store.claimed_by(request)
        self._check_none(integration_id, before)
        told = {"sentence": step.sentence, "reason": wanted.reason, "policy_id": policy.id, "seconds": ends_at - now}
        self._audit.record(
            AuditAction.ACCESS_REQUEST_CREATE,
            actor=caller.token_id,
            integration_id=integration_id,
            target=request.id,
            after={
                "account_id": account_id,
                "full_path": request.full_path,
                **told,
                "break_glass": wanted.break_glass,
            },
        )
        return self._kept(connection, replace(request, policy_id=policy.id, version=0), policy, before)

    def _kept(
        self, connection: GitLabConnection, request: AccessRequest, policy: Policy, before: str | None
    ) -> AccessRequest:
        claim = self._store.claim(request, instead_of=before)
        if not request.break_glass:
            kept = request.following()
            if self._store.write([claim, *self._store.puts(kept, look_at=kept.valid_until)]):
                return kept
            self._check_none(request.integration_id, self._store.claimed_by(request))
            raise rival()
        due = int(self._now()) + (policy.review_within_minutes or 0) * 60
        given = self._making.give(
            connection, replace(request, review_due_at=due), actor=request.requested_by, beside=[claim]
        )
        if given is None:
            self._check_none(request.integration_id, self._store.claimed_by(request))
            raise rival()
        with suppress(StorageUnavailable):  # The next tick comes within a minute.
            self._provisioner.start()
        self._incidents.break_glass(given)
        return given

    def _check_none(self, integration_id: str, request_id: str | None) -> None:
        """Make sure that the request which counts is over. Raises RequestExists."""
        other = None if request_id is None else self._store.get(integration_id, request_id)
        if other is not None and not other.is_over(self._now()):
            raise RequestExists(
                "There is a request for this account and resource already. Wait until it is over, or end it first.",
                details={"access_request_id": other.id, "status": str(other.status_at(self._now()))},
            )
