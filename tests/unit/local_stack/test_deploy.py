"""How a build gets to the emulator: what is uploaded, what is asked for, and what is said where that fails."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import WaiterError

from local.build import Build
from local.deploy import deploy
from local.problems import Problem
from local.stack import Stack

TEMPLATE = """
Resources:
  Reading:
    Properties:
      CodeUri: Reading
      Layers: [!Ref Hub]
  Hub:
    Properties:
      ContentUri: Hub
"""


class Cloud:
    """A stack of the emulator, and all clients of it at once: objects by bucket and key, one change set."""

    endpoint, name = "http://127.0.0.1:4566", "hub"

    def __init__(self, *, status: str | None = None, fails_at: str | None = None) -> None:
        self._fails_at, self._status = fails_at, status
        self.objects: dict[str, bytes] = {}
        self.change: dict[str, Any] = {}
        self.is_executed = False

    def client(self, _: str) -> "Cloud":
        return self

    def exists(self) -> bool:
        return self._status is not None

    def delete(self) -> None:
        self._status = None

    def create_bucket(self, **_: str) -> None:
        """Make a bucket, or find it made."""

    def upload_file(self, path: str, bucket: str, key: str) -> None:
        self.objects[f"{bucket}/{key}"] = Path(path).read_bytes()

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 - names of AWS
        self.objects[f"{Bucket}/{Key}"] = Body

    def create_change_set(self, **asked: Any) -> None:
        self.change = asked

    def execute_change_set(self, **asked: str) -> None:
        self.is_executed = asked.items() <= self.change.items()

    def get_waiter(self, name: str) -> Any:
        def wait(**_: object) -> None:
            if name == self._fails_at:
                raise WaiterError(name, "it ended otherwise", {})

        return SimpleNamespace(wait=wait)

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        return {"Stacks": [{"StackStatus": self._status}]}

    def describe_change_set(self, **_: str) -> dict[str, str]:
        is_made = self._fails_at != "change_set_create_complete"
        return {"Status": "CREATE_COMPLETE"} if is_made else {"Status": "FAILED", "StatusReason": "no such parameter"}

    def describe_stack_events(self, **_: str) -> dict[str, Any]:
        # The newest comes first, as CloudFormation lists them.
        rest = {"LogicalResourceId": "Table", "ResourceStatus": "CREATE_COMPLETE"}
        failed = {"LogicalResourceId": "Reading", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "no queue"}
        after = {"LogicalResourceId": "Hub", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "cancelled"}
        return {"StackEvents": [after, failed, rest]}


@pytest.fixture
def build(tmp_path: Path) -> Build:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "archives").mkdir()
    for name in ("Reading", "Hub"):
        (tmp_path / "archives" / f"{name}.zip").write_text(f"the files of {name}")
    return Build(tmp_path / "template.yaml", "f" * 64, tmp_path / "archives")


def run(build: Build, cloud: Cloud) -> Cloud:
    deploy(build, {"LogLevel": "INFO", "AllowedHosts": ""}, cast("Stack", cloud))
    return cloud


def test_what_the_template_names_is_there(build: Build) -> None:
    cloud = run(build, Cloud())
    template = cloud.objects[cloud.change["TemplateURL"].removeprefix(f"{cloud.endpoint}/")].decode()
    named = dict(re.findall(r"(CodeUri|ContentUri): s3://(\S+)", template))
    assert {kind: cloud.objects.get(key) for kind, key in named.items()} == {
        "CodeUri": b"the files of Reading",
        "ContentUri": b"the files of Hub",
    }
    assert "Layers: [!Ref Hub]" in template
    assert cloud.change["Parameters"] == [{"ParameterKey": "LogLevel", "ParameterValue": "INFO"}]
    assert cloud.is_executed


@pytest.mark.parametrize(("status", "kind", "stays"), [
    (None, "CREATE", False), ("CREATE_COMPLETE", "UPDATE", True), ("UPDATE_ROLLBACK_COMPLETE", "UPDATE", True),
    ("ROLLBACK_COMPLETE", "CREATE", False), ("REVIEW_IN_PROGRESS", "CREATE", False),
])  # fmt: skip
def test_a_stack_that_was_never_whole_is_removed_first(
    build: Build, status: str | None, kind: str, stays: bool
) -> None:
    cloud = run(build, Cloud(status=status))
    assert (cloud.change["ChangeSetType"], cloud.exists()) == (kind, stays)


@pytest.mark.parametrize(("fails_at", "told", "is_executed"), [
    ("change_set_create_complete", "no such parameter", False),
    ("stack_create_complete", "Reading: no queue$", True),
])  # fmt: skip
def test_what_fails_is_told_in_the_words_of_cloudformation(
    build: Build, fails_at: str, told: str, is_executed: bool
) -> None:
    cloud = Cloud(fails_at=fails_at)
    with pytest.raises(Problem, match=told):
        run(build, cloud)
    assert cloud.is_executed is is_executed
