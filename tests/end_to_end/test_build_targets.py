"""Builds in AWS: the bus, queues, CodeBuild and Step Functions get them, and their state changes come back."""

import json
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gitlab_hub.incidents import Incident, IncidentStore
from gitlab_hub.integrations.rows import is_live
from gitlab_hub.storage.dynamodb import DynamoTable
from local.stack import Stack
from tests.end_to_end.building import Built
from tests.end_to_end.coding_company import CodingCompany, Row
from tests.end_to_end.hub_client import Hub, until
from tests.end_to_end.stores import hurry, invoke, send, tick, waiting

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA, ALERT = (
    Draft202012Validator(json.loads((DOCS / f"{name}-events.schema.json").read_text())) for name in ("build", "alert")
)
ROLE = "arn:aws:iam::000000000000:role/builds"
WAITS = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}}

_numbers = count(1)


class Queue:
    """A queue of somebody's own that builds are sent to."""

    def __init__(self, stack: Stack, suffix: str = "", **attributes: str) -> None:
        self._client = stack.client("sqs")
        name = f"their-builds-{next(_numbers)}{suffix}"
        self.url = str(self._client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])
        asked = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        self.arn = str(asked["Attributes"]["QueueArn"])
        self.target = {"type": "sqs", "queue_url": self.url}

    def take(self) -> Row:
        """The next message, as it was read from JSON."""

        def look() -> Row | None:
            for message in self._client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=1).get("Messages", []):
                self._client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                body: Row = json.loads(message["Body"])
                return body
            return None

        return until(look, pause=0.05)


def checked(message: Row, built: Built, sha: str, kind: str = "build.requested") -> Row:
    """What a target was told of a commit, in the shape that the docs describe."""
    SCHEMA.validate(message)
    assert message["type"] == kind
    build: Row = message["build"]
    assert (build["sha"], build["trigger_id"], message["gitlab"]["project_id"]) == (sha, built.id, built.project)
    return build


@pytest.mark.parametrize(
    ("suffix", "attributes"),
    [("", {}), (".fifo", {"FifoQueue": "true"})],
    ids=["plain", "fifo"],
)
def test_a_queue_gets_builds(company: CodingCompany, suffix: str, attributes: dict[str, str]) -> None:
    queue = Queue(company.hub.stack, suffix, **attributes)
    built = Built(company, queue.target)
    sha = built.push()
    build = checked(queue.take(), built, sha)
    assert built.build("running")["id"] == build["id"]
    built.report(build["id"], "success", target_url="https://ci.example.com/1")
    built.shows(sha, "success")
    assert built.build()["target_url"] == "https://ci.example.com/1"
    other = built.push("other")
    number = checked(queue.take(), built, other)["id"]
    built.do(number, "cancel")
    assert checked(queue.take(), built, other, "build.canceled")["id"] == number


def test_the_bus_tells_of_builds(company: CodingCompany) -> None:
    stack = company.hub.stack
    queue, bus = Queue(stack), stack.resources["BuildsBus"]
    built = Built(company, {"type": "eventbridge"}, branches={"include": ["main"]})
    rules = stack.client("events")
    pattern = {"source": ["gitlab-hub"], "detail": {"build": {"trigger_id": [built.id]}}}
    rules.put_rule(Name="theirs", EventBusName=bus, EventPattern=json.dumps(pattern))
    rules.put_targets(Rule="theirs", EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue.arn}])
    try:
        sha = built.push()
        event = queue.take()
        assert (event["source"], event["detail-type"]) == ("gitlab-hub", "Build Requested")
        build = checked(event["detail"], built, sha)
        assert event["detail"]["id"] == f"{build['id']}-requested"
        built.do(build["id"], "cancel")
        event = queue.take()
        assert event["detail-type"] == "Build Canceled"
        checked(event["detail"], built, sha, "build.canceled")
        built.shows(sha, "canceled")
    finally:
        rules.remove_targets(Rule="theirs", EventBusName=bus, Ids=["queue"])
        rules.delete_rule(Name="theirs", EventBusName=bus)


