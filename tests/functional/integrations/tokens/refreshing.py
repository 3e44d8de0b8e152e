"""Renewing a pair as the tests do it."""

from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential
from gitlab_hub.integrations.tokens.refresh import TokenNeed
from gitlab_hub.storage.ports import StorageUnavailable
from tests.fakes.faults import Crash
from tests.fakes.gitlab import answer
from tests.fakes.oauth import LIFE
from tests.functional.integrations.oauth_hub import OAuthHub

TOKEN = "/oauth/token"
INVALID = answer(400, {"error": "invalid_grant"})


def get_credential(hub: OAuthHub, one: str, need: TokenNeed | None = None) -> LoadedCredential:
    credential = next(each for each in hub.feature.store.holding(one).credentials if each.live)
    return hub.feature.tokens.refresher.get_credential(one, credential.id, need)


def attempt(hub: OAuthHub, one: str, need: TokenNeed | None = None) -> LoadedCredential | BaseException:
    try:
        return get_credential(hub, one, need)
    except (GitLabError, StorageUnavailable, Crash) as error:
        return error


def expire(hub: OAuthHub) -> None:
    hub.now += LIFE
    hub.gitlab.expire()


def states(hub: OAuthHub, one: str) -> tuple[str, str]:
    shown = hub.integration(one)
    return shown["status"], shown["credential_status"]


def expired() -> tuple[OAuthHub, str]:
    """A hub with an integration whose access token has run out."""
    hub = OAuthHub()
    one = hub.connected()
    expire(hub)
    return hub, one


def is_as_before(hub: OAuthHub, one: str) -> None:
    shown = hub.integration(one)
    assert (shown["status"], shown["credential_status"], hub.told.lost) == ("active", "valid", [])
