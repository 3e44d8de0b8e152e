"""What the functions asked of AWS in all tests of this folder, against what their roles allow. It runs after them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from local.warm_up import MESSAGES
from tests.end_to_end.deployed import Deployed
from tests.end_to_end.hub_client import Hub
from tests.fakes.aws_calls import AwsCall
from tests.unit.template.rights import SECRETS, Grant, grants, used

OF_TARGETS = {
    "codebuild": "BuildProjectArns",
    "events": "BuildBusArns",
    "sqs": "BuildQueueArns",
    "states:StartExecution": "BuildStateMachineArns",
    "states": "BuildExecutionArns",
}
"""What is not of the stack is a target of builds: the deployer's parameters name it."""

OF_AWS = (
    "lambda:InvokeFunction",  # the scheduler's own roles
    "logs:",
    "xray:",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueAttributes",
)
"""What AWS itself does in a role's name: it starts functions, writes logs and traces, takes messages from queues."""

UNUSED = {
    "FailedTicksQueue": "Lambda itself puts a tick there that has failed; the emulator does not",
    "BuildBusArns": "other buses are targets as the stack's own is, and the tests use that one",
    "AbortMultipartUpload": "an upload of more than 8 MB that is cut short",
    "BatchGetItem": "the port reads many rows at once where there are many; the company of these tests is small",
    "BatchWriteItem": "removals and repairs of many rows at once",
    "ConditionCheckItem": "part of transactions that few ways go",
    "DeleteItem": "ways that undo what was cut short",
    "DeleteSecret": "the sweep of sync_accounts finishes removals that were cut short",
    "PutSecretValue": "whoever meets a token that has run out renews it; the tests let that happen in few functions",
    "ListBuildsForProject": "CodeBuild is asked so only where an answer was lost",
    "StopBuild": "cancelling a build of CodeBuild; tests/functional/builds does it",
}
"""What is granted and was not seen, by action or resource, and why it stays."""

RENEWAL = "a token is renewed, or found lost, where it is used; the tests let that happen in few functions"
SELDOM = {
    ("AccessRole", "dynamodb:GetItem", "AccessTable"): "one account, group or project by its id",
    ("AccessRole", "dynamodb:Query", "AccessTable/index/by_account"): "grants of one account",
    ("AccessRole", "secretsmanager:GetSecretValue", "MasterKeySecret"): "cursors are sealed with it",
    ("BuilderRole", "codebuild:BatchGetBuilds", "BuildProjectArns"): "a build whose end nobody told of is looked up",
    ("BuilderRole", "states:DescribeExecution", "BuildExecutionArns"): "a build whose end nobody told of is looked up",
    ("BuilderRole", "dynamodb:PutItem", "IntegrationsTable"): RENEWAL,
    ("BuilderRole", "dynamodb:Query", "DeliveriesTable"): "builds that a new one supersedes (cancel_previous)",
    ("BuildsRole", "dynamodb:Query", "DeliveriesTable"): "triggers are listed",
    ("ConsoleRole", "secretsmanager:GetSecretValue", "ConsoleClientSecret"): "people sign in with a GitLab",
    ("DeliveriesRole", "dynamodb:PutItem", "IntegrationsTable"): RENEWAL,
    ("DeliveriesRole", "dynamodb:Query", "DeliveriesTable/index/pending"): "its tick looks for forgotten deliveries",
    ("DeliveriesRole", "dynamodb:Query", "IntegrationsTable"): "a comparison of commits wants the credential",
    ("DeliveriesRole", "secretsmanager:GetSecretValue", SECRETS): "a comparison of commits wants the token",
    ("DeliveriesRole", "sqs:SendMessage", "DeliveriesQueue"): "its tick queues forgotten deliveries again",
    ("ExporterRole", "dynamodb:GetItem", "AccessTable"): "which of the tokens is the hub's own",
    ("ExporterRole", "dynamodb:Query", "AccessTable/index/by_account"): "what the owners of tokens and keys have",
    ("ExporterRole", "dynamodb:PutItem", "IntegrationsTable"): "an export that is given up is an incident",
    ("ExporterRole", "s3:DeleteObject", "ExportsBucket"): "what a worker that died has left",
    ("ExporterRole", "s3:ListBucket", "ExportsBucket"): "what a worker that died has left",
    ("OAuthRole", "dynamodb:GetItem", "IntegrationsTable"): "the hub token of whoever began, unless it is the owner's",
    ("OperationsRole", "dynamodb:GetItem", "IntegrationsTable"): "hub tokens by their id",
    ("OperationsRole", "dynamodb:Query", "IntegrationsTable"): "lists of tokens, incidents and what was done",
    ("PipelinesRole", "dynamodb:Query", "PipelinesTable"): "pipelines of one project",
    ("PipelinesRole", "secretsmanager:GetSecretValue", "MasterKeySecret"): "cursors are sealed with it",
    ("SyncAccountsRole", "s3:DeleteObject", "ExportsBucket"): "objects of integrations that were removed",
    ("SyncAccountsRole", "s3:GetObject", "ExportsBucket"): "files that are too large for an answer",
    ("AccessRole", "sqs:SendMessage", "SyncAccountsQueue"): "files that are too large for an answer",
    ("AccessRole", "dynamodb:PutItem", "AccessTable"): "files that are too large for an answer",
    ("AccessRole", "s3:GetObject", "ExportsBucket"): "files that are too large for an answer",
    ("OperationsRole", "dynamodb:Query", "PipelinesTable"): "figures of days, where Prometheus asks for them",
    ("ProvisionerRole", "dynamodb:GetItem", "AccessTable"): "a token or key that was revoked is looked up",
    ("ProvisionerRole", "dynamodb:PutItem", "AccessTable"): "a token or key that was revoked is noted as such",
    ("ProvisionerRole", "dynamodb:Query", "AccessTable"): "tokens and keys of whoever leaves",
    ("ProvisionerRole", "dynamodb:PutItem", "IntegrationsTable"): RENEWAL,
    ("ProvisioningRole", "dynamodb:PutItem", "IntegrationsTable"): RENEWAL,
    (
        "ProvisioningRole",
        "dynamodb:GetItem",
        "AccessTable",
    ): "accounts and resources that rows name by their ids",
    ("ProvisioningRole", "dynamodb:GetItem", "IntegrationsTable"): "how the last access sync ended",
    ("ProvisioningRole", "secretsmanager:GetSecretValue", "MasterKeySecret"): "cursors are sealed with it",
    ("SyncAccountsRole", "s3:PutObject", "ExportsBucket"): "files that are too large for an answer",
    ("SyncAccountsRole", "dynamodb:GetItem", "DeliveriesTable"): "purges of large integrations",
    ("SyncAccountsRole", "dynamodb:Query", "AccessTable/index/by_account"): "accounts that are gone",
    ("SyncAccountsRole", "dynamodb:Query", "IntegrationsTable"): "exports of integrations that were removed",
    ("SyncAccountsRole", "sqs:SendMessage", "SyncAccountsQueue"): "its tick starts what is due; here nothing is",
    ("SyncAccountsRole", "sqs:SendMessage", "SyncPipelinesQueue"): "removals that were cut short",
    ("SyncPipelinesRole", "sqs:SendMessage", "SyncPipelinesQueue"): "its tick starts what is due; here nothing is",
    ("WebhooksRole", "dynamodb:Query", "DeliveriesTable"): "hooks of a project, for calls without a hook's id",
}
"""Ways that few tests of this folder go, or none: the suites of the rooms go them over tables in memory."""

