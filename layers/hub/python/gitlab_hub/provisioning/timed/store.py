"""Requests and policies in the access table.

`<integration>#access_requests` holds a row per request, `#access_claims` one per account and resource that names the
request which counts, `#access_policies` the policies. A request that is not over always has a row among what the
provisioner is to look at, written in the transaction that made it necessary. The row names the request's version, so
that who has looked at an earlier one removes nothing of what a later one asks for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from gitlab_hub.inventory.model import ResourceType, partition
from gitlab_hub.provisioning.keys import CLAIMS, POLICIES, REQUESTS, due_plans
from gitlab_hub.provisioning.timed.model import AccessRequest, Approval, RequestStatus
from gitlab_hub.provisioning.timed.policies import DEFAULT, Callers, Policy
from gitlab_hub.storage.due import Due
from gitlab_hub.storage.ports import ABSENT, Condition, Item, Put, Table, UnknownSchema
from gitlab_hub.storage.rows import at_version, is_written, item_of, member_of, query_all, value_of

KEPT_SECONDS = 400 * 86_400
"""As long as the audit log."""

_SCHEMA = 1


class RequestStore:
    """The requests of every integration. All calls block."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.due = due_plans(table)

    def get(self, integration_id: str, request_id: str) -> AccessRequest | None:
        """Read one request. Raises UnknownSchema."""
        row = self._table.get(partition(integration_id, REQUESTS), request_id)
        return None if row is None else _request(row)

    def newest_first(self, integration_id: str, *, after: str | None = None) -> Iterator[AccessRequest]:
        """Go through requests behind an id."""
        rows = query_all(self._table, partition(integration_id, REQUESTS), after=after, limit=100, forward=False)
        return map(_request, rows)

    def claimed_by(self, request: AccessRequest) -> str | None:
        """The id of the last request for the same account and resource."""
        return self.claim_of(request.integration_id, request.resource_type, request.resource_id, request.account_id)

    def claim_of(self, integration_id: str, kind: ResourceType, number: int, account_id: int) -> str | None:
        """The id of the last request for an account in a group or project."""
        row = self._table.get(partition(integration_id, CLAIMS), _claim(kind, number, account_id))
        return None if row is None else str(row["request_id"])

    def claim(self, request: AccessRequest, *, instead_of: str | None) -> Put:
        """The write that makes a request the one that counts, where still the other one does."""
        row: Item = {
            "pk": partition(request.integration_id, CLAIMS),
            "sk": _claim(request.resource_type, request.resource_id, request.account_id),
            "request_id": request.id,
            "schema_version": _SCHEMA,
            "expires_at": request.created_at + KEPT_SECONDS,
        }
        return Put(row, ABSENT if instead_of is None else Condition(equals={"request_id": instead_of}))

    def puts(self, request: AccessRequest, *, look_at: int) -> list[Put]:
        """The writes of the next version of a request, and of when it is to be looked at."""
        due = Due(subject_of(request), look_at, request.id)
        return [Put(_row(request), at_version(request.version - 1)), Put(self.due.item(due))]

    def write(self, puts: Sequence[Put]) -> bool:
        """Do writes together; False where something is not as it was read."""
        return is_written(self._table.transact, puts)

    def save(self, request: AccessRequest) -> bool:
        """Write the next version of a request; False where it is not as it was read."""
        return is_written(self._table.put, _row(request), at_version(request.version - 1))

    def next(self, request: AccessRequest, **changes: object) -> AccessRequest:
        """Write a request's next version and give it; where somebody was faster, theirs."""
        following = request.following(**changes)
        if self.save(following):
            return following
        return self.get(request.integration_id, request.id) or following


class PolicyStore:
    """The policies of every integration. All calls block."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def of(self, integration_id: str) -> list[Policy]:
        """Read the policies; where nobody has said anything, the default one."""
        row = self._table.get(partition(integration_id, POLICIES), "policies")
        if row is None:
            return [DEFAULT]
        if row["schema_version"] > _SCHEMA:
            raise UnknownSchema("This version does not know these policies.")
        return [_policy(one) for one in row["policies"]]

    def put(self, integration_id: str, policies: Sequence[Policy]) -> None:
        """Put policies in the place of those there are."""
        key = {"pk": partition(integration_id, POLICIES), "sk": "policies", "schema_version": _SCHEMA}
        self._table.put({**key, "policies": [spelled(one) for one in policies]})


def subject_of(request: AccessRequest) -> str:
    """The name of this version of a request among what is due."""
    return f"{request.integration_id}#{request.id}.{request.version}"


def _claim(kind: ResourceType, number: int, account_id: int) -> str:
    return f"{kind}#{number}#{account_id}"


def _row(request: AccessRequest) -> Item:
    key = {"pk": partition(request.integration_id, REQUESTS), "sk": request.id, "schema_version": _SCHEMA}
    values = item_of(request)
    values |= {
        "requester_accounts": list(request.requester_accounts),
        "approvals": [{**asdict(one), "accounts": list(one.accounts)} for one in request.approvals],
    }
    return {**key, **values, "expires_at": request.created_at + KEPT_SECONDS}


def _request(row: Item) -> AccessRequest:
    if row["schema_version"] > _SCHEMA:
        raise UnknownSchema("This version does not know this request.")
    return replace(
        value_of(AccessRequest, row),
        resource_type=member_of(ResourceType, row["resource_type"]),
        status=member_of(RequestStatus, row["status"]),
        requester_accounts=tuple(row["requester_accounts"]),
        approvals=tuple(value_of(Approval, {**one, "accounts": tuple(one["accounts"])}) for one in row["approvals"]),
    )


def spelled(policy: Policy) -> dict[str, Any]:
    """A policy as it is kept, and written into the audit log."""
    callers = {name: {part: list(some) for part, some in asdict(of).items()}
               for name, of in (("requesters", policy.requesters), ("approvers", policy.approvers))}  # fmt: skip
    return {**asdict(policy), **callers, "resources": list(policy.resources)}


def _policy(stored: dict[str, Any]) -> Policy:
    callers = {
        name: Callers(roles=tuple(stored[name]["roles"]), token_ids=tuple(stored[name]["token_ids"]))
        for name in ("requesters", "approvers")
    }
    return value_of(Policy, {**stored, **callers, "resources": tuple(stored["resources"])})
