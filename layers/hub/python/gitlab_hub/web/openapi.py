"""`/openapi.json`: the document of all functions' routes, made from the same values that answer."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cached_property
from inspect import cleandoc
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from pydantic import BaseModel

from gitlab_hub import __version__
from gitlab_hub.errors import HubError, NotFound
from gitlab_hub.web.api import Route
from gitlab_hub.web.call import METHODS_WITH_BODY
from gitlab_hub.web.errors import PermissionDenied, Unauthenticated, Unprocessable
from gitlab_hub.web.idempotency import HEADER, MAX_KEY
from gitlab_hub.web.openapi_schemas import JSON, PREFIX, add_examples, describe, describe_parameter, renamed

_OWN_OF_POWERTOOLS = ("HTTPValidationError", "ValidationError", "ResponseValidationError")

_ERROR = {
    "type": "object",
    "description": "What went wrong, for people and for programs.",
    "required": ["error", "code", "retryable", "request_id"],
    "properties": {
        "error": {
            "type": "string",
            "description": "For a person; says what to do.",
            "examples": ["Send a JSON object."],
        },
        "code": {"type": "string", "description": "For a program; stable."},
        "details": {"type": "object"},
        "retryable": {"type": "boolean", "description": "Whether the same request may do later.", "examples": [False]},
        "request_id": {"type": "string"},
    },
}

_CREDENTIALS_ERROR = {
    "type": "object",
    "description": "An error of the `credentials.*` routes, in the convention of a metrics vendor.",
    "required": ["ok", "error", "error_detail"],
    "properties": {
        "ok": {"type": "boolean", "const": False},
        "error": {"type": "string", "description": "One of a few codes.", "examples": ["invalid_credentials"]},
        "error_detail": {"type": "string", "description": "The finer code.", "examples": ["token_expired"]},
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

_ABOUT = (
    "Access, pipelines and builds of GitLab, from a hub in your own AWS account. Times are unix seconds. Ids of "
    "GitLab's things are its own numbers, ids of the hub's things are texts. Errors have one envelope with a `code`. "
    "Lists come in pages: pass `next_cursor` as `cursor` until it is null."
)
_SECURITY = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "ghub_<id>_<secret>",
    "description": "A hub token. Its role is viewer, developer, admin or owner; each may do what those before it may. "
    "The first owner's token is in the stack's Secrets Manager; `create_token` makes others.",
}
_IDEMPOTENCY_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "The same key with the same body within a day gets the first answer again, and acts once. A request "
    "that was refused with 422 before anything was done leaves its key free for the corrected one.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]+$", "examples": ["a-1"]},
}

TAGS = {
    "Integrations": "Connected GitLabs, their tokens and what these reach.",
    "Credentials": "Credentials of an integration, in the convention of a metrics vendor.",
    "Syncs": "Copying from GitLab: start, follow, accept.",
    "Access": "Accounts, groups, projects, and who has what.",
    "Pipelines": "Pipelines and jobs, and what they add up to.",
    "Webhooks": "Webhooks in GitLab, what they deliver, and where.",
    "Builds": "Triggers, and the builds that they start.",
    "Operations": "Hub tokens, incidents, the audit log, health, metrics.",
}
TAG_OF_ROUTES = {
    "Integration": "Integrations", "GitLabToken": "Integrations", "OAuth": "Integrations", "Credential": "Credentials",
    "Sync": "Syncs", "Access": "Access", "Review": "Access", "History": "Access", "Pipeline": "Pipelines",
    "Figure": "Pipelines", "Completeness": "Pipelines",
    "Hook": "Webhooks", "Receiver": "Webhooks", "Delivery": "Webhooks", "Trigger": "Builds", "Signing": "Builds",
    "Build": "Builds",
}  # fmt: skip

_EXAMPLES: tuple[HubError, ...] = (Unauthenticated(""), PermissionDenied(""), NotFound(""), Unprocessable(""))


class OpenApiRoutes:
    """The open route that serves the document; it is made at the first request."""

    def __init__(self, routes: Callable[[], Iterable[Route]]) -> None:
        self._all = routes

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        path = "/openapi.json"
        return (
            Route(
                method="GET", path=path, handler=self.show, operation="get_openapi", role=None, summary="This document"
            ),
        )

    def show(self) -> Response[dict[str, Any]]:
        """Serve the document."""
        return Response(status_code=200, content_type=JSON, body=self._document)

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
    schemas |= {"Error": deepcopy(_ERROR), "CredentialsError": deepcopy(_CREDENTIALS_ERROR)}
    describe(schemas)
    for route in known:
        _describe(made["paths"][_openapi_path(route)][route.method.lower()], route, schemas)
    made["components"]["securitySchemes"] = {"hubToken": _SECURITY}
    made["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    made = renamed(made)
    add_examples(made)
    return made


def _generated(routes: Iterable[Route]) -> dict[str, Any]:
    resolver = APIGatewayHttpResolver(enable_validation=True)
    for route in routes:
        register = resolver.route(
            route.path,
            route.method,
            status_code=route.status,
            summary=route.summary,
            tags=[_tag(route)],
            operation_id=route.name,
        )
        register(route.handler)
    text = resolver.get_openapi_json_schema(title="gitlab-hub", version=__version__, description=_ABOUT)
    made: dict[str, Any] = json.loads(text)
    return made


def _describe(operation: dict[str, Any], route: Route, schemas: Mapping[str, Any]) -> None:
    """Say what the generator cannot know: who may call, what may be left out, and how refusals look."""
    success = operation["responses"].pop(str(route.status), {"description": "Done."})
    if route.is_page:
        success = {"description": "The browser goes on."}
    if route.media:
        success = {"description": "Done.", "content": {route.media: {"schema": {"type": "string"}}}}
    besides = {str(status): {"description": meaning} for status, meaning in route.besides}
    operation["responses"] = {str(route.status): success, **besides, **_refusals(route)}
    if route.raw is not None and not route.is_page:
        operation["responses"]["200"] = {**success, "description": "Taken before, or of no effect here."}
    who = "Open: needs no hub token." if route.role is None else f"Needs the role {route.role} or a higher one."
    operation["description"] = f"{cleandoc(route.handler.__doc__ or '')}\n\n{who}".strip()
    for parameter in operation.get("parameters", ()):
        describe_parameter(parameter)
    if "requestBody" in operation:
        operation["requestBody"]["required"] = _must_be_sent(operation["requestBody"], schemas)
    if route.role is None:
        return
    operation["security"] = [{"hubToken": []}]
    if route.method == "POST":
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)


def _must_be_sent(body: Mapping[str, Any], schemas: Mapping[str, Any]) -> bool:
    """Say whether a body may be missing: it then counts as an empty object, which does where no field is required."""
    schema = body["content"][JSON]["schema"]
    return bool(schemas[schema["$ref"].removeprefix(PREFIX)].get("required"))


def _refusals(route: Route) -> dict[str, Any]:
    if route.render_error is not None:
        return _other_convention(route.render_error)
    content: dict[str, Any] = {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    if route.is_page:
        page = {"text/html": {"schema": {"type": "string"}}}
        return {"default": {"description": "A page that says what became of it.", "content": {**page, **content}}}
    refusals = {
        str(status): {"description": _MEANINGS[status], "content": deepcopy(content)} for status in _statuses(route)
    }
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
    """Describe the errors of a route with its own convention; unforeseen ones keep the hub's."""
    own = {JSON: {"schema": {"$ref": f"{PREFIX}Error"}}}
    theirs = {JSON: {"schema": {"$ref": f"{PREFIX}CredentialsError"}}}
    statuses = sorted({render_error(error)[0] for error in _EXAMPLES})
    refusals = {str(status): {"description": _MEANINGS[status], "content": theirs} for status in statuses}
    return {**refusals, "default": {"description": "Anything else that went wrong.", "content": own}}


def _openapi_path(route: Route) -> str:
    return route.path.replace("<", "{").replace(">", "}")


def _tag(route: Route) -> str:
    """Group routes by what they are about."""
    name = type(getattr(route.handler, "__self__", route)).__name__.removesuffix("Routes")
    return TAG_OF_ROUTES.get(name, "Operations")


# `/healthz`: is anybody there, and which version.


class Health(BaseModel):
    """The hub answers."""

    ok: bool
    version: str


class HealthRoutes:
    """The route that needs nothing but the function itself."""

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        return (
            Route(
                method="GET",
                path="/healthz",
                handler=self.check,
                operation="get_health",
                role=None,
                summary="Is the hub there",
            ),
        )

    def check(self) -> Health:
        """Answer."""
        return Health(ok=True, version=__version__)
