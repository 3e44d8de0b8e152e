"""The `credentials.*` routes, for tools that speak the metrics vendor's convention."""

from collections.abc import Callable
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path

from gitlab_hub.errors import HubError, InvalidInput, NotFound
from gitlab_hub.integrations.credentials import CredentialFields, Credentials
from gitlab_hub.integrations.errors import AccountMismatch, CredentialNotFound, TokenChanged
from gitlab_hub.integrations.requests import (
    CredentialCreateBody,
    CredentialDeleteBody,
    CredentialUpdateBody,
    unix,
)
from gitlab_hub.integrations.responses import CredentialAnswer, CredentialInfo, CredentialList, Done
from gitlab_hub.integrations.verification import codes
from gitlab_hub.integrations.views import CredentialDetail, CredentialView
from gitlab_hub.web.api import Route, Seed
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.errors import InvalidJson, PermissionDenied, Unauthenticated

# The error convention of the `credentials.*` routes: few codes, and the finer one beside them.

REFUSED = 422


# The first class that an error is of decides.
OWN_CODES: tuple[tuple[type[HubError], int, str], ...] = (
    (Unauthenticated, 401, "not_authed"),
    (PermissionDenied, 403, "not_authed"),
    (CredentialNotFound, REFUSED, "credential_not_found"),
    (TokenChanged, REFUSED, "credential_not_found"),
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


BASE = "/api/connections/<connection_id>/credentials"

ConnectionId = Annotated[str, Path()]
CredentialId = Annotated[str, Path()]


class CredentialRoutes:
    """Credentials of a connection, which is what an integration is called there."""

    def __init__(self, credentials: Credentials, *, now: Callable[[], float]) -> None:
        self._credentials, self._now = credentials, now

    def routes(self) -> list[Route]:
        """Give all routes."""
        return [
            self._route("POST", ".create", self.create, "Add a credential", status=201),
            self._route("POST", ".update", self.update, "Change a credential"),
            self._route("POST", ".delete", self.delete, "Remove a credential"),
            self._route("GET", ".list", self.list_all, "List credentials", operation="list_credentials"),
            self._route("GET", ".info/<credential_id>", self.info, "Read one credential", operation="get_credential"),
        ]

    def create(
        self, connection_id: ConnectionId, body: CredentialCreateBody, caller: Caller, seed: Seed
    ) -> CredentialAnswer:
        """Verify a token and keep it as one more credential."""
        token = body.secrets.api_token.get_secret_value()
        created = self._credentials.create(connection_id, _fields(body), token, actor=caller.token_id, seed=seed)
        return CredentialAnswer(credential=CredentialView.of(created))

    def update(self, connection_id: ConnectionId, body: CredentialUpdateBody, caller: Caller) -> CredentialAnswer:
        """Verify, then change what was given."""
        updated = self._credentials.update(connection_id, body.id, _fields(body), actor=caller.token_id)
        return CredentialAnswer(credential=CredentialView.of(updated))

    def delete(self, connection_id: ConnectionId, body: CredentialDeleteBody, caller: Caller) -> Done:
        """Delete a token."""
        self._credentials.delete(connection_id, body.id, actor=caller.token_id)
        return Done()

    def list_all(self, connection_id: ConnectionId) -> CredentialList:
        """List the credentials that were not deleted."""
        found = self._credentials.listed(connection_id)
        return CredentialList(credentials=[CredentialView.of(credential) for credential in found])

    def info(self, connection_id: ConnectionId, credential_id: CredentialId) -> CredentialInfo:
        """Read one credential, a deleted one too."""
        credential, host_url = self._credentials.info(connection_id, credential_id)
        return CredentialInfo(credential=CredentialDetail.at(credential, host_url=host_url, now=int(self._now())))

    @staticmethod
    def _route(
        method: str, path: str, handler: Callable[..., Any], summary: str, *, status: int = 200, operation: str = ""
    ) -> Route:
        role = Role.ADMIN if method == "POST" else Role.VIEWER
        return Route(
            method=method,
            path=BASE + path,
            handler=handler,
            role=role,
            status=status,
            summary=summary,
            render_error=rendered,
            operation=operation,
        )


def _fields(body: CredentialCreateBody | CredentialUpdateBody) -> CredentialFields:
    return CredentialFields(
        label=body.label,
        api_base_url=body.settings.api_base_url if body.settings else None,
        token=body.secrets.api_token.get_secret_value() if body.secrets else None,
        expiration_date=unix(body.expiration_date),
    )
