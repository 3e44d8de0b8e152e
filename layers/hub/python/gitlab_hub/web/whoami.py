"""`/v1/whoami`: what the presented token is and may do."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from gitlab_hub.web.api import Route
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.tokens import TokenStore


class WhoAmI(BaseModel):
    """The caller, as its hub token says."""

    token_id: Annotated[str, Field(examples=["0a1b2c3d4e5f6071"])]
    name: Annotated[str | None, Field(description="The token's label; null where it has none.", examples=["ci"])]
    role: Role
    integration_ids: Annotated[list[str] | None, Field(description="Null: it sees every integration.")]
    expires_at: Annotated[int | None, Field(description="When it ends, in unix seconds; null: never.")]


class WhoAmIRoutes:
    """Tells callers who they are."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        path = "/v1/whoami"
        return (
            Route(
                method="GET",
                path=path,
                handler=self.show,
                operation="whoami",
                role=Role.VIEWER,
                summary="Show who calls",
            ),
        )

    def show(self, caller: Caller) -> WhoAmI:
        """Show the caller's token: its role, its limit and its end. The first owner's token has no label."""
        token = self._store.get(caller.token_id)
        return WhoAmI(
            token_id=caller.token_id,
            name=None if token is None else token.label,
            role=caller.role,
            integration_ids=None if caller.integration_ids is None else sorted(caller.integration_ids),
            expires_at=None if token is None else token.valid_until,
        )
