"""What is published of builds is what the documents say."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from gitlab_hub.builds.targets.arns import build_page, execution_arn, execution_page, machine_of, project_of
from gitlab_hub.builds.targets.base import CANCELED, REQUESTED, environment_of, message_of
from tests.unit.builds.targets.test_steps import RUNNING

DOCS = Path(__file__).parents[4] / "docs"
SCHEMA = json.loads((DOCS / "build-events.schema.json").read_text())
DOCUMENT = (DOCS / "build-events.md").read_text()
BUILD = replace(RUNNING, number=3)


@pytest.mark.parametrize("kind", [REQUESTED, CANCELED])
def test_a_message_is_what_its_schema_says_and_the_schema_knows_all_of_it(kind: str) -> None:
    full = replace(BUILD, actor="jo", project_path="a/b", merge_request_iid=3, source_project_id=4, pipeline_id=5)
    for build, url in ((BUILD, None), (full, "https://gitlab.example")):
        message = message_of(build, kind, gitlab_url=url)
        Draft202012Validator(SCHEMA).validate(message)
        assert set(message) == set(SCHEMA["properties"])
        for part in ("build", "gitlab"):
            assert set(message[part]) == set(SCHEMA["properties"][part]["properties"])


def test_the_example_in_the_book_is_one() -> None:
    example = json.loads(DOCUMENT.partition("```json")[2].partition("```")[0])
    Draft202012Validator(SCHEMA).validate(example)
    assert list(example) == list(message_of(BUILD, REQUESTED, gitlab_url=None))


def test_the_schema_refuses_what_is_none() -> None:
    broken = message_of(BUILD, REQUESTED, gitlab_url=None) | {"type": "build.eaten"}
    assert not Draft202012Validator(SCHEMA).is_valid(broken)


def test_the_same_build_gives_the_same_message() -> None:
    first, second = (message_of(BUILD, REQUESTED, gitlab_url=None) for _ in range(2))
    assert json.dumps(first) == json.dumps(second)
    assert first["id"] != message_of(BUILD, CANCELED, gitlab_url=None)["id"]


def test_the_book_names_every_variable() -> None:
    full = replace(BUILD, actor="jo", project_path="a/b", merge_request_iid=3, source_project_id=4)
    variables = environment_of(message_of(full, REQUESTED, gitlab_url="https://gitlab.example"))
    assert len(variables) == 12
    assert [name for name in variables if f"`{name}`" not in DOCUMENT] == []


def test_names_of_aws_are_read_strictly() -> None:
    build = "arn:aws:codebuild:eu-central-1:123456789012:build/app:8745a7a9"
    machine = "arn:aws:states:eu-central-1:123456789012:stateMachine:m"
    execution = "arn:aws:states:eu-central-1:123456789012:execution:m:bld_1"
    assert (project_of(build), project_of(machine), project_of("app")) == ("app", None, None)
    assert (machine_of(machine), machine_of(execution), machine_of(build)) == ("m", "m", None)
    assert execution_arn(machine, "bld_1") == execution
    assert (execution_arn("m", "bld_1"), execution_arn(build, "bld_1")) == (None, None)
    assert (build_page("x"), build_page(execution), execution_page("x")) == (None, None, None)
    assert build_page(build.replace("arn:aws:", "arn:aws-cn:")) is None
    assert execution_page(execution) == (
        "https://eu-central-1.console.aws.amazon.com/states/home?region=eu-central-1"
        f"#/v2/executions/details/{execution}"
    )
