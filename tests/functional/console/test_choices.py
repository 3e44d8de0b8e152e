"""What a form lets one choose is what the API takes, and all of it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gitlab_hub.console import choices
from tests.functional.console.console_hub import ConsoleHub
from tests.functional.console.test_screens import addresses

Lists = Mapping[str, set[frozenset[str]]]

OWN = {
    "days", "inactive_days", "expiring_within_days", "min_access_level", "access_level", "reach", "delivery_id", "type",
    "two_factor_enabled", "external", "grace",
}  # fmt: skip
"""What the API takes any number, text or yes and no for, and a form some."""

USUAL = {"definition": "hub"}
"""What an empty choice stands for."""


@pytest.fixture(scope="module")
def hub() -> ConsoleHub:
    return ConsoleHub()


@pytest.fixture(scope="module")
def known(hub: ConsoleHub) -> Lists:
    """The lists of values that the API describes, by the names of the parameters and fields that take them."""
    status, description = hub("GET", "/openapi.json")
    assert status == 200
    schemas = description["components"]["schemas"]
    found: dict[str, set[frozenset[str]]] = defaultdict(set)
    for operations in description["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                found[parameter["name"]].add(frozenset(_values(parameter["schema"], schemas)))
    for schema in schemas.values():
        for name, told in schema.get("properties", {}).items():
            found[name].add(frozenset(_values(told, schemas)))
    found["features"].add(frozenset(schemas["FeaturesRequest"]["properties"]))
    return found


def _values(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    """The texts that a schema takes; of a union of bodies, their types."""
    if "$ref" in schema:
        yield from _values(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    elif "items" in schema:
        yield from _values(schema["items"], schemas)
    elif "properties" in schema:
        yield from _values(schema["properties"].get("type", {}), schemas)
    else:
        yield from schema.get("enum", [schema["const"]] if "const" in schema else [])
        for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            yield from _values(one, schemas)


def test_every_select_of_every_page_offers_all_that_the_api_takes(hub: ConsoleHub, known: Lists) -> None:
    visitor = hub.signed_in()
    selects = {(page, name): values for page in addresses(hub) for name, values in visitor.get(page).selects.items()}
    offered = {
        (page, name): frozenset(value or USUAL[name] for value in values if value or name in USUAL)
        for (page, name), values in selects.items()
        if name not in OWN
    }
    assert {name for _, name in offered} >= {
        "status",
        "kind",
        "event",
        "source",
        "risk",
        "target",
        "role",
        "definition",
    }
    assert [one for one, values in offered.items() if values not in known[one[1]]] == []


def test_every_list_of_choices_is_one_of_the_api(known: Lists) -> None:
    lists = {one for several in known.values() for one in several}
    ours = {name: frozenset(one) for name, one in vars(choices).items() if isinstance(one, tuple) and name != "LEVELS"}
    assert len(ours) > 15
    assert [name for name, one in ours.items() if one not in lists] == []