ROUNDS = "CaretakerRole"
"""What the caretaker does in its rounds is tested in its rooms; here it ticks where hardly anything is due."""


def named(call: AwsCall, resources: Mapping[str, str]) -> AwsCall:
    """A call with its resource by the template's name for it."""
    logical = {physical.rpartition("/")[2].rpartition(":")[2]: name for name, physical in resources.items()}
    base, slash, index = call.resource.partition("/index/")
    service = call.action.partition(":")[0]
    if service == "secretsmanager" and "/integration/" in call.resource:
        return replace(call, resource=SECRETS)
    if base in logical:
        return replace(call, resource=logical[base] + slash + index)
    return replace(call, resource=OF_TARGETS.get(call.action, OF_TARGETS.get(service, call.resource)))


def unused(granted: frozenset[Grant], calls: Iterable[AwsCall]) -> set[Grant]:
    """The grants that no call needed."""
    return set(granted) - {grant for call in calls for grant in used(call, granted)}


def is_misdirected(call: AwsCall) -> bool:
    """Whether a test has pointed the receiver at a queue that is not there, to see what it says then."""
    return (call.function, call.action, call.resource) == ("WebhooksFunction", "sqs:SendMessage", OF_TARGETS["sqs"])


def explained(grant: Grant) -> bool:
    """Whether it is known why nobody used a grant."""
    if grant.role == ROUNDS or (grant.role, grant.action, grant.resource) in SELDOM:
        return True
    return grant.action.startswith(OF_AWS) or bool({grant.resource, grant.action.partition(":")[2]} & UNUSED.keys())


def _head(key: str) -> str:
    return key.partition("#")[0]


@pytest.fixture(scope="module")
def calls(deployed: Deployed, hub: Hub, one: str) -> frozenset[AwsCall]:
    return frozenset(named(call, hub.stack.resources) for call in deployed.recorder.calls)


def test_no_function_was_loaded_before_somebody_listened(calls: frozenset[AwsCall]) -> None:
    asked = {call.function for call in calls if any("_warm_up" in key for key in call.keys)}
    # These look at what is due, whatever they are called with.
    assert asked >= MESSAGES.keys() - {"ProvisionerFunction", "ExporterFunction"}


def test_every_call_is_one_that_the_role_allows(calls: frozenset[AwsCall]) -> None:
    granted = grants()
    assert {call.function for call in calls} > {"AuthorizerFunction", "SyncAccountsFunction", "SyncPipelinesFunction"}
    refused = [call for call in calls if not used(call, granted) and not is_misdirected(call)]
    told = {f"{one.function} {one.action} {one.resource} {[_head(key) for key in one.keys]}" for one in refused}
    assert "\n".join(sorted(told)) == ""


def test_what_is_granted_is_used_or_explained(calls: frozenset[AwsCall], request: pytest.FixtureRequest) -> None:
    collected = {item.path.name for item in request.session.items}
    if not {path.name for path in Path(__file__).parent.glob("test_*.py")} <= collected:
        pytest.skip("only all tests of this folder together use all that is granted")
    assert sorted(grant for grant in unused(grants(), calls) if not explained(grant)) == []
