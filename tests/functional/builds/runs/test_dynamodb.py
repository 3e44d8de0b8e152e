"""A build's whole life over the real table adapter."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from gitlab_hub.builds.runs.model import BuildStatus
from gitlab_hub.storage.aws import Backoff
from gitlab_hub.storage.dynamodb import DynamoTable
from tests.functional.builds.build_aws import raw_client
from tests.functional.builds.builds_hub import INTEGRATION, NEWER, SHA, World, trigger

INDEXES = {"by_time": "KEYS_ONLY", "pending": "KEYS_ONLY"}


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        dynamodb = raw_client("dynamodb")
        names = ["pk", "sk", *(f"{index}_{part}" for index in INDEXES for part in ("pk", "sk"))]
        dynamodb.create_table(
            TableName="deliveries",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            KeySchema=keys("pk", "sk"),
            GlobalSecondaryIndexes=[
                {
                    "IndexName": name,
                    "KeySchema": keys(f"{name}_pk", f"{name}_sk"),
                    "Projection": {"ProjectionType": kind},
                }
                for name, kind in INDEXES.items()
            ],
        )
        made = World()
        table = DynamoTable("deliveries", lambda: dynamodb, backoff=Backoff(sleep=lambda _: None))
        made.use(table, made.queue)
        made.add(trigger(cancel_previous=True))
        yield made


def keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def test_builds_live_on_dynamodb_as_they_do_in_memory(world: World) -> None:
    first = world.push()
    world.work()
    world.now += 1
    second = world.push(NEWER, delivery="dlv_0a1b_2")
    world.queue.take()  # Its messages are lost.
    world.later(61)
    assert world.push() == first
    assert [world.build(build_id).status for build_id in (first, second)] == [BuildStatus.CANCELED, BuildStatus.RUNNING]
    assert world.target.stopped == [first]
    assert world.call("PATCH", f"/v1/builds/{second}", {"status": "success"})[0] == 200
    world.work()
    assert world.wall.shown == {(SHA, "ci/hub"): "canceled", (NEWER, "ci/hub"): "success"}
    status, body = world.call("GET", "/v1/builds", limit=1)
    assert (status, [build["number"] for build in body["builds"]]) == (200, [2])
    status, body = world.call("GET", "/v1/builds", limit=1, cursor=body["next_cursor"])
    assert ([build["id"] for build in body["builds"]], body["next_cursor"]) == ([first], None)
    assert not world.feature.store.any_active(INTEGRATION)
    assert world.feature.store.due(now=int(world.now) + 10_000, limit=10) == []
