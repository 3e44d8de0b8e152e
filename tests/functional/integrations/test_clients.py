"""Clients as other features get them: the right GitLab, the token that works, and a share of one allowance."""

from dataclasses import replace

import pytest

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.gitlab.errors import HostNotAllowed
from gitlab_hub.gitlab.limits import Limiter, Unlimited
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.integrations.gitlab_access import GitLabClients
from gitlab_hub.integrations.tokens.source import CredentialTokens
from tests.fakes.gitlab import HOST
from tests.fakes.oauth import LIFE
from tests.functional.integrations.oauth_hub import OAuthHub


class Given:
    """What the clients asked their surroundings for."""

    def __init__(self, hub: OAuthHub, policy: NetworkPolicy | None = None) -> None:
        self.hub, self.limits = hub, list[tuple[str, int]]()
        self.policy = policy or NetworkPolicy()

    def limiter_for(self, base_url: str, user_id: int) -> Limiter:
        self.limits.append((base_url, user_id))
        return Unlimited()

    def open(self, address: Address, tokens: CredentialTokens, limiter: Limiter) -> GitLab:
        return GitLab(address, tokens, policy=self.policy, limiter=limiter, transport=self.hub.gitlab.transport())

    def clients(self) -> GitLabClients:
        feature = self.hub.feature
        return GitLabClients(
            store=feature.store,
            source=feature.tokens.refresher,
            limiter_for=self.limiter_for,
            policy=self.policy,
            open_client=self.open,
        )


@pytest.fixture
def hub() -> OAuthHub:
    return OAuthHub()


def test_reach_says_what_is_known(hub: OAuthHub) -> None:
    one = hub.connected(features={"manage_webhooks": True})
    clients: GitLabs = Given(hub).clients()
    connection = clients.connection(one)
    assert connection is not None
    assert (connection.base_url, connection.user_id, connection.gitlab_version) == (HOST, 7, "17.5.1-ee")
    assert (connection.credential_works, connection.manage_webhooks, connection.report_statuses, connection.paused) == (
        True, True, False, False,
    )  # fmt: skip


def test_without_a_credential_there_is_no_reach(hub: OAuthHub) -> None:
    clients = Given(hub).clients()
    assert clients.connection(hub.start()) is None
    assert clients.connection("int_unknown") is None


@pytest.fixture
def one(hub: OAuthHub) -> str:
    return hub.connected()


async def test_a_client_renews_before_use_and_after_a_rejection(hub: OAuthHub, one: str) -> None:
    given = Given(hub)
    connection = given.clients().connection(one)
    assert connection is not None
    hub.now += LIFE
    hub.gitlab.expire()
    async with given.clients().open(connection) as gitlab:
        assert (await gitlab.get("/user")).body["id"] == 7
        hub.gitlab.expire()
        assert (await gitlab.get("/user")).body["id"] == 7
    assert hub.gitlab.refreshes == 2
    assert given.limits == [(HOST, 7)]


def test_what_the_deployer_no_longer_allows_is_not_opened(hub: OAuthHub) -> None:
    one = hub.connected()
    given = Given(hub, NetworkPolicy(allowed_hosts=("other.example.com",)))
    connection = given.clients().connection(one)
    assert connection is not None
    with pytest.raises(HostNotAllowed):
        given.clients().open(connection)


def test_two_gitlabs_of_one_host_have_an_allowance_each(hub: OAuthHub, one: str) -> None:
    given = Given(hub)
    connection = given.clients().connection(one)
    assert connection is not None
    for path in ("/a", "/b"):
        given.clients().open(replace(connection, base_url=HOST + path))
    assert given.limits == [(f"{HOST}/a", 7), (f"{HOST}/b", 7)]
