"""What callers send about triggers. Unknown fields are refused; a trigger holds no secret."""

from collections.abc import Mapping
from itertools import permutations
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, StrictBool, StrictInt, ValidationError, model_validator

from gitlab_hub.builds.triggers.model import Globs, MergeRequestRules, ReportStatus, Trigger
from gitlab_hub.gitlab.webhooks.event_types import BUILDING
from gitlab_hub.web.errors import Unprocessable
from gitlab_hub.web.rules import rule
from gitlab_hub.web.validation import RequestBody, refusal_of

# Where builds can go, and what each kind of target needs to know.

_ARN = r"arn:aws[a-z0-9-]*"


class EventBridgeTarget(RequestBody):
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


class CodeBuildTarget(RequestBody):
    """A build of a CodeBuild project."""

    type: Literal["codebuild"]
    project: Annotated[str, Field(min_length=2, max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{1,254}$")]
    source_version: StrictBool | None = None
    """Whether the project's source is this very repository, so that it can be told the commit to build."""


class StepFunctionsTarget(RequestBody):
    """An execution of a state machine."""

    type: Literal["stepfunctions"]
    state_machine_arn: Annotated[
        str, Field(max_length=256, pattern=rf"^{_ARN}:states:[a-z0-9-]+:\d{{12}}:stateMachine:[A-Za-z0-9_:-]{{1,160}}$")
    ]


class SqsTarget(RequestBody):
    """A message to a queue."""

    type: Literal["sqs"]
    queue_url: Annotated[
        str, Field(max_length=1024, pattern=r"^https?://[A-Za-z0-9.:-]+/\d{12}/[A-Za-z0-9_-]{1,80}(?:\.fifo)?$")
    ]


class HttpsTarget(RequestBody):
    """A signed request to an address that the deployer must allow, when the trigger is made and when it is sent."""

    type: Literal["https"]
    # Whether plain http will do is not for this pattern to say: on loopback it does.
    url: Annotated[str, Field(max_length=2048, pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(?:[/?][!-\"$-~]*)?$")]


TargetBody = Annotated[
    EventBridgeTarget | CodeBuildTarget | StepFunctionsTarget | SqsTarget | HttpsTarget, Field(discriminator="type")
]


_NESTED = ("branches", "tags", "paths", "merge_requests", "concurrency", "report_status")
_PLACE = {"project_id", "group"}
_MAX_PATTERNS = 50

Pattern = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        # Names neither begin nor end with a slash, so such a pattern would never fit.
        pattern=r"^[^/\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^/\x00-\x1f\x7f])?$",
        description="`*` and `?` stop at a slash, `**` does not, `**/` is any number of folders, none too.",
    ),
]
Patterns = Annotated[list[Pattern], Field(max_length=_MAX_PATTERNS)]
Label = Annotated[str, Field(min_length=1, max_length=255)]
GroupPath = Annotated[
    str,
    Field(
        min_length=1,
        max_length=1024,
        pattern=r"^[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*$",
        description="Full path of a group: every project below it.",
    ),
]
# The names come from the table of events, which mypy does not run.
if TYPE_CHECKING:
    Event = str
else:
    Event = Literal[BUILDING]
ID_LIMIT = 2**63
"""Ids of GitLab are below it."""
ProjectId = Annotated[StrictInt, Field(ge=1, lt=ID_LIMIT)]


class GlobsBody(RequestBody):
    """Which names are meant: one pattern of `include` fits (none: all are), and none of `exclude`."""

    include: Patterns = Field(default=[])
    exclude: Patterns = Field(default=[])


class MergeRequestsBody(RequestBody):
    """Which merge requests build."""

    drafts: StrictBool = True
    labels: Annotated[list[Label], Field(max_length=_MAX_PATTERNS, description="One of them is needed.")] = Field(
        default=[]
    )
    target_branches: Patterns = Field(default=[])
    forks: Literal["ignore", "approve", "allow"] = "approve"


class ConcurrencyBody(RequestBody):
    """What becomes of builds that still run when the next one of their branch comes."""

    cancel_previous: StrictBool = False


class ReportStatusBody(RequestBody):
    """Whether builds are shown at the commit in GitLab, and under what name."""

    enabled: StrictBool = True
    name: Annotated[str, Field(min_length=1, max_length=255)] = "gitlab-hub"


class TriggerFields(RequestBody):
    """All of a trigger that callers decide."""

    project_id: ProjectId | None = None
    group: GroupPath | None = None
    events: Annotated[list[Event], Field(min_length=1, max_length=10)]
    branches: GlobsBody = GlobsBody()
    tags: GlobsBody = GlobsBody()
    paths: GlobsBody = GlobsBody()
    merge_requests: MergeRequestsBody = MergeRequestsBody()
    on_branch_create: StrictBool = True
    on_branch_delete: StrictBool = False
    skip_ci: Annotated[StrictBool, Field(description="Whether `[skip ci]` and the push option `ci.skip` count.")] = True
    concurrency: ConcurrencyBody = ConcurrencyBody()
    target: TargetBody
    report_status: ReportStatusBody = ReportStatusBody()
    enabled: StrictBool = True

    def checked(self) -> "TriggerFields":
        """The fields, which name one place. Raises Unprocessable."""
        if (self.project_id is None) == (self.group is None):
            fields = [{"field": f"body.{name}", "problem": "one_of"} for name in ("project_id", "group")]
            raise Unprocessable("Name either a project_id or a group.", details={"fields": fields})
        return self

    def values(self) -> dict[str, Any]:
        """The fields as those of a `Trigger`."""
        given, rules = self.model_dump(exclude={"integration_id", "concurrency", "target"}), self.merge_requests
        return given | {
            "events": tuple(dict.fromkeys(self.events)),
            "branches": _globs(self.branches),
            "tags": _globs(self.tags),
            "paths": _globs(self.paths),
            "merge_requests": MergeRequestRules(
                drafts=rules.drafts,
                labels=tuple(dict.fromkeys(rules.labels)),
                target_branches=tuple(rules.target_branches),
                forks=rules.forks,
            ),
            "cancel_previous": self.concurrency.cancel_previous,
            "target": self.target.model_dump(exclude_none=True),
            "report_status": ReportStatus(enabled=self.report_status.enabled, name=self.report_status.name),
        }


class TriggerBody(TriggerFields):
    """Make a trigger."""

    integration_id: Annotated[str, Field(min_length=1, max_length=100)]


class TriggerPatchBody(RequestBody):
    """Change a trigger. What is left out stays, also within its parts; null brings the default back.

    `version`: the one that the change was made for; another one in the meantime is a conflict.
    """

    version: Annotated[StrictInt, Field(ge=1)] | None = None
    project_id: ProjectId | None = None
    group: GroupPath | None = None
    events: Annotated[list[Event], Field(min_length=1, max_length=10)] | None = None
    branches: GlobsBody | None = None
    tags: GlobsBody | None = None
    paths: GlobsBody | None = None
    merge_requests: MergeRequestsBody | None = None
    on_branch_create: StrictBool | None = None
    on_branch_delete: StrictBool | None = None
    skip_ci: StrictBool | None = None
    concurrency: ConcurrencyBody | None = None
    target: TargetBody | None = None
    report_status: ReportStatusBody | None = None
    enabled: StrictBool | None = None

    def named_of(self, trigger: Trigger) -> dict[str, Any]:
        """What a trigger has where this names a change; a trigger is for one place, so both names of it go together."""
        named = self.model_fields_set | (_PLACE if self.model_fields_set & _PLACE else set())
        return {name: value for name, value in fields_of(trigger).items() if name in named}

    def onto(self, trigger: Trigger) -> TriggerFields:
        """The fields of a trigger with this change. Raises Unprocessable."""
        changes = self.model_dump(exclude_unset=True, exclude={"version"})
        fields = fields_of(trigger)
        for one, other in permutations(_PLACE):
            if changes.get(one) is not None:
                fields[other] = None
        for name, value in changes.items():
            fields[name] = fields[name] | value if name in _NESTED and value is not None else value
        return _validated({name: value for name, value in fields.items() if value is not None}).checked()


class DryRunBody(RequestBody):
    """An event to try a trigger with: its name (GitLab's header or ours) and its body, or a delivery that came."""

    event: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    payload: dict[str, Any] | None = None
    delivery_id: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=200,
            description="A delivery of the trigger's integration, in place of `event` and `payload`.",
        ),
    ] = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        told = self.event is not None and self.payload is not None
        is_one = told if self.delivery_id is None else self.event is None and self.payload is None
        if not is_one:
            raise rule("names either a delivery_id, or an event and its payload")
        return self


