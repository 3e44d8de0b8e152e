"""The error convention of the `credentials.*` routes: few codes, and the finer one beside them."""

from typing import Any

from gitlab_hub.errors import HubError, InvalidInput, NotFound
from gitlab_hub.integrations import codes
from gitlab_hub.integrations.errors import AccountMismatch, CredentialNotFound
from gitlab_hub.web.errors import InvalidJson, PermissionDenied, Unauthenticated

REFUSED = 422


# The first class that an error is of decides.
OWN_CODES: tuple[tuple[type[HubError], int, str], ...] = (
    (Unauthenticated, 401, "not_authed"),
    (PermissionDenied, 403, "not_authed"),
    (CredentialNotFound, REFUSED, "credential_not_found"),
    (NotFound, REFUSED, "connection_not_found"),
    (AccountMismatch, REFUSED, codes.CREDENTIALS),
    (InvalidInput, REFUSED, "invalid_json"),
)


def rendered(error: HubError) -> tuple[int, dict[str, Any]]:
    """Spell an error for a tool of the metrics vendor's convention."""
    fine = "invalid_json" if isinstance(error, InvalidJson) else _fine(error)
    for kind, status, code in OWN_CODES:
        if isinstance(error, kind):
            return status, _body(code, fine)
    return REFUSED, _body(_coarse(error), fine)


def _coarse(error: HubError) -> str:
    if family := codes.family(error.code):
        return family
    if error.code in ("invalid_url", "host_not_allowed", "idempotency_mismatch"):
        return "invalid_json"
    # Nothing is known about the credential, so none of the three definite codes: whatever stood in the way,
    # at GitLab or here, the credential was not judged.
    return "rate_limited" if error.code == "rate_limited" else "gitlab_unavailable"


def _fine(error: HubError) -> str:
    reason = error.details.get("reason")
    return str(reason) if reason and reason != "unknown" else error.code


def _body(code: str, detail: str) -> dict[str, Any]:
    return {"ok": False, "error": code, "error_detail": detail}
