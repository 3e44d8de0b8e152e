"""Routes as values, and finding the one that a request means."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from inspect import isclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol, get_args, get_origin, get_type_hints

from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Param
from pydantic import BaseModel

from gitlab_hub.errors import HubError, NotFound
from gitlab_hub.ids import owner_of
from gitlab_hub.web.errors import MethodNotAllowed
from gitlab_hub.web.principal import Role

if TYPE_CHECKING:
    from gitlab_hub.web.answers import Answer
    from gitlab_hub.web.call import Call

GUARDED_PARAMETERS = ("integration_id", "connection_id")

# Ids that name the integration they belong to.
OWNED_PARAMETERS = ("delivery_id", "trigger_id", "build_id")

# No id is longer; a sort key of DynamoDB with such an id in it still fits (1024 bytes).
_MAX_SEGMENT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path: who may use it and what answers.

    `path` has its parameters in angle brackets. `role` None is an open route. `guarded` checks the integration that
    the path names before the handler runs. `secret_answer`: an answer with a secret in it is never kept, so its
    handler derives the secret from its `Seed`. `render_error` replaces the hub's own error envelope. `raw` answers the
    call as it came, bytes and all; its `handler` then only describes the route.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    role: Role | None
    status: int = 200
    summary: str = ""
    secret_answer: bool = False
    guarded: bool = True
    render_error: Callable[[HubError], tuple[int, dict[str, Any]]] | None = None
    raw: "Callable[[Call], Answer] | None" = None
    pages: bool = False
    """Answers browsers, with pages and redirections."""

    @property
    def takes_body(self) -> bool:
        """Say whether the handler has a parameter for the body: a model that is not a query or a dependency."""
        hints = get_type_hints(self.handler, include_extras=True)
        return any(_is_body(hint) for name, hint in hints.items() if name != "return")


def integration_named(name: str, value: str) -> str | None:
    """The integration that a parameter of a path names, itself or through an id of ours; "" where it names none."""
    if name in GUARDED_PARAMETERS:
        return value
    return owner_of(value) or "" if name in OWNED_PARAMETERS else None


class Routes(Protocol):
    """A part of the API: its routes, built without touching anything outside the process."""

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""


class Directory:
    """Finds routes by method and path; fixed paths win over those with parameters."""

    def __init__(self, routes: Iterable[Route]) -> None:
        ordered = sorted(routes, key=lambda route: route.path.count("<"))
        self._routes = [(_pattern(route.path), route) for route in ordered]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Give the route and its path parameters. Raises NotFound or MethodNotAllowed."""
        matches = [(route, match.groupdict()) for rule, route in self._routes if (match := rule.fullmatch(path))]
        for route, parameters in matches:
            if route.method == method:
                return route, parameters
        if matches:
            allowed = sorted({route.method for route, _ in matches})
            raise MethodNotAllowed(f"Use {' or '.join(allowed)} here.", details={"allowed": allowed})
        raise NotFound("There is no such path.")


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"<(\w+)>", path)
    return re.compile(
        "".join(
            rf"(?P<{part}>[^/]{{1,{_MAX_SEGMENT}}})" if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
    )


def _is_body(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        kind, *marks = get_args(hint)
        if any(isinstance(mark, Depends | Param) for mark in marks):
            return False
        return _is_body(kind)
    if isclass(hint):
        return issubclass(hint, BaseModel)
    return any(_is_body(part) for part in get_args(hint))
