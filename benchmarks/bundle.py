"""The deployed bundle on the emulator, with a small GitLab connected: what a benchmark of the whole path stands on."""

import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.demo.hub import Hub
from local.options import Options
from local.stack import Stack
from local.up import running
from stand_in_gitlab import process as gitlab

COMPANY = ("--seed", "7", "--users", "5", "--groups", "2", "--projects", "4", "--pipelines", "1", "--jobs", "1")
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A hub that answers on a port, the AWS beneath it, and a GitLab that it knows."""

    port: int
    hub: Hub
    stack: Stack
    company: gitlab.Running
    integration_id: str


@contextmanager
def running_bundle(*sizes: str) -> Iterator[Bundle]:
    """Run everything until the block ends, with a company of these sizes (options of the stand-in; none: a small one).

    Schedules are off: whatever is done, messages do it.
    """
    port, token = _free_port(), f"ghub_bench_{secrets.token_hex(16)}"
    with (
        gitlab.running(*(("--seed", "7", *sizes) if sizes else COMPANY)) as company,
        tempfile.TemporaryDirectory(prefix="gitlab-hub-bench-") as folder,
    ):
        options = Options(
            port=port, state_dir=Path(folder), owner_token=token, allow_loopback=True, schedules=False
        )  # fmt: skip
        with running(options) as local:
            hub = Hub(local.url, local.owner_token)
            integration = hub.connect(company.base, company.tokens["admin"])
            yield Bundle(
                port=port, hub=hub, stack=local.stack, company=company, integration_id=str(integration["id"])
            )  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
