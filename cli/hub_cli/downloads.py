"""Files behind links: fetched without the hub's token, checked, and put in place whole or not at all."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import httpx

from hub_cli import __version__
from hub_cli.answers import Row, retry_after
from hub_cli.causes import unreachable
from hub_cli.problems import Problem, Unreachable
from hub_cli.retries import Failure, wait_before
from hub_cli.safe_text import UNSAFE
from hub_cli.settings import is_private_enough

_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_CHUNK = 1 << 20
_FORBIDDEN = frozenset('\\:*?"<>|')
"""What a part of a path may not hold on some system, or could lead out of the folder there."""
_OVER = "Links are good for a quarter of an hour. Call it again: what is here already is not downloaded again."


class Downloads:
    """A folder that files are downloaded into. A file there is one that was checked, and none is ever replaced."""

    def __init__(self, folder: Path, *, transport: httpx.BaseTransport | None, sleep: Callable[[float], None]) -> None:
        self._folder, self._transport, self._sleep = folder, transport, sleep

    def path(self, name: str) -> Path:
        """Where a file of the hub's goes. Raises Problem for a name that would lead anywhere else."""
        parts = PurePosixPath(name).parts
        # A name that begins with two slashes has a first part of its own, which is as absolute as one slash.
        if not parts or any("/" in one or one == ".." or _FORBIDDEN & {*one} or UNSAFE.search(one) for one in parts):
            raise Problem(f"The hub names a file that is none: “{name}”.", hint="Nothing was written for it.")
        return self._folder.joinpath(*parts)

    def keep(self, name: str, file: Row) -> bool:
        """Have a file here that is what the hub says it is (`url`, `bytes`, `sha256`); whether it had to be fetched.

        Raises Problem, also where another file is there, and Unreachable where the network stays away.
        """
        target = self.path(name)
        try:
            if target.is_file():
                if _digest(target) == file["sha256"]:
                    return False
                hint = "--to names another folder; if it is this export's and was changed, delete it and call again."
                raise Problem(f"{target} is here already, and is another file.", hint=hint)
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f".{target.name}.{os.getpid()}")
            try:
                self._fetch(name, file, draft)
                draft.replace(target)
            finally:
                with suppress(OSError):
                    draft.unlink(missing_ok=True)
        except OSError as error:
            raise Problem(f"{target} cannot be written: {error.strerror}.", hint="--to names another folder.") from None
        return True

    def _fetch(self, name: str, file: Row, draft: Path) -> None:
        url, attempt = str(file["url"]), 0
        if not is_private_enough(urlsplit(url)):
            raise Problem(f"The link to {name} is not encrypted.", hint="Nothing was downloaded from there.")
        while True:
            attempt += 1
            try:
                failure, problem = self._try(name, file, draft, url)
            except httpx.HTTPError as error:
                failure, problem = Failure(), unreachable(error)
            if failure is None:
                return
            pause = wait_before(attempt, "GET", failure)
            if pause is None:
                raise problem
            self._sleep(pause)

    def _try(self, name: str, file: Row, draft: Path, url: str) -> tuple[Failure | None, Problem]:
        """Download once; what failed, if anything, and how that is told."""
        # The link is the right to the file: the hub's token has no business there.
        headers = {"accept-encoding": "identity", "user-agent": f"gitlab-hub-cli/{__version__}"}
        with (
            httpx.Client(timeout=_TIMEOUT, transport=self._transport, trust_env=url.startswith("https:")) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            said = f"{answer.url.host} answered HTTP {answer.status_code} for {name}."
            problem = Problem(said, hint=_OVER) if answer.status_code == HTTPStatus.FORBIDDEN else Unreachable(said)
            if answer.status_code != HTTPStatus.OK:
                return Failure(status=answer.status_code, retry_after=retry_after(answer)), problem
            size, digest = 0, hashlib.sha256()
            with draft.open("wb") as written:
                for chunk in answer.iter_raw(_CHUNK):
                    size += len(chunk)
                    if size > file["bytes"]:
                        break
                    digest.update(chunk)
                    written.write(chunk)
        if digest.hexdigest() != file["sha256"]:
            hint = "Call it again; if it stays so, somebody has changed what lies in the bucket: make the export anew."
            raise Problem(f"{name} is not the file that the hub wrote: its SHA-256 is another one.", hint=hint)
        return None, problem


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
