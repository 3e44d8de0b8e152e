"""Unit tests open no sockets."""

import pytest
from pytest_socket import disable_socket


@pytest.fixture(autouse=True)
def _no_sockets() -> None:
    # An event loop talks to itself through a socket pair, which is a Unix one.
    disable_socket(allow_unix_socket=True)
