"""What a function asks of AWS, as IAM sees it: read from the requests that the SDK sends."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

SERVICES = {
    "DynamoDB_20120810": "dynamodb",
    "AmazonSQS": "sqs",
    "secretsmanager": "secretsmanager",
    "AWSEvents": "events",
    "CodeBuild_20161006": "codebuild",
    "AWSStepFunctions": "states",
}
_IN_A_TRANSACTION = {
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "Update": "UpdateItem",
    "ConditionCheck": "ConditionCheckItem",
}
_INVOKED = re.compile(r"^/2015-03-31/functions/([^/]+)/invocations$")
_KEY_TERM = re.compile(r"^(#\w+|\w+) = (:\w+)")


@dataclass(frozen=True, slots=True, order=True)
class AwsCall:
    """One permission that a call needs. `resource` is a name; `keys` are the partitions or objects it touches."""

    function: str
    action: str
    resource: str
    keys: tuple[str, ...] = ()


def calls_of(function: str, target: str, body: bytes) -> Iterator[AwsCall]:
    """The permissions that one request of the SDK needs (`target`: its X-Amz-Target).

    Service Authorization Reference: a transaction needs the rights of its parts, a query of an index that of the index;
    `dynamodb:LeadingKeys` are the values of the partition key (for an index: its partition key).
    """
    prefix, _, operation = target.partition(".")
    asked = json.loads(body or b"{}")
    service = SERVICES[prefix]
    if service == "dynamodb":
        yield from (
            AwsCall(function, f"dynamodb:{action}", table, keys) for action, table, keys in _rows(operation, asked)
        )
    else:
        for resource in _resources(service, operation, asked):
            yield AwsCall(function, f"{service}:{operation}", resource)


def object_calls_of(function: str, method: str, path: str, body: bytes) -> Iterator[AwsCall]:
    """The permissions that one request of S3 needs (`path`: /bucket/key?query; a listing touches its prefix).

    Lambda's requests have no target either: starting a function is told by its path (Lambda API, "Invoke").

    Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3": every part of a multipart
    upload needs `s3:PutObject`, and giving it up `s3:AbortMultipartUpload`.
    """
    where = urlsplit(path)
    if invoked := _INVOKED.match(where.path):
        yield AwsCall(function, "lambda:InvokeFunction", unquote(invoked[1]))
        return
    bucket, _, key = unquote(where.path).lstrip("/").partition("/")
    query = parse_qs(where.query, keep_blank_values=True)
    if method == "GET" and not key:
        yield AwsCall(function, "s3:ListBucket", bucket, (query.get("prefix", [""])[0],))
    elif method == "POST" and "delete" in query:
        for name in re.findall(rb"<Key>(.*?)</Key>", body):
            yield AwsCall(function, "s3:DeleteObject", bucket, (name.decode(),))
    elif method == "DELETE":
        yield AwsCall(function, "s3:AbortMultipartUpload" if "uploadId" in query else "s3:DeleteObject", bucket, (key,))
    else:
        yield AwsCall(function, "s3:GetObject" if method == "GET" else "s3:PutObject", bucket, (key,))


def _rows(operation: str, asked: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if operation == "TransactWriteItems":
        for part in asked["TransactItems"]:
            ((kind, how),) = part.items()
            yield _IN_A_TRANSACTION[kind], how["TableName"], (_pk(how),)
    elif operation in {"BatchGetItem", "BatchWriteItem"}:
        for table, wanted in asked["RequestItems"].items():
            rows = wanted["Keys"] if isinstance(wanted, dict) else [next(iter(one.values())) for one in wanted]
            yield operation, table, tuple(sorted({_pk(row) for row in rows}))
    elif operation == "Query":
        index = f"/index/{asked['IndexName']}" if "IndexName" in asked else ""
        term = _KEY_TERM.match(asked["KeyConditionExpression"])
        assert term is not None
        yield operation, asked["TableName"] + index, (asked["ExpressionAttributeValues"][term[2]]["S"],)
    else:
        yield operation, asked["TableName"], (_pk(asked),)


def _pk(how: Mapping[str, Any]) -> str:
    key = how.get("Item") or how.get("Key") or how
    return str(key["pk"]["S"])


def _resources(service: str, operation: str, asked: Mapping[str, Any]) -> Iterator[str]:
    if service == "sqs":
        yield str(asked["QueueUrl"]).rpartition("/")[2]
    elif service == "secretsmanager":
        yield str(asked.get("SecretId") or asked["Name"])
    elif service == "events":
        yield from sorted({str(entry["EventBusName"]) for entry in asked["Entries"]})
    elif service == "states":
        yield str(asked.get("stateMachineArn") or asked["executionArn"])
    else:
        names = [asked.get("projectName") or asked.get("id") or asked.get("ids")]
        yield from (f"{operation} {name}" for name in names)
