"""Schemas for people and for generated clients: names, texts, examples."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gitlab_hub.web.glossary import TERMS
from gitlab_hub.web.glossary_access import ACCESS
from gitlab_hub.web.glossary_special import SPECIAL

Schema = dict[str, Any]
MEANINGS = TERMS | ACCESS
JSON = "application/json"
PREFIX = "#/components/schemas/"

PUBLIC_NAMES = {
    "AcceptBody": "SyncAcceptRequest", "PatchBody": "IntegrationUpdateRequest", "ReportBody": "BuildUpdateRequest",
    "RotateBody": "WebhookRotateRequest", "TriggerPatchBody": "TriggerUpdateRequest",
    "AccountAnswer": "Account", "AccountView": "TokenAccount", "AuthorizationStartedAnswer": "Begun",
    "AuthorizedAnswer": "Authorized", "DryRunAnswer": "DryRun", "EmailAnswer": "Email", "EntryList": "AuditLog",
    "EntryView": "AuditEntry", "GrantAnswer": "Grant", "GroupAnswer": "Group", "IdentityAnswer": "Identity",
    "InvitationAnswer": "Invitation", "MadeToken": "NewHubToken", "MemberRoleAnswer": "MemberRole",
    "NewToken": "TokenCreateRequest", "PathAnswer": "AccessPath", "PlaceAnswer": "RevocableMembership",
    "ProjectAnswer": "Project", "RemovedAnswer": "IntegrationDeleted", "ResentAnswer": "Resent",
    "ResourceAnswer": "Resource", "ShareAnswer": "Share", "EdgeAnswer": "AccessStep", "TokenAnswer": "TokenHealth",
    "TokenList": "HubTokenList", "TokenView": "HubToken", "View": "GrantView",
}  # fmt: skip
"""Names in the API, where no rule gives them; models are called after their part in the code."""

_SUFFIXES = (("View", ""), ("Answer", "Response"), ("Envelope", "Response"), ("Body", "Request"))


def public_name(model: str) -> str:
    """The name of a model's schema in the API."""
    if model in PUBLIC_NAMES:
        return PUBLIC_NAMES[model]
    for suffix, becomes in _SUFFIXES:
        if model.endswith(suffix):
            return model.removesuffix(suffix) + becomes
    return model


def renamed(made: Schema) -> Schema:
    """Give all schemas of a document their public names, and leave out titles, which only repeat names."""
    text = re.sub(rf'"{PREFIX}(\w+)"', lambda match: f'"{PREFIX}{public_name(match[1])}"', json.dumps(made))
    result: Schema = json.loads(text)
    schemas = result["components"]["schemas"]
    result["components"]["schemas"] = {public_name(name): schema for name, schema in schemas.items()}
    if len(result["components"]["schemas"]) < len(schemas):
        raise ValueError("Two models have one public name.")
    _untitled(result["components"]["schemas"])
    _untitled(result["paths"])
    return result


def describe(schemas: Mapping[str, Schema]) -> None:
    """Add what the glossary says to every field of every schema that says nothing itself."""
    for name, schema in schemas.items():
        for field, content in schema.get("properties", {}).items():
            _describe(content, SPECIAL.get(f"{name}.{field}") or MEANINGS.get(field))


def describe_parameter(parameter: Schema) -> None:
    """Add what the glossary says to a parameter that says nothing itself."""
    schema = parameter["schema"]
    known = SPECIAL.get(f"{parameter['in']}.{parameter['name']}") or MEANINGS.get(parameter["name"])
    _describe(schema, known)
    parameter["description"] = parameter.get("description") or schema.get("description", "")
    schema.pop("description", None)


def example_of(schema: Schema, schemas: Mapping[str, Schema], depth: int = 0) -> Any:
    """An example of a whole schema, made of those of its parts."""
    said = [*schema.get("examples", ()), schema.get("const"), schema.get("default"), *schema.get("enum", ())]
    if found := [each for each in said if each is not None]:
        return found[0]
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].removeprefix(PREFIX)], schemas, depth + 1)
    if options := schema.get("anyOf") or schema.get("oneOf"):
        is_end = depth > _DEEP and {"type": "null"} in options
        return None if is_end else example_of(options[0], schemas, depth)
    kind = schema.get("type")
    if kind == "array":
        return [] if depth > _DEEP else [example_of(schema.get("items", {}), schemas, depth + 1)]
    fields: Schema = schema.get("properties", {})
    whole = {name: example_of(content, schemas, depth) for name, content in fields.items()}
    return {"boolean": True, "integer": 1, "number": 1.5, "string": "…", "null": None}.get(kind or "", whole)


_DEEP = 4
"""Where examples of things within things end."""


def _describe(content: Schema, known: tuple[str, Any] | None) -> None:
    if known is None:
        return
    text, example = known
    content.setdefault("description", text)
    if "examples" not in content and not _refers(content) and (fit := [*_fitting(example, content)]):
        content["examples"] = fit


