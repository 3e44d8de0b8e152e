"""Schemas for people and for generated clients: names, texts, examples."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gitlab_hub.web.glossary import TERMS
from gitlab_hub.web.glossary_special import SPECIAL

Schema = dict[str, Any]
PREFIX = "#/components/schemas/"

PUBLIC_NAMES = {
    "AcceptBody": "SyncAcceptRequest", "PatchBody": "IntegrationUpdateRequest", "ReportBody": "BuildUpdateRequest",
    "RotateBody": "WebhookRotateRequest", "TriggerPatchBody": "TriggerUpdateRequest",
    "AccountAnswer": "Account", "AccountView": "TokenAccount", "AuthorizationStartedAnswer": "Begun",
    "AuthorizedAnswer": "Authorized", "DryRunAnswer": "DryRun", "EmailAnswer": "Email", "EntryList": "AuditLog",
    "EntryView": "AuditEntry", "GrantAnswer": "Grant", "GroupAnswer": "Group", "IdentityAnswer": "Identity",
    "MadeToken": "NewHubToken", "MemberRoleAnswer": "MemberRole", "NewToken": "TokenCreateRequest",
    "PlaceAnswer": "ResourceId", "ProjectAnswer": "Project", "RemovedAnswer": "IntegrationDeleted",
    "ResentAnswer": "Resent", "ResourceAnswer": "Resource", "ShareAnswer": "Share", "StepAnswer": "AccessStep",
    "TokenAnswer": "TokenHealth", "TokenList": "HubTokenList", "TokenView": "HubToken", "View": "GrantView",
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
            _describe(content, SPECIAL.get(f"{name}.{field}") or TERMS.get(field))


def describe_parameter(parameter: Schema) -> None:
    """Add what the glossary says to a parameter that says nothing itself."""
    schema = parameter["schema"]
    known = SPECIAL.get(f"{parameter['in']}.{parameter['name']}") or TERMS.get(parameter["name"])
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
