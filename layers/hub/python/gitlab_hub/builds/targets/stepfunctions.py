"""An execution of a state machine; its state changes come back through EventBridge."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from gitlab_hub.builds.runs.model import Build, BuildStatus
from gitlab_hub.builds.targets.arns import OF_STEP_FUNCTIONS, execution_arn, execution_page
from gitlab_hub.builds.targets.aws import call_aws
from gitlab_hub.builds.targets.base import Started, TargetMissing, TargetRefused, target_field
from gitlab_hub.storage.aws import LazyClient, code_of


class StepFunctionsTarget:
    """Starts and stops executions that are named by the build: a name is taken once in ninety days."""

    def __init__(self, client: Callable[[], Any] | None = None) -> None:
        self._client = client or LazyClient("stepfunctions")

    def start(self, build: Build, message: Mapping[str, Any]) -> Started:
        """Start the execution, or find that it was started."""
        machine = target_field(build, "state_machine_arn")
        text = json.dumps(message, separators=(",", ":"), sort_keys=True)
        arn = call_aws(lambda: self._begin(machine, build.id, text))
        return Started(arn, None if arn is None else execution_page(arn))

    def poll(self, build: Build) -> BuildStatus | None:
        """Ask Step Functions for the execution."""
        arn = build.external_id
        if arn is None:
            return None
        return OF_STEP_FUNCTIONS.get(call_aws(lambda: self._client().describe_execution(executionArn=arn))["status"])

    def stop(self, build: Build, message: Mapping[str, Any]) -> None:  # noqa: ARG002 - the port's signature
        """Stop the execution."""
        arn = build.external_id or execution_arn(target_field(build, "state_machine_arn"), build.id)
        if arn is None:
            raise TargetRefused("An execution of this state machine cannot be stopped by its name.")
        try:
            call_aws(lambda: self._client().stop_execution(executionArn=arn, error="canceled", cause="gitlab-hub"))
        except TargetMissing:
            return

    def _begin(self, machine: str, name: str, text: str) -> str | None:
        try:
            answer = self._client().start_execution(stateMachineArn=machine, name=name, input=text)
        except ClientError as error:
            if code_of(error) != "ExecutionAlreadyExists":
                raise
            return execution_arn(machine, name)
        return str(answer["executionArn"])
