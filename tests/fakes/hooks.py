"""Hooks as tests need them: one that works, and whatever differs."""

from dataclasses import replace
from typing import Any

from gitlab_hub.ids import owned_id
from gitlab_hub.webhooks.hooks.model import Hook
from gitlab_hub.webhooks.hooks.secrets import HookSecrets
from gitlab_hub.webhooks.hooks.store import HookStore

INTEGRATION = "int_0a1b"
KEY = b"k" * 32

_PLAIN = Hook(
    id=owned_id("hook", INTEGRATION, "7"),
    integration_id=INTEGRATION,
    scope="project",
    gitlab_hook_id=77,
    target_id=3,
    target="acme/p3",
    url="https://hub.example.com/v1/webhooks/gitlab/hook_0a1b_7",
    verification="signature",
    events=("push", "merge_request"),
    status="active",
    secret_version=1,
    previous_version_until=0,
    created_at=1_750_000_000,
    updated_at=1_750_000_000,
)


def hook(**more: Any) -> Hook:
    """Make a hook of project 3."""
    return replace(_PLAIN, **more)


def secrets() -> HookSecrets:
    """Make secrets from a key that everybody knows."""
    return HookSecrets(lambda: KEY)


def kept(store: HookStore, **more: Any) -> Hook:
    """Make a hook and keep it with what it is found by."""
    made = hook(**more)
    return store.create(made, secrets().fingerprint(secrets().token(made.id, made.secret_version)))
