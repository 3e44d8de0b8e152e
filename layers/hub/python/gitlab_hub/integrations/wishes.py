"""What a caller wants to connect, read from the body of `start`."""

from gitlab_hub.gitlab.grants import Application
from gitlab_hub.integrations.connecting import Wish
from gitlab_hub.integrations.model import Features
from gitlab_hub.integrations.oauth.acceptance import CONFIDENTIAL
from gitlab_hub.integrations.oauth.starting import OAuthWish
from gitlab_hub.integrations.requests import FeaturesBody, StartBody
from gitlab_hub.integrations.verifier import Subject
from gitlab_hub.web.errors import Unprocessable

NO_PROVISIONING = "The hub cannot provision accounts and access yet. Leave features.provisioning out, or false."


def token_wish(body: StartBody) -> Wish:
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
    return Wish(subject=subject, features=features, display_name=body.display_name, dry_run=body.dry_run)


def oauth_wish(body: StartBody) -> OAuthWish:
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
    return OAuthWish(
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
    """The features that are given. Raises Unprocessable for one that does not exist yet."""
    if body is None:
        return {}
    if body.provisioning:
        raise _unfit("features.provisioning", "not_available", NO_PROVISIONING)
    return body.model_dump(exclude_none=True)


def _unfit(field: str, problem: str, message: str) -> Unprocessable:
    return Unprocessable(
        message, details={"fields": [{"field": f"body.{field}", "problem": problem, "message": message}]}
    )
