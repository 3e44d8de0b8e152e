"""`sam deploy` of the built bundle to the emulator, skipped when it holds the same already."""

import hashlib
import json
from pathlib import Path

from local.build import Build, Target
from local.options import Options
from local.stack import Stack
from local.tools import environment, find, run

_BUCKET = "gitlab-hub-artifacts"
_TARGETS = {
    "BuildBusArns": "arn:aws:events:*:*:event-bus/*",
    "BuildProjectArns": "arn:aws:codebuild:*:*:project/*",
    "BuildStateMachineArns": "arn:aws:states:*:*:stateMachine:*",
    "BuildExecutionArns": "arn:aws:states:*:*:execution:*",
    "BuildQueueArns": "arn:aws:sqs:*:*:*",
}
_CONCURRENCY = ("SyncAccountsConcurrency", "SyncPipelinesConcurrency", "DeliveriesConcurrency", "BuildsConcurrency")


def parameters(options: Options, target: Target, endpoint: str) -> dict[str, str]:
    """The template's parameters on this machine."""
    return {
        "PythonRuntime": target.runtime,
        "Architecture": target.architecture,
        "AwsEndpointUrl": endpoint,
        "PublicUrl": f"http://127.0.0.1:{options.port}",
        "DeletionProtection": "false",
        "LogLevel": options.log_level,
        "RunnerPrices": options.runner_prices,
        "AllowLoopback": _flag(options.allow_loopback),
        "AllowInsecureHttp": _flag(options.allow_http),
        "AllowedPrivateCidrs": ",".join(options.allow_private),
        # What may be called on this machine may be told of builds too, and a browser may come back to it.
        "BuildTargetHosts": "127.0.0.1,localhost" if options.allow_loopback else "",
        # Of the emulator, too: it is on this machine alone.
        **_TARGETS,
        "AllowedReturnUrls": "http://127.0.0.1,http://localhost" if options.allow_loopback else "",
        "AllowedPorts": ",".join(str(port) for port in options.allow_ports),
        "SchedulesState": "ENABLED" if options.schedules else "DISABLED",
        **dict.fromkeys(_CONCURRENCY, "4"),  # a laptop's processors, not Lambda's
    }


def fingerprint(build: Build, values: dict[str, str]) -> str:
    """What makes one deployment differ from another."""
    return hashlib.sha256(f"{build.fingerprint} {json.dumps(values, sort_keys=True)}".encode()).hexdigest()


def deploy(build: Build, values: dict[str, str], stack: Stack, endpoint: str, home: Path) -> None:
    """Deploy; a stack left over from a deployment that never succeeded is removed first."""
    if stack.exists() and not _is_settled(stack):
        stack.delete()
    stack.client("s3").create_bucket(Bucket=_BUCKET)
    arguments = [find("sam"), "deploy", "--template-file", str(build.template), "--stack-name", stack.name]
    arguments += ["--s3-bucket", _BUCKET, "--capabilities", "CAPABILITY_IAM", "--region", "us-east-1"]
    arguments += ["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"]
    arguments += ["--parameter-overrides", *(f"{name}={value}" for name, value in values.items() if value)]
    env = environment(AWS_ENDPOINT_URL=endpoint, SAM_CLI_POLL_DELAY="0.2")
    run(arguments, env=env, log=home / "deploy.log", cwd=build.template.parent)


def _is_settled(stack: Stack) -> bool:
    status = stack.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"][0]["StackStatus"]
    return status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}


def _flag(value: bool) -> str:  # noqa: FBT001 - turns one into text
    return "true" if value else "false"
