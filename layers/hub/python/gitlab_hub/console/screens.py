"""Screens as values: which path and method, who may, and what makes the page."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gitlab_hub.console.hub_api import ApiRefusal, Ask, HubApi, Part
from gitlab_hub.console.sessions import Session
from gitlab_hub.web.errors import NoSuchPath
from gitlab_hub.web.principal import Role

_SEGMENT = r"[A-Za-z0-9_.-]{1,200}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of somebody who is signed in. `fields` are those of a form."""

    session: Session
    api: HubApi
    path: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    fields: Mapping[str, str]
    now: float
    is_fragment: bool = False

    def may(self, role: Role | str) -> bool:
        """Say whether the role is enough; only to leave out what the API would refuse."""
        return self.session.may(role)

    @property
    def integration_id(self) -> str:
        """The integration that the path names; "" where it names none."""
        return self.parameters.get("integration_id", "")

    def check_own(self, thing: Mapping[str, Any]) -> None:
        """Refuse what another integration has: everything around it on the page would be of this one.

        Raises NoSuchPath.
        """
        if thing["integration_id"] != self.integration_id:
            raise NoSuchPath("There is no such thing in this integration.")

    def ask(self, part: Part, where: str, /, **query: Any) -> Ask:
        """A call about the integration of the path."""
        return Ask(part=part, path=f"/v1/integrations/{self.integration_id}{where}", query=query)

    def get(self, part: Part, where: str, /, **query: Any) -> dict[str, Any]:
        """Read something about the integration of the path. Raises ApiRefusal."""
        return self.api.call(self.ask(part, where, **query))

    def patch(self, part: Part, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Have something of it changed. Raises ApiRefusal."""
        where = f"/v1/integrations/{self.integration_id}{path}"
        return self.api.call(Ask(part=part, path=where, method="PATCH", body=body))

    def post(self, part: Part, path: str, body: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        """Have something done about it. Raises ApiRefusal."""
        where = f"/v1/integrations/{self.integration_id}{path}"
        return self.api.call(Ask(part=part, path=where, method="POST", body=body, key=key))


@dataclass(frozen=True, slots=True)
class Page:
    """A page to show: its template, and what that needs. `problem` is what stands above it, `status` what is said."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    problem: ApiRefusal | None = None


@dataclass(frozen=True, slots=True)
class GoTo:
    """Another address to go to: a page, once something was done, or a file by a link to it."""

    path: str


@dataclass(frozen=True, slots=True)
class Download:
    """A file to keep: its name, its type, and what is in it."""

    name: str
    media: str
    text: str


Outcome = Page | GoTo | Download


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One method of one path. `is_poll`: the page asks by itself, so that nobody counts as being there."""

    method: str
    path: str
    show: Callable[[Visit], Outcome]
    section: str = ""
    is_poll: bool = False


class Screens(Protocol):
    """A part of the console."""

    def __call__(self) -> Sequence[Screen]:
        """All screens of this part."""


class ScreenDirectory:
    """Finds screens by method and path; fixed paths win over those with parameters."""

    def __init__(self, screens: Iterable[Screen]) -> None:
        self.screens = sorted(screens, key=lambda screen: screen.path.count("<"))
        self._rules = [(_pattern(screen.path), screen) for screen in self.screens]

    def find(self, method: str, path: str) -> tuple[Screen, dict[str, str]] | None:
        """Give the screen and the parameters of its path, if there is one."""
        for rule, screen in self._rules:
            match = rule.fullmatch(path) if screen.method == method else None
            if match:
                return screen, match.groupdict()
        return None


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"<(\w+)>", path)
    return re.compile("".join(f"(?P<{one}>{_SEGMENT})" if at % 2 else re.escape(one) for at, one in enumerate(parts)))
