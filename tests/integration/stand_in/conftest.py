"""A stand-in in a process of its own, and a plain client for it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from stand_in_gitlab.process import Running, running

SIZES = ("--users", "130", "--groups", "16", "--projects", "40", "--pipelines", "6", "--seed", "11")


@pytest.fixture(scope="package")
def server() -> Iterator[Running]:
    """One for the whole session; time stands still unless a test moves it."""
    with running("--frozen", "--epoch", "1790000000", *SIZES) as stand_in:
        yield stand_in


@pytest.fixture
def clean(server: Running) -> Iterator[Running]:
    """The server without faults, limits or delays, before and after."""
    yield server
    server.calm()


@pytest.fixture
def client(server: Running) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {server.tokens['admin-read']}"}
    with httpx.Client(base_url=f"{server.base}/api/v4", headers=headers, timeout=60, trust_env=False) as made:
        yield made


def rows(answer: httpx.Response) -> list[dict[str, Any]]:
    """The rows of a good answer."""
    assert answer.status_code == 200
    body: list[dict[str, Any]] = answer.json()
    return body
