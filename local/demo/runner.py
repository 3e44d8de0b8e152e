"""A CI server in miniature: takes builds that the hub sends, proves who sent them, and reports back how they went."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOLERANCE_SECONDS = 300
Report = Callable[[str, str, str], None]
"""(build id, status, description) → told to the hub."""


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes, *, now: float) -> bool:
    """Check a Standard Webhooks signature: who knows the trigger's secret has sent exactly these bytes, just now.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    sent_at = headers.get("webhook-timestamp", "")
    if not sent_at.isdigit() or abs(now - int(sent_at)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{headers.get('webhook-id')}.{sent_at}.".encode() + body
    wanted = b"v1," + base64.b64encode(hmac.digest(key, text, hashlib.sha256))
    given = headers.get("webhook-signature", "").encode().split()
    return any(hmac.compare_digest(wanted, each) for each in given)


@dataclass(slots=True)
class Runner:
    """Runs what it is sent, for a moment. `secret` is the trigger's, known once the trigger is made."""

    url: str
    report: Report | None = None
    secret: str = field(default="", repr=False)
    seconds: float = 0.3
    refused: int = 0

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """Take a request of the hub's; the work begins behind it."""
        if not is_genuine(self.secret, headers, body, now=time.time()):
            self.refused += 1
            return HTTPStatus.UNAUTHORIZED
        message = json.loads(body)
        if message["type"] == "build.requested":
            threading.Thread(target=self._work, args=(message["build"]["id"],), daemon=True).start()
        return HTTPStatus.ACCEPTED

    def _work(self, build_id: str) -> None:
        if self.report is not None:
            self.report(build_id, "running", "The demo's runner has it")
            time.sleep(self.seconds)
            self.report(build_id, "success", "All of it went well")


@contextmanager
def running_runner() -> Iterator[Runner]:
    """Listen on the loopback interface until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(runner.take(headers, body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing: the demo has its own words."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    runner = Runner(url=f"http://127.0.0.1:{server.server_port}/builds")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield runner
    finally:
        server.shutdown()
        server.server_close()
