"""The process of a stand-in: nothing of it stays behind, however whoever started it ended."""

import multiprocessing
import os
import signal
import socket
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit

from stand_in_gitlab.process import serve_here

SMALL = ("--port", "0", "--users", "3", "--groups", "1", "--projects", "1")


def start_one(told: "Connection[Any, Any]") -> None:
    """Start a stand-in, and stay."""
    child = multiprocessing.get_context("fork").Process(target=serve_here, args=(SMALL, told))
    child.start()
    told.send(f"PID {child.pid}")
    child.join()


def listens(base: str) -> bool:
    address = urlsplit(base)
    with suppress(OSError), socket.create_connection((address.hostname, address.port), timeout=5):
        return True
    return False


def test_it_ends_where_whoever_started_it_is_killed() -> None:
    processes = multiprocessing.get_context("forkserver")
    told, telling = processes.Pipe(duplex=False)
    parent = processes.Process(target=start_one, args=(telling,))
    parent.start()
    said: dict[str, str] = {}
    while not {"PID", "READY"} <= said.keys():
        word, *rest = told.recv().split()
        said[word] = rest[0]
    assert listens(said["READY"])
    parent.kill()
    parent.join()
    until = time.monotonic() + 30
    while (is_left := listens(said["READY"])) and time.monotonic() < until:
        time.sleep(0.02)
    if is_left:
        os.kill(int(said["PID"]), signal.SIGKILL)
    assert not is_left
