"""Which targets a trigger may have."""

from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.builds.targets.allowed import AllowedArns
from gitlab_hub.builds.targets.https import TargetCheck, TargetNotAllowed
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.web.status import status_of
from tests.functional.builds.triggers_hub import BODY, PATH, TriggersHub


@pytest.fixture
def hub() -> TriggersHub:
    return TriggersHub()


@pytest.mark.parametrize(
    "target",
    [
        {"type": "eventbridge", "bus": "builds"},
        {"type": "eventbridge", "bus": "arn:aws:events:eu-central-1:123456789012:event-bus/x"},
        {"type": "codebuild", "project": "my-project_1"},
        {"type": "codebuild", "project": "tests", "source_version": True},
        {"type": "stepfunctions", "state_machine_arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:build"},
        {"type": "sqs", "queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/builds.fifo"},
        {"type": "https", "url": "https://ci.example.com:8443/hook?x=1"},
    ],
)
def test_each_kind_of_target_is_taken(hub: TriggersHub, target: dict[str, Any]) -> None:
    assert hub.made(target=target)["target"] == target


@pytest.mark.parametrize(
    "target",
    [
        None,
        {},
        "sqs",
        {"type": "lambda", "name": "x"},
        {"type": "eventbridge", "bus": ""},
        {"type": "eventbridge", "project": "x"},
        {"type": "codebuild"},
        {"type": "codebuild", "project": "-x"},
        {"type": "codebuild", "project": "ok", "source_version": "main"},
        {"type": "codebuild", "project": "ok", "role": "x"},
        {"type": "stepfunctions", "state_machine_arn": "arn:aws:lambda:eu-west-1:123456789012:function:x"},
        {"type": "sqs", "queue_url": "ftp://sqs/123456789012/x"},
        {"type": "https", "url": "ftp://ci.example.com"},
        {"type": "https", "url": "https://user@ci.example.com/"},
        {"type": "https", "url": "https://ci.example.com/#x"},
        {"type": "https", "url": "https://ci.example.com\\@evil/"},
        {"type": "https", "url": "https://"},
        {"type": "https", "url": "https://x/\n"},
    ],
)
def test_a_target_that_cannot_be_one_is_refused(hub: TriggersHub, target: Any) -> None:
    status, answer = hub("POST", body=BODY | {"target": target})
    assert (status, answer["code"]) == (422, "invalid_input")
    assert hub.listed() == []


def test_a_deployer_may_refuse_a_target(hub: TriggersHub) -> None:
    internal = {"type": "https", "url": "https://internal/x"}
    assert hub("POST", body=BODY | {"target": internal})[0] == 400
    made = hub.made()
    assert hub("PATCH", f"{PATH}/{made['id']}", {"target": internal})[0] == 400
    assert hub.shown(made["id"]) == made


@pytest.mark.parametrize("url", ["https://ci.example.net/x", "https://10.1.2.3/x", "http://ci.example.com/x"])
def test_a_target_outside_of_what_the_deployer_allows_is_refused_and_names_the_parameter(url: str) -> None:
    check = TargetCheck(NetworkPolicy(allowed_hosts=("ci.example.com",)), AllowedArns())
    with pytest.raises(TargetNotAllowed) as refused:
        check({"type": "https", "url": url})
    assert (status_of(refused.value), refused.value.code) == (422, "host_not_allowed")
    assert "BuildTargetHosts" in str(refused.value)
    assert refused.value.details["fields"][0]["field"] == "body.target.url"
    check({"type": "https", "url": "https://ci.example.com/x"})
    check({"type": "eventbridge"})


OWN = AllowedArns(own_bus="arn:aws:events:eu-west-1:123456789012:event-bus/hub")
LISTED = replace(
    OWN,
    buses=("arn:aws:events:eu-west-1:123456789012:event-bus/theirs",),
    projects=("arn:aws:codebuild:eu-west-1:123456789012:project/app-*",),
    state_machines=("arn:aws:states:eu-west-1:123456789012:stateMachine:build",),
    executions=("arn:aws:states:eu-west-1:123456789012:execution:build:*",),
    queues=("arn:aws:sqs:*:123456789012:builds?.fifo",),
)
BUS = {"type": "eventbridge", "bus": "theirs"}
PROJECT = {"type": "codebuild", "project": "app-1"}
MACHINE = {
    "type": "stepfunctions",
    "state_machine_arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:build:PROD",
}
QUEUE = {"type": "sqs", "queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/builds1.fifo"}
PARAMETERS = [
    (BUS, "bus", "BuildBusArns"),
    (PROJECT, "project", "BuildProjectArns"),
    (MACHINE, "state_machine_arn", "BuildStateMachineArns"),
    (QUEUE, "queue_url", "BuildQueueArns"),
]


