"""The alarms: one for everything that can go wrong unseen, each with its runbook."""

import ast
import json
import re
from collections.abc import Iterator

import pytest

from gitlab_hub.web.telemetry import NAMESPACE, count
from tests.unit.template.bundle import ROOT, Resource, functions, listed, resources, statements

ALARMS = resources("AWS::CloudWatch::Alarm")
RUNBOOKS = ROOT / "docs" / "operations.md"
PACKAGE = ROOT / "layers" / "hub" / "python" / "gitlab_hub"
_ANCHOR = re.compile(r"docs/operations\.md#([a-z0-9-]+)$")
_METRIC = re.compile(r"(?:[A-Z][a-z]+){2,}")

COUNTING = ("web/telemetry.py", "web/entry.py", "integrations/care/signals.py", "webhooks/notices.py")
"""The files that name metrics; a test keeps the list whole."""

NO_METRICS = {"MessageGroupId"}
FIGURES = {
    "SyncRequests",
    "SyncRateLimited",
    "WebhooksRefused",  # Anybody can send what is refused.
    "WebhooksIgnored",
    "DeliveriesSentAgain",
    "FailedMessages",  # The fifth failure is a dead letter, and those have alarms.
    "InternalErrors",  # They are answers of 500 too, and those have an alarm.
}
"""Metrics to look at, which wake nobody."""


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


EMITTED = set[str]().union(*map(named_in, COUNTING))


def watched(metric: str) -> set[str]:
    return {subject(alarm) for alarm in ALARMS.values() if alarm["MetricName"] == metric}


def subject(alarm: Resource) -> str:
    (dimension,) = alarm["Dimensions"]
    value = dimension["Value"]
    return str(value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0])


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_is_watched(metric: str) -> None:
    assert watched(metric) == set(resources("AWS::Lambda::Function"))


def test_every_dead_letter_is_noticed() -> None:
    queues = {name for name, queue in resources("AWS::SQS::Queue").items() if "RedrivePolicy" not in queue}
    assert watched("ApproximateNumberOfMessagesVisible") == queues
    for alarm in ALARMS.values():
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible":
            assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")


@pytest.mark.parametrize("metric", ["SuspectSyncs", "FailedSyncs"])
def test_every_sync_that_needs_a_person_is_noticed(metric: str) -> None:
    assert watched(metric) == {"SyncAccountsFunction", "SyncPipelinesFunction"}
    spaces = {alarm["Namespace"] for alarm in ALARMS.values() if alarm["MetricName"] == metric}
    assert spaces == {NAMESPACE}


def test_every_metric_has_an_alarm_or_is_only_a_figure() -> None:
    alarmed = {alarm["MetricName"] for alarm in ALARMS.values() if alarm["Namespace"] == NAMESPACE}
    assert alarmed == EMITTED - FIGURES
    assert FIGURES <= EMITTED


def test_no_other_file_counts() -> None:
    assert set(callers_of_count()) == set(COUNTING)


def test_alarms_look_where_the_code_counts(capsys: pytest.CaptureFixture[str]) -> None:
    count("SuspectSyncs", function="sync")
    written = json.loads(capsys.readouterr().out)
    [directive] = written["_aws"]["CloudWatchMetrics"]
    ours = [alarm for alarm in ALARMS.values() if alarm["Namespace"] == directive["Namespace"]]
    assert len(ours) > len(EMITTED - FIGURES)
    for alarm in ours:
        assert [dimension["Name"] for dimension in alarm["Dimensions"]] in directive["Dimensions"]
        assert alarm["Statistic"] == "Sum"


def test_every_function_that_may_renew_a_token_can_say_that_it_is_lost() -> None:
    roles = {role for role, statement in statements() if "secretsmanager:PutSecretValue" in listed(statement["Action"])}
    renewing = {name for name, function in functions().items() if function["Role"]["Fn::GetAtt"][0] in roles}
    # It writes the pairs that somebody has just authorized, and renews none.
    assert watched("CredentialsLost") == renewing - {"OAuthFunction"}


def test_every_schedule_is_watched() -> None:
    kinds = {name: {event["Type"] for event in one.get("Events", {}).values()} for name, one in functions().items()}
    assert watched("FailedTicks") == {name for name, found in kinds.items() if "ScheduleV2" in found}


@pytest.mark.parametrize(
    ("metric", "function"),
    [
        ("CredentialsExpiring", "CaretakerFunction"),
        ("CareFailures", "CaretakerFunction"),
        ("WebhooksNotQueued", "WebhooksFunction"),
        ("DeliveriesGivenUp", "DeliveriesFunction"),
    ],
)
def test_what_one_function_alone_can_say_is_heard_from_it(metric: str, function: str) -> None:
    assert watched(metric) == {function}


@pytest.mark.parametrize("metric", ["CredentialsLost", "CredentialsExpiring", "WebhooksNotQueued", "DeliveriesGivenUp"])
def test_what_is_said_once_is_heard_at_once(metric: str) -> None:
    assert {alarm["Threshold"] for alarm in ALARMS.values() if alarm["MetricName"] == metric} == {1}


@pytest.mark.parametrize("name", ALARMS)
def test_alarms_tell_somebody_and_name_their_runbook(name: str) -> None:
    alarm = ALARMS[name]
    assert alarm["AlarmActions"]["Fn::If"][0] == "HasAlarmTopic"
    assert alarm["TreatMissingData"] == "notBreaching"
    assert _ANCHOR.search(alarm["AlarmDescription"])


@pytest.mark.parametrize("name", ALARMS)
def test_the_runbook_exists(name: str) -> None:
    match = _ANCHOR.search(ALARMS[name]["AlarmDescription"])
    headings = re.findall(r"^#+ (.+)$", RUNBOOKS.read_text(), re.MULTILINE) if match else []
    assert match is not None
    assert match[1] in {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
