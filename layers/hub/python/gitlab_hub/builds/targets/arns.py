"""Names of AWS, and the pages of its console that show them; pure."""

import re

from gitlab_hub.builds.runs.model import BuildStatus

_ARN = re.compile(r"arn:(aws[\w-]*):([\w-]+):([\w-]+):(\d{12}):(.+)", re.ASCII)


def parts_of(arn: str) -> tuple[str, str, str, str, str] | None:
    """Partition, service, region, account and resource; None of what is no ARN in an account."""
    match = _ARN.fullmatch(arn)
    return None if match is None else (match[1], match[2], match[3], match[4], match[5])


def unqualified(machine_arn: str) -> str:
    """The state machine of a version's or an alias's ARN: rights to start one are asked of the state machine.

    "Authorization for versions and aliases in Step Functions workflows".
    """
    return ":".join(machine_arn.split(":")[:7])


def project_of(arn: str) -> str | None:
    """The CodeBuild project of a build's ARN."""
    return _named(arn, "codebuild", "build")


def machine_of(arn: str) -> str | None:
    """The name of the state machine of an execution's ARN, or of its own."""
    return _named(arn, "states", "execution") or _named(arn, "states", "stateMachine")


def execution_arn(machine_arn: str, name: str) -> str | None:
    """The ARN of an execution by its name; None where the state machine is no plain one."""
    match = _ARN.fullmatch(machine_arn)
    machine = machine_of(machine_arn)
    if match is None or machine is None:
        return None
    partition, service, region, account, _ = match.groups()
    return f"arn:{partition}:{service}:{region}:{account}:execution:{machine}:{name}"


def build_page(arn: str) -> str | None:
    """Where AWS's console shows a build of CodeBuild."""
    match, project = _ARN.fullmatch(arn), project_of(arn)
    if match is None or project is None or match[1] != "aws":
        return None
    build = match[5].partition("/")[2]
    return f"https://{match[3]}.console.aws.amazon.com/codesuite/codebuild/{match[4]}/projects/{project}/build/{build}"


def execution_page(arn: str) -> str | None:
    """Where AWS's console shows an execution of Step Functions."""
    match = _ARN.fullmatch(arn)
    if match is None or match[1] != "aws":
        return None
    return f"https://{match[3]}.console.aws.amazon.com/states/home?region={match[3]}#/v2/executions/details/{arn}"


def _named(arn: str, service: str, kind: str) -> str | None:
    match = _ARN.fullmatch(arn)
    if match is None or match[2] != service:
        return None
    parts = re.split("[:/]", match[5])
    return parts[1] if parts[0] == kind and len(parts) > 1 else None


# The states that AWS has for builds, in the hub's words; what is not here neither begins nor ends one.

OF_CODEBUILD = {
    "IN_PROGRESS": BuildStatus.RUNNING,
    "SUCCEEDED": BuildStatus.SUCCESS,
    "FAILED": BuildStatus.FAILED,
    "FAULT": BuildStatus.FAILED,
    "TIMED_OUT": BuildStatus.FAILED,
    "STOPPED": BuildStatus.CANCELED,
}
OF_STEP_FUNCTIONS = {
    "RUNNING": BuildStatus.RUNNING,
    "SUCCEEDED": BuildStatus.SUCCESS,
    "FAILED": BuildStatus.FAILED,
    "TIMED_OUT": BuildStatus.FAILED,
    "ABORTED": BuildStatus.CANCELED,
}
