"""The caller of the current request, as handlers and the API see it."""

from collections.abc import Mapping
from typing import Annotated, Any, Protocol

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from gitlab_hub.storage.ports import StorageUnavailable
from gitlab_hub.web.errors import Unauthenticated
from gitlab_hub.web.principal import FAILED, Principal, Role

__all__ = ["Caller", "IntegrationGuard", "Principal", "Role", "current_principal", "principal_of"]


class IntegrationGuard(Protocol):
    """Knows which integrations there are."""

    def exists(self, integration_id: str) -> bool:
        """Say whether there is an integration of this id."""


def principal_of(event: Mapping[str, Any]) -> Principal | None:
    """Read who calls from what the authorizer left in the event. Raises StorageUnavailable where it could not look."""
    context = _inside(event, "requestContext", "authorizer", "lambda")
    if context == FAILED:
        raise StorageUnavailable("Your token could not be checked; try again in a moment.", retry_after=5)
    return Principal.from_context(context)


def _inside(event: Any, *names: str) -> Any:
    """What lies at a path of an event; None where something else does."""
    for name in names:
        event = event.get(name) if isinstance(event, Mapping) else None
    return event


def current_principal(request: Request) -> Principal:
    """Hand the caller to a handler that asks for one."""
    principal = principal_of(request.resolved_event.raw_event)
    if principal is None:
        raise Unauthenticated("Send a valid hub token: Authorization: Bearer ghub_…")
    return principal


Caller = Annotated[Principal, Depends(current_principal)]
