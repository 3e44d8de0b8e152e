"""A console that people sign in to with a GitLab, made once, and as it was for each test."""

import pytest

from tests.functional.console.console_hub import START
from tests.functional.console.gitlab_door import GitLabDoor


@pytest.fixture(scope="session")
def _door() -> GitLabDoor:
    return GitLabDoor()


@pytest.fixture
def door(_door: GitLabDoor) -> GitLabDoor:
    """Nobody is signed in, GitLab answers, and members of its first group are admins."""
    _door.hub.clock = float(START)
    _door.way.failing, _door.way.seconds, _door.way.changed = 0, 0.0, {}
    _door.way.requests.clear()
    _door.configure("{0}=admin")
    for row in _door.sessions():
        _door.hub.tables["integrations"].delete(row["pk"], row["sk"])
    return _door