def _fitting(example: Any, content: Schema) -> Iterator[Any]:
    """The example in the type of the field: some are numbers here and texts there; none where it is no example."""
    options = (content, *content.get("anyOf", ()))
    kinds = {kind for each in options if isinstance(kind := each.get("type"), str)}
    allowed = next((each["enum"] for each in options if "enum" in each), [example])
    if example is None or example not in allowed or "const" in content:
        return
    if _kind_of(example) in kinds:
        yield example
    elif "string" in kinds:
        yield str(example)


def _kind_of(example: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return kinds[type(example)]


def _refers(content: Schema) -> bool:
    return any("$ref" in each for each in (content, *content.get("anyOf", ()), content.get("items", {})))


def _untitled(node: Any) -> None:
    for part in _parts(node):
        if isinstance(part.get("title"), str):
            del part["title"]


def _parts(node: Any) -> Iterator[Schema]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _parts(child)


# Examples of bodies that fields alone do not give: for each way to use a route, and for each refusal.

_HOST, _INTEGRATION = "https://gitlab.example.com", "int_0a1b2c3d"
_FEATURES = {"manage_webhooks": True, "report_statuses": True}

NAMED: dict[str, dict[str, Schema]] = {
    "StartBody": {
        "By an access token": {
            "host_url": _HOST,
            "auth_mode": "personal_token",
            "access_token": "glpat-…",
            "group": "acme/shop",
        },
        "By an OAuth application": {
            "host_url": _HOST,
            "auth_mode": "oauth_app",
            "client_id": "f1e2d3c4b5a6",
            "client_secret": "gloas-…",  # pragma: allowlist secret
            "features": _FEATURES,
        },
    },
    "PatchBody": {
        "Pause": {"paused": True},
        "Switch features on": {"features": _FEATURES},
        "Another name": {"display_name": "Acme's GitLab"},
    },
    "TriggerBody": {
        "Builds of a project": {
            "integration_id": _INTEGRATION,
            "project_id": 15,
            "events": ["push", "merge_request"],
            "branches": {"include": ["main", "release/*"]},
            "target": {"type": "eventbridge"},
        },
        "Builds of a group's projects": {
            "integration_id": _INTEGRATION,
            "group": "acme/shop",
            "events": ["push"],
            "paths": {"exclude": ["docs/**"]},
            "target": {"type": "eventbridge"},
        },
    },
    "AuthorizeBody": {
        "Begin": {"integration_id": _INTEGRATION, "redirect_url": "https://console.example.com/connected"},
        "Begin, to switch features on": {"integration_id": _INTEGRATION, "features": _FEATURES},
        "Finish, without a browser": {"integration_id": _INTEGRATION, "code": "…", "state": "…"},
    },
}
"""By the name of a body's model."""

_REQUEST = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


def _error(message: str, code: str, *, retryable: bool = False) -> Schema:
    return {"error": message, "code": code, "retryable": retryable, "request_id": _REQUEST}


ERRORS: dict[str, Schema] = {
    "400": _error("The body is not JSON that can be read; check its syntax and nesting.", "invalid_input"),
    "401": _error("Send a valid hub token: Authorization: Bearer ghub_…", "unauthorized"),
    "403": _error("This needs the role admin; your token has the role viewer.", "permission_denied"),
    "404": _error(
        "There is no integration of this integration_id that your token may see. See GET /v1/integrations.", "not_found"
    ),
    "409": _error("Someone else changed this at the same moment; try again.", "conflict", retryable=True),
    "413": _error("Send at most 1,000,000 bytes.", "payload_too_large"),
    "422": _error("Correct the request and send it again: body.host_url must be given.", "invalid_input"),
    "503": _error("The hub cannot reach its storage; try again.", "service_unavailable", retryable=True),
    "default": _error("GitLab is limiting requests. Try again after the time given.", "rate_limited", retryable=True),
}
"""By the status that they come with."""


def add_examples(made: dict[str, Any]) -> None:
    """Give every body that is sent or answered an example; one for each use where a route has several."""
    schemas = made["components"]["schemas"]
    several = {f"{PREFIX}{public_name(model)}": examples for model, examples in NAMED.items()}
    for operation in (each for methods in made["paths"].values() for each in methods.values()):
        bodies = {"": operation.get("requestBody", {}), **operation["responses"]}
        for status, body in bodies.items():
            if (content := body.get("content", {}).get(JSON)) is None:
                continue
            reference = content["schema"].get("$ref")
            if reference in several:
                content["examples"] = {name: {"value": value} for name, value in several[reference].items()}
            elif reference == f"{PREFIX}Error":
                content["example"] = ERRORS[status]
            else:
                content["example"] = example_of(content["schema"], schemas)
