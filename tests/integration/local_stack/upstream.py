"""A server that answers what a test tells it, byte by byte, and remembers what it was sent."""

import socket
import threading
import time
from typing import Self

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Upstream:
    """Answers every request on every connection with the same bytes, once so many are waiting `together`."""

    def __init__(self, answer: bytes = OK, *, closes: bool = False, together: int = 1) -> None:
        self.received: list[bytes] = []
        self.connections = 0
        self.at_once, self._open, self._counting = 0, 0, threading.Lock()
        self._answer, self._closes, self._together = answer, closes, threading.Barrier(together)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._guests: list[socket.socket] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    def __enter__(self) -> Self:
        """Start."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close everything."""
        self._socket.shutdown(socket.SHUT_RDWR)
        for opened in (self._socket, *self._guests):
            opened.close()

    def _accept(self) -> None:
        while True:
            try:
                guest, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._guests.append(guest)
            threading.Thread(target=self._serve, args=(guest,), daemon=True).start()

    def _count(self, step: int) -> None:
        with self._counting:
            self._open += step
            self.at_once = max(self.at_once, self._open)

    def _serve(self, guest: socket.socket) -> None:
        try:
            while request := read_message(guest):
                self.received.append(request)
                self._count(1)
                self._together.wait(60)
                time.sleep(0.05)  # By then whoever is one too many has come, too.
                self._count(-1)
                guest.sendall(self._answer)
                if self._closes:
                    guest.shutdown(socket.SHUT_RDWR)
                    return
        except OSError:
            return


def read_message(connection: socket.socket) -> bytes:
    """One message with a Content-Length, or without a body."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < (int(lengths[0]) if lengths else 0):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
