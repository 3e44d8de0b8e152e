"""One test body for every store: each test runs over all three backends."""

import itertools
from collections.abc import Callable, Iterator

import pytest
from moto import mock_aws

from tests.integration.storage.backends import Stores, aws_stores, client, emulator, memory_stores

_numbers = itertools.count()


@pytest.fixture(scope="package", params=["memory", "moto", pytest.param("ministack", marks=pytest.mark.emulator)])
def backend(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Stores]]:
    """Where the stores are; each call makes new ones."""
    if request.param == "memory":
        yield memory_stores
    elif request.param == "moto":
        with mock_aws():
            yield lambda name: aws_stores("moto", name, client)
    else:
        folder = request.getfixturevalue("tmp_path_factory").mktemp("emulator")
        with emulator(folder) as endpoint:
            yield lambda name: aws_stores("ministack", name, lambda service: client(service, endpoint))


@pytest.fixture
def stores(backend: Callable[[str], Stores]) -> Stores:
    """Empty stores for one test."""
    return backend(f"stores-{next(_numbers)}")
