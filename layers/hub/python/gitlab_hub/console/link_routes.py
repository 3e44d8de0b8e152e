"""`/v1/console-links`: a link that signs a browser in to the console, so that nobody has to paste a token."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.console.links import LIFE_SECONDS, LinkStore
from gitlab_hub.console.sessions import Tokens
from gitlab_hub.errors import Conflict
from gitlab_hub.web.api import Route, Seed
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.tokens import MasterKey

PATH = "/v1/console-links"
OPENED_AT = "/console/link"


class ConsoleLink(BaseModel):
    """A link for one browser, once."""

    url: Annotated[
        str,
        Field(
            description="Signs in whoever opens it first, with the rights of the token it was made with.",
            examples=["https://hub.example.com/console/link/0a1b2c3d"],
        ),
    ]
    expires_at: Annotated[
        int, Field(description=f"Until when, in unix seconds: {LIFE_SECONDS} of them.", examples=[1790000600])
    ]


class ConsoleLinkRoutes:
    """Makes links to the console. They carry no right that their maker does not have."""

    def __init__(
        self, links: LinkStore, tokens: Tokens, keys: MasterKey, audit: Audit, base_url: Callable[[], str]
    ) -> None:
        self._links, self._tokens, self._keys, self._audit = links, tokens, keys, audit
        self._base_url = base_url

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        return (
            Route(method="POST", path=PATH, handler=self.create, role=Role.VIEWER, status=201, secret_answer=True,
                  summary="Make a one-time link that signs in to the console"),
        )  # fmt: skip

    def create(self, caller: Caller, seed: Seed) -> ConsoleLink:
        """Make a link; it is good for one sign-in within ten minutes."""
        token = self._tokens.known_by_id(caller.token_id)
        if token is None:
            raise Conflict("This hub token was revoked or replaced a moment ago; use another one.")
        ticket = hmac.digest(self._keys.derive("console-links"), seed.encode(), hashlib.sha256).hex()
        self._audit.record(AuditAction.CONSOLE_LINK_CREATE, actor=caller.token_id, integration_id=None)
        link = self._links.add(ticket, token)
        return ConsoleLink(url=f"{self._base_url()}{OPENED_AT}/{ticket}", expires_at=link.ends_at)
