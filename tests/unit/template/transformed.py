"""The template as CloudFormation will get it: SAM's transform applied, no AWS asked."""

import copy
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import samtranslator
from boto3 import Session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[3]
Resource = Mapping[str, Any]


@cache
def _source() -> dict[str, Any]:
    template: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return template


def source() -> dict[str, Any]:
    """The template as written."""
    return copy.deepcopy(_source())


@cache
def transformed() -> dict[str, Any]:
    """The template after SAM's transform, which takes some seconds; kept until the template or SAM changes."""
    return kept(ROOT / "template.yaml", ROOT / ".pytest_cache", _transform)


def kept(template: Path, folder: Path, transform: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """A template after the transform, which is kept in the folder for this very text and this very SAM."""
    text = template.read_text()
    made_of = hashlib.sha256(f"{samtranslator.__version__}{text}".encode())
    path = folder / f"template-{made_of.hexdigest()}.json"
    if not path.exists():
        folder.mkdir(exist_ok=True)
        half = path.with_suffix(f".{os.getpid()}")
        half.write_text(json.dumps(transform(yaml_parse(text))))
        half.rename(path)
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _transform(template: dict[str, Any]) -> dict[str, Any]:
    for resource in template["Resources"].values():
        for code in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
            resource["Properties"][code] = "s3://bucket/key"  # what `sam package` does
    defaults = {name: parameter.get("Default", "x") for name, parameter in template["Parameters"].items()}
    translator = Translator({}, Parser(), boto_session=Session(region_name="eu-west-1"))
    result: dict[str, Any] = translator.translate(sam_template=template, parameter_values=defaults)
    return result


def resources(kind: str, template: Mapping[str, Any] | None = None) -> dict[str, Resource]:
    """Properties by logical id, of one type of resource."""
    found = (template or transformed())["Resources"].items()
    return {name: resource.get("Properties", {}) for name, resource in found if resource["Type"] == kind}


def functions() -> dict[str, Resource]:
    """The functions as SAM knows them: with CodeUri and Events."""
    return resources("AWS::Serverless::Function", source())


def statements() -> Iterator[tuple[str, Resource]]:
    """Every statement of every role, with the role's logical id."""
    for name, role in resources("AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                # One that depends on a parameter counts as if the parameter were set.
                yield name, statement["Fn::If"][1] if "Fn::If" in statement else statement


def listed(value: Any) -> list[Any]:
    """A list, also of what the template gives alone."""
    return value if isinstance(value, list) else [value]


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every mapping and every plain value in a template, with its path."""
    if isinstance(value, Mapping):
        yield path, value
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{number}]")
    else:
        yield path, value
