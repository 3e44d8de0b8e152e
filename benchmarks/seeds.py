"""The rows that webhooks and builds stand on: an integration with its token, a hook, a trigger."""

from gitlab_hub.builds.triggers.model import Globs, ReportStatus, Trigger
from gitlab_hub.integrations.model import NOBODY, Credential, Features, Integration
from gitlab_hub.webhooks.hooks.model import Hook

INTEGRATION = "int_bench"
PROJECT = 15
"""The project of the recorded push."""

BUILT = "built"
"""Branches below this are built."""


def a_hook(mode: str) -> Hook:
    """A project's hook that proves its deliveries this way."""
    return Hook(
        id="hook_bench_1",
        integration_id=INTEGRATION,
        scope="project",
        gitlab_hook_id=1,
        target_id=PROJECT,
        target="mike/diaspora",
        url="https://hub.example.com/v1/webhooks/gitlab/hook_bench_1",
        verification=mode,
        events=("push",),
        status="active",
        secret_version=1,
        previous_version_until=0,
        created_at=1,
        updated_at=1,
    )


def an_integration() -> Integration:
    """The integration of the hook."""
    return Integration(
        id=INTEGRATION,
        host_url="https://gitlab.example.com",
        auth_mode="personal_token",
        status="active",
        paused=False,
        display_name="Bench",
        gitlab_version="18.2.0",
        group=None,
        features=Features(manage_webhooks=True, report_statuses=True),
        account=NOBODY,
        credential_status="valid",
        scopes=("api",),
        token_expires_at=None,
        secret_version="1",  # noqa: S106 - names a version
        identity="bench",
        created_by="bench",
        created_at=1,
        updated_at=1,
    )


def a_credential() -> Credential:
    """The token of the integration."""
    return Credential(
        id="one",
        integration_id=INTEGRATION,
        label="Bench",
        account=NOBODY,
        status="valid",
        scopes=("api",),
        token_expires_at=None,
        expiration_date=None,
        api_base_url=None,
        token_version="1",  # noqa: S106 - names a version
        created_at=1,
        updated_at=1,
    )


def a_trigger() -> Trigger:
    """Builds some branches of the project on the hub's own bus, and tells GitLab nothing."""
    return Trigger(
        id="trg_bench_1",
        integration_id=INTEGRATION,
        project_id=PROJECT,
        group=None,
        events=("push",),
        branches=Globs(include=(f"{BUILT}/*",)),
        target={"type": "eventbridge"},
        report_status=ReportStatus(enabled=False),
        created_by="bench",
        created_at=1,
        updated_at=1,
    )
