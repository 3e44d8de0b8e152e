"""Functions' code and layers are unpacked once for all processes, not once for each.

The emulator unpacks every layer anew for each process of a function. With the layers of this bundle that was most of
what starting a function cost, and wrote more than a gigabyte for the stack.
"""

import hashlib
import os
import tempfile
import threading
import zipfile
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime


class SharedArchive(zipfile.ZipFile):
    """An archive whose files are unpacked into a folder named by their content; who extracts them gets links there.

    A folder of links is removed without what it links to. What stands behind it must not be written to; the functions
    of the emulator read only.
    """

    _unpacking = threading.Lock()

    def namelist(self) -> list[str]:
        """The names at the top; the emulator checks each whole path, and `extractall` has refused the unsafe ones."""
        return [entry.name for entry in self._unpacked().iterdir()]

    def extractall(
        self,
        path: str | os.PathLike[str] | None = None,
        members: Iterable[str | zipfile.ZipInfo] | None = None,  # noqa: ARG002 - the emulator wants all, without password
        pwd: bytes | None = None,  # noqa: ARG002
    ) -> None:
        """Link to every file and folder at the top of the archive."""
        for entry in self._unpacked().iterdir():
            Path(path or ".", entry.name).symlink_to(entry)

    def _unpacked(self) -> Path:
        contents = [(entry.filename, entry.CRC, entry.file_size) for entry in self.infolist()]
        folder = Path(tempfile.gettempdir(), f"unpacked-{hashlib.sha256(repr(contents).encode()).hexdigest()}")
        with self._unpacking:
            if not folder.exists():
                half = folder.with_suffix(".half")
                super().extractall(half, self.infolist())  # it leaves "/" and ".." out of names
                half.rename(folder)
        return folder


def unpack_once() -> None:
    """Let the emulator of this process unpack every archive once."""
    shared: Any = SimpleNamespace(**{**vars(zipfile), "ZipFile": SharedArchive})
    lambda_runtime.zipfile = shared
