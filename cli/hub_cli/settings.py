"""Which hub, and with which token: from the environment, or as `hub login` has stored them."""

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from hub_cli.problems import Problem, WrongUsage

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Login:
    """A hub's address and a hub token for it; the token is never shown."""

    url: str
    token: str = field(repr=False)


class Settings:
    """What `environ` says, and the file below its `XDG_CONFIG_HOME` (XDG Base Directory Specification)."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.home = Path(environ.get("HOME") or "~").expanduser()
        self.path = Path(environ.get("XDG_CONFIG_HOME") or self.home / ".config") / "gitlab-hub" / "login.json"

    @property
    def integration(self) -> str | None:
        """The integration that commands are about where none is named."""
        return self._environ.get("HUB_INTEGRATION") or None

    def login(self) -> Login:
        """Give the hub to speak to. Raises Problem.

        A stored token goes to the hub that it was stored for only: another address needs a token of its own.
        """
        url, token = self._environ.get("HUB_URL"), self._environ.get("HUB_TOKEN")
        stored = None if url and token else self._stored()
        if url is None and stored is None:
            raise WrongUsage("You are not logged in.", hint="`hub login`, or set HUB_URL and HUB_TOKEN.")
        address = checked_address(url or (stored.url if stored else ""))
        if not token and (stored is None or stored.url != address):
            raise WrongUsage(f"There is no token for {address}.", hint=f"`hub login {address}`, or set HUB_TOKEN.")
        return Login(address, token or (stored.token if stored else ""))

    def store(self, login: Login) -> None:
        """Keep a login, readable for this user alone; whatever happens, the file is the old or the new one.

        Raises Problem.
        """
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft.unlink(missing_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({"url": login.url, "token": login.token}, file)
            draft.replace(self.path)
        except OSError as error:
            with suppress(OSError):  # It may hold the token.
                draft.unlink(missing_ok=True)
            hint = "Set HUB_URL and HUB_TOKEN, or XDG_CONFIG_HOME to a folder that is yours."
            raise Problem(f"{self.path} cannot be written: {error.strerror}.", hint=hint) from None

    def remove(self) -> bool:
        """Remove what is stored; whether there was anything. Raises Problem."""
        was_there = self.path.exists()
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise Problem(f"{self.path} cannot be removed: {error.strerror}.", hint="It holds your token.") from None
        return was_there

    def _stored(self) -> Login | None:
        try:
            mode = self.path.stat().st_mode
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Problem(
                f"{self.path} cannot be read: {error.strerror}.", hint="`hub login` writes it anew."
            ) from None
        if os.name == "posix" and mode & _OTHERS:
            raise Problem(f"Others may read {self.path}, which holds your token.", hint=f"chmod 600 {self.path}")
        try:
            kept = json.loads(content)
            return Login(checked_address(str(kept["url"])), str(kept["token"]))
        except (ValueError, KeyError, TypeError):
            raise Problem(f"{self.path} holds no login.", hint="`hub login` writes it anew.") from None


def checked_address(url: str) -> str:
    """Give the hub's address without a slash at its end. Raises WrongUsage, also where it encrypts nothing."""
    split = urlsplit(url.strip())
    try:
        host, _ = split.hostname, split.port
    except ValueError:
        host = None
    if split.scheme not in {"https", "http"} or not host or split.query or split.fragment or split.username:
        raise WrongUsage(f"“{url}” is no address of a hub.", hint="It looks like https://hub.example.com.")
    if not is_private_enough(split):
        raise WrongUsage(f"{url} is not encrypted: everybody on the way could read the token.", hint="Use https://.")
    return url.strip().rstrip("/")


def is_private_enough(address: SplitResult) -> bool:
    """Whether nobody on the way can read what goes there: it is encrypted, or stays on this machine."""
    return address.scheme == "https" or (address.scheme == "http" and address.hostname in _LOOPBACK)
