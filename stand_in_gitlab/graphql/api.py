"""`POST /api/graphql`: who asks, what it costs, and the answer, as GitLab's app/controllers/graphql_controller.rb."""

import json
import re
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from stand_in_gitlab.ci.view import CiView
from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.model import Token, User
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.company.visibility import Visibilities
from stand_in_gitlab.graphql.limits import ADMIN, AUTHENTICATED, DEPTH, SIZE, Cost
from stand_in_gitlab.graphql.resolvers import Caller, Resolvers
from stand_in_gitlab.graphql.schema import schema
from stand_in_gitlab.rest.api import Call
from stand_in_gitlab.rest.ask import Answer, reply
from stand_in_gitlab.rest.auth import check_kind, identify, token_text
from stand_in_gitlab.rest.refusals import Refusal
from stand_in_gitlab.rest.shapes import Shapes

SCOPES = frozenset({"api", "read_api", "granular"})
_NO_FIELD = re.compile(r"Cannot query field '(\w+)' on type '(\w+)'")
_NO_ARGUMENT = re.compile(r"Unknown argument '(\w+)' on field '(?:\w+\.)?(\w+)'")


class GraphQLApi:
    """Answers queries over one company. There are no mutations."""

    def __init__(self, company: Company, clock: Clock, base: str, view: CiView) -> None:
        self._company, self._clock = company, clock
        self._visibilities = Visibilities(company)
        self._resolvers = Resolvers(company, Shapes(company, base), view)

    def answer(self, call: Call) -> Answer:
        """The answer to a call; refusals are answers too."""
        if self._company.behaviour.graphql == "missing":
            return reply({"error": "404 Not Found"}, 404)
        try:
            token, user = self._caller(call)
        except Refusal as refusal:
            blocked = refusal.status == 403  # noqa: PLR2004 - Forbidden
            return _refused("API not accessible for user" if blocked else "Invalid token", refusal.status)
        try:
            asked = json.loads(call.body or b"{}")
        except ValueError:
            asked = None
        text = asked.get("query") if isinstance(asked, dict) else None
        if not isinstance(asked, dict) or not isinstance(text, str):
            return _refused("No query string was present", 200)
        if len(text) > SIZE:
            return _refused("Query too large", 422)
        return reply(self._execute(text, asked.get("variables") or {}, asked.get("operationName"), token, user))

    def _caller(self, call: Call) -> tuple[Token, User]:
        token, user = identify(self._company, token_text(call.headers, call.params), self._clock.now())
        check_kind(self._company, token, user, call.headers)
        if not SCOPES & set(token.scopes):
            raise Refusal(401, {})
        return token, user

    def _execute(self, text: str, variables: dict[str, Any], name: str | None, token: Token, user: User) -> Any:
        behaviour = self._company.behaviour
        known = schema(old=behaviour.graphql == "old", community=behaviour.community)
        try:
            document = parse(text)
        except GraphQLSyntaxError as error:
            return {"errors": [{"message": error.message}]}
        operation = get_operation_ast(document, name)
        if errors := validate(known, document, max_errors=5):
            return {"errors": [_invalid(error) for error in errors]}
        if not isinstance(operation, OperationDefinitionNode):
            return {"errors": [{"message": f"No operation named {name!r}"}]}
        score, depth = Cost(known, document, variables).of(operation)
        limit = behaviour.graphql_complexity or (ADMIN if user.is_admin else AUTHENTICATED)
        if score > limit:
            words = f"Query has complexity of {score}, which exceeds max complexity of {limit}"
            return {"errors": [{"message": words}]}
        if depth > DEPTH:
            return {"errors": [{"message": f"Query has depth of {depth}, which exceeds max depth of {DEPTH}"}]}
        caller = Caller(
            token=token, user=user, visibility=self._visibilities.of(user), score=score, limit=limit,
            now=self._clock.now(),
        )  # fmt: skip
        result = execute_sync(
            known,
            document,
            context_value=caller,
            variable_values=variables,
            operation_name=name,
            field_resolver=self._resolvers.resolve,
            type_resolver=lambda member, _info, _kind: self._resolvers.is_type_of(member),
        )
        return _told(result)


def _told(result: ExecutionResult) -> dict[str, Any]:
    errors = {"errors": [_error(one) for one in result.errors]} if result.errors else {}
    return {"data": result.data, **errors}


def _error(error: GraphQLError) -> dict[str, Any]:
    return {"message": error.message, **({"path": error.path} if error.path else {})}


def _invalid(error: GraphQLError) -> dict[str, Any]:
    """A fault of the query, in graphql-ruby's words where the hub may read them."""
    if found := _NO_FIELD.search(error.message):
        told = {"code": "undefinedField", "typeName": found[2], "fieldName": found[1]}
        return {"message": f"Field '{found[1]}' doesn't exist on type '{found[2]}'", "extensions": told}
    if found := _NO_ARGUMENT.search(error.message):
        told = {"code": "argumentNotAccepted", "name": found[2], "argumentName": found[1]}
        return {"message": f"Field '{found[2]}' doesn't accept argument '{found[1]}'", "extensions": told}
    return {"message": error.message}


def _refused(message: str, status: int) -> Answer:
    return reply({"errors": [{"message": message}]}, status)
