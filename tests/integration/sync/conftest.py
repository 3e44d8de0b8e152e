"""A stand-in GitLab for each file of tests, in a process of its own; nothing but loopback is spoken to."""

from collections.abc import Iterator

import pytest

from gitlab_hub.sync.ports import Kind
from stand_in_gitlab.process import Running, running
from tests.fakes.sync_worker import SyncHub

EPOCH = "1790000000"
SMALL = ("--users", "12", "--groups", "3", "--projects", "4", "--pipelines", "2", "--jobs", "3", "--seed", "68")

BOTH = (Kind.ACCESS, Kind.PIPELINES)
KINDS = pytest.mark.parametrize("kind", BOTH)
"""The syncs that others build on; that of credentials has tests of its own."""


@pytest.fixture(scope="module")
def company() -> Iterator[Running]:
    """One small company for a whole file. Tests change it; each compares with what is true at its own end."""
    with running("--frozen", "--epoch", EPOCH, *SMALL) as stand_in:
        yield stand_in


@pytest.fixture
def server(company: Running) -> Iterator[Running]:
    """The company without faults, limits, delays and counts."""
    company.calm()
    company.control("DELETE", "stats")
    yield company
    company.control("DELETE", "faults")


@pytest.fixture
def fresh() -> Iterator[Running]:
    """A company of its own for a test that leaves little of it."""
    with running("--frozen", "--epoch", EPOCH, *SMALL) as stand_in:
        yield stand_in


@pytest.fixture
def hub(server: Running) -> SyncHub:
    """An administrator's hub that has never synced."""
    return SyncHub(server)
