"""The API: from a gateway event to an answer, with every check that no handler may forget."""

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Request
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.exceptions import ServiceError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from gitlab_hub.audit.log import begin_request
from gitlab_hub.errors import HubError
from gitlab_hub.web import missing
from gitlab_hub.web.auth import IntegrationGuard, Principal, principal_of
from gitlab_hub.web.call import Call, check_path, check_query, parse_object
from gitlab_hub.web.errors import (
    MethodNotAllowed,
    NoSuchPath,
    NothingThere,
    PermissionDenied,
    Unauthenticated,
    Unprocessable,
)
from gitlab_hub.web.idempotency import Idempotency, key_of
from gitlab_hub.web.responses import (
    HttpResponse,
    check_size,
    error_response,
    is_hidden,
    json_response,
    response_of,
    spelled,
)
from gitlab_hub.web.route import Directory, Route, Routes, body_model, integration_named, spellings
from gitlab_hub.web.validation import refusal_of, repeated_parameters, unexpected_fields, unknown_parameters

__all__ = ["Api", "Route", "Routes", "Seed"]


def _seed(request: Request) -> str:
    seed: str = request.context["seed"]
    return seed


Seed = Annotated[str, Depends(_seed)]
"""A random text for a handler to derive ids and secrets from: the same when an `Idempotency-Key` is used again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """A call whose caller was let in and whose body can be read."""

    call: Call
    route: Route
    body: str
    context: Any


class Api:
    """Finds the route, checks the caller, and has the handler answer at most once.

    The resolver keeps its current event, so an Api belongs to one thread (a Lambda has one).
    """

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        guard: IntegrationGuard,
        idempotency: Idempotency | None,
        now: Callable[[], float],
        new_seed: Callable[[], str] = lambda: secrets.token_hex(16),
        all_routes: Callable[[], Iterable[Route]] | None = None,
    ) -> None:
        """Make the API of these routes.

        `all_routes`: the routes of all functions, for the one that answers what no route was found for.
        """
        self._routes = tuple(routes)
        self._directory = Directory(self._routes)
        self._all_routes = all_routes
        self._guard, self._idempotency = guard, idempotency
        self._now, self._new_seed = now, new_seed

    @property
    def routes(self) -> tuple[Route, ...]:
        """All routes, for the OpenAPI document and for tests over every one of them."""
        return self._routes

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Answer one request; what nobody foresaw is raised to the entry."""
        call = Call.of(event)
        begin_request(call.request_id)
        try:
            check_path(call)
            answer = self._answer(call, context)
            check_size(answer)
        except HubError as error:
            answer = error_response(error, call.request_id)
        return answer.to_gateway(call.request_id)

    def _answer(self, call: Call, context: Any) -> HttpResponse:
        found = self._directory.find(call.method, call.path)
        return self._unrouted(call, context) if found is None else self._attempt(call, *found, context)

    def _unrouted(self, call: Call, context: Any) -> HttpResponse:
        """Answer where there is no such route: say which methods the path has, if it is one."""
        if call.method == "HEAD" and (head := self._head(call, context)):
            return head
        allowed = self._full_directory.methods(call.path)
        if call.method == "OPTIONS" and allowed:
            return HttpResponse(status=HTTPStatus.NO_CONTENT, body="", headers={"allow": ", ".join(allowed)})
        if allowed:
            raise MethodNotAllowed(f"Use {' or '.join(allowed)} here.", details={"allowed": allowed})
        raise NoSuchPath("There is no such path; GET /openapi.json lists them all.")

    def _head(self, call: Call, context: Any) -> HttpResponse | None:
        """Answer as GET would, without the body. Open routes only: without a route the gateway finds no caller."""
        found = self._directory.find("GET", call.path)
        if found is None or found[0].role is not None or found[0].raw is not None:
            return None
        return replace(self._attempt(replace(call, method="GET"), *found, context), body="")

    @cached_property
    def _full_directory(self) -> Directory:
        return self._directory if self._all_routes is None else Directory(self._all_routes())

    def _attempt(self, call: Call, route: Route, parameters: Mapping[str, str], context: Any) -> HttpResponse:
        try:
            principal = self._authorize(route, parameters, call)
            check_query(call)
            if route.raw is not None:
                return route.raw(call)
            _check_parameters(route, call, parameters)
            request = _Request(call=call, route=route, body=_body(route, call), context=context)
            # An open route has no caller whose keys these could be; it finds repeated calls in its own way.
            key = key_of(call.headers) if principal and call.method == "POST" else None
            if principal is None or key is None or self._idempotency is None:
                return self._run(request, self._new_seed())
            name = f"{principal.token_id}\n{call.method}\n{call.path}\n{key}"
            return self._run_once(self._idempotency, name, request)
        except HubError as error:
            return _rendered(error, route, call)

    def _authorize(self, route: Route, parameters: Mapping[str, str], call: Call) -> Principal | None:
        """Let the caller in. Nothing of the request but its path and its caller has been looked at before."""
        if route.role is None:
            return None
        principal = principal_of(call.event)
        if principal is None:
            raise Unauthenticated("Send a valid hub token: Authorization: Bearer ghub_…")
        if not principal.role.includes(route.role):
            raise PermissionDenied(f"This needs the role {route.role}; your token has the role {principal.role}.")
        for name, value in parameters.items() if route.guarded else ():
            integration_id = integration_named(name, value)
            if integration_id is not None and not self._visible(principal, integration_id):
                raise NothingThere(missing.nothing_of([name]))
        return principal

    def _visible(self, principal: Principal, integration_id: str) -> bool:
        return principal.can_see(integration_id) and self._guard.exists(integration_id)

    def _run_once(self, idempotency: Idempotency, name: str, request: "_Request") -> HttpResponse:
        attempt = idempotency.begin(name, request.body, now=self._now())
        if isinstance(attempt, HttpResponse):
            return attempt
        answer: HttpResponse | None = None
        try:
            answer = self._run(request, attempt.seed)
        finally:
            if answer is None:
                idempotency.release(attempt)
        idempotency.finish(attempt, answer, keep=not request.route.secret_answer)
        return answer

    def _run(self, request: "_Request", seed: str) -> HttpResponse:
        resolver = self._resolver
        resolver.context.update(admitted=request.route, seed=seed)
        try:
            return response_of(resolver.resolve(request.call.forwarded(request.body), request.context))
        except RequestValidationError as invalid:
            refusal = refusal_of(invalid.errors(), model=body_model(request.route.handler))
            return _rendered(refusal, request.route, request.call)
        except HubError as error:
            return _rendered(error, request.route, request.call)

    @cached_property
    def _resolver(self) -> APIGatewayHttpResolver:
        # Only with a code set does Powertools tell a result that does not fit from a request that does not.
        resolver = APIGatewayHttpResolver(
            enable_validation=True, response_validation_error_http_code=500, serializer=spelled
        )
        resolver.exception_handler(Exception)(_raised)
        for route in self._directory.ordered:
            register = resolver.route(
                route.path, route.method, status_code=route.status, middlewares=[_require_authorized(route)]
            )
            register(route.handler)
        return resolver