def refused_as(answer: tuple[int, Any], parameter: str) -> Any:
    """A refusal that says which parameter would allow the target; gives the fields it is about."""
    status, body = answer
    assert (status, body["code"]) == (422, "target_not_allowed")
    assert parameter in body["error"]
    return body["details"]["fields"]


@pytest.mark.parametrize(("target", "field", "parameter"), PARAMETERS)
def test_a_target_that_the_builder_has_no_right_to_is_refused_and_names_the_parameter(
    hub: TriggersHub, target: dict[str, Any], field: str, parameter: str
) -> None:
    made = hub.made()
    hub.check_target = TargetCheck(NetworkPolicy(), OWN)
    wanted = [{"field": f"body.target.{field}", "problem": "target_not_allowed"}]
    assert refused_as(hub("POST", body=BODY | {"target": target}), parameter) == wanted
    assert refused_as(hub("PATCH", f"{PATH}/{made['id']}", {"target": target}), parameter) == wanted
    assert hub.shown(made["id"]) == made
    hub.check_target = TargetCheck(NetworkPolicy(), LISTED)
    assert hub("PATCH", f"{PATH}/{made['id']}", {"target": target})[0] == 200
    assert hub.made(target=target)["target"] == target


EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution"


@pytest.mark.parametrize("executions", [(), (f"{EXECUTION}:other:*",), (f"{EXECUTION}:build:one-of-them",)])
def test_a_state_machine_whose_executions_could_not_be_followed_is_refused(
    hub: TriggersHub, executions: tuple[str, ...]
) -> None:
    hub.check_target = TargetCheck(NetworkPolicy(), replace(LISTED, executions=executions))
    answer = hub("POST", body=BODY | {"target": MACHINE})
    refused_as(answer, "BuildExecutionArns")
    assert f"{EXECUTION}:build:" in answer[1]["error"]


@pytest.mark.parametrize("executions", [(f"{EXECUTION}:build:*",), (f"{EXECUTION}:*",), ("*",)])
def test_a_pattern_of_executions_allows_those_that_are_to_come(hub: TriggersHub, executions: tuple[str, ...]) -> None:
    hub.check_target = TargetCheck(NetworkPolicy(), replace(LISTED, executions=executions))
    assert hub.made(target=MACHINE)["target"] == MACHINE


ELSEWHERE = [
    ({"type": "sqs", "queue_url": "https://sqs.us-east-1.amazonaws.com/123456789012/builds1.fifo"}, "queue_url"),
    ({"type": "eventbridge", "bus": "arn:aws:events:us-east-1:123456789012:event-bus/theirs"}, "bus"),
    (MACHINE | {"state_machine_arn": "arn:aws:states:us-east-1:123456789012:stateMachine:build"}, "state_machine_arn"),
]


@pytest.mark.parametrize(("target", "field"), ELSEWHERE)
def test_a_target_of_another_region_is_refused_also_where_it_is_listed(
    hub: TriggersHub, target: dict[str, Any], field: str
) -> None:
    """The builder asks its own region's endpoints, and SQS for one answers `InvalidAddress` there."""
    made = hub.made()
    everything = replace(OWN, buses=("*",), state_machines=("*",), executions=("*",), queues=("*",))
    hub.check_target = TargetCheck(NetworkPolicy(), everything)
    for answer in (
        hub("POST", body=BODY | {"target": target}),
        hub("PATCH", f"{PATH}/{made['id']}", {"target": target}),
    ):
        assert refused_as(answer, "us-east-1") == [{"field": f"body.target.{field}", "problem": "target_not_allowed"}]
        assert "eu-west-1" in answer[1]["error"]


def test_a_trigger_that_the_deployer_allows_no_more_says_so_and_may_still_be_changed(hub: TriggersHub) -> None:
    made = hub.made(target=QUEUE)
    path = f"{PATH}/{made['id']}"
    assert hub("GET", path)[1]["warnings"] == []
    hub.check_target = TargetCheck(NetworkPolicy(), OWN)
    dry_run = hub("POST", f"{path}/test", {"event": "push", "payload": {"project_id": 15}})[1]
    for answer in (hub("GET", path)[1], dry_run, hub("PATCH", path, {"enabled": False, "target": QUEUE})[1]):
        [warning] = [one for one in answer["warnings"] if one["code"] == "target_not_allowed"]
        assert "BuildQueueArns" in warning["message"]
    assert hub.shown(made["id"])["enabled"] is False
    hub.check_target = TargetCheck(NetworkPolicy(), LISTED)
    assert hub("GET", path)[1]["warnings"] == []
    assert hub("POST", f"{path}/test", {"event": "push", "payload": {"project_id": 15}})[1]["warnings"] == []
