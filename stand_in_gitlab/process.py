"""Starts the stand-in as a process of its own, and speaks to its control API."""

import json
import multiprocessing
import os
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from local.end_with_parent import end_with

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from typing import Never

PATIENCE = 10.0
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__, "stand_in_gitlab.server"])
"""Stand-ins are forked from a process that has loaded this package: loading takes twenty times what starting does."""


@dataclass(frozen=True, slots=True)
class Client:
    """An OAuth application's credentials."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Running:
    """A stand-in that accepts connections."""

    base: str
    tokens: Mapping[str, str] = field(repr=False)
    applications: Mapping[str, Client] = field(default_factory=dict)

    def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call the control API, such as `control("POST", "advance", {"seconds": 60})`."""
        origin = urlsplit(self.base)
        url = f"{origin.scheme}://{origin.netloc}/__standin__/{path}"
        request = urllib.request.Request(url, method=method, data=None if body is None else json.dumps(body).encode())  # noqa: S310 - http on loopback
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - http on loopback
            return json.load(answer)

    def truth(self, dataset: str, **filters: object) -> list[dict[str, Any]]:
        """All rows of a dataset as they really are."""
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        rows: list[dict[str, Any]] = self.control("GET", f"ground-truth/{dataset}?{query}")["rows"]
        return rows

    def change(self, verb: str, **arguments: object) -> dict[str, Any]:
        """Change the company, such as `change("remove_user", id=7)`."""
        done: dict[str, Any] = self.control("POST", "changes", {"do": verb, **arguments})
        return done

    def writes(self, since: int = 0) -> list[dict[str, Any]]:
        """The calls that were to change something, in order, after the one of this `seq`."""
        rows: list[dict[str, Any]] = self.control("GET", f"writes?since={since}")
        return rows

    def fault(self, kind: str, **rule: object) -> int:
        """Let something go wrong; returns the rule's id."""
        return int(self.control("POST", "faults", {"kind": kind, **rule})["id"])

    def calm(self) -> None:
        """End all faults, limits and delays."""
        self.control("DELETE", "faults")
        self.control("POST", "limits", {})
        self.control("POST", "latency", {"ms": 0})

    def behave(self, **switches: object) -> dict[str, Any]:
        """Turn switches, such as `behave(ignore_signing_token=True)`; returns all of them."""
        state: dict[str, Any] = self.control("POST", "behaviour", switches)
        return state

    def add_application(self, name: str, *redirect_uris: str, **fields: object) -> Client:
        """Register an OAuth application, or that of this name anew."""
        made = self.change("add_application", name=name, redirect_uris=list(redirect_uris), **fields)
        return Client(made["client_id"], made["client_secret"])

    def push(self, project_id: int, branch: str | None = None, **what: object) -> dict[str, Any]:
        """Push to a branch: `push(project_id=1, branch="main", files=["a.py"])`; returns `before`, `after`, `sha`."""
        return self.change("push", project_id=project_id, branch=branch, **what)

    def push_tag(self, project_id: int, tag: str | None = None, **what: object) -> dict[str, Any]:
        """Tag a commit, `message=` makes the tag annotated."""
        return self.change("push_tag", project_id=project_id, tag=tag, **what)

    def open_merge_request(self, project_id: int, source_branch: str, **what: object) -> dict[str, Any]:
        """Open a merge request; with `files=` its branch is written first. Returns `iid`, `sha`, …."""
        return self.change("open_merge_request", project_id=project_id, source_branch=source_branch, **what)

    def update_merge_request(self, project_id: int, iid: int, **what: object) -> dict[str, Any]:
        """Push to a merge request (`files=`), rename, label, close, merge it (`action=`)."""
        return self.change("update_merge_request", project_id=project_id, iid=iid, **what)

    def wait_for_hooks(self, seconds: float = 15.0) -> None:
        """Wait until every hook call has been answered; TimeoutError if some are still under way."""
        if not self.control("POST", "wait_for_hooks", {"seconds": seconds})["quiet"]:
            raise TimeoutError("hook calls are still under way")


@contextmanager
def running(*arguments: str, port: int = 0) -> Iterator[Running]:
    """Serve what `python -m stand_in_gitlab` serves, in a process of its own, until the block ends."""
    output, child_output = _PROCESSES.Pipe(duplex=False)
    process = _PROCESSES.Process(target=serve_here, args=(["--port", str(port), *arguments], child_output), daemon=True)
    process.start()
    child_output.close()
    try:
        yield _wait(output)
    finally:
        process.terminate()
        process.join(PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()
        process.close()
        output.close()


def serve_here(arguments: Sequence[str], output: "Connection[str, Never]") -> None:
    """Serve in this process, which is the child's; what the command would print is sent to the parent."""
    from stand_in_gitlab.__main__ import main  # noqa: PLC0415 - the parent only speaks to it

    os.setsid()  # Ctrl-C is for the parent, who ends this process when it is done with it
    parent = multiprocessing.parent_process()
    if parent is not None:
        end_with(parent.join)
    main(arguments, say=output.send)


def _wait(output: "Connection[Never, str]") -> Running:
    tokens, applications = {}, {}
    try:
        while True:
            word, *rest = output.recv().split()
            if word == "TOKEN":
                tokens[rest[0]] = rest[1]
            if word == "APPLICATION":
                applications[rest[0]] = Client(rest[1], rest[2])
            if word == "READY":
                return Running(rest[0], tokens, applications)
    except EOFError:
        message = "the stand-in ended before it was ready; its error output says why"
        raise RuntimeError(message) from None
