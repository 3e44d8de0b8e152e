"""The content hash that decides whether a row is written."""

import json
from base64 import b64encode
from hashlib import blake2b
from typing import Any

from gitlab_hub.storage.ports import Item


def content_hash(item: Item) -> str:
    """A short digest of a row's attributes, independent of their order."""
    text = json.dumps(item, sort_keys=True, separators=(",", ":"), default=_plain)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"a row cannot hold {type(value).__name__}")
