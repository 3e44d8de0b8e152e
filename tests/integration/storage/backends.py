"""The same stores three times: in memory, in process (moto), and over HTTP (an emulator as a child process)."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import boto3
from botocore.config import Config

from gitlab_hub.storage.aws import Backoff
from gitlab_hub.storage.dynamodb import DynamoTable
from gitlab_hub.storage.ports import Depth, Objects, OrderedQueue, Queue, Secrets, Table
from gitlab_hub.storage.s3 import S3Objects, client_config
from gitlab_hub.storage.secretsmanager import SecretsManager
from gitlab_hub.storage.sqs import SqsDepth, SqsOrderedQueue, SqsQueue
from tests.fakes.objects import MemoryObjects
from tests.fakes.queue import MemoryDepth, MemoryOrderedQueue, MemoryQueue
from tests.fakes.secrets import MemorySecrets
from tests.fakes.table import MemoryTable

REGION = "eu-central-1"


@dataclass(frozen=True, slots=True)
class Stores:
    """One empty store of each kind, and a way to see what was sent."""

    name: str
    table: Table
    queue: Queue
    secrets: Secrets
    received: Callable[[], list[str]]
    ordered: OrderedQueue
    received_in_order: Callable[[], list[str]]
    depth: Depth
    objects: Objects


def memory_stores(name: str) -> Stores:
    """Make stores in memory."""
    queue, ordered = MemoryQueue(), MemoryOrderedQueue()
    return Stores(
        "memory",
        MemoryTable(),
        queue,
        MemorySecrets(),
        lambda: [str(sent.body["n"]) for sent in queue.sent],
        ordered,
        lambda: [str(sent.body["n"]) for sent in ordered.sent],
        MemoryDepth(name, queue),
        MemoryObjects(),
    )


def aws_stores(backend: str, name: str, client: Callable[[str], Any]) -> Stores:
    """Make a table, a queue and a name prefix of their own at some AWS."""
    dynamodb, sqs, secrets, s3 = (client(service) for service in ("dynamodb", "sqs", "secretsmanager", "s3"))
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    make_table(dynamodb, name)
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    fifo = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    table = DynamoTable(name, lambda: dynamodb, backoff=Backoff(sleep=lambda _: None))
    return Stores(
        backend,
        table,
        SqsQueue(url, lambda: sqs),
        SecretsManager(f"{name}/", lambda: secrets),
        partial(_received, sqs, url),
        SqsOrderedQueue(fifo, lambda: sqs),
        partial(_received, sqs, fifo),
        SqsDepth(url, lambda: sqs),
        S3Objects(name, lambda: s3),
    )


def make_table(dynamodb: Any, name: str) -> None:
    """Make a table with the hub's keys and one index."""
    keys = ("pk", "sk", "by_change_pk", "by_change_sk")
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=_schema("pk", "sk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_change",
                "KeySchema": _schema("by_change_pk", "by_change_sk"),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def _schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def client(service: str, endpoint: str | None = None, **options: Any) -> Any:
    """Make a client of moto, or of the emulator at an address."""
    make: Callable[..., Any] = boto3.client
    return make(
        service,
        region_name=REGION,
        endpoint_url=endpoint,
        config=client_config("path") if service == "s3" else Config(**options),
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def _received(sqs: Any, url: str) -> list[str]:
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [str(json.loads(message["Body"])["n"]) for message in messages]


@contextmanager
def emulator(folder: Path) -> Iterator[str]:
    """Run the emulator as a child process; gives its address."""
    port = _free_port()
    endpoint = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "SERVICES": "dynamodb,sqs,secretsmanager,s3",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "MINISTACK_REGION": REGION,
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=environment, cwd=folder, stdout=log, stderr=log
        )
        try:
            _wait_for(endpoint, process)
            yield endpoint
        finally:
            process.terminate()
            process.wait(timeout=60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(endpoint: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(URLError), urlopen(f"{endpoint}/_ministack/health", timeout=10):  # noqa: S310 our own child
            return
        time.sleep(0.2)
    raise AssertionError("The emulator did not start.")
