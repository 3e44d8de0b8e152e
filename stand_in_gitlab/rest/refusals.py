"""How GitLab says no, word for word."""

from collections.abc import Sequence

REALM = 'Bearer realm="Protected by OAuth 2.0"'
EXPIRED = "Token is expired. You can either do re-authorization or token refresh."
REVOKED = "Token was revoked. You have to re-authorize from the user."
IMPERSONATION_OFF = "Token is an impersonation token but impersonation was disabled."
NO_PROOF = "DPoP header is missing"

TOO_MANY = "This endpoint has been requested too many times. Try again later."
READ_ONLY = "You cannot perform write operations on a read-only instance"


class Refusal(Exception):
    """An answer other than the wanted one."""

    def __init__(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


def unauthorized() -> Refusal:
    """No token, or one that nobody knows."""
    return Refusal(401, {"message": "401 Unauthorized"})


def invalid_token(description: str, *, error: str = "invalid_token") -> Refusal:
    """A token that once was good, or is not enough by itself (lib/api/api_guard.rb)."""
    challenge = f'{REALM}, error="{error}", error_description="{description}"'
    return Refusal(401, {"error": error, "error_description": description}, {"WWW-Authenticate": challenge})


def scope_missing(scopes: Sequence[str]) -> Refusal:
    """A token whose scopes do not reach that far."""
    description = "The request requires higher privileges than provided by the access token."
    return Refusal(403, {"error": "insufficient_scope", "error_description": description, "scope": " ".join(scopes)})


def forbidden(reason: str = "") -> Refusal:
    """Something the caller sees but may not do."""
    return Refusal(403, {"message": f"403 Forbidden - {reason}" if reason else "403 Forbidden"})


def read_only(base: str, *, is_json: bool) -> Refusal:
    """Any write while nothing can be written; what does not come as JSON is taken for a browser's and sent home."""
    return Refusal(403, {"message": READ_ONLY}) if is_json else Refusal(301, "", {"Location": f"{base}/"})


def not_found(what: str = "") -> Refusal:
    """Something that is not there, or not for this caller."""
    return Refusal(404, {"message": f"404 {what} Not Found" if what else "404 Not found"})


def moved(base: str, project_id: int, *, reads: bool) -> Refusal:
    """A project by a path that it had before."""
    if not reads:
        return Refusal(405, {"message": "405 Non GET methods are not allowed for moved projects"})
    there = f"{base}/api/v4/projects/{project_id}"
    return Refusal(301, {"message": "This resource has been moved permanently"}, {"Location": there})


def no_such_route() -> Refusal:
    """A path outside the API."""
    return Refusal(404, {"error": "404 Not Found"})


def bad_request(problem: str) -> Refusal:
    """A parameter that does not parse."""
    return Refusal(400, {"error": problem})


def conflict(message: str) -> Refusal:
    """A second one of something that may be there only once."""
    return Refusal(409, {"message": message})


def not_allowed(message: str) -> Refusal:
    """A way of asking that this list does not know."""
    return Refusal(405, {"error": message})


def unprocessable(message: str) -> Refusal:
    """Something understood that cannot be done."""
    return Refusal(422, {"error": message})


def refused(message: str, status: int) -> Refusal:
    """A refusal of a service behind the API, which speaks of a message."""
    return Refusal(status, {"message": message})


def too_many() -> Refusal:
    """The application's own limiter: nothing says for how long."""
    return Refusal(429, {"message": {"error": TOO_MANY}})
