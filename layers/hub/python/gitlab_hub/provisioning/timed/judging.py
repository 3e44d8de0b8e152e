"""Who may ask and decide by the policies of this moment, and whose word still counts."""

from collections.abc import Callable, Sequence

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.gitlab.roles import role_name
from gitlab_hub.provisioning.timed.errors import PolicyRefused, SelfApproval
from gitlab_hub.provisioning.timed.model import AccessRequest, Approval
from gitlab_hub.provisioning.timed.policies import Asked, Policy, against, policy_for
from gitlab_hub.provisioning.timed.store import PolicyStore, spelled
from gitlab_hub.web.principal import GITLAB_SIGN_IN_SECONDS, Principal, Role, is_from_gitlab


class RequestPolicies:
    """The policies of every integration, and what they say about a request. All calls block.

    `is_revoked`: whether a hub token, by its id, has been revoked or is over.
    """

    def __init__(
        self, store: PolicyStore, is_revoked: Callable[[str], bool], audit: Audit, now: Callable[[], float]
    ) -> None:
        self._store, self._is_revoked, self._audit, self._now = store, is_revoked, audit, now

    def of(self, integration_id: str) -> list[Policy]:
        """The policies of an integration, in their order."""
        return self._store.of(integration_id)

    def put(self, integration_id: str, policies: Sequence[Policy], *, actor: str) -> list[Policy]:
        """Put others in their place. Requests that wait are judged by them when somebody approves."""
        before, after = ([spelled(one) for one in some] for some in (self._store.of(integration_id), policies))
        self._audit.record(
            AuditAction.ACCESS_POLICIES_CHANGE,
            actor=actor,
            integration_id=integration_id,
            before={"policies": before},
            after={"policies": after},
        )
        self._store.put(integration_id, policies)
        return self._store.of(integration_id)

    def of_request(self, request: AccessRequest, full_path: str | None = None) -> Policy:
        """The policy that a request goes by now: its token must still be good. Raises PolicyRefused."""
        policies = self.of(request.integration_id)
        asked = Asked(
            full_path=full_path or request.full_path,
            access_level=request.access_level,
            seconds=request.seconds_from(int(self._now())),
            token_id=request.requested_by,
            role=request.requester_role,
            break_glass=request.break_glass,
        )
        policy = None if self._is_revoked(request.requested_by) else policy_for(policies, asked)
        if policy is None:
            raise PolicyRefused(
                f"No policy lets this token ask for {role_name(request.access_level)} there for that long.",
                details={"policies": [{"id": one.id, "against": against(one, asked)} for one in policies]},
            )
        return policy

    def check_approver(self, request: AccessRequest, caller: Principal) -> None:
        """Owners may always decide, and who may by the policy that the request was made under. Raises PolicyRefused."""
        policies = {one.id: one for one in self.of(request.integration_id)}
        policy = policies.get(request.policy_id)
        may = policy is not None and policy.approvers.include(caller.token_id, str(caller.role))
        if not may and not caller.role.includes(Role.OWNER):
            raise PolicyRefused.of_approver(None if policy is None else policy.id)

    def counting(self, policy: Policy, approvals: Sequence[Approval]) -> list[Approval]:
        """Those of some approvals that count by a policy of this moment: of tokens that are good, and may approve.

        That of somebody who has signed in with GitLab counts for as long as a sign-in: whether they still have the role
        is not known here, and their groups are asked for when they sign in.
        """
        since = self._now() - GITLAB_SIGN_IN_SECONDS
        return [
            one
            for one in approvals
            if policy.approvers.include(one.token_id, one.role)
            and not (one.at <= since if is_from_gitlab(one.token_id) else self._is_revoked(one.token_id))
        ]


def check_other(request: AccessRequest, caller: Principal) -> None:
    """Nobody decides about their own request: by the token, and by the people that it belongs to."""
    own = {request.account_id, *request.requester_accounts}
    if caller.token_id == request.requested_by or own & caller.accounts_in(request.integration_id):
        raise SelfApproval("This is your own request. Somebody else has to decide.")
