"""`/healthz`: is anybody there, and which version."""

from collections.abc import Sequence

from pydantic import BaseModel

from gitlab_hub import __version__
from gitlab_hub.web.api import Route


class Health(BaseModel):
    """The hub answers."""

    ok: bool
    version: str


class HealthRoutes:
    """The route that needs nothing but the function itself."""

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        return (
            Route(
                method="GET",
                path="/healthz",
                handler=self.check,
                operation="get_health",
                role=None,
                summary="Is the hub there",
            ),
        )

    def check(self) -> Health:
        """Answer."""
        return Health(ok=True, version=__version__)
