"""A CI server that takes what the hub sends, and proves by a library of others that the hub has sent it."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

from tests.end_to_end.hub_client import until

Message = dict[str, Any]


@dataclass(slots=True)
class CiServer:
    """Answers `status` to every request, and keeps the messages with when they came (monotonic)."""

    url: str
    status: int = 202
    calls: list[tuple[float, dict[str, str], bytes]] = field(default_factory=list, repr=False)

    def messages(self, kind: str = "build.requested", **build: Any) -> list[Message]:
        """What came of one kind, about builds with these fields."""
        read = [json.loads(body) for _, _, body in list(self.calls)]
        return [one for one in read if one["type"] == kind and build.items() <= one["build"].items()]

    def message(self, kind: str = "build.requested", **build: Any) -> Message:
        """The same, of which there is one by and by."""
        [found] = until(lambda: self.messages(kind, **build), pause=0.02)
        return found

    def verified(self, secret: str) -> list[Message]:
        """All messages, each of which is signed with this secret. Raises WebhookVerificationError."""
        return [Webhook(secret).verify(body, headers) for _, headers, body in self.calls]


@contextmanager
def running_server() -> Iterator[CiServer]:
    """Listen on the loopback interface until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            server.calls.append((time.monotonic(), {name.lower(): text for name, text in self.headers.items()}, body))
            self.send_response(server.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = CiServer(f"http://127.0.0.1:{listening.server_port}/builds")
    threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