def test_the_bus_tells_of_alerts(company: CodingCompany) -> None:
    stack = company.hub.stack
    queue, bus, table = Queue(stack), stack.resources["BuildsBus"], stack.resources["IntegrationsTable"]
    rules, dynamodb = stack.client("events"), stack.client("dynamodb")
    incidents = IncidentStore(DynamoTable(table, lambda: dynamodb), time.time, is_live)
    noted = Incident(
        kind="default_branch_red", integration_id=company.id, subject="15", at=1, hint="Red.",
        details={"project_id": 15, "project": None}, announced=True,
    )  # fmt: skip
    rules.put_rule(Name="alerts", EventBusName=bus, EventPattern=json.dumps({"detail-type": ["Alert Opened"]}))
    rules.put_targets(Rule="alerts", EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue.arn}])
    try:
        incidents.open(noted)
        invoke(stack, "SyncPipelinesFunction", tick("sync_pipelines"))
        event = queue.take()
        ALERT.validate(event["detail"])
        assert (event["source"], event["detail"]["alert"]["integration_id"]) == ("gitlab-hub", company.id)
    finally:
        rules.remove_targets(Rule="alerts", EventBusName=bus, Ids=["queue"])
        rules.delete_rule(Name="alerts", EventBusName=bus)
    incidents.close(noted.kind, company.id, noted.subject)
    invoke(stack, "SyncPipelinesFunction", tick("sync_pipelines"))
    assert list(incidents.untold()) == []


@pytest.fixture
def machine(hub: Hub) -> Iterator[str]:
    """A state machine whose executions wait."""
    client = hub.stack.client("stepfunctions")
    made = client.create_state_machine(name=f"builds-{next(_numbers)}", definition=json.dumps(WAITS), roleArn=ROLE)
    yield made["stateMachineArn"]
    client.delete_state_machine(stateMachineArn=made["stateMachineArn"])


def execution_change(arn: str, machine: str, status: str) -> Row:
    """What Step Functions says about an execution."""
    name = arn.rpartition(":")[2]
    return {"executionArn": arn, "stateMachineArn": machine, "name": name, "status": status}


def build_change(arn: str, build_id: str, status: str) -> Row:
    """What CodeBuild says about a build."""
    variable = {"name": "HUB_BUILD_ID", "value": build_id, "type": "PLAINTEXT"}
    return {
        "build-status": status,
        "project-name": arn.rpartition("/")[2].partition(":")[0],
        "build-id": arn,
        "additional-information": {"environment": {"environment-variables": [variable]}},
    }


STEP_FUNCTIONS = ("StepFunctionsChanges", "aws.states", "Step Functions Execution Status Change")
CODEBUILD = ("CodeBuildChanges", "aws.codebuild", "CodeBuild Build State Change")


def told(stack: Stack, said: tuple[str, str, str], detail: Row) -> None:
    """Say what an AWS service would: nobody else may put such events, so its rule is asked, and then its queue told."""
    rule, source, kind = said
    client = stack.client("events")
    event = {
        "version": "0",
        "id": "e",
        "account": "000000000000",
        "region": "us-east-1",
        "time": "2026-01-01T00:00:00Z",
    }
    text = json.dumps({**event, "source": source, "detail-type": kind, "resources": [], "detail": detail})
    deployed = client.describe_rule(Name=stack.resources[rule].rpartition("/")[2])
    assert deployed["State"] == "ENABLED"
    assert client.test_event_pattern(EventPattern=deployed["EventPattern"], Event=text)["Result"] is True
    send(stack, "BuildsQueue", text)


