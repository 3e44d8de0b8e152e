"""Which targets of AWS the deployer's ARNs mean."""

from typing import Any

import pytest

from gitlab_hub.builds.targets.allowed import AllowedArns, NotListed, fits

BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/hub"
HOME = "eu-west-1:123456789012"


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        (f"arn:aws:sqs:{HOME}:builds", f"arn:aws:sqs:{HOME}:builds", True),
        (f"arn:aws:sqs:{HOME}:builds", f"arn:aws:sqs:{HOME}:builds2", False),
        (f"arn:aws:sqs:{HOME}:builds", f"arn:aws:sqs:{HOME}:Builds", False),
        (f"arn:aws:sqs:{HOME}:builds", "arn:aws:sqs:eu-west-1:999999999999:builds", False),
        (f"arn:aws:sqs:{HOME}:*", f"arn:aws:sqs:{HOME}:builds", True),
        (f"arn:aws:sqs:{HOME}:b*s.fifo", f"arn:aws:sqs:{HOME}:builds.fifo", True),
        (f"arn:aws:sqs:{HOME}:b*s.fifo", f"arn:aws:sqs:{HOME}:buildsxfifo", False),
        (f"arn:aws:sqs:{HOME}:build?", f"arn:aws:sqs:{HOME}:builds", True),
        (f"arn:aws:sqs:{HOME}:build?", f"arn:aws:sqs:{HOME}:build", False),
        ("arn:aws:sqs:*:*:*", f"arn:aws:sqs:{HOME}:builds", True),
        ("arn:aws:sqs:*", f"arn:aws:sqs:{HOME}:builds", True),  # a last * goes on beyond colons
        ("arn:aws:sqs:eu-*1:builds", f"arn:aws:sqs:{HOME}:builds", False),  # any other stays within its segment
        ("arn:aws:sqs:eu-west?1:123456789012:builds", f"arn:aws:sqs:{HOME}:builds", True),
        ("arn:aws:sqs?eu-west-1:123456789012:builds", f"arn:aws:sqs:{HOME}:builds", False),
        ("*", f"arn:aws:sqs:{HOME}:builds", True),
        ("", f"arn:aws:sqs:{HOME}:builds", False),
        (f"arn:aws:codebuild:{HOME}:project/*", f"arn:aws:codebuild:{HOME}:project/app", True),
        (f"arn:aws:events:{HOME}:event-bus/*", f"arn:aws:events:{HOME}:event-bus/aws.partner/x/y", True),
    ],
)
def test_patterns_mean_what_iam_takes_them_for(pattern: str, arn: str, expected: bool) -> None:
    assert fits(pattern, arn) is expected


@pytest.mark.parametrize(
    ("target", "arn"),
    [
        ({"type": "eventbridge", "bus": "theirs"}, f"arn:aws:events:{HOME}:event-bus/theirs"),
        ({"type": "eventbridge", "bus": "arn:aws:events:x:1:event-bus/y"}, "arn:aws:events:x:1:event-bus/y"),
        ({"type": "codebuild", "project": "app"}, f"arn:aws:codebuild:{HOME}:project/app"),
        (
            {"type": "stepfunctions", "state_machine_arn": f"arn:aws:states:{HOME}:stateMachine:build"},
            f"arn:aws:states:{HOME}:stateMachine:build",
        ),
        (
            {"type": "stepfunctions", "state_machine_arn": f"arn:aws:states:{HOME}:stateMachine:build:3"},
            f"arn:aws:states:{HOME}:stateMachine:build",
        ),
    ],
)
def test_a_target_is_told_by_the_arn_that_its_rights_are_about(target: dict[str, Any], arn: str) -> None:
    found = AllowedArns(own_bus=BUS).refusal(target)
    assert found is not None
    assert found.arn == arn
    everything = (arn,)
    allowing = AllowedArns(
        own_bus=BUS, buses=everything, projects=everything, state_machines=everything, queues=everything,
        executions=(f"arn:aws:states:{HOME}:execution:build:*",),
    )  # fmt: skip
    assert allowing.refusal(target) is None


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("sqs.us-east-2.amazonaws.com", "us-east-2"),
        ("sqs-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("sqs.eu-central-1.api.aws", "eu-central-1"),
        ("sqs.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("vpce-0a1b-2c3d.sqs.us-east-1.vpce.amazonaws.com", "us-east-1"),
        ("eu-west-2.queue.amazonaws.com", "eu-west-2"),
        ("queue.amazonaws.com", "us-east-1"),
        ("127.0.0.1:4566", "eu-west-1"),
        ("localhost:4566", "eu-west-1"),
    ],
)
def test_the_region_of_a_queue_is_that_of_its_endpoint_else_the_stacks(host: str, region: str) -> None:
    target = {"type": "sqs", "queue_url": f"https://{host}/123456789012/builds"}
    found = AllowedArns(own_bus=BUS).refusal(target)
    assert found == NotListed("queue_url", f"arn:aws:sqs:{region}:123456789012:builds", "BuildQueueArns")
    assert AllowedArns(own_bus=BUS, queues=(f"arn:aws:sqs:{region}:*:builds",)).refusal(target) is None


@pytest.mark.parametrize("bus", [{}, {"bus": None}, {"bus": "hub"}, {"bus": BUS}])
def test_the_stacks_own_bus_needs_no_entry(bus: dict[str, Any]) -> None:
    assert AllowedArns(own_bus=BUS).refusal({"type": "eventbridge", **bus}) is None


def test_the_parameters_of_one_kind_allow_nothing_of_another() -> None:
    queues = AllowedArns(own_bus=BUS, queues=("*",))
    assert queues.refusal({"type": "codebuild", "project": "app"}) is not None
    assert AllowedArns(own_bus=BUS, projects=("*",)).refusal({"type": "eventbridge", "bus": "theirs"}) is not None


def test_a_name_means_nothing_where_nobody_says_where_the_stack_is() -> None:
    found = AllowedArns(projects=("*",)).refusal({"type": "codebuild", "project": "app"})
    assert found == NotListed("project", None, "BuildProjectArns")
