"""`Idempotency-Key`: a call that is made twice has one effect."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from stand_in_gitlab.process import Running
from tests.end_to_end.companies import newcomer, token
from tests.end_to_end.hub_client import Answer, Hub
from tests.end_to_end.stores import secrets


@pytest.fixture
def key() -> str:
    return f"key-{uuid4()}"


def wanted(gitlab: Running) -> dict[str, Any]:
    value = token(gitlab, newcomer(gitlab))
    return {"host_url": gitlab.base, "auth_mode": "personal_token", "access_token": value}


def post(hub: Hub, path: str, body: Any, key: str, **more: Any) -> Answer:
    return hub.call("POST", path, body, Idempotency_Key=key, **more)


START = "/v1/integrations/gitlab/start"


def test_a_start_that_is_repeated_gives_the_first_answer(hub: Hub, lively: Running, key: str) -> None:
    body = wanted(lively)
    first = post(hub, START, body, key)
    before = set(secrets(hub.stack))
    again = post(hub, START, body, key)
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert set(secrets(hub.stack)) == before
    assert post(hub, START, {**body, "display_name": "x"}, key).refusal == (422, "idempotency_mismatch")
    assert post(hub, START, body, f"{key}-2").refusal == (409, "duplicate_integration")


def test_a_refusal_that_is_repeated_is_the_same(hub: Hub, lively: Running, key: str) -> None:
    body = {**wanted(lively), "access_token": "nonsense"}
    assert post(hub, START, body, key).refusal == post(hub, START, body, key).refusal == (400, "invalid_credentials")


def test_what_may_pass_is_tried_again(hub: Hub, lively: Running, key: str) -> None:
    body = wanted(lively)
    lively.fault("rate_limited", times=0, retry_after=60)
    assert post(hub, START, body, key).refusal == (503, "rate_limited")
    lively.control("DELETE", "faults")
    assert post(hub, START, body, key).status == 201


def test_two_starts_at_once_connect_once(hub: Hub, lively: Running, key: str) -> None:
    body = wanted(lively)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: post(hub, START, body, key), range(2)))
    made = [answer for answer in answers if answer.status == 201]
    assert {answer.refusal for answer in answers if answer.status != 201} <= {(409, "in_progress")}
    assert len({answer.body["integration"]["id"] for answer in made}) == 1
    assert post(hub, START, body, key).body == made[0].body


def test_a_sync_that_is_repeated_is_the_same_sync(hub: Hub, lively: Running, key: str) -> None:
    one = hub.connect(lively.base, wanted(lively)["access_token"])
    first = post(hub, f"{one}/sync", {}, key)
    again = post(hub, f"{one}/sync", {}, key)
    assert (first.status, again.status, again.body) == (202, 202, first.body)
    assert post(hub, f"{one}/sync", {"full": True}, key).refusal == (422, "idempotency_mismatch")
    hub.rested(one, first.body["sync_id"], "access", "pipelines")
    assert post(hub, f"{one}/sync", {}, key).body == first.body


def test_a_token_that_is_made_twice_is_one_token(hub: Hub, key: str) -> None:
    first, again = (post(hub, "/v1/tokens", {"role": "viewer"}, key) for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert again.body["token"] == first.body["token"]
    assert [row["id"] for row in hub.rows("/v1/tokens")].count(first.body["id"]) == 1
    assert post(hub, "/v1/tokens", {"role": "owner"}, key).refusal == (422, "idempotency_mismatch")


def test_a_credential_that_is_created_twice_is_one_credential(hub: Hub, lively: Running, key: str) -> None:
    user_id = newcomer(lively)
    one = hub.connect(lively.base, token(lively, user_id))
    path = f"/api/connections/{one.rpartition('/')[2]}/credentials"
    body = {"secrets": {"api_token": token(lively, user_id)}}
    first, again = (post(hub, f"{path}.create", body, key) for _ in range(2))
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert len(hub.get(f"{path}.list")["credentials"]) == 2
    other = post(hub, f"{path}.create", {**body, "label": "x"}, key)
    assert (other.status, other.body["error_detail"]) == (422, "idempotency_mismatch")


def test_a_key_belongs_to_its_caller_and_its_path(hub: Hub, key: str) -> None:
    owners = [hub.call("POST", "/v1/tokens", {"role": "owner"}).body["token"] for _ in range(2)]
    made = [post(hub, "/v1/tokens", {"role": "viewer"}, key, token=owner).body["id"] for owner in owners]
    assert len(set(made)) == 2


@pytest.mark.parametrize("key", ["k" * 256, "a\tb"])
def test_what_is_no_key_is_refused(hub: Hub, key: str) -> None:
    assert post(hub, "/v1/tokens", {"role": "viewer"}, key).refusal == (422, "invalid_input")
