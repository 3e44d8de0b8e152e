"""The state folder of one local stack."""

import fcntl
import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local.problems import Problem
from local.tools import private


class Home:
    """Keeps what one local stack must know when it starts again; one process at a time may use it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._facts = path / "stack.json"
        self.deployed_at_stop: str | None = None
        """The fingerprint of what is deployed; None until the stack runs, so that the next start deploys it again."""

    def __enter__(self) -> Self:
        """Take the folder for this process, and keep it from everybody else: the emulator's secrets lie in it."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.path.stat().st_mode & 0o077:
            _make_private(self.path)
        self._lock = open(self.path / "lock", "w", opener=private)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise Problem(f"another local stack uses {self.path}: stop it, or give this one a --state-dir") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the folder back."""
        self._lock.close()

    @property
    def deployed(self) -> str | None:
        """The fingerprint of the last deployment that succeeded."""
        return self._read().get("deployed")

    def emulator_port(self) -> int:
        """The port of the last run if it is still free: the stack's addresses stay the same then."""
        port = self._read().get("emulator_port")
        return int(port) if port and _is_free(int(port)) else _free_port()

    def remember(self, *, emulator_port: int) -> None:
        """Write down what the next start needs.

        Only after the emulator wrote its state: after a crash it starts with the state of the last good stop, and then
        the facts have to be those of that stop too.
        """
        with open(self._facts, "w", opener=private) as facts:
            json.dump({"emulator_port": emulator_port, "deployed": self.deployed_at_stop}, facts)

    def _read(self) -> dict[str, Any]:
        try:
            facts: dict[str, Any] = json.loads(self._facts.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return facts


def _make_private(folder: Path) -> None:
    folder.chmod(0o700)
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)


def listen(port: int) -> socket.socket:
    """Take the port the API will answer on, before anything else is started."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except (OSError, OverflowError):
        listening.close()
        raise Problem(
            f'port {port} is in use or not allowed: give another one with --port (make: ARGS="--port …")'
        ) from None
    return listening


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
