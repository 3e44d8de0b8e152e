"""Base URLs that lead where no GitLab of others is: all are refused before anything is dialed."""

import json
from pathlib import Path

import pytest

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.client import ClientOptions, GitLab
from gitlab_hub.gitlab.errors import HostNotAllowed, InvalidUrl
from gitlab_hub.gitlab.network import VettedBackend
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.gitlab.wire import VettedTransport
from tests.fakes.gitlab_client import FixedTokens
from tests.fakes.network import CountingDialer, Names

REFUSED: list[str] = json.loads((Path(__file__).parent / "refused_base_urls.json").read_text())
NAMES = {
    "gitlab_com": [["172.65.251.78"]],
    "inside_example": [["10.0.0.5"]],
    "both_example": [["8.8.8.8", "127.0.0.1"]],
    "mapped_example": [["::ffff:10.0.0.1"]],
    "imds_example": [["169.254.169.254"]],
    "ula_example": [["fd00:ec2::254"]],
}


async def attempt(url: str, policy: NetworkPolicy, dialer: CountingDialer) -> None:
    """Do with a URL what connecting an integration does."""
    address = Address.parse(url, allow_http=policy.allow_http)
    backend = VettedBackend(address, policy, resolve=Names(**NAMES), dialer=dialer)
    transport = VettedTransport(address, policy, ClientOptions(), backend=backend)
    options = ClientOptions(tries=1)
    async with GitLab(address, FixedTokens("glpat-x"), policy=policy, options=options, transport=transport) as gitlab:
        await gitlab.get("/user")


def test_the_corpus_is_large_enough() -> None:
    assert len(set(REFUSED)) >= 120


@pytest.mark.parametrize("url", REFUSED, ids=ascii)
async def test_a_bad_base_url_is_refused_without_a_connection(url: str) -> None:
    dialer = CountingDialer()
    with pytest.raises((InvalidUrl, HostNotAllowed)) as refused:
        await attempt(url, NetworkPolicy(), dialer)
    assert dialer.dialed == []
    assert not any(address in str(refused.value) for turns in NAMES.values() for turn in turns for address in turn)
