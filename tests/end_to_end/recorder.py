"""Stands between the functions and the emulator, and writes down who asks what of AWS."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from local.stack import Stack
from tests.fakes.aws_calls import AwsCall, calls_of, object_calls_of

_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Recorder:
    """Each function gets an address of its own here, so that its calls can be told from the others'."""

    def __init__(self) -> None:
        self._calls: set[AwsCall] = set()
        self._lock = threading.Lock()
        self._upstream = ""
        self._server: ThreadingHTTPServer | None = None

    @property
    def calls(self) -> frozenset[AwsCall]:
        """Everything that was asked so far."""
        with self._lock:
            return frozenset(self._calls)

    def note(self, function: str, method: str, path: str, target: str | None, body: bytes) -> None:
        """Write down what one request asks; those of S3 have no target."""
        asked = object_calls_of(function, method, path, body) if target is None else calls_of(function, target, body)
        found = set(asked)
        with self._lock:
            self._calls |= found

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Forward calls for as long as the block lasts."""
        recorder = self

        class Handler(_Forwarding):
            """Knows its recorder."""

            owner = recorder

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()

    def attach(self, stack: Stack) -> None:
        """Have every function of a stack that is not loaded yet call here, and pass its calls on to the emulator."""
        assert self._server is not None
        self._upstream = urlsplit(stack.endpoint).netloc
        client, port = stack.client("lambda"), self._server.server_address[1]
        for function, resource in stack.template["Resources"].items():
            if resource["Type"] != "AWS::Lambda::Function":
                continue
            name = stack.resources[function]
            variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            variables["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}/{function}"
            client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})

    def connect(self) -> http.client.HTTPConnection:
        """A connection to the emulator."""
        return http.client.HTTPConnection(self._upstream, timeout=60)


class _Forwarding(BaseHTTPRequestHandler):
    owner: Recorder
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Write a call down and pass it on."""
        self._forward()

    do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815 - what http.server looks for

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        function, _, path = self.path.lstrip("/").partition("/")
        self.owner.note(function, self.command, f"/{path}", self.headers["X-Amz-Target"], body)
        # A connection for each call: the emulator closes those that rest, and a call on one of them would be lost.
        with closing(self.owner.connect()) as emulator:
            emulator.request(self.command, f"/{path}", body, dict(self.headers))
            answer = emulator.getresponse()
            content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
