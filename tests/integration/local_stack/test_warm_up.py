"""What somebody reads where the functions of the local stack do not answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local.problems import Problem
from local.stack import Stack
from local.warm_up import warm_up

LOG = Path("/somewhere/emulator.log")
STACK = Stack("http://127.0.0.1:1")


@pytest.fixture
def busy() -> Iterator[int]:
    """A port where every function takes longer than it may."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(503)

        def log_message(self, *_given: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_functions_that_do_not_load_are_told_with_the_cause_and_the_log(busy: int) -> None:
    with pytest.raises(Problem) as problem:
        warm_up(busy, "ghub_owner_x", STACK, log=LOG, patience=0)
    told = str(problem.value)
    assert "GET /v1/tokens says 503" in told
    assert ("busy machine" in told, "try again" in told, str(LOG) in told, "\n" in told) == (True, True, True, False)


def test_a_stack_that_is_not_there_is_told_in_the_same_words() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = int(probe.getsockname()[1])
    with pytest.raises(Problem, match=r"GET /v1/tokens got no answer .*busy machine"):
        warm_up(port, "ghub_owner_x", STACK, log=LOG, patience=0)
