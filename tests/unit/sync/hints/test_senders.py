"""Whoever receives webhooks sends hints without what only workers need, and knows no token."""

import json
import subprocess
import sys
from inspect import signature
from pathlib import Path

import gitlab_hub
from gitlab_hub.access.hints import AccessHints
from gitlab_hub.pipelines.hints import PipelineHints
from tests.fakes.queue import MemoryQueue
from tests.fakes.table import MemoryTable

HEAVY = ("httpx", "boto3", "botocore", "pydantic", "aws_lambda_powertools")


def test_senders_load_no_library() -> None:
    code = f"""
import json, sys
sys.path.insert(0, {str(Path(gitlab_hub.__file__).parents[1])!r})
import gitlab_hub.access.hints, gitlab_hub.pipelines.hints
print(json.dumps(sorted(set({HEAVY!r}) & set(sys.modules))))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - our own code
    assert json.loads(done.stdout) == []


def test_senders_are_given_a_table_a_queue_and_a_clock() -> None:
    for sender in (AccessHints, PipelineHints):
        assert list(signature(sender).parameters) == ["table", "queue", "now"]


def test_messages_are_as_agreed() -> None:
    queue, table = MemoryQueue(), MemoryTable()
    PipelineHints(table, queue, lambda: 1.0).pipeline("i1", 7, 70)
    PipelineHints(table, queue, lambda: 1.0).deployments("i1", 8)
    AccessHints(table, queue, lambda: 1.0).project("i1", 7)
    AccessHints(table, queue, lambda: 1.0).group("i1", 7)
    assert queue.bodies == [
        {"schema": 1, "hint": {"integration_id": "i1", "project_id": 7, "pipeline_id": 70}},
        {"schema": 1, "hint": {"integration_id": "i1", "project_id": 8}},
        {"schema": 1, "hint": {"integration_id": "i1", "project_id": 7}},
        {"schema": 1, "hint": {"integration_id": "i1", "group_id": 7}},
    ]


def test_marks_lie_where_the_key_layout_says() -> None:
    queue, table = MemoryQueue(), MemoryTable()
    PipelineHints(table, queue, lambda: 1.0).pipeline("i1", 7, 70)
    PipelineHints(table, queue, lambda: 1.0).deployments("i1", 7)
    AccessHints(table, queue, lambda: 1.0).group("i2", 8)
    assert [(item["pk"], item["sk"]) for item in table.dump()] == [
        ("i1#hints", "000000000007#000000000000"),
        ("i1#hints", "000000000007#000000000070"),
        ("i2#hints", "group#000000000008"),
    ]
