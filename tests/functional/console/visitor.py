"""A browser as far as HTTP goes: it keeps cookies, follows redirects, and sends the forms that a page has."""

import base64
import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urlsplit

from gitlab_hub.console.app import Console
from tests.fakes.events import Context

HOST = "hub.example.com"
Attributes = dict[str, str | None]
_VOID = frozenset({"input", "img", "meta", "link", "br", "path", "wbr", "circle", "rect"})


@dataclass
class Shown:
    """What came back: status, headers and the page."""

    status: int
    headers: Mapping[str, str]
    html: str
    set_cookies: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What a reader reads."""
        return re.sub(r"\s+", " ", "".join(_read(self.html).texts)).strip()

    def elements(self, name: str) -> list[Attributes]:
        """All elements of a name, with their attributes."""
        return [attributes for tag, attributes in _read(self.html).tags if tag == name]

    @property
    def selects(self) -> Mapping[str, list[str]]:
        """What each list of a form lets one choose, by the list's name."""
        return _read(self.html).selects

    def form(self, action: str) -> dict[str, str]:
        """The hidden fields of the form with this action."""
        return dict(_read(self.html).forms[action])


class Visitor:
    """One browser."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.cookies: dict[str, str] = {}

    def get(self, address: str, **headers: str) -> Shown:
        """Open a page, and whatever it leads on to."""
        shown = self.send("GET", address, **headers)
        while shown.status == 303:
            shown = self.send("GET", shown.headers["location"])
        return shown

    def post(self, address: str, fields: Mapping[str, str], **headers: str) -> Shown:
        """Send a form, and stay at its answer."""
        return self.send("POST", address, urlencode(fields), **headers)

    def submit(self, shown: Shown, action: str, **fields: str) -> Shown:
        """Fill in a form of a page and send it, and go where that leads to."""
        answer = self.post(action, {**shown.form(action), **fields})
        return self.get(answer.headers["location"]) if answer.status == 303 else answer

    def sign_in(self, token: str, to: str = "/console") -> Shown:
        """Paste a token."""
        return self.submit(self.get("/console/sign-in"), "/console/sign-in", token=token, to=to)

    def send(self, method: str, address: str, body: str | None = None, **headers: str) -> Shown:
        """One request and its answer."""
        split = urlsplit(address)
        usual = {"host": HOST, "accept-encoding": "gzip", "sec-fetch-site": "same-origin"}
        given = usual | {name.replace("_", "-"): value for name, value in headers.items()}
        event: dict[str, Any] = {
            "version": "2.0",
            "rawPath": split.path,
            "rawQueryString": split.query,
            "headers": {name: value for name, value in given.items() if value},
            "cookies": [f"{name}={value}" for name, value in self.cookies.items()],
            "requestContext": {
                "requestId": "req-1", "stage": "$default", "http": {"method": method, "path": split.path}
            },
            "body": body,
            "isBase64Encoded": False,
        }  # fmt: skip
        answer = self._console.resolve(event, Context())
        for line in answer["cookies"]:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in line:
                del self.cookies[name]
        content = base64.b64decode(answer["body"])
        if answer["headers"].get("content-encoding") == "gzip":
            content = gzip.decompress(content)
        return Shown(answer["statusCode"], answer["headers"], content.decode(), answer["cookies"])


class _Reader(HTMLParser):
    """Elements, texts and forms; what is opened has to be closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, Attributes]] = []
        self.texts: list[str] = []
        self.forms: dict[str, dict[str, str]] = {}
        self.selects: dict[str, list[str]] = {}
        self._open: list[str] = []
        self._form: dict[str, str] | None = None
        self._select: list[str] = []

    def finish(self) -> None:
        """Come to the end of the page."""
        self.close()
        assert self._open == [], self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        # What a part of a drawing is called, and not the page.
        self.tags.append(("svg title" if tag == "title" and "svg" in self._open else tag, attributes))
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "form":
            self._form = self.forms.setdefault(str(attributes.get("action")), {})
        if tag == "select":
            self._select = self.selects.setdefault(str(attributes["name"]), [])
        if tag == "option":
            self._select.append(attributes.get("value") or "")
        if tag == "input" and attributes.get("type") == "hidden" and self._form is not None:
            self._form[str(attributes["name"])] = attributes.get("value") or ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, tag
        assert self._open.pop() == tag
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@lru_cache(maxsize=4)
def _read(html: str) -> _Reader:
    """Read a page, once however often it is looked at."""
    reader = _Reader()
    reader.feed(html)
    reader.finish()
    return reader


def links(shown: Shown) -> Iterator[str]:
    """Where the links of a page lead."""
    return (str(one["href"]) for one in shown.elements("a") if "href" in one)
