"""`python -m local demo`: a made-up company connected and synced, and what the hub found in it."""

import argparse
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from local.demo.access_change import show_access_change
from local.demo.exported import show_export
from local.demo.health import PRICE, show_health
from local.demo.hub import Hub
from local.demo.loop import show_loop
from local.demo.progress import follow
from local.demo.report import show
from local.demo.steps import steps
from local.options import Options
from local.problems import Problem, Stopped
from local.tools import remove_later
from local.up import LocalStack, running, stopped_by_signals
from stand_in_gitlab import process as gitlab

COMPANY = ("--seed", "7", "--users", "60", "--groups", "12", "--projects", "30", "--pipelines", "5", "--jobs", "8")
DEPLOYING = 3


def main(arguments: Sequence[str]) -> int:
    """Run the demo until SIGINT or SIGTERM, or with `--once` until the report is shown."""
    parser = argparse.ArgumentParser(prog="python -m local demo", description="Show what the hub does.")
    parser.add_argument("--once", action="store_true", help="end after the report")
    parser.add_argument("--port", type=int, default=8787, help="where the API answers on 127.0.0.1 (default: 8787)")
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    with stopped_by_signals():
        try:
            _run(console, options.port, once=options.once)
        except Stopped:
            console.print("stopped")
    return 0


def _run(console: Console, port: int, *, once: bool) -> None:
    started = time.monotonic()
    with gitlab.running(*COMPANY) as company, _bundle(console, port) as local:
        console.print(f"A stand-in GitLab with a made-up company answers at {company.base}")
        _deliver(company)
        hub = Hub(local.url, local.owner_token)
        _point_to_console(console, local, hub)
        integration = hub.connect(company.base, company.tokens["admin"])
        console.print(
            f"Connected GitLab {integration['gitlab_version']} as {integration['account']['username']}; "
            f"integration {integration['id']}\n"
        )
        hub.request_sync(integration["id"])
        kinds = follow(console, lambda: hub.sync_state(integration["id"]))
        show(console, hub, integration["id"], kinds)
        show_health(console, hub, integration["id"])
        show_export(console, hub, integration["id"])
        show_loop(console, hub, company, integration["id"])
        show_access_change(console, hub, integration["id"])
        console.print(f"All of this took {time.monotonic() - started:.0f} s on this machine, without AWS or Docker.")
        if not once:
            _stay(console, local, hub, integration["id"])


def _deliver(company: gitlab.Running) -> None:
    """Have some projects with pipelines deploy: figures of deliveries want some."""
    alive = {row["id"] for row in company.truth("projects") if not row["archived"]}
    deploying = sorted({row["project_id"] for row in company.truth("pipelines")} & alive)[:DEPLOYING]
    for number, project_id in enumerate(deploying):
        company.change("deliver", project_id=project_id, changes=12 - 3 * number)


@contextmanager
def _bundle(console: Console, port: int) -> Iterator[LocalStack]:
    with ExitStack() as cleaning_up:
        folder = cleaning_up.enter_context(temporary_folder())
        options = Options(
            port=port,
            state_dir=folder,
            owner_token=f"ghub_demo_{secrets.token_hex(16)}",
            allow_loopback=True,
            keep_state=False,
            runner_prices=f"default={PRICE}",
        )
        with steps(console, "Starting …") as say:
            local = cleaning_up.enter_context(running(options, say=say))
        console.print(f"The bundle is deployed and answers at {local.url}")
        yield local


@contextmanager
def temporary_folder(within: Path | None = None) -> Iterator[Path]:
    """A folder for as long as the demo runs; it stays where that fails, as the message names a log in it."""
    folder = Path(tempfile.mkdtemp(prefix="gitlab-hub-demo-", dir=within))
    try:
        yield folder
    except Problem:
        raise
    except BaseException:
        remove_later(folder)
        raise
    remove_later(folder)


def _point_to_console(console: Console, local: LocalStack, hub: Hub) -> None:
    """Say where the web console is, with a link that needs no token."""
    console.print(f"The web console: {local.url}/console\nThis link signs you in once, within ten minutes:")
    console.print(f"  {hub.console_link()}", soft_wrap=True)


def _stay(console: Console, local: LocalStack, hub: Hub, integration_id: str) -> None:
    console.print("\nThe company's data is there to look at.")
    _point_to_console(console, local, hub)
    console.print("Or by the API, for example:")
    url = f"{local.url}/v1/integrations/{integration_id}/accounts?kind=human&limit=3"
    console.print(f"  curl -H 'Authorization: Bearer {local.owner_token}' '{url}'", soft_wrap=True)
    console.print("Or by the command line, which docs/cli.md shows, for example:")
    login = f"HUB_URL={local.url} HUB_TOKEN={local.owner_token}"
    console.print(f"  {login} PYTHONPATH=cli .venv/bin/python -m hub_cli people --no-2fa", soft_wrap=True)
    console.print("Ctrl-C ends it.")
    local.wait()
