"""Routes as values, and finding the one that a request means."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import isclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol, get_args, get_origin, get_type_hints

from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Param, Query
from pydantic import BaseModel

from gitlab_hub.errors import HubError
from gitlab_hub.ids import owner_of
from gitlab_hub.web.principal import Role

if TYPE_CHECKING:
    from gitlab_hub.web.call import Call
    from gitlab_hub.web.responses import HttpResponse


GUARDED_PARAMETERS = ("integration_id", "connection_id")

# Ids that name the integration they belong to.
OWNED_PARAMETERS = ("delivery_id", "trigger_id", "build_id")

_SPELLED: Mapping[type, tuple[str, re.Pattern[str]]] = {
    int: ("int_parsing", re.compile(r"0|-?[1-9][0-9]*")),
    bool: ("bool_parsing", re.compile(r"true|false", re.IGNORECASE)),
}

# No id is longer; a sort key of DynamoDB with such an id in it still fits (1024 bytes).
_MAX_SEGMENT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path: who may use it and what answers.

    `path` has its parameters in angle brackets. `role` None is an open route. `guarded` checks the integration that
    the path names before the handler runs. `secret_answer`: an answer with a secret in it is never kept, so its
    handler derives the secret from its `Seed`. `render_error` replaces the hub's own error envelope. `raw` answers the
    call as it came, bytes and all; its `handler` then only describes the route, `refusals` are the statuses it may
    refuse with, and `is_page` says that people read its answers. `operation` is its name in the description of the API,
    where its path says something else than people would. `media` is the type of an answer that is no JSON. `besides`
    are other statuses that are no refusals, each with its meaning. `text_field`: the field of the body that a body of
    `text/csv` is; the document leaves that to the route's description, as generators of clients know JSON only.
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
    raw: "Callable[[Call], HttpResponse] | None" = None
    refusals: tuple[int, ...] = ()
    is_page: bool = False
    operation: str = ""
    text_field: str = ""
    media: str = ""
    besides: tuple[tuple[int, str], ...] = ()

    @property
    def name(self) -> str:
        """What the description of the API and clients made from it call this route."""
        return self.operation or operation_name(self.method, self.path)

    @property
    def takes_body(self) -> bool:
        """Say whether the handler has a parameter for the body."""
        return body_model(self.handler) is not None

    @property
    def query(self) -> Mapping[str, bool]:
        """The parameters of the query by their public names: whether each may be given more than once."""
        return query_parameters(self.handler)


@cache
def body_model(handler: Callable[..., Any]) -> type[BaseModel] | None:
    """The model of the body: the handler's parameter that is neither of the query or path nor a dependency."""
    return next((model for _, hint in _hints(handler) if (model := _body_in(hint))), None)


@cache
def query_parameters(handler: Callable[..., Any]) -> Mapping[str, bool]:
    """The handler's parameters of the query: public name → whether it is a list."""
    found = ((name, hint, mark) for name, hint in _hints(handler) for mark in _marks(hint) if isinstance(mark, Query))
    return {mark.alias or name: _is_list(hint) for name, hint, mark in found}


@cache
def spellings(handler: Callable[..., Any]) -> Mapping[str, tuple[str, str, re.Pattern[str]]]:
    """How numbers and flags of the query and the path are spelled: name → where it stands, type of finding, pattern.

    Pydantic takes more for a number than anybody means: ` 5`, `+5`, `05`, `5.0`, `1_000`.
    """
    found: dict[str, tuple[str, str, re.Pattern[str]]] = {}
    for name, hint in _hints(handler):
        for mark in _marks(hint):
            for kind, (problem, pattern) in _SPELLED.items():
                if isinstance(mark, Param) and _is_a(hint, kind):
                    found[mark.alias or name] = (mark.in_.value, problem, pattern)
    return found


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
    """Finds routes by method and path.

    Fixed paths win over those with parameters, and `<id>.csv` wins over `<id>`, which would take it for an id.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self.ordered = sorted(routes, key=lambda route: (route.path.count("<"), route.path.endswith(">")))
        self._routes = [(_pattern(route.path), route) for route in self.ordered]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Give the route and its path parameters, if there is one."""
        matches = self._matches(path)
        return next(((route, match.groupdict()) for route, match in matches if route.method == method), None)

    def methods(self, path: str) -> list[str]:
        """The methods that a path has; none where no route has this path."""
        return sorted({route.method for route, _ in self._matches(path)})

    def _matches(self, path: str) -> Iterator[tuple[Route, re.Match[str]]]:
        return ((route, match) for rule, route in self._routes if (match := rule.fullmatch(path)))


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"<(\w+)>", path)
    return re.compile(
        "".join(
            rf"(?P<{part}>[^/]{{1,{_MAX_SEGMENT}}})" if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
    )


def _hints(handler: Callable[..., Any]) -> list[tuple[str, Any]]:
    return [(name, hint) for name, hint in get_type_hints(handler, include_extras=True).items() if name != "return"]


def _marks(hint: Any) -> tuple[Any, ...]:
    return get_args(hint)[1:] if get_origin(hint) is Annotated else ()


def _is_list(hint: Any) -> bool:
    return get_origin(hint) is list or any(_is_list(part) for part in get_args(hint))


def _is_a(hint: Any, kind: type) -> bool:
    return hint is kind or any(_is_a(part, kind) for part in get_args(hint))


def _body_in(hint: Any) -> type[BaseModel] | None:
    if any(isinstance(mark, Depends | Param) for mark in _marks(hint)):
        return None
    if isclass(hint):
        return hint if issubclass(hint, BaseModel) else None
    return next((model for part in get_args(hint) if (model := _body_in(part))), None)


# The names of operations, from their methods and paths: what a generated client calls its functions.

_BASES = re.compile(r"^/(?:v1/integrations/<integration_id>|api/connections/<connection_id>|v1)(?=/)")
_WITHOUT_NAME = frozenset({"gitlab"})
_VERBS = {"PUT": "replace", "PATCH": "update", "DELETE": "delete"}
_PARAMETER = re.compile(r"<\w+>")


def operation_name(method: str, path: str) -> str:
    """Name an operation: ("POST", "/v1/builds/<build_id>/cancel") → "cancel_build".

    A route whose path says something else than people would say it names itself (`Route.operation`).
    """
    within = _BASES.sub("", path) or "/integrations"
    nouns = [part.replace("-", "_") for part in re.split(r"[/.]", within) if part and not _PARAMETER.fullmatch(part)]
    nouns = [noun for noun in nouns if noun not in _WITHOUT_NAME] or ["integrations"]
    last, before = nouns[-1], nouns[-2] if len(nouns) > 1 else "integrations"
    is_one = path.endswith(">")
    if method == "GET" and (is_one or not last.endswith("s")):
        return f"get_{_one(last)}" if is_one or len(nouns) == 1 else f"get_{_one(before)}_{last}"
    if method == "GET":
        return f"list_{last}"
    if method in _VERBS:
        return f"{_VERBS[method]}_{_one(last)}"
    return f"create_{_one(last)}" if last.endswith("s") else f"{last}_{_one(before)}"


def _one(nouns: str) -> str:
    if nouns.endswith("ies"):
        return f"{nouns[:-3]}y"
    return nouns.removesuffix("s")
