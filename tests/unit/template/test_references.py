"""Everything the template refers to exists; cfn-lint does not look into all of SAM's places."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.unit.template.transformed import ROOT, leaves, source, transformed

_PLACEHOLDER = re.compile(r"\$\{([^!}][^}]*)\}")


def references(template: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for path, value in leaves({"Resources": template["Resources"], "Outputs": template["Outputs"]}):
        if not isinstance(value, Mapping):
            continue
        if set(value) == {"Ref"}:
            yield path, value["Ref"]
        if set(value) == {"Fn::GetAtt"}:
            yield path, value["Fn::GetAtt"][0]
        if set(value) == {"Fn::Sub"}:
            yield from ((path, name) for name in substituted(value["Fn::Sub"]))


def substituted(value: str | list[Any]) -> set[str]:
    text, own = (value, {}) if isinstance(value, str) else value
    return {name.split(".")[0] for name in _PLACEHOLDER.findall(text)} - set(own)


def conditions(template: Mapping[str, Any]) -> Iterator[str]:
    for _, value in leaves(template["Resources"]):
        if isinstance(value, Mapping) and set(value) == {"Fn::If"}:
            yield value["Fn::If"][0]


def test_every_reference_has_its_target() -> None:
    template = transformed()
    known = {*template["Resources"], *template["Parameters"]}
    lost = [(path, name) for path, name in references(template) if not name.startswith("AWS::") and name not in known]
    assert lost == []


def test_every_condition_is_defined() -> None:
    template = transformed()
    assert set(conditions(template)) <= set(template["Conditions"])


def test_every_parameter_is_used() -> None:
    template = source()
    used = {name for _, name in references(transformed())}
    used |= {value["Ref"] for _, value in leaves([template["Conditions"], template["Rules"]]) if is_ref(value)}
    assert set(template["Parameters"]) - used == set()


def is_ref(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"Ref"}


def test_every_parameter_stands_in_a_group() -> None:
    template = source()
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(template["Parameters"])


@pytest.mark.parametrize("name", ["SyncAccountsSchedule", "SyncPipelinesSchedule"])
def test_schedules_are_ones_that_eventbridge_takes(name: str) -> None:
    expression = source()["Parameters"][name]["Default"]
    match = re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", expression)
    assert match is not None
    assert (match[1] == "1") == (match[3] == "")  # `rate(5 minute)` passes every linter and fails at deployment


def test_the_map_at_the_top_names_every_section_in_order() -> None:
    text = (ROOT / "template.yaml").read_text()
    drawn = text.partition("\nMetadata:")[0]
    sections = re.findall(r"^ *# ---- (The dashboard|[^:,\n]+)", text, re.MULTILINE)
    places = [re.search(rf"(?<=[ |]){re.escape(section)}(?= *(?:\||  |\n))", drawn) for section in sections]
    missing = [section for section, place in zip(sections, places, strict=True) if place is None]
    assert missing == []
    found = [place.start() for place in places if place is not None]
    assert len(sections) > 20
    assert found == sorted(found)
