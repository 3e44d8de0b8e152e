"""One hub for each test."""

import pytest

from tests.functional.access.history.history_hub import HistoryHub


@pytest.fixture
def hub() -> HistoryHub:
    return HistoryHub()
