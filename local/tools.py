"""Running the tools that came with this environment, in an environment of their own."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from local.problems import Problem

_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "SSL_CERT_FILE",
    "PYENV_VERSION",
    "PIP_INDEX_URL",
    "PIP_CERT",
    "PIP_CONFIG_FILE",
)
_PATIENCE = 10.0  # seconds a tool gets to end once it was asked to


def environment(**extra: str) -> dict[str, str]:
    """What a child process may know: nothing of the person's own AWS account, so that nothing can reach it."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    here = str(Path(sys.executable).parent)
    return {
        **proxies,
        **kept,
        "PATH": os.pathsep.join([here, kept.get("PATH", os.defpath)]),
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",  # pragma: allowlist secret
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "SAM_CLI_TELEMETRY": "0",
        **extra,
    }


def private(path: str, flags: int) -> int:
    """Open a file for its owner alone; an `opener` for `open`."""
    return os.open(path, flags, 0o600)


def find(name: str) -> str:
    """Where a tool of this environment is."""
    found = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if found is None:
        raise Problem(f"{name} is missing: run `make setup`, then use .venv/bin/python")
    return found


def run(arguments: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path | None = None) -> None:
    """Run a tool to its end; where it fails, say its last words and where the rest is."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb", opener=private) as out:
        child = subprocess.Popen(
            arguments,
            umask=0o077,
            env=dict(env),
            cwd=cwd,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            code = child.wait()
        finally:
            end(child)
    if code != 0:
        name = " ".join([Path(arguments[0]).name, *arguments[1:2]])
        raise Problem(f"`{name}` failed: {_last_words(log)} (see {log})")


def end(child: subprocess.Popen[bytes], patience: float = _PATIENCE) -> int:
    """Ask a child to end, and end it with all it started if it does not listen; its exit code."""
    if child.poll() is None:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(patience)
    _end_group(child.pid)
    return child.wait()


def remove_later(folder: Path) -> None:
    """Remove a folder without waiting for that: unpacked functions are tens of thousands of files."""
    doomed = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}.removed")
    try:
        folder.rename(doomed)
    except FileNotFoundError:
        return
    # The shell ends at once and leaves its own child to itself.
    arguments = ["/bin/sh", "-c", 'rm -rf -- "$1" </dev/null >/dev/null 2>&1 &', "sh", str(doomed)]
    subprocess.run(arguments, start_new_session=True, check=True)


def _end_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS says the second of a group that is only a zombie
        os.killpg(leader, signal.SIGKILL)


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("Error")]
    return (errors or lines or ["it said nothing"])[-1][:500]
