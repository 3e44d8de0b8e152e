"""Style, script and icon of the pages: files beside the function, under names that change with what is in them."""

import hashlib
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path

from gitlab_hub.console.responses import BrowserResponse

BASE = "/console/assets/"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOREVER = "public, max-age=31536000, immutable"
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Assets:
    """The files of one folder; what is not of a known type is not served."""

    folder: Path

    def url(self, name: str) -> str:
        """Where a browser finds a file, for as long as it stays as it is."""
        return f"{BASE}{_digest(self.folder / name)}/{name}"

    def response(self, path: str) -> BrowserResponse | None:
        """Answer a request below `BASE`; None where there is no such file, or no longer in this form."""
        digest, _, name = path.removeprefix(BASE).partition("/")
        # Looked up among the names that there are: nothing of the request becomes a path.
        file = next((one for one in self.folder.iterdir() if one.name == name and one.suffix in _TYPES), None)
        if file is None or digest != _digest(file):
            return None
        headers = {"content-type": _TYPES[file.suffix], "cache-control": _FOREVER}
        return BrowserResponse(status=HTTPStatus.OK, body=_content(file), headers=headers)


@cache
def _content(file: Path) -> bytes:
    return file.read_bytes()


@cache
def _digest(file: Path) -> str:
    return hashlib.sha256(_content(file)).hexdigest()[:_DIGITS]
