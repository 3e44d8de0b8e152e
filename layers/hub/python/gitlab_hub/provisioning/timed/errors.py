"""What requests for access refuse."""

from gitlab_hub.errors import HubError


class SelfApproval(HubError):
    """Nobody decides about a request of their own, or about access that they would get."""

    code = "self_approval"


class PolicyRefused(HubError):
    """No policy lets this caller do that. `details["policies"]` says of each what does not fit."""

    code = "policy_refused"


class RequestExists(HubError):
    """There is a request for this account and resource that is not over. `details["access_request_id"]`."""

    code = "request_exists"


class RequestDecided(HubError):
    """The request was decided about, or is over. `details["status"]`."""

    code = "request_decided"


class AccessHeld(HubError):
    """The account has that much access already, so there is nothing to give and nothing to take back."""

    code = "access_held"
