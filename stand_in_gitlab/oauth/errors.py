"""How the provider says no, word for word (Doorkeeper's locale)."""

from stand_in_gitlab.rest.refusals import Refusal

DENIED = "The resource owner or authorization server denied the request."
_WORDS = {
    "invalid_client": (
        "Client authentication failed due to unknown client, no client authentication included, or unsupported "
        "authentication method."
    ),
    "invalid_grant": (
        "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the "
        "authorization request, or was issued to another client."
    ),
    "unsupported_grant_type": "The authorization grant type is not supported by the authorization server.",
    "unauthorized_client": "You are not authorized to revoke this token",
    "invalid_request": (
        "The request is missing a required parameter, includes an unsupported parameter value, or is otherwise "
        "malformed."
    ),
}
_STATUS = {"invalid_client": 401, "unauthorized_client": 403}


def refusal(error: str, description: str = "") -> Refusal:
    """A refusal of the token endpoints: 401 for the client, 403 for a foreign token, else 400."""
    words = description or _WORDS[error]
    challenge = f'Bearer realm="Doorkeeper", error="{error}", error_description="{words}"'
    headers = {"WWW-Authenticate": challenge, "Cache-Control": "no-store"}
    return Refusal(_STATUS.get(error, 400), {"error": error, "error_description": words}, headers)


def missing(parameter: str) -> Refusal:
    """A parameter that has to be there."""
    return refusal("invalid_request", f"Missing required parameter: {parameter}.")
