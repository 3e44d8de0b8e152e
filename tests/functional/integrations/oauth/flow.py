"""What the tests of an authorization do by hand and in a browser."""

from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.functional.integrations.oauth_hub import PATH, OAuthHub

AUTHORIZE, CALLBACK = f"{PATH}/authorize", f"{PATH}/callback"
FORGED = "A" * 43


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def opened(hub: OAuthHub, one: str, **more: Any) -> tuple[str, str, str]:
    """Open the connect link and say yes in GitLab: (cookie, code, state)."""
    gone = hub.browse(hub.begin(one, **more)["connect_url"])
    assert gone["statusCode"] == 302, gone
    [(name, morsel)] = SimpleCookie(gone["cookies"][0]).items()
    return f"{name}={morsel.value}", *hub.gitlab.approve(gone["headers"]["location"])


def is_unchanged(hub: OAuthHub, one: str) -> None:
    shown = hub.integration(one)
    assert (shown["status"], shown["credential_status"], hub.gitlab.living) == ("inactive", "unknown", [])
