"""An authorization that was begun: what it is for, and whether it may still be finished."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.errors import InvalidUrl
from gitlab_hub.integrations.errors import InvalidState
from gitlab_hub.integrations.model import Integration
from gitlab_hub.integrations.oauth.keys import challenge, digest

LIFE_SECONDS = 600
_CLOCK_SKEW = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAuthorization:
    """One authorization under way. `browser` is the hash of the cookie that must come back; None = none was set."""

    flow: str
    integration_id: str
    host_url: str
    redirect_uri: str
    redirect_url: str | None
    initiator: str
    """Who began it: the id of a hub token, or of somebody who has signed in to the console with GitLab."""
    created_at: int
    browser: str | None = None
    features: Mapping[str, bool] = field(default_factory=dict)
    """The features that it is to switch on or off."""
    signed_in: Mapping[str, str] = field(default_factory=dict)
    """What somebody from GitLab might do then, as an authorizer's context: nobody can look that up later."""

    @property
    def ends_at(self) -> int:
        """Until when it may be finished, in unix seconds."""
        return self.created_at + LIFE_SECONDS

    def intended(self, integration: Integration) -> Integration:
        """The integration as it is to become."""
        return replace(integration, features=integration.features.changed(self.features))


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackContext:
    """How an answer of GitLab's came back: in a browser with its cookies, or in a call with a hub token."""

    cookies: tuple[str, ...] = ()
    token_id: str | None = None
    integration_id: str | None = None
    issuer: str | None = None


def check(pending: PendingAuthorization, context: CallbackContext, *, newest: bool, now: float) -> None:
    """Let an authorization be finished. Raises InvalidState where it is not this one's to finish."""
    if not -_CLOCK_SKEW <= now - pending.created_at <= LIFE_SECONDS:
        raise expired()
    if not newest:
        raise overtaken()
    if context.integration_id not in (None, pending.integration_id):
        raise _invalid("It belongs to another integration")
    if context.issuer is not None and not _is_at(context.issuer, pending.host_url):
        raise _invalid(
            "Another GitLab answered, or this one calls itself by another address than the integration has: connect it "
            "by its external URL"
        )
    if context.token_id is not None:
        if context.token_id != pending.initiator:
            raise _invalid("Another hub token began it")
    elif pending.browser is not None and not _same_browser(pending.browser, context.cookies):
        raise _invalid("It was begun in another browser")


def authorize_url(
    pending: PendingAuthorization, *, state: str, verifier: str, client_id: str, scopes: tuple[str, ...]
) -> str:
    """Where somebody authorizes the application (RFC 6749, 4.1.1; RFC 7636, 4.3)."""
    query = {
        "client_id": client_id,
        "redirect_uri": pending.redirect_uri,
        "response_type": "code",
        "state": state,
        "scope": " ".join(scopes),
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
    }
    return f"{pending.host_url}/oauth/authorize?{urlencode(query)}"


def expired() -> InvalidState:
    """The refusal of an authorization that was begun too long ago."""
    return _invalid("It took longer than ten minutes")


def overtaken() -> InvalidState:
    """The refusal where a newer authorization of the integration was begun."""
    return _invalid("A newer one was begun")


def unknown_state() -> InvalidState:
    """The refusal of a state that the hub has not given out, or that was used."""
    return _invalid("It is not known here, or it was used already")


def _is_at(issuer: str, host_url: str) -> bool:
    """Whether a GitLab that names itself in its answer (RFC 9207, 2.4) is the one that was asked, however it spells it.

    Its name is its external URL: GitLab gives `Gitlab.config.gitlab.url` to doorkeeper-openid_connect as the issuer
    (gitlab, config/initializers/doorkeeper_openid_connect.rb), and Doorkeeper can send an issuer since its pull request
    1849 (July 2026). What a GitLab says is no proof: a hostile one could claim to be any other by its metadata, too.
    """
    try:
        return Address.parse(issuer, allow_http=True).base_url == host_url
    except InvalidUrl:
        return False


def _same_browser(expected: str, cookies: tuple[str, ...]) -> bool:
    return any(hmac.compare_digest(digest(cookie).encode(), expected.encode()) for cookie in cookies)


def _invalid(why: str) -> InvalidState:
    return InvalidState(f"This authorization cannot be finished. {why}; begin anew from the hub.")
