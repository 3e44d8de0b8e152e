"""The alarms: each looks at a metric that exists, and names its runbook."""

import ast
import re
from collections.abc import Iterator

import pytest

from gitlab_hub.web.telemetry import NAMESPACE
from tests.unit.template import emitted
from tests.unit.template.transformed import (
    ROOT,
    Resource,
    functions,
    listed,
    resources,
    source,
    statements,
    transformed,
)

ALARMS = resources("AWS::CloudWatch::Alarm")
DEPLOYED = resources("AWS::Lambda::Function")
RUNBOOKS = ROOT / "docs" / "operations.md"
PACKAGE = ROOT / "layers" / "hub" / "python" / "gitlab_hub"
_ANCHOR = re.compile(r"docs/operations\.md#([a-z0-9-]+)$")
_METRIC = re.compile(r"(?:[A-Z][a-z]+){2,}")

COUNTING = ("web/telemetry.py", "web/entry.py", "integrations/tokens/alerts.py", "webhooks/deliveries/metrics.py")
"""The files that name metrics; a test keeps the list whole."""

NO_METRICS = {"MessageGroupId", "SentTimestamp"}
FIGURES = {
    "WebhooksRefused",  # Anybody can send what is refused.
    "WebhooksIgnored",
    "DeliveriesSentAgain",
    "FailedMessages",  # The fifth failure is a dead letter, and those have an alarm.
    "FailedTicks",  # Lambda tells of them too, and of those that could not even begin.
    "CareFailures",  # Where a GitLab is away, its syncs fail as well.
    "InternalErrors",  # They are answers of 500 too, and those have an alarm.
}
"""Metrics to look at, which wake nobody."""

OF_AWS = {
    # API Gateway, "Monitor CloudWatch metrics for HTTP APIs": the dimension ApiId alone gives the whole API.
    "ApiErrorsAlarm": ("AWS/ApiGateway", "5xx", "ApiId", "HttpApi"),
    # EventBridge Scheduler, "Monitoring with CloudWatch": the only dimension is ScheduleGroup.
    "StoppedTicksAlarm": ("AWS/Scheduler", "InvocationAttemptCount", "ScheduleGroup", "Schedules"),
    # SQS, "Available CloudWatch metrics": the only dimension is QueueName.
    "FailedTicksAlarm": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "FailedTicksQueue"),
}
"""The alarms on metrics of AWS: namespace, name, dimension, and the resource that it names."""


def ours() -> dict[str, Resource]:
    return {name: alarm for name, alarm in ALARMS.items() if alarm["Namespace"] == NAMESPACE}


@pytest.mark.parametrize("function", DEPLOYED)
def test_every_alarm_looks_where_every_function_counts(
    function: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in emitted.environment_of(DEPLOYED[function]).items():
        monkeypatch.setenv(name, value)
    counted = set(emitted.walk(lambda: capsys.readouterr().out))
    assert {name for _, name, _ in counted} == set[str]().union(*map(named_in, COUNTING))
    for name, alarm in ours().items():
        assert emitted.watched(alarm) in counted, name


def test_every_metric_has_an_alarm_or_is_only_a_figure() -> None:
    alarmed = {alarm["MetricName"] for alarm in ours().values()}
    named = set[str]().union(*map(named_in, COUNTING))
    assert alarmed == named - FIGURES
    assert named >= FIGURES


def named_in(path: str) -> set[str]:
    """The metrics that a file of the package names."""
    tree = ast.walk(ast.parse((PACKAGE / path).read_text()))
    texts = {node.value for node in tree if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if _METRIC.fullmatch(text)} - NO_METRICS


def callers_of_count() -> Iterator[str]:
    """The files of the package that count something, or have a frame do so."""
    for path in PACKAGE.rglob("*.py"):
        if re.search(r"telemetry import .*\bcount\b|single_metric\(|_Frame\(", path.read_text()):
            yield path.relative_to(PACKAGE).as_posix()


def test_no_other_file_counts() -> None:
    assert set(callers_of_count()) == set(COUNTING)


def test_alarms_on_metrics_of_aws_name_them_as_aws_does() -> None:
    found = {}
    for name, alarm in ALARMS.items():
        if alarm["Namespace"] != NAMESPACE:
            (dimension,) = alarm["Dimensions"]
            value = dimension["Value"]
            named = value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0]
            found[name] = (alarm["Namespace"], alarm["MetricName"], dimension["Name"], named)
    assert found == OF_AWS


def test_there_are_few_enough_alarms_to_pay_for_and_to_heed() -> None:
    assert len(ALARMS) <= 10  # so many are free in every account
    assert not [name for name, alarm in ALARMS.items() if "Metrics" in alarm]  # each of them would cost as much again


