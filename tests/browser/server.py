"""The console behind a port of this machine, as the gateway would put it there."""

import base64
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from tests.fakes.company_hub import CompanyHub


@contextmanager
def serving(hub: CompanyHub, turn: threading.Lock) -> Iterator[str]:
    """Serve until the block ends; what a form has asked for is done before its answer. `turn`: one at a time."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with turn:
                self._send(hub.browse(_event(self)))

        def do_POST(self) -> None:
            with turn:
                answer = hub.browse(_event(self))
                hub.provision()
                hub.sync()
                hub.export()
            self._send(answer)

        def log_message(self, *_given: Any) -> None:
            """Say nothing."""

        def _send(self, answer: dict[str, Any]) -> None:
            body = base64.b64decode(answer["body"])
            self.send_response(answer["statusCode"])
            for name, value in answer["headers"].items():
                self.send_header(name, value)
            for cookie in answer.get("cookies", ()):
                self.send_header("set-cookie", cookie)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _event(request: BaseHTTPRequestHandler) -> dict[str, Any]:
    path, _, query = request.path.partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    cookies = [one.strip() for one in headers.pop("cookie", "").split(";") if one.strip()]
    body = request.rfile.read(int(headers.get("content-length") or 0))
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "queryStringParameters": dict(parse_qsl(query)),
        "headers": headers,
        "cookies": cookies,
        "requestContext": {
            "requestId": uuid.uuid4().hex, "stage": "$default", "http": {"method": request.command, "path": path}
        },
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }  # fmt: skip
