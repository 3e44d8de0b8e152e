"""What the template's indexes hold of an item: all of it, or the attributes that they name."""

from collections.abc import Mapping
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


def projections() -> Mapping[str, frozenset[str] | None]:
    """The attributes in every index, beside the keys; None where it holds whole items."""
    resources = yaml_parse(TEMPLATE.read_text())["Resources"].values()
    tables = [resource["Properties"] for resource in resources if resource["Type"] == "AWS::DynamoDB::Table"]
    indexes = [index for table in tables for index in table.get("GlobalSecondaryIndexes", ())]
    return {index["IndexName"]: _named(index["Projection"]) for index in indexes}


def _named(projection: Mapping[str, object]) -> frozenset[str] | None:
    if projection["ProjectionType"] == "ALL":
        return None
    named = projection.get("NonKeyAttributes", ())
    return frozenset(named) if isinstance(named, list) else frozenset()
