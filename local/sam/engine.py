"""A Docker Engine: the one that runs, else one started for this proof where that is possible."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path

from local.problems import Problem
from local.tools import end

_STARTUP = 30.0


@contextmanager
def docker_engine() -> Iterator[dict[str, str]]:
    """The environment in which `docker` and `sam local` find an engine."""
    if shutil.which("docker") is None:
        raise Problem("no Docker Engine is here, and `sam local` cannot run functions without one")
    if _answers({}):
        yield {"DOCKER_HOST": os.environ["DOCKER_HOST"]} if "DOCKER_HOST" in os.environ else {}
        return
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        raise Problem("the Docker Engine does not answer: start it, then try again")
    with tempfile.TemporaryDirectory(prefix="gitlab-hub-docker-") as folder, _started(Path(folder)) as env:
        yield env


@contextmanager
def _started(folder: Path) -> Iterator[dict[str, str]]:
    env = {"DOCKER_HOST": f"unix://{folder}/docker.sock"}
    arguments = ["dockerd", "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"]
    arguments += ["--pidfile", f"{folder}/pid", "-H", env["DOCKER_HOST"]]
    with (folder / "dockerd.log").open("wb") as log:
        daemon = subprocess.Popen(arguments, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            _wait(env, daemon, folder / "dockerd.log")
            yield env
        finally:
            remove_containers(env)
            end(daemon)


def _wait(env: dict[str, str], daemon: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _STARTUP
    while not _answers(env):
        if daemon.poll() is not None or time.monotonic() > deadline:
            last = (log.read_text().splitlines() or ["it said nothing"])[-1]
            raise Problem(f"the Docker Engine did not start: {last}")
        time.sleep(0.2)


def _answers(env: dict[str, str]) -> bool:
    return docker(env, "info", check=False).returncode == 0


def docker(env: dict[str, str], *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run a docker command."""
    full = {**os.environ, **env}
    return subprocess.run(["docker", *arguments], env=full, capture_output=True, text=True, check=check)  # noqa: S607


def gateway_of(inspected: str) -> str:
    """The address under which containers find this machine, from what `docker network inspect` says of their network.

    An engine names the gateway only where somebody chose one, or once it has been restarted: else it is the first
    address of the subnet. Raises Problem where neither is said.
    """
    for config in json.loads(inspected)[0]["IPAM"]["Config"] or ():
        if "Gateway" in config:
            return str(config["Gateway"])
        if "Subnet" in config:
            return str(next(ip_network(config["Subnet"]).hosts()))
    raise Problem("Docker's bridge network has no subnet: `sam local` cannot reach the emulator from its containers")


def remove_containers(env: dict[str, str]) -> None:
    """Remove what `sam local` left running on an engine that is ours alone."""
    listed = docker(env, "ps", "--all", "--quiet", check=False).stdout.split()
    if listed:
        docker(env, "rm", "--force", *listed, check=False)
