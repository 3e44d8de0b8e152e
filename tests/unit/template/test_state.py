"""How tables, queues, secrets and exports are kept (acceptance case E8)."""

import json

import pytest

from gitlab_hub.access.history.model import DAY, KEPT_DAYS, files_prefix
from gitlab_hub.access.history.reader import KEPT_SECONDS
from gitlab_hub.exports.keys import prefix_of
from gitlab_hub.webhooks.deliveries.store import SHOWN
from tests.unit.template.transformed import Resource, leaves, resources, source, transformed

TABLES = resources("AWS::DynamoDB::Table")
QUEUES = resources("AWS::SQS::Queue")
INDEXES = {
    "IntegrationsTable": [],
    "AccessTable": ["by_account"],
    "PipelinesTable": ["by_change"],
    "DeliveriesTable": ["by_time", "pending"],
}
WORKERS = {
    "SyncAccounts": "SyncAccountsFunction",
    "SyncPipelines": "SyncPipelinesFunction",
    "Deliveries": "DeliveriesFunction",
    "Builds": "BuilderFunction",
}


def test_these_are_the_tables() -> None:
    assert set(TABLES) == set(INDEXES)


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_protected(name: str) -> None:
    table = TABLES[name]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    # False is no plain text: it is a key that AWS owns (AWS::DynamoDB::Table, SSESpecification).
    assert table["SSESpecification"] == {"SSEEnabled": {"Ref": "TablesUseKms"}}
    assert table["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    # What is protected cannot be deleted by a rollback either (DynamoDB, "Using deletion protection").
    assert source()["Parameters"]["DeletionProtection"]["Default"] == "false"


@pytest.mark.parametrize("name", TABLES)
def test_tables_have_the_keys_the_stores_use(name: str) -> None:
    table = TABLES[name]
    assert keys(table) == ["pk", "sk"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    indexes = {index["IndexName"]: keys(index) for index in table.get("GlobalSecondaryIndexes", [])}
    assert indexes == {index: [f"{index}_pk", f"{index}_sk"] for index in INDEXES[name]}


def test_the_log_of_deliveries_is_read_from_an_index_that_has_what_it_shows() -> None:
    by_time, pending = TABLES["DeliveriesTable"]["GlobalSecondaryIndexes"]
    assert by_time["Projection"]["NonKeyAttributes"] == list(SHOWN)
    assert pending["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["delivery_id"]}


@pytest.mark.parametrize("name", TABLES)
def test_an_index_projects_no_more_attributes_than_dynamodb_takes(name: str) -> None:
    for index in TABLES[name].get("GlobalSecondaryIndexes", []):
        # "Array Members: Maximum number of 20 items", says the reference of CreateTable.
        assert len(index["Projection"].get("NonKeyAttributes", [])) <= 20


def keys(schema: Resource) -> list[str]:
    return [key["AttributeName"] for key in schema["KeySchema"]]


def test_what_holds_data_survives_the_stack_once_it_stands() -> None:
    kept = {"AWS::DynamoDB::Table", "AWS::S3::Bucket"}
    for name, resource in transformed()["Resources"].items():
        if resource["Type"] in kept or name == "MasterKeySecret":
            # CloudFormation, "DeletionPolicy attribute": kept, unless the very creation is rolled back.
            assert resource["DeletionPolicy"] == "RetainExceptOnCreate", name
            assert resource["UpdateReplacePolicy"] == "Retain", name


@pytest.mark.parametrize("name", QUEUES)
def test_queues_are_encrypted(name: str) -> None:
    assert QUEUES[name]["SqsManagedSseEnabled"] is True


def test_these_are_the_queues() -> None:
    work = {f"{kind}{part}" for kind in WORKERS for part in ("Queue", "DeadLetters")}
    assert set(QUEUES) == work | {"FailedTicksQueue"}


@pytest.mark.parametrize("kind", WORKERS)
def test_work_that_fails_five_times_is_kept_for_two_weeks(kind: str) -> None:
    queue, dead_letters = QUEUES[f"{kind}Queue"], QUEUES[f"{kind}DeadLetters"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": [f"{kind}DeadLetters", "Arn"]}
    assert queue.get("FifoQueue") == dead_letters.get("FifoQueue")
    assert dead_letters["MessageRetentionPeriod"] == 14 * 24 * 3600


@pytest.mark.parametrize("kind", WORKERS)
def test_a_message_stays_hidden_while_its_worker_may_still_run(kind: str) -> None:
    function = resources("AWS::Lambda::Function")[WORKERS[kind]]
    # A step of a build is worth repeating soon, and harmless to repeat.
    times = 3 if kind == "Builds" else 6
    assert QUEUES[f"{kind}Queue"]["VisibilityTimeout"] >= times * function["Timeout"]


def test_changes_of_builds_come_in_order_behind_one_another() -> None:
    # EventBridge, "SqsParameters": a FIFO target needs a group and content-based deduplication.
    assert QUEUES["BuildsQueue"]["ContentBasedDeduplication"] is True
    for name, rule in resources("AWS::Events::Rule").items():
        (target,) = rule["Targets"]
        assert target["Arn"] == {"Fn::GetAtt": ["BuildsQueue", "Arn"]}, name
        assert target["SqsParameters"] == {"MessageGroupId": "changes"}, name


@pytest.mark.parametrize("kind", ["Deliveries", "Builds"])
def test_what_must_stay_in_order_is_kept_apart_by_group(kind: str) -> None:
    queue = QUEUES[f"{kind}Queue"]
    assert queue["FifoQueue"] is True
    # A group that is stuck holds up no other, and a message id counts within its group.
    assert (queue["FifoThroughputLimit"], queue["DeduplicationScope"]) == ("perMessageGroupId", "messageGroup")


def test_queues_and_exports_refuse_plain_http() -> None:
    policies = {**resources("AWS::SQS::QueuePolicy"), **resources("AWS::S3::BucketPolicy")}
    assert len(policies) == 2
    for name, policy in policies.items():
        statement, *others = policy["PolicyDocument"]["Statement"]
        assert all("Condition" in other for other in others)
        assert (statement["Effect"], statement["Principal"]) == ("Deny", "*"), name
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}, name
    (queues,) = resources("AWS::SQS::QueuePolicy").values()
    assert [queue["Ref"] for queue in queues["Queues"]] == list(QUEUES)


def test_exports_are_private_encrypted_and_end() -> None:
    (bucket,) = resources("AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    snapshots, files, exports = bucket["LifecycleConfiguration"]["Rules"]
    # The row of a snapshot ends with its 400th day; S3 removes in the night behind the day that it counts to.
    assert "Prefix" not in snapshots
    assert snapshots["ExpirationInDays"] == KEPT_DAYS + 1
    assert snapshots["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert (files["Prefix"], files["ExpirationInDays"] * DAY > KEPT_SECONDS) == (files_prefix("")[:-1], True)
    assert (exports["Prefix"], exports["ExpirationInDays"]) == ("exports/", {"Ref": "ExportRetentionDays"})
    assert prefix_of("int_1").startswith(exports["Prefix"])


def test_secrets_are_generated_and_never_written_down() -> None:
    for name, secret in resources("AWS::SecretsManager::Secret").items():
        assert "SecretString" not in secret, name
        assert secret["GenerateSecretString"]["PasswordLength"] >= 48, name


def test_no_secret_value_is_resolved_into_the_template() -> None:
    texts = [text for _, text in leaves(transformed()) if isinstance(text, str)]
    assert not [text for text in texts if "{{resolve:" in text]


def test_outputs_name_secrets_and_show_none() -> None:
    for name, output in transformed()["Outputs"].items():
        refers_to_secret = "Secret" in json.dumps(output["Value"])
        assert not refers_to_secret or (name.endswith("SecretName") and set(output["Value"]) == {"Ref"})