def _check_parameters(route: Route, call: Call, in_path: Mapping[str, str]) -> None:
    """Refuse a query that the route would not look at, or only at a part of, and values that are oddly spelled."""
    given, known = call.query(), route.query
    if unknown := [name for name in given if name not in known]:
        raise unknown_parameters(unknown, sorted(known))
    if repeated := [name for name, values in given.items() if len(values) > 1 and not known[name]]:
        raise repeated_parameters(repeated)
    values = {**{name: [value] for name, value in in_path.items()}, **given}
    spelled = ((name, *rule) for name, rule in spellings(route.handler).items() if name in values)
    odd = [(where, name, kind) for name, where, kind, rule in spelled if not all(map(rule.fullmatch, values[name]))]
    if odd:
        raise refusal_of({"loc": (where, name), "type": kind} for where, name, kind in odd)


def _body(route: Route, call: Call) -> str:
    body = call.body()
    if route.text_field and call.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/csv":
        body = json.dumps({route.text_field: body})
    fields = parse_object(body)
    if fields and not route.takes_body:
        raise unexpected_fields(fields)
    return body if fields else "{}"


def _raised(error: Exception) -> Any:
    """Hand every error out of the resolver, which would answer some of them in shapes of its own."""
    if isinstance(error, ServiceError):
        raise NoSuchPath("There is no such path.") from error
    raise error


def _require_authorized(route: Route) -> Callable[..., Any]:
    """Make sure that the route which the resolver found is the one whose caller was checked."""

    def authorize(app: APIGatewayHttpResolver, next_middleware: Callable[..., Any]) -> Any:
        if app.context.get("admitted") is not route:
            raise NoSuchPath("There is no such path.")
        return next_middleware(app)

    return authorize


def _given(call: Call) -> set[str]:
    """The names of what a request gives in its query and its body."""
    try:
        return {*call.query(), *parse_object(call.body())}
    except HubError:
        return set(call.query())


def _rendered(error: HubError, route: Route, call: Call) -> HttpResponse:
    if route.render_error is not None:
        status, body = route.render_error(error)
        answer = json_response(status, body, retry_after=error.retry_after, final=not error.retryable)
    else:
        if is_hidden(error):
            error = NothingThere(missing.nothing_of(missing.named(route.path, _given(call))))
        answer = error_response(error, call.request_id)
    return replace(answer, untouched=isinstance(error, Unprocessable))
