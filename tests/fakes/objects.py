"""Objects in memory: whole or not there, as S3 has them."""

import hashlib
import threading
from collections.abc import Iterable, Iterator, Sequence

from gitlab_hub.storage.ports import ObjectMissing, Written

MOST = 1_000
CHUNK = 1_000


class MemoryObjects:
    """Bytes and media types by their keys."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, str]] = {}
        self._lock = threading.Lock()

    def write(self, key: str, parts: Iterable[bytes], *, media: str) -> Written:
        """Write an object once all of its parts have come."""
        content = b"".join(parts)
        with self._lock:
            self._kept[key] = (content, media)
        return Written(len(content), hashlib.sha256(content).hexdigest())

    def read(self, key: str) -> Iterator[bytes]:
        """Read an object in parts."""
        with self._lock:
            if key not in self._kept:
                raise ObjectMissing
            content, _ = self._kept[key]
        yield from (content[start : start + CHUNK] for start in range(0, len(content), CHUNK))

    def keys(self, prefix: str, *, limit: int = MOST, after: str = "") -> list[str]:
        """The first keys that begin so and stand behind `after`."""
        with self._lock:
            found = sorted(key for key in self._kept if key.startswith(prefix) and key > after)
            return found[: min(limit, MOST)]

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects."""
        assert len(keys) <= MOST
        with self._lock:
            for key in keys:
                self._kept.pop(key, None)

    def link(self, key: str, *, filename: str, seconds: int) -> str:
        """An address that says what it is of."""
        return f"https://bucket.example/{key}?as={filename}&for={seconds}"

    def dump(self) -> dict[str, bytes]:
        """Every object, for a test to look at (not part of the port)."""
        with self._lock:
            return {key: content for key, (content, _) in self._kept.items()}
