"""The list of writes, and faults around them, as a client on a socket meets both."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from stand_in_gitlab.process import Running


@pytest.fixture
def owner(clean: Running) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {clean.tokens['admin']}"}
    with httpx.Client(base_url=f"{clean.base}/api/v4", headers=headers, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
def group(clean: Running) -> int:
    """A new group."""
    number = len(clean.truth("groups"))
    return int(clean.change("add_group", path=f"written-{number}")["id"])


def last(server: Running) -> int:
    return max((row["seq"] for row in server.writes()), default=0)


def members(server: Running, group: int) -> dict[int, int]:
    return {row["user_id"]: row["access_level"] for row in server.truth("members", source="group", source_id=group)}


def test_writes_are_listed_in_order_without_secrets(clean: Running, owner: httpx.Client, group: int) -> None:
    since = last(clean)
    answers = [
        owner.post(f"/groups/{group}/members", json={"user_id": 2, "access_level": 30}),
        owner.get(f"/groups/{group}/members"),
        owner.post(f"/groups/{group}/hooks", json={"url": "https://hub.test/h", "token": "canary", "name": "n"}),
        owner.delete(f"/groups/{group}/members/2?skip_subresources=true"),
        owner.delete(f"/groups/{group}/members/2"),
    ]
    rows = clean.writes(since)
    path = f"/api/v4/groups/{group}/members"
    assert [(row["method"], row["path"], row["answered"], row["sent"]) for row in rows] == [
        ("POST", path, 201, 201),
        ("POST", f"/api/v4/groups/{group}/hooks", 201, 201),
        ("DELETE", f"{path}/2", 204, 204),
        ("DELETE", f"{path}/2", 404, 404),
    ]
    assert rows[0]["body"] == {"user_id": 2, "access_level": 30}
    assert rows[1]["body"] == {"url": "https://hub.test/h", "token": "[hidden]", "name": "n"}
    assert rows[2]["query"] == {"skip_subresources": "true"}
    assert {(row["user_id"], row["token"]) for row in rows} == {(1, "admin")}
    del answers[1]
    assert [row["request_id"] for row in rows] == [answer.headers["x-request-id"] for answer in answers]
    assert clean.writes(rows[-1]["seq"]) == []


@pytest.mark.parametrize(("kind", "rule", "answered", "sent", "done"), [
    ("status", {"status": 503}, None, 503, False),
    ("html_502", {}, None, 502, False),
    ("status_after", {"status": 500}, 201, 500, True),
    ("html_502_after", {}, 201, 502, True),
    ("reset", {}, 201, 0, True),
])  # fmt: skip
def test_faults_before_and_after_a_write(
    clean: Running,
    owner: httpx.Client,
    group: int,
    kind: str,
    rule: dict[str, Any],
    *,
    answered: int | None,
    sent: int,
    done: bool,
) -> None:
    since = last(clean)
    clean.fault(kind, method="POST PUT DELETE", path=r"/groups/\d+/members", **rule)
    assert owner.get(f"/groups/{group}/members").status_code == 200
    with suppress(httpx.ReadError):
        got = owner.post(f"/groups/{group}/members", json={"user_id": 2, "access_level": 30})
        assert (got.status_code, len(got.headers["x-request-id"])) == (sent, 26)
    assert members(clean, group) == ({2: 30} if done else {})
    [row] = clean.writes(since)
    assert (row["fault"], row["answered"], row["sent"]) == (kind, answered, sent)


def test_a_write_that_outlasts_its_caller_s_patience_is_done(clean: Running, owner: httpx.Client, group: int) -> None:
    clean.fault("slow", method="POST", seconds=2)
    with pytest.raises(httpx.ReadTimeout):
        owner.post(f"/groups/{group}/members", json={"user_id": 2, "access_level": 30}, timeout=0.3)
    assert members(clean, group) == {2: 30}
    assert owner.post(f"/groups/{group}/members", json={"user_id": 2, "access_level": 30}).status_code == 409
