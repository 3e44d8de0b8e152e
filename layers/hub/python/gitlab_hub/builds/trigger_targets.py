"""Where builds can go, and what each kind of target needs to know."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

_ARN = r"arn:aws[a-z0-9-]*"


class _Target(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class EventBridgeTarget(_Target):
    """An event on a bus; the hub's own one where none is named."""

    type: Literal["eventbridge"]
    bus: (
        Annotated[
            str,
            Field(
                max_length=1600, pattern=rf"^(?:{_ARN}:events:[a-z0-9-]+:\d{{12}}:event-bus/)?[/.A-Za-z0-9_-]{{1,256}}$"
            ),
        ]
        | None
    ) = None


class CodeBuildTarget(_Target):
    """A build of a CodeBuild project."""

    type: Literal["codebuild"]
    project: Annotated[str, Field(min_length=2, max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{1,254}$")]
    source_version: StrictBool | None = None
    """Whether the project's source is this very repository, so that it can be told the commit to build."""


class StepFunctionsTarget(_Target):
    """An execution of a state machine."""

    type: Literal["stepfunctions"]
    state_machine_arn: Annotated[
        str, Field(max_length=256, pattern=rf"^{_ARN}:states:[a-z0-9-]+:\d{{12}}:stateMachine:[A-Za-z0-9_:-]{{1,160}}$")
    ]


class SqsTarget(_Target):
    """A message to a queue."""

    type: Literal["sqs"]
    queue_url: Annotated[
        str, Field(max_length=1024, pattern=r"^https?://[A-Za-z0-9.:-]+/\d{12}/[A-Za-z0-9_-]{1,80}(?:\.fifo)?$")
    ]


class HttpsTarget(_Target):
    """A signed request to an address that the deployer must allow, when the trigger is made and when it is sent."""

    type: Literal["https"]
    # Whether plain http will do is not for this pattern to say: on loopback it does.
    url: Annotated[str, Field(max_length=2048, pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(?:[/?][!-\"$-~]*)?$")]


Target = Annotated[
    EventBridgeTarget | CodeBuildTarget | StepFunctionsTarget | SqsTarget | HttpsTarget, Field(discriminator="type")
]
