"""The console, put together over the functions of the API.

Imports stand inside the functions: a cold start pays for what its function uses, and nothing else.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitlab_hub.composition.container import Container
    from gitlab_hub.composition.core import Required
    from gitlab_hub.console.app import Console
    from gitlab_hub.console.hub_api import HubApi, Part
    from gitlab_hub.storage.ports import Function
    from gitlab_hub.web.principal import Principal

TEMPLATES, ASSETS = "templates", "assets"


def console_of(container: "Container", folder: Path) -> "Console":
    """Make the console; `folder` holds its templates and assets. It touches nothing outside the process."""
    from gitlab_hub.console.app import Console
    from gitlab_hub.console.assets import Assets
    from gitlab_hub.console.door import Door
    from gitlab_hub.console.hub_api import HubApi, Part
    from gitlab_hub.console.links import LinkStore
    from gitlab_hub.console.pages import screens
    from gitlab_hub.console.rendering import Renderer
    from gitlab_hub.console.sessions import Sessions

    names: dict[Part, Required] = {
        Part.ACCESS: "access_function",
        Part.BUILDS: "builds_function",
        Part.INTEGRATIONS: "integrations_function",
        Part.OPERATIONS: "operations_function",
        Part.PIPELINES: "pipelines_function",
        Part.PROVISIONING: "provisioning_function",
    }

    def function_of(part: "Part") -> "Function":
        return container.function(names[part])

    def api_of(principal: "Principal", context: "Mapping[str, Any]") -> "HubApi":
        return HubApi(function_of, principal, context)

    table, tokens, now = container.integrations_table, container.token_authenticator, container.now
    assets = Assets(folder / ASSETS)
    renderer = Renderer(folder / TEMPLATES, asset_url=assets.url, now=now)
    sessions = Sessions(table, tokens, now)
    door = Door(sessions=sessions, links=LinkStore(table, now), tokens=tokens, audit=container.audit, renderer=renderer)
    return Console(screens(), door=door, sessions=sessions, api_of=api_of, renderer=renderer, assets=assets, now=now)
