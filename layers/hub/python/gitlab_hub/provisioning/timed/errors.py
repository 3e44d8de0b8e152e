"""What requests for access refuse."""

from gitlab_hub.errors import Conflict, HubError


class SelfApproval(HubError):
    """Nobody decides about a request of their own, or about access that they would get."""

    code = "self_approval"


class PolicyRefused(HubError):
    """No policy lets this caller do that. `details["policies"]` says of each what does not fit."""

    code = "policy_refused"

    @classmethod
    def of_approver(cls, policy_id: str | None) -> "PolicyRefused":
        """Of somebody who may not decide about a request that was made under this policy."""
        told = [] if policy_id is None else [{"id": policy_id, "against": ["approver"]}]
        return cls("The policy lets others decide about this request.", details={"policies": told})


class RequestExists(HubError):
    """There is a request for this account and resource that is not over. `details["access_request_id"]`."""

    code = "request_exists"


class RequestDecided(HubError):
    """The request was decided about, or is over. `details["status"]`."""

    code = "request_decided"

    @classmethod
    def at(cls, status: str) -> "RequestDecided":
        """Of a request with this status."""
        return cls(f"This request is {status}; nothing is left to decide.", details={"status": status})


class AccessHeld(HubError):
    """The account has that much access already, so there is nothing to give and nothing to take back."""

    code = "access_held"


def rival() -> Conflict:
    """Somebody else was faster."""
    return Conflict("Others change this at the same moment; send it again.", retry_after=1)
