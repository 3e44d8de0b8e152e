"""The deployed bundle for end-to-end tests, and GitLabs to connect: one of each for the whole folder."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gitlab_hub.console.gitlab_sign_in import FINISH
from local.options import Options
from stand_in_gitlab.process import Running, running
from tests.end_to_end.coding_company import CodingCompany
from tests.end_to_end.companies import COMPANY, first_group, token
from tests.end_to_end.deployed import Deployed
from tests.end_to_end.hub_client import BOTH, Hub

LAST = ("test_everything_seen.py", "test_rights.py", "test_restart.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Look at everything that was answered and stored after all others of this folder have had their turn."""
    here = [number for number, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    ordered = sorted((items[number] for number in here), key=_turn)
    for number, item in zip(here, ordered, strict=True):
        item.add_marker(pytest.mark.emulator)
        items[number] = item


def _turn(item: pytest.Item) -> int:
    return LAST.index(item.path.name) + 1 if item.path.name in LAST else 0


@pytest.fixture(scope="package")
def provider() -> Iterator[Running]:
    """The GitLab that people sign in to the console with. Its clock goes: what it signs holds for two minutes."""
    with running("--users", "4", "--groups", "1", "--projects", "1", "--pipelines", "1", "--jobs", "1") as stand_in:
        yield stand_in


@pytest.fixture(scope="package")
def deployed(tmp_path_factory: pytest.TempPathFactory, provider: Running) -> Iterator[Deployed]:
    """The bundle; a GitLab on this machine may be connected, and no sync starts by itself.

    People in the first group of `provider` may sign in to the console, as viewers.
    """
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = int(probe.getsockname()[1])
    state = tmp_path_factory.mktemp("hub")
    client = provider.add_application("console", f"http://127.0.0.1:{port}{FINISH}", scopes=["openid"])
    bundle = Deployed(
        Options(
            port=port,
            state_dir=state,
            allow_loopback=True,
            allow_http=True,
            schedules=False,
            log_level="DEBUG",
            console_gitlab=provider.base,
            console_client_id=client.client_id,
            console_client_secret=client.client_secret,
            console_roles=f"{first_group(provider)['full_path']}=viewer",
        )
    )
    yield bundle
    bundle.end()


@pytest.fixture(scope="package")
def hub(deployed: Deployed) -> Hub:
    """The bundle as its callers see it."""
    return deployed.start()


@pytest.fixture(scope="package")
def gitlab() -> Iterator[Running]:
    """A company in which nothing ever changes and nothing goes wrong."""
    with running(*COMPANY) as stand_in:
        failed = next(job for job in stand_in.truth("jobs") if job["status"] == "failed")
        stand_in.change("retry_job", id=failed["id"], outcome="success")
        stand_in.control("POST", "advance", {"seconds": 3600, "idle": True})
        yield stand_in


@pytest.fixture(scope="package")
def _lively() -> Iterator[Running]:
    with running(*COMPANY) as stand_in:
        yield stand_in


@pytest.fixture
def lively(_lively: Running) -> Iterator[Running]:
    """A company that tests change, and whose GitLab may fail."""
    yield _lively
    _lively.calm()


@pytest.fixture(scope="package")
def one(hub: Hub, gitlab: Running) -> str:
    """The path of an integration that was synced once, with an administrator's token. Nobody changes it."""
    path = hub.connect(gitlab.base, token(gitlab), display_name="Quiet")
    states = hub.sync(path)
    assert {states[kind]["status"] for kind in BOTH} == {"idle"}
    assert hub.sync(path, "credentials")["credentials"]["status"] == "idle"
    return path


@pytest.fixture(scope="package")
def _coding_company(hub: Hub) -> Iterator[CodingCompany]:
    with running(*COMPANY) as stand_in:
        company = CodingCompany.connected(hub, stand_in)
        yield company
        company.guard_hooks()


@pytest.fixture
def company(_coding_company: CodingCompany) -> Iterator[CodingCompany]:
    """A company whose code tests push to, with an integration that may manage hooks and report statuses."""
    yield _coding_company
    _coding_company.guard_hooks()
    _coding_company.gitlab.control("DELETE", "faults")
    _coding_company.gitlab.behave(group_hooks="on", status_conflicts=0)
