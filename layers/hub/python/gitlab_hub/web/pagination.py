"""Positions in a list, handed out so that only the hub can make them and only the same list takes them back."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query

from gitlab_hub.web.errors import InvalidCursor

_MAC_BYTES = 16


class Cursors:
    """Seals positions into opaque texts and opens them again.

    `listing` names the list with everything that a position means nothing without: the integration and the filters.
    It is part of the signature, not of the cursor.
    """

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key

    def seal(self, listing: str, position: Any) -> str:
        """Turn a position (JSON) into a cursor of this list."""
        payload = json.dumps(position, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(listing, payload) + payload).rstrip(b"=").decode()

    def following(self, listing: str, last: Any) -> str | None:
        """The cursor behind a page that ends at this position; None at the list's end."""
        return None if last is None else self.seal(listing, last)

    def open(self, listing: str, cursor: str | None) -> Any:
        """Turn a cursor of this list back into its position; no cursor is no position."""
        if cursor is None:
            return None
        sealed = _decoded(cursor)
        mac, payload = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(listing, payload)):
            raise _refused()
        return json.loads(payload)

    def _mac(self, listing: str, payload: bytes) -> bytes:
        # The list's name is hashed first: its length cannot be confused with the beginning of a payload.
        named = hashlib.sha256(listing.encode()).digest()
        return hmac.digest(self._key(), named + payload, hashlib.sha256)[:_MAC_BYTES]


def listing_name(name: str, integration_id: str, filters: Mapping[str, Any]) -> str:
    """Name a list of an integration with the filters (JSON) it was asked for with, as `Cursors` wants it."""
    return json.dumps([name, integration_id, dict(filters)], sort_keys=True)


def _decoded(cursor: str) -> bytes:
    try:
        sealed = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise _refused() from None
    # One cursor has one spelling: unused bits of the last character must not make others.
    if base64.urlsafe_b64encode(sealed).rstrip(b"=").decode() != cursor:
        raise _refused()
    return sealed


def _refused() -> InvalidCursor:
    return InvalidCursor("This cursor belongs to another list or was changed; start again without one.")


# Parameters that every list takes.

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_CURSOR = 2048

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
PageCursor = Annotated[
    str | None,
    Query(alias="cursor", max_length=MAX_CURSOR),
]
