"""The alarms: one for everything that can go wrong unseen, each with its runbook."""

import re

import pytest

from gitlab_hub.web.telemetry import NAMESPACE
from tests.unit.template.bundle import ROOT, Resource, resources

ALARMS = resources("AWS::CloudWatch::Alarm")
RUNBOOKS = ROOT / "docs" / "operations.md"
_ANCHOR = re.compile(r"docs/operations\.md#([a-z0-9-]+)$")


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
