"""The HTTP routes of requests for access, and of the policies they go by."""

from collections.abc import Callable
from itertools import islice
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from gitlab_hub.provisioning.timed.asking import Asking
from gitlab_hub.provisioning.timed.bodies import (
    AccessRequestBody,
    PoliciesBody,
    PolicyList,
    PolicyView,
    RequestDecisionBody,
)
from gitlab_hub.provisioning.timed.deciding import Deciding
from gitlab_hub.provisioning.timed.judging import RequestPolicies
from gitlab_hub.provisioning.timed.model import AccessRequest, RequestStatus
from gitlab_hub.provisioning.timed.policies import Policy
from gitlab_hub.provisioning.timed.views import AccessRequestEnvelope, AccessRequestList, AccessRequestView
from gitlab_hub.web.api import Route, Seed
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor, listing_name

ALL = "/v1/integrations/<integration_id>/access-requests"
ONE = f"{ALL}/<request_id>"
POLICIES = "/v1/integrations/<integration_id>/access-policies"
MOST_SCANNED = 1_000

IntegrationId = Annotated[str, Path()]
RequestId = Annotated[str, Path()]


class AccessRequestRoutes:
    """Asking for access, and deciding about it; who may is for the policies to say."""

    def __init__(
        self,
        asking: Asking,
        deciding: Deciding,
        policies: RequestPolicies,
        cursors: Cursors,
        now: Callable[[], float],
    ) -> None:
        self._asking, self._deciding, self._policies = asking, deciding, policies
        self._cursors, self._now = cursors, now

    def routes(self) -> list[Route]:
        """Give all routes."""
        return [
            Route(method="POST", path=ALL, handler=self.ask, role=Role.DEVELOPER, status=201,
                  summary="Ask for access for a while"),
            Route(method="GET", path=ALL, handler=self.list, role=Role.DEVELOPER, summary="List access requests"),
            Route(method="POST", path=f"{ONE}/approve", handler=self.approve, role=Role.DEVELOPER,
                  summary="Approve an access request"),
            Route(method="POST", path=f"{ONE}/deny", handler=self.deny, role=Role.DEVELOPER,
                  summary="Deny an access request"),
            Route(method="POST", path=f"{ONE}/revoke", handler=self.revoke, role=Role.DEVELOPER,
                  summary="End an access request"),
            Route(method="GET", path=POLICIES, handler=self.policies, role=Role.OWNER, summary="Read access policies"),
            Route(method="PUT", path=POLICIES, handler=self.put_policies, role=Role.OWNER,
                  summary="Replace access policies"),
        ]  # fmt: skip

    def ask(
        self, integration_id: IntegrationId, body: AccessRequestBody, caller: Caller, seed: Seed
    ) -> AccessRequestEnvelope:
        """Ask for a level in a group or project for so many minutes, or until a time.

        GitLab is asked at once whether that can be given. Nothing changes until somebody approves, within 24 hours;
        `break_glass` takes it at once, where a policy allows that.
        """
        return self._shown(self._asking.ask(integration_id, body.wanted, caller, seed))

    def list(
        self,
        integration_id: IntegrationId,
        status: Annotated[RequestStatus | None, Query()] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> AccessRequestList:
        """List access requests, newest first; they are kept for 400 days.

        A page looks at 1,000 of them at most: with a filter it may be short, or empty, and go on.
        """
        listing = listing_name("access_requests", integration_id, {"status": status and str(status)})
        after, now = self._cursors.open(listing, cursor), self._now()
        found: list[AccessRequest] = []
        last, more = None, False
        for seen in islice(self._deciding.store.newest_first(integration_id, after=after), MOST_SCANNED):
            if len(found) == limit:
                more = True
                break
            last = seen
            if status is None or seen.status_at(now) is status:
                found.append(seen)
        else:
            more = (
                last is not None
                and next(self._deciding.store.newest_first(integration_id, after=last.id), None) is not None
            )
        shown = [AccessRequestView.of(one, now=now) for one in found]
        following = self._cursors.following(listing, last.id if more and last is not None else None)
        return AccessRequestList(access_requests=shown, next_cursor=following)

    def approve(
        self, integration_id: IntegrationId, request_id: RequestId, body: RequestDecisionBody, caller: Caller
    ) -> AccessRequestEnvelope:
        """Say yes: with the last yes that its policy asks for, the access is given, and ends by itself.

        Nobody approves a request of their own (403 `self_approval`). What was taken by break-glass is reviewed by this.
        """
        return self._shown(self._deciding.approve(integration_id, request_id, caller, body.comment))

    def deny(
        self, integration_id: IntegrationId, request_id: RequestId, body: RequestDecisionBody, caller: Caller
    ) -> AccessRequestEnvelope:
        """Say no. What was taken by break-glass is reviewed and ended by this."""
        return self._shown(self._deciding.deny(integration_id, request_id, caller, body.comment))

    def revoke(
        self, integration_id: IntegrationId, request_id: RequestId, body: RequestDecisionBody, caller: Caller
    ) -> AccessRequestEnvelope:
        """End access now, or withdraw a request; one that is over stays as it is.

        For whoever asked, whom it is for, admins, owners, and those who may approve it.
        """
        return self._shown(self._deciding.revoke(integration_id, request_id, caller, body.comment))

    def policies(self, integration_id: IntegrationId) -> PolicyList:
        """Read who may ask for what, for how long, and who approves: the first policy that fits a request counts."""
        return _listed(self._policies.of(integration_id))

    def put_policies(self, integration_id: IntegrationId, body: PoliciesBody, caller: Caller) -> PolicyList:
        """Put other policies in the place of those there are; requests that wait are judged by them when approved."""
        wanted = [one.policy for one in body.policies]
        return _listed(self._policies.put(integration_id, wanted, actor=caller.token_id))

    def _shown(self, request: AccessRequest) -> AccessRequestEnvelope:
        return AccessRequestEnvelope.of(request, now=self._now())


def _listed(policies: list[Policy]) -> PolicyList:
    return PolicyList(policies=[PolicyView.of(one) for one in policies])