def test_a_state_machine_runs_builds(hub: Hub, company: CodingCompany, machine: str) -> None:
    built, client = (
        Built(company, {"type": "stepfunctions", "state_machine_arn": machine}),
        hub.stack.client("stepfunctions"),
    )
    sha = built.push()
    build = built.build("running")
    [execution] = client.list_executions(stateMachineArn=machine)["executions"]
    assert execution["name"] == build["id"]
    assert build["external_id"] == execution["executionArn"]
    checked(json.loads(client.describe_execution(executionArn=execution["executionArn"])["input"]), built, sha)
    stranger = execution_change(build["external_id"], machine.replace("builds-", "others-"), "FAILED")
    told(hub.stack, STEP_FUNCTIONS, stranger | {"executionArn": stranger["executionArn"].replace("builds-", "others-")})
    told(hub.stack, STEP_FUNCTIONS, execution_change(build["external_id"], machine, "SUCCEEDED"))
    built.shows(sha, "success")
    assert built.build()["status"] == "success"
    told(hub.stack, STEP_FUNCTIONS, execution_change(build["external_id"], machine, "RUNNING"))  # Late.
    other = built.push("other")
    second = built.build("running", sha=other)
    assert built.do(second["id"], "cancel").status == 200
    until(lambda: client.describe_execution(executionArn=second["external_id"])["status"] == "ABORTED")
    built.shows(other, "canceled")
    assert {row["sha"]: row["status"] for row in built.builds()} == {sha: "success", other: "canceled"}


def test_a_state_change_that_was_lost_is_looked_up(hub: Hub, company: CodingCompany, machine: str) -> None:
    built, client = (
        Built(company, {"type": "stepfunctions", "state_machine_arn": machine}),
        hub.stack.client("stepfunctions"),
    )
    sha = built.push()
    build = built.build("running")
    built.shows(sha, "running")
    client.stop_execution(executionArn=build["external_id"])
    hurry(hub.stack, build["id"])
    built.shows(sha, "canceled")
    assert built.build()["status"] == "canceled"


@pytest.fixture
def project(hub: Hub) -> Iterator[str]:
    """A project of CodeBuild."""
    client, name = hub.stack.client("codebuild"), f"builds-{next(_numbers)}"
    environment: dict[str, Any] = {"type": "LINUX_CONTAINER", "image": "none", "computeType": "BUILD_GENERAL1_SMALL"}
    source, artifacts = {"type": "NO_SOURCE", "buildspec": "version: 0.2"}, {"type": "NO_ARTIFACTS"}
    client.create_project(name=name, source=source, artifacts=artifacts, environment=environment, serviceRole=ROLE)
    yield name
    client.delete_project(name=name)


def test_codebuild_runs_builds(hub: Hub, company: CodingCompany, project: str) -> None:
    built, client = Built(company, {"type": "codebuild", "project": project}), hub.stack.client("codebuild")
    sha = built.push()
    build = built.build("running")
    [there] = client.batch_get_builds(ids=[build["external_id"].rpartition("/")[2]])["builds"]
    assert build["external_id"] == there["arn"]
    assert there["projectName"] == project
    told(hub.stack, CODEBUILD, build_change(f"{there['arn']}-of-another", build["id"], "SUCCEEDED"))
    told(hub.stack, CODEBUILD, build_change(there["arn"], build["id"], "FAILED"))
    built.shows(sha, "failed")
    assert built.build()["status"] == "failed"


def test_what_aws_says_of_builds_may_be_said_twice(hub: Hub, company: CodingCompany, machine: str) -> None:
    """The queue behind the rules delivers at least once, and in any order."""
    built = Built(company, {"type": "stepfunctions", "state_machine_arn": machine})
    sha = built.push()
    build = built.build("running")
    for status in ("FAILED", "FAILED", "SUCCEEDED", "RUNNING"):
        told(hub.stack, STEP_FUNCTIONS, execution_change(build["external_id"], machine, status))
        built.build("failed")
    built.shows(sha, "failed")
    until(lambda: waiting(hub.stack, "BuildsQueue") == 0)
    assert built.build()["status"] == "failed"


@pytest.mark.parametrize(
    "target",
    [
        {"type": "codebuild", "project": "no-such-project"},
        {"type": "stepfunctions", "state_machine_arn": "arn:aws:states:us-east-1:000000000000:stateMachine:none"},
        {"type": "sqs", "queue_url": "http://127.0.0.1:1/000000000000/none"},
    ],
    ids=lambda target: target["type"],
)
def test_a_target_that_is_not_there_fails_its_builds(hub: Hub, company: CodingCompany, target: Row) -> None:
    if target["type"] == "sqs":
        target = {**target, "queue_url": Queue(hub.stack).url + "-none"}
    built = Built(company, target)
    sha = built.push()
    build = built.build("failed")
    assert build["error"]["code"] == "target_not_found"
    built.shows(sha, "failed")
