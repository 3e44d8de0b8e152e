"""What callers send. Unknown fields are refused; tokens are secrets from the first moment on."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StrictBool, StrictInt

from gitlab_hub.gitlab.oauth import Application
from gitlab_hub.integrations.model import Features
from gitlab_hub.integrations.oauth.apply import CONFIDENTIAL
from gitlab_hub.integrations.oauth.start import OAuthConnectRequest
from gitlab_hub.integrations.service import ConnectRequest
from gitlab_hub.integrations.verification.verifier import Subject
from gitlab_hub.web.errors import Unprocessable
from gitlab_hub.web.rules import A_TIME, rule
from gitlab_hub.web.validation import RequestBody

MAX_TOKEN = 2048


def _sendable(token: SecretStr) -> SecretStr:
    """A token goes into a header: visible ASCII only. The text of the error must not repeat it."""
    if not all("!" <= character <= "~" for character in token.get_secret_value()):
        raise rule("must be the token itself, visible ASCII characters without spaces, and no placeholder for it")
    return token


Token = Annotated[SecretStr, Field(min_length=1, max_length=MAX_TOKEN), AfterValidator(_sendable)]
Scope = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_:]{0,99}$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Group = Annotated[str, Field(min_length=1, max_length=1024, description="Full path or numeric id.")] | StrictInt


class FeaturesBody(RequestBody):
    """What the hub may do beyond reading."""

    manage_webhooks: StrictBool | None = None
    report_statuses: StrictBool | None = None
    provisioning: StrictBool | None = None


ClientId = Annotated[str, Field(max_length=200, pattern=r"^[\x21-\x7e]+$")]


class StartBody(RequestBody):
    """Connect a GitLab."""

    host_url: str
    auth_mode: Literal["personal_token", "oauth_app"]
    access_token: Token | None = None
    client_id: ClientId | None = None
    client_secret: Token | None = None
    display_name: Name | None = None
    group: Group | None = None
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=50)] | None = None
    features: FeaturesBody | None = None
    dry_run: StrictBool = False


class PatchBody(RequestBody):
    """Change an integration; what is left out stays. `group: null` lifts the limit to a group.

    `client_secret` is that of the OAuth application, once it was renewed; `client_id` only for another application.
    """

    display_name: Name | None = None
    paused: StrictBool | None = None
    group: Group | None = None
    features: FeaturesBody | None = None
    client_id: ClientId | None = None
    client_secret: Token | None = None


class TokenBody(RequestBody):
    """Replace the token."""

    access_token: Token


SyncKind = Literal["access", "pipelines", "credentials"]


class SyncBody(RequestBody):
    """Ask for a sync."""

    kinds: Annotated[list[SyncKind], Field(min_length=1, max_length=3)] | None = None
    full: StrictBool = False


class AcceptBody(RequestBody):
    """Accept or reject what a suspect sync would remove."""

    kind: SyncKind


class SettingsBody(RequestBody):
    """Settings of a credential."""

    api_base_url: Annotated[str, Field(min_length=1, max_length=2048)] | None = None


class SecretsBody(RequestBody):
    """The secret part of a credential."""

    api_token: Token


def _dated(value: object) -> object:
    """Pydantic would also take a number, and a text of digits, for a time."""
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise rule(A_TIME)
    return value


Moment = Annotated[datetime | date, BeforeValidator(_dated)]


class CredentialCreateBody(RequestBody):
    """A further credential for a connection."""

    label: Name | None = None
    settings: SettingsBody | None = None
    secrets: SecretsBody
    expiration_date: Moment | None = None


class CredentialUpdateBody(RequestBody):
    """Change a credential; what is left out stays."""

    id: Annotated[str, Field(min_length=1, max_length=100)]
    label: Name | None = None
    settings: SettingsBody | None = None
    secrets: SecretsBody | None = None
    expiration_date: Moment | None = None


class CredentialDeleteBody(RequestBody):
    """Remove a credential."""

    id: Annotated[str, Field(min_length=1, max_length=100)]


def unix(moment: Moment | None) -> int | None:
    """A moment as the hub stores it; a day begins at 00:00 UTC, and a time without a zone is UTC."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


# What a caller wants to connect, read from the body of `start`.


def token_request(body: StartBody) -> ConnectRequest:
    """A GitLab by an access token. Raises Unprocessable where there is none."""
    if body.access_token is None:
        raise _unfit(
            "access_token",
            "missing",
            "Give the access_token: a personal, group, project or service-account token of that GitLab.",
        )
    features = Features(**chosen(body.features))
    subject = Subject(
        host_url=body.host_url,
        token=body.access_token.get_secret_value(),
        group=_group(body),
        features=features,
    )
    return ConnectRequest(subject=subject, features=features, display_name=body.display_name, dry_run=body.dry_run)


def oauth_request(body: StartBody) -> OAuthConnectRequest:
    """A GitLab by an OAuth application. Raises Unprocessable for one without id or secret, and for an access token."""
    if body.client_id is None:
        raise _unfit(
            "client_id", "missing", "Give the client_id of the OAuth application: in GitLab it is the Application ID."
        )
    if body.client_secret is None:
        raise _unfit("client_secret", "missing", CONFIDENTIAL)
    if body.access_token is not None:
        raise _unfit(
            "access_token", "unexpected", "With oauth_app there is no access_token: somebody authorizes later."
        )
    return OAuthConnectRequest(
        host_url=body.host_url,
        application=Application(client_id=body.client_id, client_secret=body.client_secret.get_secret_value()),
        scopes=None if body.scopes is None else tuple(dict.fromkeys(body.scopes)),
        group=_group(body),
        features=Features(**chosen(body.features)),
        display_name=body.display_name,
        dry_run=body.dry_run,
    )


def _group(body: StartBody) -> str | None:
    return None if body.group is None else str(body.group)


def chosen(body: FeaturesBody | None) -> dict[str, bool]:
    """The features that are given."""
    return {} if body is None else body.model_dump(exclude_none=True)


def _unfit(field: str, problem: str, message: str) -> Unprocessable:
    return Unprocessable(
        message, details={"fields": [{"field": f"body.{field}", "problem": problem, "message": message}]}
    )
