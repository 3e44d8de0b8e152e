"""Reading the base URL of a GitLab once, strictly.

Nothing is repaired: whatever two URL parsers could read differently (user info, backslashes, control characters,
numbers that are not plain dotted IPv4, names outside ASCII) is refused with a word on what to write instead.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NoReturn
from urllib.parse import unquote

from gitlab_hub.gitlab.errors import InvalidUrl
from gitlab_hub.gitlab.tokens import TokenKind, kind_of

NO_PLAIN_HTTP = (
    "Use an https:// URL: plain http is not allowed here. The deployer can allow it with AllowInsecureHttp=true "
    "(local stack: --allow-http)."
)

_DEFAULT_PORTS = {"https": 443, "http": 80}
_MAX_URL = 2048
_MAX_HOST = 253
_MAX_PORT = 65535
_SHAPE = re.compile(r"([a-z][a-z0-9+.-]*)://([^/]*)(/.*)?", re.ASCII | re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_PATH = re.compile(r"(?:/[A-Za-z0-9_~.-]+)*", re.ASCII)
_PRINTABLE = re.compile(r"[\x21-\x7e]+", re.ASCII)
_API = "/api/v4"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a GitLab lives; `path` is the prefix of an installation under a relative URL, else empty."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @classmethod
    def parse(cls, url: str, *, allow_http: bool) -> "Address":
        """Read a base URL as a person writes it; one that ends in /api/v4 is taken for its base."""
        scheme, authority, path = _split(url)
        if scheme == "http" and not allow_http:
            _refuse(NO_PLAIN_HTTP)
        host, port = _host_and_port(authority)
        return cls(scheme, host, _DEFAULT_PORTS[scheme] if port is None else port, _prefix(path))

    @property
    def origin(self) -> str:
        """Scheme, host and (if it is not the scheme's own) port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}")

    @property
    def base_url(self) -> str:
        """The URL of the installation, without a trailing slash."""
        return self.origin + self.path

    def api(self, path: str) -> str:
        """Give the URL of a path of the REST API, such as /user."""
        return self.base_url + _API + _checked(path)

    def url(self, path: str) -> str:
        """Give the URL of any path of the installation."""
        return self.base_url + _checked(path)


def _checked(path: str) -> str:
    """Let a path pass; one that could leave its place is a mistake of the program."""
    if not path.startswith("/") or not _PRINTABLE.fullmatch(path) or {"?", "#", "\\"} & set(path):
        raise ValueError("A path starts with / and has neither query nor fragment.")
    if {".", ".."} & set(unquote(path).split("/")):
        raise ValueError("A path has no dot segments.")
    return path


def _refuse(message: str) -> NoReturn:
    raise InvalidUrl(message)


def _split(url: str) -> tuple[str, str, str]:
    if len(url) > _MAX_URL or not _PRINTABLE.fullmatch(url):
        _refuse("Write the URL without spaces, in plain ASCII; a host name with other letters in its xn-- form.")
    if {"?", "#", "\\", "@"} & set(url):
        _refuse("Give only the base URL: no user name, no query, no fragment.")
    match = _SHAPE.fullmatch(url)
    scheme = match[1].lower() if match else ""
    if match is None or scheme not in _DEFAULT_PORTS:
        _refuse(f"The URL of a GitLab starts with https://{_instead(url)}")
    return scheme, match[2], match[3] or ""


def _instead(url: str) -> str:
    """What to write where only the scheme is missing. It repeats nothing but what has a domain, and no token's look."""
    authority, slash, path = url.partition("/")
    try:
        host, _ = _host_and_port(authority)
        prefix = _prefix(slash + path)
    except InvalidUrl:
        return "."
    is_address = "." in host and kind_of(url) == TokenKind.UNKNOWN
    return f". Write https://{authority.lower()}{prefix}." if is_address else "."


def _host_and_port(authority: str) -> tuple[str, int | None]:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        _refuse("The host is not a plain host name or IP address.")
    port = int(match[3]) if match[3] else None
    if port is not None and not 1 <= port <= _MAX_PORT:
        _refuse("The port is not between 1 and 65535.")
    return (_ipv6(match[1]) if match[1] else _name_or_ipv4(match[2].lower())), port


def _ipv6(literal: str) -> str:
    try:
        return IPv6Address(literal).compressed
    except AddressValueError:
        _refuse("The host is not a valid IPv6 address.")


def _name_or_ipv4(host: str) -> str:
    labels = host.split(".")
    if len(host) > _MAX_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        _refuse("The host is not a valid name; write it without a trailing dot.")
    if not _NUMBER.fullmatch(labels[-1]):
        return host
    # A name whose last label is a number is an IPv4 address to some parsers: only the plain form is taken.
    try:
        return str(IPv4Address(host))
    except AddressValueError:
        _refuse("Write an IP address as four plain decimal numbers.")


def _prefix(path: str) -> str:
    prefix = path.rstrip("/")
    if not _PATH.fullmatch(prefix) or {".", ".."} & set(prefix.split("/")):
        _refuse("The path of the URL is not one a GitLab can be installed under.")
    return prefix.removesuffix(_API)
