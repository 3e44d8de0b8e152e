"""What each function may do (acceptance case E8)."""

import json
import re

import pytest

from tests.fakes.aws_calls import AwsCall
from tests.unit.template.rights import OBJECTS, WRITES, Grant, allowed, grants, used
from tests.unit.template.transformed import ROOT, functions, listed, resources, statements, transformed

_WITHOUT_RESOURCES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
GRANTED = grants()
BEGIN_AND_END = ("CreateSecret", "DeleteSecret")
OF_LAMBDA = {"ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"}
"""What Lambda itself does with a queue, in the name of the function's role."""
_SECRETS = "secret:gitlab-hub/${AWS::StackName}/integration/*"


def test_every_function_has_a_role_of_its_own() -> None:
    roles = [function["Role"]["Fn::GetAtt"][0] for function in functions().values()]
    assert len(roles) == len(set(roles))
    assert set(roles) <= set(resources("AWS::IAM::Role"))


def test_no_statement_allows_every_action_of_a_service() -> None:
    broad = [
        (role, action) for role, statement in statements() for action in listed(statement["Action"]) if "*" in action
    ]
    assert broad == []


def test_only_actions_without_resources_are_allowed_on_everything() -> None:
    for role, statement in statements():
        if "*" in listed(statement["Resource"]):
            assert set(listed(statement["Action"])) <= _WITHOUT_RESOURCES, role


def test_wildcards_stand_only_for_secrets_and_objects_of_integrations() -> None:
    patterns = {
        text
        for _, statement in statements()
        for resource in listed(statement["Resource"])
        if resource != "*" and "*" in (text := json.dumps(resource))
    }
    objects = {f'{{"Fn::Sub": "${{ExportsBucket.Arn}}/{one}"}}' for one in OBJECTS}
    assert all(text.endswith(f'{_SECRETS}"}}') for text in patterns - objects)
    assert len(patterns - objects) == 1


def test_no_role_has_a_managed_policy_but_for_a_vpc() -> None:
    for name, role in resources("AWS::IAM::Role").items():
        managed = role.get("ManagedPolicyArns", [])
        wanted = "ConsoleIsInVpc" if name == "ConsoleRole" else "HasVpc"
        assert managed == [] or managed["Fn::If"][0] == wanted, name


