"""Browsers for the console of a test, and a console that people sign in to with a GitLab."""

import pytest

from tests.functional.console.console_hub import START, ConsoleHub
from tests.functional.console.sign_in_flow import SignInFlow
from tests.functional.console.visitor import Visitor


@pytest.fixture
def visitor(hub: ConsoleHub) -> Visitor:
    """The owner's browser; the hub is the one of the test's own file."""
    return hub.signed_in()


@pytest.fixture(scope="session")
def _flow() -> SignInFlow:
    return SignInFlow()


@pytest.fixture
def flow(_flow: SignInFlow) -> SignInFlow:
    """Nobody is signed in, GitLab answers, and members of its first group are admins."""
    _flow.hub.clock = float(START)
    _flow.way.failing, _flow.way.seconds, _flow.way.changed = 0, 0.0, {}
    _flow.way.requests.clear()
    _flow.configure("{0}=admin")
    for row in _flow.sessions():
        _flow.hub.tables["integrations"].delete(row["pk"], row["sk"])
    return _flow
