"""Two deployments by `make deploy`'s own command and the real SAM CLI, to the emulator."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator import Emulator
from local.stack import Stack
from local.tools import environment
from tests.integration.storage.backends import _free_port

ROOT = Path(__file__).parents[3]
TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  PythonRuntime: {Type: String, Default: python3.13}
  Architecture: {Type: String, Default: arm64}
  AllowedHosts: {Type: String, Default: "", Description: Which GitLabs}
  SubnetIds: {Type: CommaDelimitedList, Default: ""}
  SecurityGroupIds: {Type: CommaDelimitedList, Default: ""}
  AlarmTopicArn: {Type: String, Default: ""}
  LogLevel: {Type: String, Default: INFO}
  AwsEndpointUrl: {Type: String, Default: ""}
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {Tags: [{Key: hosts, Value: !Sub "hosts ${AllowedHosts}"}]}}
"""
CONFIG = """
version = 0.1
[default.global.parameters]
stack_name = "gitlab-hub"
[default.deploy.parameters]
capabilities = "CAPABILITY_IAM"
resolve_s3 = true
confirm_changeset = false
fail_on_empty_changeset = false
"""
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    emulator = Emulator(tmp_path_factory.mktemp("emulator"), _free_port())
    emulator.start()
    emulator.wait_until_ready()
    yield emulator.endpoint
    emulator.stop()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "samconfig.toml").write_text(CONFIG)
    return folder


def run(project: Path, endpoint: str, command: str, *arguments: str, typed: list[str]) -> None:
    code = "import sys; from pathlib import Path; from local.cloud import main; "
    code += f"sys.exit(main({[command, *arguments]!r}, root=Path({str(project)!r})))"
    env = environment(AWS_ENDPOINT_URL=endpoint, PYTHONPATH=str(ROOT))
    done = subprocess.run(  # noqa: S603 our own interpreter
        [sys.executable, "-c", code],
        input="\n".join([*typed, ""]),
        env=env,
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def deployed(endpoint: str, stack: str) -> dict[str, str]:
    described = Stack(endpoint, stack).client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {one["ParameterKey"]: one["ParameterValue"] for one in described["Parameters"]}


def test_a_second_deployment_with_enter_keeps_what_the_first_was_told(project: Path, endpoint: str) -> None:
    run(project, endpoint, "build", "--runtime", RUNTIME, "--architecture", "x86_64", typed=[])
    # Name, region, hosts, subnets, security groups, alarms; another parameter is set by name.
    typed = ["hub", "us-east-1", "git.acme.example", "subnet-1,subnet-2", "sg-1", "arn:aws:sns:us-east-1:1:alarms"]
    run(project, endpoint, "deploy", "--set", "LogLevel=DEBUG", typed=typed)
    first = deployed(endpoint, "hub")
    assert first["PythonRuntime"] == RUNTIME  # what was built, not what is built by default
    assert (first["Architecture"], first["LogLevel"], first["AllowedHosts"]) == ("x86_64", "DEBUG", "git.acme.example")
    assert (first["SubnetIds"], first["SecurityGroupIds"]) == ("subnet-1,subnet-2", "sg-1")

    run(project, endpoint, "deploy", typed=[""] * 6)
    assert deployed(endpoint, "hub") == first


def test_a_value_can_be_emptied_again(project: Path, endpoint: str) -> None:
    run(project, endpoint, "deploy", typed=["", "", "none"])
    assert deployed(endpoint, "hub")["AllowedHosts"] == ""