@pytest.mark.parametrize("role", ["AuthorizerRole", "PipelinesRole"])
def test_readers_change_nothing(role: str) -> None:
    assert allowed(role, "dynamodb") <= {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
    assert allowed(role, "secretsmanager") == {"secretsmanager:GetSecretValue"}
    assert allowed(role, "sqs") == set()


@pytest.mark.parametrize(
    "role",
    ["AuthorizerRole", "AccessRole", "PipelinesRole", "OperationsRole", "WebhooksRole", "ConsoleRole", "ExporterRole"],
)
def test_functions_that_call_no_gitlab_read_no_gitlab_token(role: str) -> None:
    assert all(_SECRETS not in json.dumps(statement) for name, statement in statements() if name == role)


READS = ("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query")


def who_may(actions: tuple[str, ...], table: str, key: str) -> dict[str, set[str]]:
    """The actions that each function may do on a partition, of those named."""
    found: dict[str, set[str]] = {}
    for function, action in ((function, action) for function in functions() for action in actions):
        if used(AwsCall(function, action, table, (key,)), GRANTED):
            found.setdefault(function, set()).add(action)
    return found


def test_only_operations_may_make_hub_tokens() -> None:
    # Whoever may write the row of a token may make itself an owner.
    assert set(who_may(WRITES, "IntegrationsTable", "TOKENS")) == {"OperationsFunction"}


def test_hub_tokens_are_looked_up_where_somebody_calls_and_listed_by_operations_alone() -> None:
    assert who_may(READS, "IntegrationsTable", "TOKENS") == {
        "AuthorizerFunction": {"dynamodb:GetItem"},
        "ConsoleFunction": {"dynamodb:GetItem"},  # a session is worth what its token is worth
        "OAuthFunction": {"dynamodb:GetItem"},  # whoever began an authorization must still be allowed to end it
        "OperationsFunction": {"dynamodb:GetItem", "dynamodb:Query"},
        "ProvisioningFunction": {"dynamodb:GetItem"},  # whose request or approval counts must still be allowed to
    }


def test_the_authorizer_sees_hub_tokens_and_no_other_row() -> None:
    rows = {grant for grant in GRANTED if grant.role == "AuthorizerRole" and grant.action.startswith("dynamodb:")}
    assert rows == {Grant("AuthorizerRole", "dynamodb:GetItem", "IntegrationsTable", ("TOKENS",))}


@pytest.mark.parametrize(
    ("key", "writers"),
    [
        ("OAUTH_STATE#x", {"OAuthFunction"}),
        ("JOURNAL#x", {"IntegrationsFunction", "SyncAccountsFunction", "SyncPipelinesFunction"}),
        ("IDENTITY#x", {"IntegrationsFunction", "OAuthFunction", "SyncAccountsFunction", "SyncPipelinesFunction"}),
    ],
)
def test_partitions_of_one_concern_are_written_by_those_who_have_it(key: str, writers: set[str]) -> None:
    assert set(who_may(WRITES, "IntegrationsTable", key)) == writers


def test_whoever_renews_a_token_may_list_it_with_its_user() -> None:
    # One transaction writes the integration, the credential and the line in the list of its GitLab user.
    writers = who_may(WRITES, "IntegrationsTable", "INTEGRATIONS")
    assert who_may(WRITES, "IntegrationsTable", "IDENTITY#USER#x") == writers


def test_tables_that_several_functions_share_are_granted_by_partition() -> None:
    # dynamodb:LeadingKeys (DynamoDB, "Using IAM policy conditions for fine-grained access control").
    for grant in GRANTED:
        shared = grant.resource.partition("/")[0] in {"IntegrationsTable", "DeliveriesTable"}
        assert grant.keys or not shared, grant
        assert "*" not in grant.keys, grant


def test_an_index_is_only_ever_queried() -> None:
    # DynamoDB has no other operation of ours on an index (Service Authorization Reference: Query and Scan).
    actions = {grant.action for grant in GRANTED if "/index/" in grant.resource}
    assert actions == {"dynamodb:Query"}


def test_a_table_with_an_owner_is_whole_to_its_owner_and_readers_alone() -> None:
    whole = {
        (grant.role, grant.resource.partition("/")[0])
        for grant in GRANTED
        if grant.action.startswith("dynamodb:") and not grant.keys
    }
    assert whole == {
        ("SyncAccountsRole", "AccessTable"),
        ("AccessRole", "AccessTable"),
        ("SyncPipelinesRole", "PipelinesTable"),
        ("PipelinesRole", "PipelinesTable"),
        ("ExporterRole", "AccessTable"),
        ("ExporterRole", "PipelinesTable"),
    }


@pytest.mark.parametrize("service", ["dynamodb", "sqs", "secretsmanager"])
def test_nothing_is_granted_that_no_code_can_call(service: str) -> None:
    code = (ROOT / f"layers/hub/python/gitlab_hub/storage/{service}.py").read_text()
    callable_ = {name.title().replace("_", "") for name in re.findall(r"client\(\)\.(\w+)\(", code)}
    if "TransactWriteItems" in callable_:
        callable_ |= {"PutItem", "DeleteItem", "ConditionCheckItem"}  # what the port's transactions are made of
    named = {grant.action.partition(":")[2] for grant in GRANTED if grant.action.startswith(f"{service}:")}
    assert named <= callable_ | OF_LAMBDA
    assert callable_ - {"TransactWriteItems"} <= named


def test_secrets_begin_and_end_where_integrations_do() -> None:
    may = {
        action: {grant.role for grant in GRANTED if grant.action == f"secretsmanager:{action}"}
        for action in BEGIN_AND_END
    }
    assert may["CreateSecret"] == {"IntegrationsRole"}
    assert may["DeleteSecret"] == {"IntegrationsRole", "SyncAccountsRole"}  # it finishes removals that were cut short


def test_whoever_answers_about_access_writes_reviews_and_nothing_that_comes_from_gitlab() -> None:
    writes = {grant for grant in GRANTED if grant.role == "AccessRole" and grant.action in WRITES}
    assert {(grant.action.partition(":")[2], grant.resource, grant.keys) for grant in writes} == {
        ("PutItem", "AccessTable", ("*#reviews", "*#review_items")),
        ("BatchWriteItem", "AccessTable", ("*#reviews", "*#review_items")),
        ("PutItem", "AccessTable", ("*#files",)),
        ("PutItem", "IntegrationsTable", ("EXPORTS#*",)),
        ("PutItem", "IntegrationsTable", ("DUE#exports",)),
        ("PutItem", "IntegrationsTable", ("AUDIT#*",)),
        ("PutItem", "IntegrationsTable", ("IDEMPOTENCY#*",)),
        ("DeleteItem", "IntegrationsTable", ("IDEMPOTENCY#*",)),
    }
    for collection in ("accounts", "groups", "projects", "grants#07", "invitations#07", "outside_grants", "snapshots"):
        assert "AccessFunction" not in who_may(WRITES, "AccessTable", f"int_1#{collection}")
    assert allowed("AccessRole", "secretsmanager") == {"secretsmanager:GetSecretValue"}
    assert allowed("AccessRole", "sqs") == {"sqs:SendMessage"}  # to have files made that are too large for an answer


def test_whoever_takes_webhooks_in_sees_only_what_that_needs() -> None:
    tables = [s for name, s in statements() if name == "WebhooksRole" and "dynamodb" in repr(s["Action"])]
    keys = {tuple(s["Action"]): s["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] for s in tables}
    assert keys == {
        ("dynamodb:GetItem",): ["INTEGRATIONS"],
        # Whoever gets this open function to do what it should not still changes no hook, trigger or build.
        ("dynamodb:PutItem",): ["DELIVERY#*"],
        ("dynamodb:GetItem", "dynamodb:Query"): ["INTEGRATION#*", "DELIVERY#*", "FINGERPRINT#*", "PROJECTHOOK#*"],
    }
    assert allowed("WebhooksRole", "dynamodb") == {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"}
    assert allowed("WebhooksRole", "sqs") == {"sqs:SendMessage"}


def test_whoever_shows_pages_keeps_sessions_and_asks_the_api_for_all_else() -> None:
    rows = {(one.action, one.resource, one.keys) for one in GRANTED if one.role == "ConsoleRole" and one.keys}
    assert {(action.partition(":")[2], keys) for action, table, keys in rows if table == "IntegrationsTable"} == {
        ("GetItem", ("CONSOLE_SESSION#*",)),
        ("PutItem", ("CONSOLE_SESSION#*",)),
        ("DeleteItem", ("CONSOLE_SESSION#*",)),
        ("GetItem", ("CONSOLE_LINK#*",)),
        ("PutItem", ("CONSOLE_LINK#*",)),
        ("GetItem", ("TOKENS",)),
        ("PutItem", ("AUDIT#*",)),
    }
    assert {table for _, table, _ in rows} == {"IntegrationsTable"}
    asked = {one.resource for one in GRANTED if one.role == "ConsoleRole" and one.action.startswith("lambda:")}
    variables = functions()["ConsoleFunction"]["Environment"]["Variables"]
    assert asked == {value["Ref"] for name, value in variables.items() if name.endswith("_FUNCTION")}
    assert {one.action for one in GRANTED if one.role == "ConsoleRole" and not one.keys} == {
        "secretsmanager:GetSecretValue", "lambda:InvokeFunction", "logs:CreateLogStream", "logs:PutLogEvents",
        "xray:PutTraceSegments", "xray:PutTelemetryRecords",
    }  # fmt: skip


OWN_BUS = {"Fn::GetAtt": ["BuildsBus", "Arn"]}


def test_builds_run_only_where_the_deployer_says() -> None:
    targets = {"codebuild", "states", "events"}
    found = [(role, s) for role, s in statements() if {a.partition(":")[0] for a in listed(s["Action"])} & targets]
    alerts = [s for role, s in found if role == "SyncPipelinesRole"]
    assert [(s["Action"], s["Resource"]) for s in alerts] == [(["events:PutEvents"], [OWN_BUS])]
    assert {role for role, _ in found} == {"BuilderRole", "SyncPipelinesRole"}
    named = [json.dumps(statement["Resource"]) for _, statement in found]
    assert all("Build" in name and "*" not in name for name in named)


@pytest.mark.parametrize(
    ("file", "service"),
    [
        ("builds/targets/codebuild", "codebuild"),
        ("builds/targets/stepfunctions", "states"),
        ("storage/events", "events"),
        ("builds/targets/sqs", "sqs"),
    ],
)
def test_the_builder_may_call_what_its_targets_call(file: str, service: str) -> None:
    code = (ROOT / f"layers/hub/python/gitlab_hub/{file}.py").read_text()
    called = set(re.findall(r"client(?:\(\))?\.(\w+)\(", code))
    assert called
    granted = {action.partition(":")[2].lower() for action in allowed("BuilderRole", service)}
    assert {name.replace("_", "") for name in called} <= granted


def test_no_function_can_list_or_scan() -> None:
    for role, statement in statements():
        for action in listed(statement["Action"]):
            assert not action.startswith(("dynamodb:Scan", "secretsmanager:List", "s3:ListAll")), role


def test_only_the_api_the_scheduler_and_the_queues_may_start_functions() -> None:
    principals = {permission["Principal"] for permission in resources("AWS::Lambda::Permission").values()}
    assert principals == {"apigateway.amazonaws.com"}
    assert all("SourceArn" in permission for permission in resources("AWS::Lambda::Permission").values())


def test_no_function_answers_under_a_url_of_its_own() -> None:
    assert not [name for name, r in transformed()["Resources"].items() if r["Type"] == "AWS::Lambda::Url"]
