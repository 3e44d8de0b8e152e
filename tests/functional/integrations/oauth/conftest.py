"""What the tests of authorizations begin with."""

import pytest

from tests.functional.integrations.oauth_hub import OAuthHub


@pytest.fixture
def hub() -> OAuthHub:
    return OAuthHub()


@pytest.fixture
def one(hub: OAuthHub) -> str:
    """An integration that nobody has authorized."""
    return hub.start()
