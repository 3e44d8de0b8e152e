"""What the bundle keeps in AWS, read behind the API's back."""

import json
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from boto3.dynamodb.types import Binary, TypeDeserializer

from local.stack import Stack

DEAD_LETTERS = {
    "SyncAccountsQueue": "SyncAccountsDeadLetters",
    "SyncPipelinesQueue": "SyncPipelinesDeadLetters",
    "DeliveriesQueue": "DeliveriesDeadLetters",
    "BuildsQueue": "BuildsDeadLetters",
}
PASSING = ("AUDIT#", "IDEMPOTENCY#", "OAUTH_STATE#", "OAUTH_TICKET#", "DUE#unfinished")
"""What outlives an integration for a time: the log of what was done, stored answers, authorizations under way, and
the id in the list of what the sweep comes back to."""
ZLIB_OR_GZIP = zlib.MAX_WBITS | 32
EVENTS = Path(__file__).parents[2] / "events"

_plain = TypeDeserializer()


def items(stack: Stack) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every item of every table, with the table's name; packed attributes are unpacked."""
    client = stack.client("dynamodb")
    for table in client.list_tables()["TableNames"]:
        for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                yield table, {name: _unpacked(_plain.deserialize(value)) for name, value in item.items()}


def secrets(stack: Stack) -> dict[str, str]:
    """Every secret by its name."""
    client = stack.client("secretsmanager")
    pages = client.get_paginator("list_secrets").paginate()
    names = [secret["Name"] for page in pages for secret in page["SecretList"] if "DeletedDate" not in secret]
    return {name: client.get_secret_value(SecretId=name)["SecretString"] for name in names}


def messages(stack: Stack) -> Iterator[str]:
    """Every message that waits in a queue, dead letters included; they stay where they are."""
    client = stack.client("sqs")
    for url in client.list_queues().get("QueueUrls", []):
        answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        yield from (message["Body"] for message in answer.get("Messages", []))


def send(stack: Stack, queue: str, body: str) -> None:
    """Put a message into a queue of the stack; nothing keeps it from being put there again."""
    url = stack.resources[queue]
    order = {"MessageGroupId": uuid4().hex, "MessageDeduplicationId": uuid4().hex} if url.endswith(".fifo") else {}
    stack.client("sqs").send_message(QueueUrl=url, MessageBody=body, **order)


def waiting(stack: Stack, queue: str) -> int:
    """How many messages wait in a queue of the stack, or are being worked on."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    asked = stack.client("sqs").get_queue_attributes(QueueUrl=stack.resources[queue], AttributeNames=names)
    return sum(int(asked["Attributes"][name]) for name in names)


def dead_letters(stack: Stack, queue: str, *, keep: bool = True) -> list[str]:
    """What has ended in the dead-letter queue of a queue; it stays there unless it is not to be kept."""
    client, url = stack.client("sqs"), stack.resources[DEAD_LETTERS[queue]]
    found: list[str] = []
    while letters := client.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0 if keep else 30
    ).get("Messages", []):
        found += [letter["Body"] for letter in letters]
        if keep:
            break
        for letter in letters:
            client.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
    return found


def log_lines(stack: Stack) -> Iterator[str]:
    """Every line in CloudWatch Logs."""
    client = stack.client("logs")
    for group in client.describe_log_groups()["logGroups"]:
        for page in client.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            yield from (event["message"] for event in page["events"])


def invoke(stack: Stack, function: str, event: dict[str, Any]) -> Any:
    """Give a function an event past the gateway."""
    name = stack.resources[function]
    answer = stack.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    return json.load(answer["Payload"])


def hurry(stack: Stack, build_id: str) -> None:
    """Let what the hub would do about a build in a minute or more be due, and have it done as the schedule would."""
    key, due = {"pk": {"S": f"BUILD#{build_id}"}, "sk": {"S": "BUILD"}}, int(time.time()) - 1
    stack.client("dynamodb").update_item(
        TableName=stack.resources["DeliveriesTable"],
        Key=key,
        UpdateExpression="SET report_after = :zero, due_at = :due, pending_sk = :moment",
        ConditionExpression="attribute_exists(pending_pk)",
        ExpressionAttributeValues={
            ":zero": {"N": "0"}, ":due": {"N": str(due)}, ":moment": {"S": f"{due * 1000:013}#{build_id}"},
        },
    )  # fmt: skip
    invoke(stack, "BuilderFunction", tick("builder"))


@contextmanager
def soon_again(stack: Stack, queue: str) -> Iterator[None]:
    """Let failed messages of a queue come back after a moment, not after minutes."""
    client, url = stack.client("sqs"), stack.resources[queue]
    asked = client.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    before = asked["Attributes"]["VisibilityTimeout"]
    client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    try:
        yield
    finally:
        client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": before})


def tick(function: str) -> dict[str, Any]:
    """What the schedule sends to a function."""
    event: dict[str, Any] = json.loads((EVENTS / function / "tick.json").read_text())
    return event


def traces_of(stack: Stack, integration_id: str) -> list[str]:
    """Where something of an integration is still kept, but for what docs/operations.md says of a removal.

    Its hooks, deliveries, triggers and builds have its id within their own, and rows that lead to them name those.
    """
    unique = integration_id.partition("_")[2]
    rows = [
        f"{table} {item['pk']} {item['sk']}"
        for table, item in items(stack)
        if not item["pk"].startswith(PASSING) and unique in repr(item)
    ]
    kept = [row for row in rows if f" INTEGRATIONS {integration_id}" not in row]
    listed = stack.client("s3").list_objects_v2(Bucket=stack.resources["ExportsBucket"]).get("Contents", [])
    names = [*secrets(stack), *(one["Key"] for one in listed)]
    return kept + [name for name in names if integration_id in name]


def _unpacked(value: Any) -> Any:
    if not isinstance(value, Binary):
        return value
    try:
        return zlib.decompress(_bytes(value), ZLIB_OR_GZIP).decode()
    except zlib.error:
        return _bytes(value)


def _bytes(value: Binary) -> bytes:
    return bytes(value.__dict__["value"])  # The stubs give it no accessor.
