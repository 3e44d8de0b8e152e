"""A delivery: one call of GitLab's, from being kept until it was worked on; pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from gitlab_hub.gitlab.webhooks.event import HookEvent
from gitlab_hub.gitlab.webhooks.kept_fields import kept
from gitlab_hub.ids import owned_id
from gitlab_hub.webhooks.hooks.model import Hook, Verification

ID = "webhook-id"
"""The header that names a delivery, the same whenever it is sent again."""

Headers = Mapping[str, str]

KEPT_SECONDS = 30 * 86_400
SETTLE_SECONDS = 120
"""After which time a delivery that was not worked on is sent to its worker again; doubles with every time."""

POLLED = "found"

MAX_SENDS = 7
MAX_ATTEMPTS = 5
"""What the queue's redrive policy allows, too."""

_KEY = "idempotency-key"
_PUSHES = frozenset({"push", "tag_push"})
_ID_CHARACTERS = 24
_GROUP_CHARACTERS = 32
_LONGEST_HEADER = 200
_LONGEST_TEXT = 255

# Everything else stays behind: a header may be the secret itself.
_KEPT_HEADERS = (
    "x-gitlab-event",
    "x-gitlab-instance",
    "x-gitlab-event-uuid",
    "x-gitlab-webhook-uuid",
    "idempotency-key",
    "webhook-id",
    "webhook-timestamp",
    "user-agent",
)


