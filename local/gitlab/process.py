"""Starts the stand-in as a process of its own, and speaks to its control board."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Running:
    """A stand-in that accepts connections."""

    base: str
    tokens: Mapping[str, str] = field(repr=False)

    def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call the control board, such as `control("POST", "advance", {"seconds": 60})`."""
        origin = urlsplit(self.base)
        url = f"{origin.scheme}://{origin.netloc}/__standin__/{path}"
        request = urllib.request.Request(url, method=method, data=None if body is None else json.dumps(body).encode())  # noqa: S310 - http on loopback
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - http on loopback
            return json.load(answer)

    def truth(self, dataset: str, **filters: object) -> list[dict[str, Any]]:
        """All rows of a dataset as they really are."""
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        rows: list[dict[str, Any]] = self.control("GET", f"truth/{dataset}?{query}")["rows"]
        return rows

    def change(self, verb: str, **arguments: object) -> dict[str, Any]:
        """Change the company, such as `change("remove_user", id=7)`."""
        done: dict[str, Any] = self.control("POST", "changes", {"do": verb, **arguments})
        return done

    def fault(self, kind: str, **rule: object) -> int:
        """Let something go wrong; returns the rule's id."""
        return int(self.control("POST", "faults", {"kind": kind, **rule})["id"])


@contextmanager
def running(*arguments: str, port: int = 0) -> Iterator[Running]:
    """Run `python -m local.gitlab` until the block ends."""
    command = [sys.executable, "-m", "local.gitlab", "--port", str(port), *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _wait(process.stdout)
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(output: IO[str] | None) -> Running:
    tokens = {}
    for line in output or ():
        word, *rest = line.split()
        if word == "TOKEN":
            tokens[rest[0]] = rest[1]
        if word == "READY":
            return Running(rest[0], tokens)
    message = "the stand-in ended before it was ready; its error output says why"
    raise RuntimeError(message)
