"""What `python -m local up` can be told."""

import argparse
import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.problems import Problem

_TOKEN = re.compile(r"ghub_(?P<id>[A-Za-z0-9-]+)_(?P<secret>[A-Za-z0-9_-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run the bundle on this machine."""

    port: int = 8787
    state_dir: Path = Path(".hub")
    owner_token: str | None = field(default=None, repr=False)
    allow_loopback: bool = False
    allow_private: tuple[str, ...] = ()
    allow_ports: tuple[int, ...] = ()
    allow_http: bool = False
    schedules: bool = True
    keep_state: bool = True
    """Whether the state is wanted again: writing it takes a moment."""
    log_level: str = "INFO"
    console_gitlab: str = ""
    """The GitLab that people sign in to the console with, its application, and who gets which role there."""
    console_client_id: str = ""
    console_client_secret: str = field(default="", repr=False)
    console_roles: str = ""
    runner_prices: str = ""
    """What a minute costs on runners, as the parameter `RunnerPrices` takes it."""


def add_up_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of `up`."""
    add = parser.add_argument
    add("--port", type=int, default=8787, help="where the API answers on 127.0.0.1 (default: 8787)")
    add("--state-dir", type=Path, default=Path(".hub"), help="where tables and secrets are kept (default: .hub)")
    add(
        "--owner-token",
        default=None,
        help="the owner's hub token, ghub_<id>_<secret> (default: HUB_OWNER_TOKEN, else made up)",
    )
    add("--allow-loopback", action="store_true", help="let a GitLab on this machine be connected")
    add(
        "--allow-private",
        action="append",
        default=[],
        metavar="CIDR",
        help="a private range GitLab may live in; repeatable",
    )
    add(
        "--allow-port",
        action="append",
        type=int,
        default=[],
        metavar="PORT",
        help="a port GitLab may listen on; repeatable",
    )
    add("--allow-http", action="store_true", help="let a GitLab be connected without TLS")
    add("--console-gitlab", default="", metavar="URL", help="let people sign in to the console with this GitLab")
    add(
        "--console-client-id",
        default="",
        metavar="ID",
        help="the OAuth application there; its secret is taken from HUB_CONSOLE_CLIENT_SECRET",
    )
    add("--console-roles", default="", metavar="RULES", help="who gets which role, such as acme/platform=owner")
    add("--no-schedules", action="store_true", help="start no sync by itself")
    add("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"], help="the functions' log level")


def up_options(arguments: argparse.Namespace) -> Options:
    """Check what the command line says, before anything is started."""
    token = arguments.owner_token or os.environ.get("HUB_OWNER_TOKEN") or None
    if token is not None:
        split_token(token)
    return Options(
        port=arguments.port,
        state_dir=arguments.state_dir.resolve(),
        owner_token=token,
        allow_loopback=arguments.allow_loopback,
        allow_private=_networks(arguments.allow_private),
        allow_ports=tuple(arguments.allow_port),
        allow_http=arguments.allow_http,
        console_gitlab=arguments.console_gitlab,
        console_client_id=arguments.console_client_id,
        console_client_secret=os.environ.get("HUB_CONSOLE_CLIENT_SECRET", ""),
        console_roles=arguments.console_roles,
        schedules=not arguments.no_schedules,
        log_level=arguments.log_level,
    )


def split_token(token: str) -> tuple[str, str]:
    """Take a hub token apart into its id and its secret."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise Problem(
            "an owner token looks like ghub_<id>_<secret>: letters, digits, hyphens (underscores in the secret)"
        )
    return match["id"], match["secret"]


def _networks(values: Sequence[str]) -> tuple[str, ...]:
    try:
        return tuple(str(ipaddress.ip_network(value)) for value in values)
    except ValueError as error:
        raise Problem(f"--allow-private takes a network like 10.20.0.0/16: {error}") from None