class DeliveryStatus(StrEnum):
    """How far a delivery has come."""

    PENDING = "pending"
    HANDLED = "handled"
    IGNORED = "ignored"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery. `received_at` and `due_at` are unix milliseconds, `processed_at` is unix seconds."""

    id: str
    integration_id: str
    hook_id: str | None
    """None: no hook delivered it, the hub found it."""
    status: str
    event: str
    action: str | None
    project_id: int | None
    project_path: str | None
    ref: str | None
    sha: str | None
    actor: str | None
    verification: str
    """How it was verified: signature or token; found: the hub itself saw it in GitLab."""
    headers: Mapping[str, str]
    size: int
    """Bytes as they came."""
    truncated: bool
    """Parts of the body were too much to be kept."""
    queue_group: str
    """Deliveries of one group are worked on in order."""
    received_at: int
    due_at: int
    """When to look whether it was worked on, while it is pending."""
    receipt: str
    """Tells two attempts at keeping the same delivery apart."""
    reasons: tuple[str, ...] = ()
    build_ids: tuple[str, ...] = ()
    scope_open: bool = False
    """Whether its hook may speak of its project is yet to be asked of GitLab."""
    began_at: int | None = None
    """When its present round began, in unix milliseconds: with a replay; None = when it was received."""
    processed_at: int | None = None
    """When its worker was done with it; None also where it was put aside or given up."""
    milliseconds: int | None = None
    """From the beginning of its round until its worker was done; None where that was not measured."""
    attempts: int = 0
    """How often its worker began."""
    sends: int = 1
    """How often it was sent to its worker in this round."""
    replays: int = 0
    version: int = field(default=1)

    @property
    def is_done(self) -> bool:
        """Whether a worker came to an end with it."""
        return self.status != DeliveryStatus.PENDING and self.processed_at is not None

    @property
    def is_pending(self) -> bool:
        """Whether its worker is still expected to look at it."""
        return self.status == DeliveryStatus.PENDING

    @property
    def once(self) -> str:
        """What its queue message is known by: the same for every copy of one round."""
        return f"{self.id}-{self.replays}" if self.replays else self.id


def delivery_id(hook: Hook, headers: Headers, raw: bytes) -> str:
    """The id that all copies of one delivery share.

    GitLab's own id where it sends one: that is the same for retries and resends. Before GitLab 17.4, the body. Of a
    hook that signs only the signed id counts; of any other one `webhook-id` may be a header that somebody has added,
    the same for all, while GitLab's own `Idempotency-Key` wins over such (app/services/web_hook_service.rb).
    """
    names = (ID, _KEY) if hook.verification == Verification.SIGNATURE else (_KEY, ID)
    keys = (headers[name] for name in names if headers.get(name))
    key = next(keys, None) or hashlib.sha256(raw).digest()
    return id_of_delivery(hook.integration_id, hook.id, key)


def id_of_delivery(integration_id: str, hook_id: str, key: str | bytes) -> str:
    """The id of what a hook delivers under this key."""
    # What a caller sends as a key may hold anything, halves of surrogate pairs too.
    told = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else key
    unique = hashlib.sha256(hook_id.encode() + b"\n" + told).hexdigest()
    return owned_id("dlv", integration_id, unique[:_ID_CHARACTERS])


def event_key(integration_id: str, event: HookEvent, body: Mapping[str, Any]) -> str:
    """What all hooks of an integration share that tell of one event: of a push its refs, of another all that is kept.

    The hooks of a project, of the groups above it and of the system each deliver a push, and no id of GitLab's says
    that it is the same one: the key is each delivery's own, and `X-Gitlab-Event-UUID` is new for each hook, or that of
    the call which set it off (lib/gitlab/web_hooks/recursion_detection/uuid.rb, `uuid_for_hook`).
    """
    told = [event.before, event.after] if event.kind in _PUSHES else kept(event.kind, body)
    spelled = json.dumps([integration_id, event.kind, event.project_id, event.ref, told], sort_keys=True)
    return hashlib.sha256(spelled.encode()).hexdigest()


def synthesized_id(integration_id: str, key: str) -> str:
    """The id of what the hub found itself; `key` (hex digits) is the same whenever the same is found."""
    return owned_id("dlv", integration_id, f"found-{key[:_ID_CHARACTERS]}")


def queue_group(source: str, event: HookEvent) -> str:
    """What is to be worked on in order: everything from one source (a hook) about one ref of one project."""
    name = f"{source}\n{event.project_id}\n{event.ref}"
    return hashlib.sha256(name.encode()).hexdigest()[:_GROUP_CHARACTERS]


def kept_headers(headers: Headers) -> dict[str, str]:
    """The headers that may be kept: what happened, where, and under which ids."""
    return {name: _text(headers[name], _LONGEST_HEADER) for name in _KEPT_HEADERS if headers.get(name)}


def due(received_or_sent: int, sends: int) -> int:
    """When a delivery that was sent so many times is to be looked at (unix ms): later every time."""
    return received_or_sent + (SETTLE_SECONDS * 1000 << (sends - 1))


def delivery_of(
    hook: Hook, event: HookEvent, headers: Headers, raw: bytes, *, now: float, receipt: str, truncated: bool
) -> Delivery:
    """What is kept of a genuine call, beside its body."""
    return replace(
        polled_delivery(hook.integration_id, event, delivery_id(hook, headers, raw), raw, now=now, receipt=receipt),
        hook_id=hook.id,
        verification=hook.verification,
        headers=kept_headers(headers),
        truncated=truncated,
        queue_group=queue_group(hook.id, event),
    )


def polled_delivery(
    integration_id: str, event: HookEvent, name: str, raw: bytes, *, now: float, receipt: str
) -> Delivery:
    """A delivery of the id `name` that no hook has brought."""
    received = int(now * 1000)
    return Delivery(
        id=name,
        integration_id=integration_id,
        hook_id=None,
        status=DeliveryStatus.PENDING,
        event=event.kind,
        action=_short(event.action),
        project_id=event.project_id,
        project_path=_short(event.project_path),
        ref=_short(event.ref),
        sha=_short(event.sha),
        actor=_short(event.actor),
        verification=POLLED,
        headers={},
        size=len(raw),
        truncated=False,
        queue_group=queue_group(integration_id, event),
        received_at=received,
        due_at=due(received, 1),
        receipt=receipt,
    )


def _short(text: str | None) -> str | None:
    return None if text is None else _text(text, _LONGEST_TEXT)


def _text(text: str, longest: int) -> str:
    return text[:longest].encode(errors="replace").decode()
