"""Reading an answer's body within bounds: framing, size, compression, JSON."""

import json
import re
import zlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from gitlab_hub.gitlab.errors import Interrupted, NotGitLab, UnexpectedResponse
from gitlab_hub.gitlab.messages import RawResponse
from gitlab_hub.gitlab.rates import number

MAX_DEPTH = 100
_GZIP = zlib.MAX_WBITS | 16
_PIECE = 64 * 1024
_ENCODINGS = {"": False, "identity": False, "gzip": True, "x-gzip": True}
_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
_FOLDED = bytes.maketrans(b"{}", b"[]")
_OTHERS = bytes(byte for byte in range(256) if byte not in b'"[]{}')
_STRING = re.compile(rb'"[^"]*"?')
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class BodyReader:
    """Takes a body's raw pieces and gives the whole, decompressed body; refuses to grow beyond its limit.

    The limit counts after decompression and holds while it goes on, so a bomb costs no more memory than a page.
    """

    def __init__(self, status: int, headers: Mapping[str, str], *, limit: int) -> None:
        self._answer = RawResponse(status=status, headers=headers, body=b"")
        self._limit = limit
        self._body = bytearray()
        self._started = False
        self._gzip = self._decompressor()
        self._check_framing()

    def feed(self, piece: bytes) -> None:
        """Take the next raw piece."""
        self._started = self._started or bool(piece)
        if self._gzip is None:
            self._keep(piece)
        else:
            self._inflate(piece)

    def finish(self) -> bytes:
        """Give the whole body; a compressed one must have come to its proper end."""
        if self._gzip is not None and self._started and not self._gzip.eof:
            _unusable(self._answer, Interrupted, "GitLab's answer broke off in the middle.")
        return bytes(self._body)

    def _inflate(self, piece: bytes) -> None:
        while piece and self._gzip is not None:
            if self._gzip.eof:
                _unusable(self._answer, UnexpectedResponse, "GitLab's answer goes on after its end.")
            try:
                self._keep(self._gzip.decompress(piece, _PIECE))
            except zlib.error:
                _unusable(self._answer, Interrupted, "GitLab's answer is damaged.")
            piece = self._gzip.unconsumed_tail or self._gzip.unused_data

    def _keep(self, piece: bytes) -> None:
        if len(self._body) + len(piece) > self._limit:
            self._too_large()
        self._body += piece

    def _check_framing(self) -> None:
        headers = self._answer.headers
        if "chunked" in headers.get("transfer-encoding", "").lower() or self._answer.status in _BODILESS:
            return
        length = number(headers.get("content-length"))
        if length is None:
            # Such a body ends when the connection does, so a broken one cannot be told from a whole one.
            _unusable(
                self._answer, UnexpectedResponse, "GitLab's answer does not say where it ends. Look at its proxy."
            )
        if length > self._limit:
            self._too_large()

    def _decompressor(self) -> "zlib._Decompress | None":
        encoding = self._answer.headers.get("content-encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            _unusable(self._answer, UnexpectedResponse, "GitLab's answer is compressed in a way nobody asked for.")
        return zlib.decompressobj(_GZIP) if _ENCODINGS[encoding] else None

    def _too_large(self) -> NoReturn:
        _unusable(self._answer, UnexpectedResponse, "GitLab's answer is larger than the hub takes.")


def decode(answer: RawResponse, *, max_depth: int = MAX_DEPTH) -> Any:
    """Read the JSON of a successful answer, None where it has no body."""
    if answer.status == HTTPStatus.NO_CONTENT:
        return None
    if answer.media_type != "application/json" and not answer.media_type.endswith("+json"):
        raise NotGitLab(
            "No GitLab API answers here: the answer is not JSON. Check the base URL.",
            http_status=answer.status,
            request_id=answer.request_id,
        )
    if deeper_than(answer.body, max_depth):
        _unusable(answer, UnexpectedResponse, "GitLab's answer is nested too deeply.")
    try:
        value = json.loads(answer.body.decode("utf-8"), parse_constant=_no_constant)
    except ValueError:
        _unusable(answer, Interrupted, "GitLab's answer is not whole JSON.")
    if _SURROGATE.search(answer.body) and not _encodable(value):
        _unusable(answer, UnexpectedResponse, "GitLab's answer has text that is not Unicode.")
    return value


def deeper_than(body: bytes, limit: int) -> bool:
    """Tell whether JSON nests deeper than `limit`, in linear passes and without recursion.

    Exact for whole JSON; of a cut one, the brackets left open count on top.
    """
    brackets = _STRING.sub(b"", _without_escapes(body).translate(_FOLDED, _OTHERS))
    for depth in range(limit + 1):
        # Every pass takes away exactly the innermost level.
        outer = brackets.replace(b"[]", b"")
        if len(outer) == len(brackets):
            return depth + len(outer) > limit
        brackets = outer
    return True


def _without_escapes(body: bytes) -> bytes:
    return body.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in body else body


def _unusable(answer: RawResponse, kind: type[UnexpectedResponse], message: str) -> NoReturn:
    raise kind(message, http_status=answer.status, request_id=answer.request_id) from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _encodable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
