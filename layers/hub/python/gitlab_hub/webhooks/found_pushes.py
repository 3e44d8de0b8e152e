"""Pushes that GitLab never announced: the hub finds them by looking, and handles them as if they had been delivered."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from gitlab_hub.gitlab.hook_event import HookEvent
from gitlab_hub.webhooks.claim_check import pack
from gitlab_hub.webhooks.delivery_model import found_delivery, found_id
from gitlab_hub.webhooks.inbox import Inbox


class FoundPushes:
    """Takes found pushes in: kept, queued and shown like deliveries of hooks."""

    def __init__(
        self, inbox: Inbox, now: Callable[[], float] = time.time, new_id: Callable[[], str] = lambda: uuid4().hex
    ) -> None:
        self._inbox, self._now, self._new_id = inbox, now, new_id

    def push(self, integration_id: str, event: HookEvent, key: str) -> None:
        """Have a push handled once; `key` (64 hex digits) is the same whenever the same push is found.

        Raises StorageUnavailable: then it is to be found again.
        """
        body = body_of(event)
        raw = json.dumps(body, separators=(",", ":")).encode()
        name = found_id(integration_id, key)
        delivery = found_delivery(integration_id, event, name, raw, now=self._now(), receipt=self._new_id())
        if self._inbox.keep(delivery, pack(event.kind, body).data):
            self._inbox.send(delivery)
        else:
            self._inbox.send_again(name, now=self._now())


def body_of(event: HookEvent) -> Mapping[str, Any]:
    """The body that GitLab would have sent, as far as the hub can know it."""
    place = "tags" if event.kind == "tag_push" else "heads"
    # Without lists of files: whoever needs the changed paths asks GitLab for them.
    commits = [{"id": event.sha, "message": event.message}] if event.sha and event.message else []
    return {
        "object_kind": event.kind,
        "ref": f"refs/{place}/{event.ref}",
        "checkout_sha": event.sha,
        "before": event.before,
        "after": event.after,
        "project_id": event.project_id,
        "project": {"id": event.project_id, "path_with_namespace": event.project_path},
        "commits": commits,
        "total_commits_count": event.total_commits,
    }
