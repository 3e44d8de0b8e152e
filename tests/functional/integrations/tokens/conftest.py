"""What the tests of tokens begin with."""

import pytest

from tests.functional.integrations.oauth_hub import OAuthHub


@pytest.fixture
def hub() -> OAuthHub:
    return OAuthHub()


@pytest.fixture
def one(hub: OAuthHub) -> str:
    """An integration that somebody has authorized."""
    return hub.connected()
