"""`/openapi.json`: the document of all functions' routes, made from the same values that answer."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from gitlab_hub import __version__
from gitlab_hub.errors import HubError, NotFound
from gitlab_hub.web.api import Route
from gitlab_hub.web.call import METHODS_WITH_BODY
from gitlab_hub.web.errors import PermissionDenied, Unauthenticated, Unprocessable
from gitlab_hub.web.idempotency import HEADER, MAX_KEY

_JSON = "application/json"
_OWN_OF_POWERTOOLS = ("HTTPValidationError", "ValidationError", "ResponseValidationError")

_ERROR = {
    "type": "object",
    "title": "Error",
    "required": ["error", "code", "retryable", "request_id"],
    "properties": {
        "error": {"type": "string", "description": "For a person; says what to do."},
        "code": {"type": "string", "description": "For a program; stable."},
        "details": {"type": "object"},
        "retryable": {"type": "boolean"},
        "request_id": {"type": "string"},
    },
}

_MEANINGS = {
    400: "The request cannot be read, or names what cannot be.",
    401: "No valid hub token.",
    403: "The role is too low, or GitLab forbids it.",
    404: "Nothing of this id that the token may see.",
    409: "It does not fit the present state.",
    413: "The body is too large.",
    422: "The request can be read and is not what the route takes.",
    503: "Not now; `retry-after` says when.",
}

_KINDS: dict[type, str] = {bool: "boolean", str: "string", int: "integer"}
_EXAMPLES: tuple[HubError, ...] = (Unauthenticated(""), PermissionDenied(""), NotFound(""), Unprocessable(""))


class OpenApiRoutes:
    """The open route that serves the document; it is made at the first request."""

    def __init__(self, routes: Callable[[], Iterable[Route]]) -> None:
        self._all = routes

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        path = "/openapi.json"
        return (Route(method="GET", path=path, handler=self.show, role=None, summary="This document"),)

    def show(self) -> Response[dict[str, Any]]:
        """Serve the document."""
        return Response(status_code=200, content_type=_JSON, body=self._document)

    @cached_property
    def _document(self) -> dict[str, Any]:
        # The routes of all functions have this one among them already.
        once = {(route.method, route.path): route for route in (*self.routes(), *self._all())}
        return document(once.values())


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """Make the OpenAPI document of these routes."""
    known = list(routes)
    made = _generated(known)
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for name in _OWN_OF_POWERTOOLS:
        schemas.pop(name, None)
    schemas["Error"] = _ERROR
    made["components"]["securitySchemes"] = {"hubToken": {"type": "http", "scheme": "bearer"}}
    for route in known:
        operation = made["paths"][_openapi_path(route)][route.method.lower()]
        _describe(operation, route)
    return made


def _generated(routes: Iterable[Route]) -> dict[str, Any]:
    resolver = APIGatewayHttpResolver(enable_validation=True)
    for route in routes:
        register = resolver.route(
            route.path, route.method, status_code=route.status, summary=route.summary, tags=[_tag(route)]
        )
        register(route.handler)
    text = resolver.get_openapi_json_schema(title="gitlab-hub", version=__version__)
    made: dict[str, Any] = json.loads(text)
    return made


def _describe(operation: dict[str, Any], route: Route) -> None:
    """Say what the generator cannot know: who may call, and how refusals look."""
    success = operation["responses"].pop(str(route.status), {"description": "Done."})
    if route.is_page:
        success = {"description": "The browser goes on."}
    operation["responses"] = {str(route.status): success, **_refusals(route)}
    if route.raw is not None and not route.is_page:
        operation["responses"]["200"] = {**success, "description": "Taken before, or of no effect here."}
    if route.role is None:
        operation["description"] = "Open: needs no hub token."
        return
    operation["description"] = f"Needs the role {route.role} or a higher one."
    operation["security"] = [{"hubToken": []}]
    if route.method == "POST":
        schema = {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]+$"}
        key = {"name": HEADER, "in": "header", "required": False, "schema": schema}
        operation.setdefault("parameters", []).append(key)


def _refusals(route: Route) -> dict[str, Any]:
    if route.render_error is not None:
        return _other_convention(route.render_error)
    content: dict[str, Any] = {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    if route.is_page:
        page = {"text/html": {"schema": {"type": "string"}}}
        return {"default": {"description": "A page that says what became of it.", "content": {**page, **content}}}
    refusals = {str(status): {"description": _MEANINGS[status], "content": content} for status in _statuses(route)}
    return {**refusals, "default": {"description": "Anything else that went wrong.", "content": content}}


def _statuses(route: Route) -> Iterator[int]:
    """Say how a route of this kind may refuse."""
    if route.raw is not None:
        yield from route.refusals
        return
    yield from (400, 422, 503)
    if route.role is not None:
        yield from (401, 403)
    if "<" in route.path:
        yield 404
    if route.method != "GET":
        yield 409
    if route.method in METHODS_WITH_BODY:
        yield 413


def _other_convention(render_error: Callable[[HubError], tuple[int, dict[str, Any]]]) -> dict[str, Any]:
    """Describe the errors of a route with its own convention by examples; unforeseen ones keep the hub's."""
    own = {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    refusals: dict[str, Any] = {"default": {"description": "Anything else that went wrong.", "content": own}}
    for error in _EXAMPLES:
        status, body = render_error(error)
        properties = {name: {"type": _KINDS.get(type(value), "object")} for name, value in body.items()}
        schema = {"type": "object", "properties": properties, "required": list(properties)}
        refusals[str(status)] = {"description": _MEANINGS[status], "content": {_JSON: {"schema": schema}}}
    return dict(sorted(refusals.items()))


def _openapi_path(route: Route) -> str:
    return route.path.replace("<", "{").replace(">", "}")


def _tag(route: Route) -> str:
    """Group routes by the part that they belong to."""
    return type(getattr(route.handler, "__self__", route)).__name__.removesuffix("Routes") or "Other"
