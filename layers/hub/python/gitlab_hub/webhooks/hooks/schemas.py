"""The bodies of answers about hooks. A secret is in them where a person has to enter it in GitLab, and only then."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, StrictInt

from gitlab_hub.gitlab.webhooks.event_types import REGISTRABLE
from gitlab_hub.web.validation import RequestBody
from gitlab_hub.webhooks.hooks.model import Hook, Mode
from gitlab_hub.webhooks.hooks.secrets import HookSecrets

# The names come from the table of events, which mypy does not run.
if TYPE_CHECKING:
    EventName = str
else:
    EventName = Literal[REGISTRABLE]


class WebhookView(BaseModel):
    """A registered webhook."""

    id: str
    integration_id: str
    scope: str
    gitlab_hook_id: int | None
    target_id: int | None
    target: str
    url: str
    verification: str
    events: list[str]
    status: str
    mode: str
    drift: list[str]
    parent_id: str | None
    spread: bool
    previous_secret_until: int | None
    created_at: int
    updated_at: int
    checked_at: int | None
    last_delivery_at: int | None

    @classmethod
    def of(cls, hook: Hook) -> "WebhookView":
        """Show a hook."""
        return cls(
            id=hook.id,
            integration_id=hook.integration_id,
            scope=hook.scope,
            gitlab_hook_id=hook.gitlab_hook_id,
            target_id=hook.target_id,
            target=hook.target,
            url=hook.url,
            verification=hook.verification,
            events=list(hook.events),
            status=hook.status,
            mode=hook.mode,
            drift=list(hook.drift),
            parent_id=hook.parent_id,
            spread=hook.uses_fallback,
            previous_secret_until=hook.previous_version_until or None,
            created_at=hook.created_at,
            updated_at=hook.updated_at,
            checked_at=hook.checked_at,
            last_delivery_at=hook.last_delivery_at,
        )


class ManualSecrets(BaseModel):
    """What to enter in GitLab: shown in this answer and never again."""

    secret_token: str
    signing_token: str


class WebhookEnvelope(BaseModel):
    """One webhook."""

    webhook: WebhookView


class WebhookSecretEnvelope(BaseModel):
    """One webhook, with its secrets where a person has to enter them (`manual`)."""

    webhook: WebhookView
    manual: ManualSecrets | None = None

    @classmethod
    def of(cls, hook: Hook, version: int, secrets: HookSecrets) -> "WebhookSecretEnvelope":
        """Show a hook with this version of its secrets, or without where the hub itself gave them to GitLab."""
        shown = WebhookView.of(hook)
        if hook.mode != Mode.MANUAL:
            return cls(webhook=shown)
        token, signing_token = secrets.token(hook.id, version), secrets.signing_token(hook.id, version)
        return cls(webhook=shown, manual=ManualSecrets(secret_token=token, signing_token=signing_token))


class WebhookList(BaseModel):
    """A page of webhooks."""

    webhooks: list[WebhookView]
    next_cursor: str | None


class HookTestAnswer(BaseModel):
    """Whether GitLab could deliver its sample to the hub."""

    ok: bool
    hint: str | None


class ResentAnswer(BaseModel):
    """What was found of lost deliveries; `complete` false: ask again in a minute, GitLab takes five a minute."""

    resent: int
    failed: int
    known: int
    complete: bool


class HookRemovedAnswer(BaseModel):
    """The webhook is gone, in GitLab and here."""

    ok: Literal[True] = True


# What callers send about hooks. Unknown fields are refused.

MAX_GRACE_SECONDS = 30 * 86_400
DEFAULT_GRACE_SECONDS = 3_600
MAX_ID = 2**53 - 1


def _once(events: list[EventName]) -> list[EventName]:
    return list(dict.fromkeys(events))


Target = (
    Annotated[str, Field(min_length=1, max_length=1024, description="Full path or numeric id.")]
    | Annotated[StrictInt, Field(ge=1, le=MAX_ID)]
)


class WebhookBody(RequestBody):
    """Register a webhook."""

    scope: Literal["project", "group", "system"]
    target: Target | None = None
    events: Annotated[list[EventName], Field(min_length=1, max_length=50), AfterValidator(_once)]
    mode: Literal["auto", "manual"] = "auto"
    fallback: Literal["project"] | None = None
    verification: Literal["signature", "token"] | None = None


class RotateBody(RequestBody):
    """Make new secrets; the old ones are accepted for so many seconds more."""

    grace_seconds: Annotated[StrictInt, Field(ge=0, le=MAX_GRACE_SECONDS)] = DEFAULT_GRACE_SECONDS
