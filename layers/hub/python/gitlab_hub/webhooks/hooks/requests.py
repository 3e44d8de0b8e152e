"""What callers send about hooks. Unknown fields are refused."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt

from gitlab_hub.webhooks.model import EventName

MAX_GRACE_SECONDS = 30 * 86_400
DEFAULT_GRACE_SECONDS = 3_600
MAX_ID = 2**53 - 1


def _once(events: list[EventName]) -> list[EventName]:
    return list(dict.fromkeys(events))


class Body(BaseModel):
    """A body that takes what it names and nothing else."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


Target = (
    Annotated[str, Field(min_length=1, max_length=1024, description="Full path or numeric id.")]
    | Annotated[StrictInt, Field(ge=1, le=MAX_ID)]
)


class WebhookBody(Body):
    """Register a webhook."""

    scope: Literal["project", "group", "system"]
    target: Target | None = None
    events: Annotated[list[EventName], Field(min_length=1, max_length=50), AfterValidator(_once)]
    mode: Literal["auto", "manual"] = "auto"
    fallback: Literal["project"] | None = None
    verification: Literal["signature", "token"] | None = None


class RotateBody(Body):
    """Make new secrets; the old ones are accepted for so many seconds more."""

    grace_seconds: Annotated[StrictInt, Field(ge=0, le=MAX_GRACE_SECONDS)] = DEFAULT_GRACE_SECONDS