def fields_of(trigger: Trigger) -> dict[str, Any]:
    """All that callers decide of a trigger, in the words of its bodies."""
    rules = trigger.merge_requests
    parts = {name: getattr(trigger, name) for name in ("branches", "tags", "paths")}
    plain = ("project_id", "group", "on_branch_create", "on_branch_delete", "skip_ci", "enabled")
    return (
        {name: getattr(trigger, name) for name in plain}
        | {name: {"include": list(part.include), "exclude": list(part.exclude)} for name, part in parts.items()}
        | {
            "events": list(trigger.events),
            "merge_requests": {
                "drafts": rules.drafts,
                "labels": list(rules.labels),
                "target_branches": list(rules.target_branches),
                "forks": rules.forks,
            },
            "concurrency": {"cancel_previous": trigger.cancel_previous},
            "target": dict(trigger.target),
            "report_status": {"enabled": trigger.report_status.enabled, "name": trigger.report_status.name},
        }
    )


def _validated(fields: Mapping[str, Any]) -> TriggerFields:
    try:
        return TriggerFields.model_validate(fields)
    except ValidationError as invalid:
        errors = invalid.errors(include_input=False, include_url=False)
        raise refusal_of({**error, "loc": ("body", *error["loc"])} for error in errors) from None


def _globs(body: GlobsBody) -> Globs:
    return Globs(include=tuple(body.include), exclude=tuple(body.exclude))
