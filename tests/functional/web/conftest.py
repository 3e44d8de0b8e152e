import pytest

from tests.functional.web.sample import Sample


@pytest.fixture
def sample() -> Sample:
    return Sample()
