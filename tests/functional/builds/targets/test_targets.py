"""One contract for every target in AWS, over moto; and what each of them makes of errors and lost answers."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from gitlab_hub.builds.runs.model import BuildStatus
from gitlab_hub.builds.targets.base import (
    REQUESTED,
    TargetDenied,
    TargetMissing,
    TargetRefused,
    TargetUnavailable,
    message_of,
)
from gitlab_hub.builds.targets.eventbridge import EventBridgeTarget
from gitlab_hub.builds.targets.registry import build_targets
from gitlab_hub.builds.triggers.requests import TargetBody, TriggerBody
from gitlab_hub.gitlab.policy import NetworkPolicy
from tests.functional.builds.build_aws import (
    ACCOUNT,
    BUILD,
    CASES,
    IN_AWS,
    REGION,
    Case,
    codebuild,
    eventbridge,
    sqs_fifo,
    sqs_plain,
    stepfunctions,
)
from tests.functional.builds.builds_hub import SHA, START


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def error(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "any")  # type: ignore[typeddict-item]  # the rest is not looked at


@pytest.fixture(params=list(CASES.values()), ids=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    made: Case = request.param()
    return made


def test_a_build_arrives(case: Case) -> None:
    case.start()
    assert case.arrived() == 1


def test_a_build_that_is_started_again_is_there_once_where_the_target_can_tell(case: Case) -> None:
    case.start()
    case.start(replace(case.build, starting_at=START))
    assert case.arrived() == (1 if case.dedupes else 2)


def test_a_build_is_stopped_and_stopping_it_again_is_no_error(case: Case) -> None:
    started = case.start()
    stopping = replace(case.build, status=BuildStatus.CANCELED, starting_at=START, external_id=started.external_id)
    before = len(case.aws.calls)
    case.stop(stopping)
    asked = [name for name, _ in case.aws.calls[before:]]
    case.stop(stopping)
    assert [name for name, _ in case.aws.calls[before:]] == asked * 2


@pytest.mark.parametrize("make", [codebuild, stepfunctions])
def test_a_build_is_looked_up_by_its_name(make: Callable[[], Case]) -> None:
    case = make()
    running = replace(case.build, status=BuildStatus.RUNNING, external_id=case.start().external_id)
    assert case.target.poll(replace(running, external_id=None)) is None
    assert case.target.poll(running) in {BuildStatus.RUNNING, BuildStatus.SUCCESS}
    case.aws.before = [error("AccessDeniedException")]
    with pytest.raises(TargetDenied):
        case.target.poll(running)


@pytest.mark.parametrize("make", [eventbridge, sqs_plain])
def test_where_nothing_can_be_looked_up_nothing_is(make: Callable[[], Case]) -> None:
    case = make()
    calls = len(case.aws.calls)
    assert case.target.poll(case.build) is None
    assert len(case.aws.calls) == calls


@pytest.mark.parametrize("make", IN_AWS)
@pytest.mark.parametrize("fault", [error("ThrottlingException"), error("InternalFailure", 500)])
def test_what_may_pass_is_said_to_be_for_now(make: Callable[[], Case], fault: Exception) -> None:
    case = make()
    case.aws.before = [fault]
    with pytest.raises(TargetUnavailable):
        case.start()
    assert case.arrived() == 0


@pytest.mark.parametrize("make", IN_AWS)
def test_a_lost_answer_is_for_now_and_the_next_try_finds_the_build(make: Callable[[], Case]) -> None:
    case = make()
    case.aws.after = [ReadTimeoutError(endpoint_url="https://aws.example")]
    with pytest.raises(TargetUnavailable) as raised:
        case.start()
    assert "aws.example" not in str(raised.value)
    case.start(replace(case.build, starting_at=START))
    assert case.arrived() == (1 if case.dedupes else 2)


@pytest.mark.parametrize("make", IN_AWS)
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDeniedException", TargetDenied),
        ("AccessDenied", TargetDenied),
        ("ResourceNotFoundException", TargetMissing),
        ("StateMachineDoesNotExist", TargetMissing),
        ("AWS.SimpleQueueService.NonExistentQueue", TargetMissing),
        ("InvalidInputException", TargetRefused),
    ],
)
def test_what_stays_wrong_is_refused(make: Callable[[], Case], code: str, kind: type[Exception]) -> None:
    case = make()
    case.aws.before = [error(code)]
    with pytest.raises(TargetRefused) as raised:
        case.start()
    assert type(raised.value) is kind


@pytest.mark.parametrize("code", ["AccountLimitExceededException", "ExecutionLimitExceeded"])
def test_a_full_account_is_waited_for(code: str) -> None:
    case = codebuild()
    case.aws.before = [error(code)]
    with pytest.raises(TargetUnavailable):
        case.start()


@pytest.mark.parametrize("make", [codebuild, stepfunctions, sqs_plain])
def test_a_target_without_its_name_is_refused(make: Callable[[], Case]) -> None:
    case = make()
    with pytest.raises(TargetRefused):
        case.start(replace(case.build, target={"type": case.build.target["type"]}))


def test_arguments_that_the_sdk_does_not_take_are_refused_for_good() -> None:
    case = stepfunctions()
    with pytest.raises(TargetRefused):
        case.start(replace(case.build, id=""))


def test_an_event_that_the_bus_did_not_take_is_a_failure_though_the_call_succeeded() -> None:
    class Refusing:
        """A bus that answers 200 and takes nothing."""

        def __init__(self, code: str) -> None:
            self.code = code

        def __call__(self) -> Any:
            return self

        def put_events(self, **_: Any) -> dict[str, Any]:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": self.code, "ErrorMessage": "secret name"}]}

    for code, kind in (("ThrottlingException", TargetUnavailable), ("AccessDeniedException", TargetDenied)):
        target = EventBridgeTarget("builds", Refusing(code))
        with pytest.raises(kind) as raised:
            target.start(BUILD, message_of(BUILD, REQUESTED, gitlab_url=None))
        assert "secret name" not in str(raised.value)


def test_an_event_goes_to_the_bus_of_the_trigger_or_else_of_the_hub() -> None:
    case = eventbridge()
    case.start()
    case.aws.create_event_bus(Name="other")
    case.start(replace(case.build, target={"type": "eventbridge", "bus": "other"}))
    entries = [arguments["Entries"][0] for name, arguments in case.aws.calls if name == "put_events"]
    assert [entry["EventBusName"] for entry in entries] == ["builds", "other"]
    assert {(entry["Source"], entry["DetailType"]) for entry in entries} == {("gitlab-hub", "Build Requested")}
    assert json.loads(entries[0]["Detail"])["build"]["id"] == BUILD.id
    with pytest.raises(TargetRefused):
        EventBridgeTarget("", lambda: case.aws).start(case.build, message_of(BUILD, REQUESTED, gitlab_url=None))


def test_a_codebuild_build_has_its_facts_as_plain_variables() -> None:
    case = codebuild()
    case.start(replace(case.build, ref="{{resolve:secretsmanager:x}}"))
    _, arguments = case.aws.calls[-1]
    variables = {each["name"]: each["value"] for each in arguments["environmentVariablesOverride"]}
    assert {each["type"] for each in arguments["environmentVariablesOverride"]} == {"PLAINTEXT"}
    assert variables["HUB_BUILD_ID"] == BUILD.id
    assert (variables["GITLAB_SHA"], variables["GITLAB_PROJECT_PATH"]) == (SHA, "acme/app")
    assert variables["GITLAB_REF"] == "{{resolve:secretsmanager:x}}"
    assert "GITLAB_MERGE_REQUEST_IID" not in variables
    assert arguments["idempotencyToken"] == BUILD.id
    assert "sourceVersion" not in arguments


def test_a_codebuild_project_of_the_repository_itself_gets_the_commit() -> None:
    case = codebuild()
    case.start(replace(case.build, target={"type": "codebuild", "project": "app", "source_version": True}))
    assert case.aws.calls[-1][1]["sourceVersion"] == SHA


def test_a_codebuild_build_that_nobody_remembers_is_found_by_its_variables() -> None:
    case = codebuild()
    started = case.start()
    for name in ("list_builds_for_project", "batch_get_builds"):
        assert name not in [call for call, _ in case.aws.calls]
    assert case.start(replace(case.build, starting_at=START)) == started
    case.stop(replace(case.build, starting_at=START))
    assert ("stop_build", {"id": started.external_id.partition(":build/")[2]}) in case.aws.calls


def test_a_codebuild_build_that_never_began_needs_no_stop() -> None:
    case = codebuild()
    case.stop(replace(case.build, starting_at=START))
    assert "stop_build" not in [name for name, _ in case.aws.calls]


def test_an_execution_is_named_by_the_build() -> None:
    case = stepfunctions()
    started = case.start()
    assert started.external_id == f"arn:aws:states:{REGION}:{ACCOUNT}:execution:builds:{BUILD.id}"
    assert started.url == (
        f"https://{REGION}.console.aws.amazon.com/states/home?region={REGION}"
        f"#/v2/executions/details/{started.external_id}"
    )
    case.aws.before = [error("ExecutionAlreadyExists")]
    assert case.start() == started


def test_a_fifo_queue_has_one_group_for_each_build() -> None:
    case = sqs_fifo()
    case.start()
    case.stop(case.build)
    found = case.aws.receive_message(QueueUrl=case.build.target["queue_url"], MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(each["Body"])["type"] for each in found] == ["build.requested", "build.canceled"]


def test_every_target_that_a_trigger_takes_is_there() -> None:
    union, _ = get_args(TargetBody)
    types = {get_args(body.model_fields["type"].annotation)[0] for body in get_args(union)}
    targets = build_targets(bus="builds", policy=NetworkPolicy(), sign=lambda *_, **__: {})
    assert set(targets) == types


@pytest.mark.parametrize("make", IN_AWS)
def test_a_target_is_called_by_the_fields_that_a_trigger_takes(make: Callable[[], Case]) -> None:
    case = make()
    target = {**case.build.target}
    if target["type"] == "eventbridge":
        target["bus"] = "builds"
    body = TriggerBody.model_validate({"integration_id": "i", "project_id": 1, "events": ["push"], "target": target})
    case.start(replace(case.build, target=body.target.model_dump(exclude_none=True)))
    assert case.arrived() == 1
