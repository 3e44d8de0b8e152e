"""How the suite is shared out when several processes run it."""

from pathlib import Path

import pytest
from hypothesis import settings

# No test of this suite measures time: on a busy machine a single example may wait for a fifth of a second.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

STACK = Path(__file__).parent / "end_to_end"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests together, and all that need the deployed bundle: each group starts its servers once."""
    for item in items:
        group = "stack" if STACK in item.path.parents else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
