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
    from gitlab_hub.console.gitlab_sign_in import GitLabSignIn
    from gitlab_hub.console.hub_api import HubApi, Part
    from gitlab_hub.gitlab.client import GitLab
    from gitlab_hub.storage.ports import Function
    from gitlab_hub.web.principal import Principal

TEMPLATES, ASSETS = "templates", "assets"


def console_of(container: "Container", folder: Path) -> "Console":
    """Make the console; `folder` holds its templates and assets. It touches nothing outside the process."""
    from gitlab_hub.console.app import Console
    from gitlab_hub.console.assets import Assets
    from gitlab_hub.console.hub_api import HubApi, Part
    from gitlab_hub.console.links import LinkStore
    from gitlab_hub.console.pages import screens
    from gitlab_hub.console.rendering import Renderer
    from gitlab_hub.console.sessions import Sessions
    from gitlab_hub.console.sign_in import SignIn

    names: dict[Part, Required] = {
        Part.ACCESS: "access_function",
        Part.BUILDS: "builds_function",
        Part.INTEGRATIONS: "integrations_function",
        Part.OAUTH: "oauth_function",
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
    gitlab = gitlab_sign_in(container)
    principal_of = gitlab.provider.principal_of if gitlab else lambda _person: None
    sessions = Sessions(table, tokens, now, principal_of=principal_of)
    sign_in = SignIn(
        sessions=sessions, links=LinkStore(table, now), tokens=tokens, audit=container.audit, renderer=renderer,
        api_of=api_of, gitlab=gitlab,
    )  # fmt: skip
    return Console(
        screens(), sign_in=sign_in, sessions=sessions, api_of=api_of, renderer=renderer, assets=assets, now=now
    )


def gitlab_sign_in(container: "Container") -> "GitLabSignIn | None":
    """Signing in with the GitLab that the stack names; None where it names none. Raises ValueError for odd rules."""
    from gitlab_hub.console.gitlab_sign_in import GitLabSignIn, Provider
    from gitlab_hub.console.people import rules_of

    issuer = container.env("console_gitlab_url").rstrip("/")
    if not issuer:
        return None

    def open_gitlab(token: str) -> "GitLab":
        from gitlab_hub.integrations.connector import FixedToken

        connector = container.connector()
        return connector.open(connector.address(issuer), FixedToken(token))

    def client_secret() -> str | None:
        return container.secrets().read(container.env("console_client_secret")).get("client_secret") or None

    def verified_claims(*token_and_keys: Any, **wanted: Any) -> "Mapping[str, Any]":
        from gitlab_hub.console import id_tokens

        return id_tokens.verified_claims(*token_and_keys, **wanted)

    def base_url(event: "Mapping[str, Any]") -> str:
        container.public_url.learn_from(event)
        return container.public_url.base()

    provider = Provider(
        issuer=issuer, client_id=container.env("console_client_id"), rules=rules_of(container.env("console_roles"))
    )
    return GitLabSignIn(
        provider,
        open_gitlab=open_gitlab,
        client_secret=client_secret,
        verified_claims=verified_claims,
        base_url=base_url,
        now=container.now,
    )
