"""Targets in AWS over moto, with faults at chosen calls."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import boto3

from gitlab_hub.builds.runs.model import Build
from gitlab_hub.builds.targets.base import CANCELED, REQUESTED, BuildTarget, message_of
from gitlab_hub.builds.targets.codebuild import CodeBuildTarget
from gitlab_hub.builds.targets.eventbridge import EventBridgeTarget
from gitlab_hub.builds.targets.sqs import SqsTarget
from gitlab_hub.builds.targets.stepfunctions import StepFunctionsTarget
from tests.functional.builds.builds_hub import INTEGRATION, PROJECT, SHA, START, TRIGGER, MemoryTarget

REGION, ACCOUNT = "eu-central-1", "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/builder"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:builds"
BUILD = Build(
    id="bld_0a1b_77",
    integration_id=INTEGRATION,
    trigger_id=TRIGGER,
    project_id=PROJECT,
    project_path="acme/app",
    event="push",
    ref="main",
    sha=SHA,
    target={},
    actor="root",
    number=4,
    created_at=START,
    updated_at=START,
    created_ms=START * 1000,
)


class Aws:
    """One client of an AWS service, with faults at chosen calls."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.done: list[str] = []
        self.before: list[Exception] = []
        self.after: list[Exception] = []

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.calls.append((name, arguments))
            if self.before:
                raise self.before.pop(0)
            answer = getattr(self._client, name)(**arguments)
            self.done.append(name)
            if self.after:
                raise self.after.pop(0)
            return answer

        return call


class CodeBuildAws(Aws):
    """Moto's CodeBuild, which forgets the variables that a build was started with, with a memory for them."""

    def __init__(self, inner: Aws) -> None:
        super().__init__(inner._client)
        self._variables: dict[str, Any] = {}

    def start_build(self, **arguments: Any) -> Any:
        project = arguments["projectName"]
        try:
            return self.__getattr__("start_build")(**arguments)
        finally:
            for build_id in self._client.list_builds_for_project(projectName=project)["ids"]:
                self._variables.setdefault(build_id, arguments["environmentVariablesOverride"])

    def batch_get_builds(self, **arguments: Any) -> Any:
        answer = self.__getattr__("batch_get_builds")(**arguments)
        for build in answer["builds"]:
            build["environment"]["environmentVariables"] = self._variables.get(build["id"], [])
        return answer


@dataclass
class Case:
    """A target, a build for it, and how many builds have arrived there."""

    target: BuildTarget
    build: Build
    arrived: Callable[[], int]
    dedupes: bool
    aws: Aws = field(default_factory=lambda: Aws(None))

    def start(self, build: Build | None = None) -> Any:
        build = build or self.build
        return self.target.start(build, message_of(build, REQUESTED, gitlab_url="https://gitlab.example"))

    def stop(self, build: Build) -> None:
        self.target.stop(build, message_of(build, CANCELED, gitlab_url=None))


@cache
def raw_client(service: str) -> Any:
    """Making one takes longer than any test with it."""
    make: Any = boto3.client
    return make(service, region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing")


def client(service: str) -> Aws:
    return Aws(raw_client(service))


def of(**target: Any) -> Build:
    return replace(BUILD, target=target)


def memory() -> Case:
    target = MemoryTarget()
    return Case(target, of(type="memory"), lambda: len(target.builds), dedupes=True)


def eventbridge() -> Case:
    aws = client("events")
    aws.create_event_bus(Name="builds")
    return Case(
        EventBridgeTarget("builds", lambda: aws),
        of(type="eventbridge"),
        lambda: aws.done.count("put_events"),
        False,
        aws,
    )


def codebuild() -> Case:
    aws = CodeBuildAws(client("codebuild"))
    make_project(aws, "app")
    return Case(
        CodeBuildTarget(lambda: aws),
        of(type="codebuild", project="app"),
        lambda: len(aws.list_builds_for_project(projectName="app")["ids"]),
        True,
        aws,
    )


def stepfunctions() -> Case:
    aws = client("stepfunctions")
    definition = '{"StartAt": "a", "States": {"a": {"Type": "Pass", "End": true}}}'
    aws.create_state_machine(name="builds", definition=definition, roleArn=ROLE)
    return Case(
        StepFunctionsTarget(lambda: aws),
        of(type="stepfunctions", state_machine_arn=MACHINE),
        lambda: len(aws.list_executions(stateMachineArn=MACHINE)["executions"]),
        True,
        aws,
    )


def sqs_plain() -> Case:
    aws = client("sqs")
    url = aws.create_queue(QueueName="plain")["QueueUrl"]
    return Case(SqsTarget(lambda: aws), of(type="sqs", queue_url=url), lambda: waiting(aws, url), False, aws)


def sqs_fifo() -> Case:
    aws = client("sqs")
    url = aws.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    return Case(SqsTarget(lambda: aws), of(type="sqs", queue_url=url), lambda: waiting(aws, url), True, aws)


CASES = {
    "memory": memory,
    "eventbridge": eventbridge,
    "codebuild": codebuild,
    "stepfunctions": stepfunctions,
    "sqs": sqs_plain,
    "sqs_fifo": sqs_fifo,
}
IN_AWS = [make for name, make in CASES.items() if name != "memory"]


def waiting(sqs: Any, url: str) -> int:
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(found["Attributes"]["ApproximateNumberOfMessages"])


def make_project(aws: Any, name: str) -> None:
    aws.create_project(
        name=name,
        source={"type": "S3", "location": "bucket/app.zip"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_SMALL"},
        serviceRole=ROLE,
    )
