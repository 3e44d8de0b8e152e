"""`python -m local up`, as somebody at a keyboard meets it."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
TOKEN = "ghub_owner_kept-for-the-test"

pytestmark = pytest.mark.emulator


def command(state: Path, port: int, *more: str) -> list[str]:
    arguments = ["-m", "local", "up", "--port", str(port), "--state-dir", str(state), "--no-schedules", *more]
    return [sys.executable, *arguments]


@contextmanager
def local(state: Path, port: int, *more: str) -> Iterator[list[str]]:
    """The command's lines until READY; it is asked to stop at the end, and must leave nothing behind."""
    process = subprocess.Popen(command(state, port, *more), cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603
    with process, killed_at_the_end(process):
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith("READY"):
                break
        yield lines
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not_left_behind(state)


@contextmanager
def killed_at_the_end(process: "subprocess.Popen[str]") -> Iterator[None]:
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


def not_left_behind(state: Path) -> bool:
    """Whether no process works in the state folder any more, but one that removes what was unpacked there."""
    listed = subprocess.run(["ps", "-Ao", "args"], capture_output=True, text=True, check=True).stdout  # noqa: S607
    return not [line for line in listed.splitlines() if str(state) in line and "rm -rf" not in line]


def call(port: int, method: str, path: str, body: Any = None, token: str | None = TOKEN) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


@pytest.fixture
def port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_what_was_stored_is_there_after_a_restart_and_a_killed_stack_leaves_no_process(
    tmp_path: Path, port: int
) -> None:
    with local(tmp_path, port, "--owner-token", TOKEN) as lines:
        url = f"http://127.0.0.1:{port}"
        console = f"Console: {url}/console (sign in with the owner token)"
        assert lines == [f"Owner token: {TOKEN}", console, f"READY {url}"]
        assert call(port, "GET", "/healthz", token=None)[0] == 200
        assert call(port, "GET", "/v1/tokens", token=None)[1]["code"] == "unauthorized"
        status, created = call(port, "POST", "/v1/tokens", {"role": "viewer"})
        assert status == 201
    assert [path for path in kept_in(tmp_path) if path.stat().st_mode & 0o077] == []
    with subprocess.Popen(command(tmp_path, port), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        assert process.stdout.readline() == f"Owner token: {TOKEN}\n"
        assert any(line.startswith("READY") for line in process.stdout)
        status, listed = call(port, "GET", "/v1/tokens")
        assert status == 200
        assert [row["id"] for row in listed["tokens"]] == [created["id"]]
        process.kill()
        assert process.wait(60) == -signal.SIGKILL
    until = time.monotonic() + 60
    while not not_left_behind(tmp_path) and time.monotonic() < until:
        time.sleep(0.2)
    assert not_left_behind(tmp_path)


def kept_in(folder: Path) -> list[Path]:
    """What is kept there, without what is just being removed."""
    found = [folder]
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.endswith(".removed")]
        found += [Path(root, name) for name in (*folders, *files)]
    return found


def refused(*arguments: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "local", *arguments],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        used = taken.getsockname()[1]
        line = refused("up", "--port", str(used), "--state-dir", str(tmp_path))
    assert line == f'up: port {used} is in use or not allowed: give another one with --port (make: ARGS="--port …")'


def test_an_owner_token_of_another_shape_is_refused(tmp_path: Path) -> None:
    line = refused("up", "--state-dir", str(tmp_path), env={"HUB_OWNER_TOKEN": "glpat-something-else"})
    assert "ghub_<id>_<secret>" in line
    assert "something-else" not in line


def test_a_network_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "--allow-private" in refused("up", "--state-dir", str(tmp_path), "--allow-private", "10.0.0.0/40")
