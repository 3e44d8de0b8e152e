"""The built bundle, deployed to the emulator; skipped when that holds the same already."""

import hashlib
import json
import re
import secrets

from botocore.exceptions import WaiterError

from local.build import Build, Target
from local.options import Options
from local.problems import Problem
from local.stack import Stack

_BUCKET = "gitlab-hub-artifacts"
_TARGETS = {
    "BuildBusArns": "arn:aws:events:*:*:event-bus/*",
    "BuildProjectArns": "arn:aws:codebuild:*:*:project/*",
    "BuildStateMachineArns": "arn:aws:states:*:*:stateMachine:*",
    "BuildExecutionArns": "arn:aws:states:*:*:execution:*",
    "BuildQueueArns": "arn:aws:sqs:*:*:*",
}
_FOLDER = re.compile(r"^( +(?:Code|Content)Uri: )(\w+)$", re.MULTILINE)
"""Where `sam build` wrote which folder holds a function's code or a layer's content."""
_WAITING = {"Delay": 0.2, "MaxAttempts": 600}
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
        "ConsoleGitLabUrl": options.console_gitlab,
        "ConsoleClientId": options.console_client_id,
        "ConsoleRoles": options.console_roles,
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


def deploy(build: Build, values: dict[str, str], stack: Stack) -> None:
    """Deploy; a stack left over from a deployment that never succeeded is removed first.

    This is what `sam deploy` does with a build, without packing 90 MB anew for each deployment.
    """
    if stack.exists() and not _is_settled(stack):
        stack.delete()
    kind = "UPDATE" if stack.exists() else "CREATE"
    name = f"local-{build.fingerprint[:16]}-{secrets.token_hex(4)}"
    change = {"StackName": stack.name, "ChangeSetName": name}
    cloudformation = stack.client("cloudformation")
    cloudformation.create_change_set(
        **change,
        ChangeSetType=kind,
        TemplateURL=_uploaded(build, stack),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in values.items() if value],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(**change, WaiterConfig=_WAITING)
        cloudformation.execute_change_set(**change)
        cloudformation.get_waiter(f"stack_{kind.lower()}_complete").wait(StackName=stack.name, WaiterConfig=_WAITING)
    except WaiterError as error:
        raise Problem(f"the emulator does not deploy the stack: {_why(stack, change) or error}") from error


def _uploaded(build: Build, stack: Stack) -> str:
    """Upload the functions and layers, and a template that names them; the template's address."""
    s3 = stack.client("s3")
    s3.create_bucket(Bucket=_BUCKET)
    for archive in build.archives.iterdir():
        s3.upload_file(str(archive), _BUCKET, _key(build, archive.name))
    template = _FOLDER.sub(
        lambda found: f"{found[1]}s3://{_BUCKET}/{_key(build, found[2] + '.zip')}", build.template.read_text()
    )
    s3.put_object(Bucket=_BUCKET, Key=_key(build, "template.yaml"), Body=template.encode())
    return f"{stack.endpoint}/{_BUCKET}/{_key(build, 'template.yaml')}"


def _key(build: Build, name: str) -> str:
    return f"{build.fingerprint[:16]}/{name}"


def _why(stack: Stack, change: dict[str, str]) -> str:
    """What CloudFormation says of a change that failed: of the change itself, or of the first resource that did."""
    cloudformation = stack.client("cloudformation")
    described = cloudformation.describe_change_set(**change)
    if described["Status"] == "FAILED":
        return str(described.get("StatusReason", ""))
    events = cloudformation.describe_stack_events(StackName=stack.name)["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"].endswith("_FAILED")]
    return "; ".join(f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason', '')}" for one in failed[-1:])


def _is_settled(stack: Stack) -> bool:
    status = stack.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"][0]["StackStatus"]
    return status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}


def _flag(value: bool) -> str:  # noqa: FBT001 - turns one into text
    return "true" if value else "false"
