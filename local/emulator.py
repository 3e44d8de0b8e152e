"""MiniStack, the AWS of the local stack: a child process that keeps its state in a folder."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from local.problems import Problem
from local.tools import end, environment, private, remove_later

SERVICES = (
    "apigateway,cloudformation,cloudwatch,codebuild,dynamodb,events,iam,lambda,logs,s3,scheduler,secretsmanager,sqs,"
    "states,sts"
)
_STARTUP = 60.0
_SHUTDOWN = 30.0


class Emulator:
    """One running emulator. Its state is written when it is stopped, and read when it starts again."""

    def __init__(self, home: Path, port: int) -> None:
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"
        self._home = home
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Where the emulator and the functions write to."""
        return self._home / "emulator.log"

    def start(self) -> None:
        """Start the process; `wait_until_ready` tells when it answers."""
        scratch = self._home / "tmp"
        remove_later(scratch)  # unpacked functions of a run that was killed
        scratch.mkdir(parents=True)
        with open(self.log, "wb", opener=private) as out:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "local.emulator_process"],
                cwd=Path(__file__).parents[1],
                umask=0o077,  # its state holds secrets
                env=environment(**self._settings(scratch)),
                stdin=subprocess.PIPE,  # see emulator_process
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Wait until the emulator answers."""
        deadline = time.monotonic() + _STARTUP
        while time.monotonic() < deadline:
            if not self.alive:
                raise Problem(f"the emulator ended while it started (see {self.log})")
            if self._answers():
                return
            time.sleep(0.1)
        raise Problem(f"the emulator did not answer within {_STARTUP:.0f} s (see {self.log})")

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._child is not None and self._child.poll() is None

    def stop(self, *, save: bool = True) -> bool:
        """End the emulator and every function it started, and let it `save` its state; whether that was written."""
        if self._child is None:
            return False
        code = end(self._child, _SHUTDOWN if save else 0.0)
        if self._child.stdin is not None:
            self._child.stdin.close()
        self._child = None
        remove_later(self._home / "tmp")
        return code == 0

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/ready", timeout=2) as answer:  # noqa: S310 - loopback
                return bool(json.load(answer).get("status") == "completed")
        except (urllib.error.URLError, OSError, ValueError):
            return False

    def _settings(self, scratch: Path) -> dict[str, str]:
        return {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "SERVICES": SERVICES,
            "IOT_MTLS_ENABLED": "0",  # it would listen on every interface
            "SFTP_ENABLED": "0",
            "LAMBDA_EXECUTOR": "local",
            "MINISTACK_REGION": "us-east-1",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._home / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self._home / "s3"),
            "TMPDIR": str(scratch),
            "LOG_LEVEL": "INFO",
        }