def test_the_caretaker_counts_all_dead_letters_and_may() -> None:
    letters = {name for name in resources("AWS::SQS::Queue") if name.endswith("DeadLetters")}
    told = DEPLOYED["CaretakerFunction"]["Environment"]["Variables"]["DEAD_LETTERS_QUEUE_URLS"]["Fn::Join"][1]
    assert {one["Ref"] for one in told} == letters
    of_the_caretaker = [statement for role, statement in statements() if role == "CaretakerRole"]
    granted = [one for one in of_the_caretaker if "sqs:GetQueueAttributes" in listed(one["Action"])]
    assert {one["Fn::GetAtt"][0] for statement in granted for one in statement["Resource"]} == letters


def scheduled() -> set[str]:
    kinds = {name: {event["Type"] for event in one.get("Events", {}).values()} for name, one in functions().items()}
    return {name for name, found in kinds.items() if "ScheduleV2" in found}


def test_a_tick_or_a_start_that_fails_is_not_repeated_and_is_told() -> None:
    # Lambda tries asynchronous events three times and keeps them for six hours unless it is told otherwise
    # (Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation").
    told = {one["FunctionName"]["Ref"]: one for one in resources("AWS::Lambda::EventInvokeConfig").values()}
    # Those two are started by others, and by a tick of another function.
    assert set(told) == {*scheduled(), "ProvisionerFunction", "ExporterFunction"}
    for name, how in told.items():
        assert (how["MaximumRetryAttempts"], how["MaximumEventAgeInSeconds"]) == (0, 60), name
        assert how["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0] == "FailedTicksQueue", name
    for name, schedule in resources("AWS::Scheduler::Schedule").items():
        assert schedule["GroupName"] == {"Ref": "Schedules"}, name
        assert schedule["Target"]["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0] == "FailedTicksQueue", name
        assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 0, name


def test_ticks_that_stop_are_noticed_by_their_silence() -> None:
    alarm = ALARMS["StoppedTicksAlarm"]
    assert (alarm["TreatMissingData"], alarm["ComparisonOperator"]) == ("breaching", "LessThanThreshold")
    assert transformed()["Resources"]["StoppedTicksAlarm"]["Condition"] == "SchedulesRun"
    assert source()["Conditions"]["SchedulesRun"] == {"Fn::Equals": [{"Ref": "SchedulesState"}, "ENABLED"]}


LASTING = {"WorkGivenUpAlarm": "CaretakerSchedule", "SuspectSyncsAlarm": "AccessIntervalMinutes",
           "FailedSyncsAlarm": "AccessIntervalMinutes"}  # fmt: skip
"""What is counted again and again as long as it lasts, and the parameter that says how often."""


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_is_one_alarm_and_not_one_for_each_count(name: str) -> None:
    """Each count comes a little later than the parameter says: a single period may hold none of them, or two."""
    alarm, said = ALARMS[name], str(source()["Parameters"][LASTING[name]]["Default"])
    minutes = int("".join(filter(str.isdigit, said)))
    assert alarm["Period"] * alarm["EvaluationPeriods"] >= 2 * minutes * 60
    assert alarm["DatapointsToAlarm"] == 1


@pytest.mark.parametrize("metric", ["CredentialsLost", "CredentialsExpiring", "WebhooksNotQueued", "WorkGivenUp",
                                    "FailedSyncs"])  # fmt: skip
def test_what_is_said_once_is_heard_at_once(metric: str) -> None:
    assert {alarm["Threshold"] for alarm in ALARMS.values() if alarm["MetricName"] == metric} == {1}


@pytest.mark.parametrize("name", ALARMS)
def test_alarms_tell_somebody_and_name_their_runbook(name: str) -> None:
    alarm = ALARMS[name]
    assert alarm["AlarmActions"]["Fn::If"][0] == "HasAlarmTopic"
    assert alarm["TreatMissingData"] == ("breaching" if name == "StoppedTicksAlarm" else "notBreaching")
    assert _ANCHOR.search(alarm["AlarmDescription"])


@pytest.mark.parametrize("name", ALARMS)
def test_the_runbook_exists_and_names_the_function(name: str) -> None:
    match = _ANCHOR.search(ALARMS[name]["AlarmDescription"])
    assert match is not None
    runbook = re.search(rf"^### {match[1]}\n(.+?)(?=^##|\Z)", RUNBOOKS.read_text(), re.MULTILINE | re.DOTALL)
    assert runbook is not None
    assert "function" in runbook[1]
