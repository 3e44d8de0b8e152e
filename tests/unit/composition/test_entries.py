"""What each entry loads: a cold start pays for every module, and for HTTP where there is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LAYER = Path(__file__).parents[3] / "layers" / "hub" / "python"
FIFO = "https://sqs.us-east-1.amazonaws.com/000000000000/queue.fifo"
ENVIRONMENT = {
    "INTEGRATIONS_TABLE": "integrations",
    "ACCESS_TABLE": "access",
    "PIPELINES_TABLE": "pipelines",
    "DELIVERIES_TABLE": "deliveries",
    "SYNC_ACCOUNTS_QUEUE_URL": FIFO.removesuffix(".fifo"),
    "SYNC_PIPELINES_QUEUE_URL": FIFO.removesuffix(".fifo"),
    "DELIVERIES_QUEUE_URL": FIFO,
    "BUILDS_QUEUE_URL": FIFO,
    "BUILDS_BUS": "builds",
    "EXPORTS_BUCKET": "exports",
    "PROVISIONER_FUNCTION": "provisioner",
    "EXPORTER_FUNCTION": "exporter",
    "MASTER_KEY_SECRET": "master",
    "OWNER_TOKEN_SECRET": "owner",
    "CONSOLE_GITLAB_URL": "https://gitlab.example.com",
    "CONSOLE_CLIENT_ID": "hub",
    "CONSOLE_ROLES": "acme=owner",
}
HTTP = (
    "aws_lambda_powertools.event_handler",
    "gitlab_hub.web.api",
    "gitlab_hub.web.route",
    "gitlab_hub.composition.routes",
)
CLIENT = ("httpx", "gitlab_hub.gitlab.client")

# Modules of the hub's own, packages included: what each loads today, and a little room.
MOST = {
    "authorizer": 30,
    "webhooks_api": 90,
    "integrations_api": 210,
    "oauth_api": 165,
    "builds_api": 190,
    "access_api": 172,
    "provisioning_api": 200,
    "pipelines_api": 110,
    "operations_api": 108,
    "sync_accounts": 248,
    "sync_pipelines": 180,
    "deliveries": 120,
    "builder": 120,
    "provisioner": 136,
    "exporter": 119,
    "caretaker": 180,
}
MOST_OF_THE_CONSOLE = 80
WORKERS = ("sync_accounts", "sync_pipelines", "deliveries", "builder", "provisioner", "exporter", "caretaker")


def loaded(entry: str, given: str = "") -> list[str]:
    """The modules that an interpreter has loaded once the entry is built."""
    code = "import sys; from pathlib import Path; from gitlab_hub.composition import entries; "
    code += f"entries.{entry}({given}); print(*sys.modules)"
    done = subprocess.run(  # noqa: S603 our own interpreter
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(LAYER), "PATH": os.environ["PATH"], **ENVIRONMENT},
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize("entry", MOST)
def test_an_entry_loads_what_it_uses_and_workers_load_no_http(entry: str) -> None:
    modules = loaded(entry)
    own = [name for name in modules if name.partition(".")[0] == "gitlab_hub"]
    assert len(own) <= MOST[entry], sorted(own)
    if entry in WORKERS:
        assert not set(HTTP) & set(modules)
        assert not [name for name in own if name.rpartition(".")[2].endswith("routes")]


def test_the_console_loads_neither_routes_nor_what_reads_the_tables_and_nobody_else_loads_templates() -> None:
    modules = loaded("console_pages", "Path('functions/console')")
    own = [name for name in modules if name.partition(".")[0] == "gitlab_hub"]
    assert len(own) <= MOST_OF_THE_CONSOLE, sorted(own)
    assert not {*HTTP, *CLIENT, "pydantic", "joserfc"} & set(modules)
    assert "jinja2" in modules
    assert "jinja2" not in loaded("operations_api")


def test_a_delivery_that_asks_no_gitlab_loads_no_client() -> None:
    assert not set(CLIENT) & set(loaded("deliveries"))
