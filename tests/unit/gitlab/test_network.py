import asyncio
import ssl
from collections.abc import Sequence

import httpcore
import pytest

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.errors import HostNotAllowed, HostUnreachable
from gitlab_hub.gitlab.network import VettedBackend
from gitlab_hub.gitlab.policy import NetworkPolicy
from tests.fakes.network import CountingDialer, Names

GITLAB = Address("https", "gitlab.example", 443)


def backend(dialer: CountingDialer, names: Names, policy: NetworkPolicy | None = None) -> VettedBackend:
    return VettedBackend(GITLAB, policy or NetworkPolicy(), resolve=names, dialer=dialer)


async def test_exactly_the_vetted_address_is_dialed() -> None:
    dialer = CountingDialer()
    await backend(dialer, Names(gitlab_example=[["8.8.8.8"]])).connect_tcp("gitlab.example", 443)
    assert dialer.dialed == [("8.8.8.8", 443)]


async def test_a_name_that_turns_inwards_between_two_connections_is_refused() -> None:
    dialer, names = CountingDialer(), Names(gitlab_example=[["8.8.8.8"], ["169.254.169.254"]])
    subject = backend(dialer, names)
    await subject.connect_tcp("gitlab.example", 443)
    with pytest.raises(HostNotAllowed):
        await subject.connect_tcp("gitlab.example", 443)
    assert dialer.dialed == [("8.8.8.8", 443)]
    assert names.asked == ["gitlab.example"] * 2


async def test_one_bad_address_among_good_ones_spoils_all() -> None:
    dialer = CountingDialer()
    with pytest.raises(HostNotAllowed):
        await backend(dialer, Names(gitlab_example=[["8.8.8.8", "10.0.0.1"]])).connect_tcp("gitlab.example", 443)
    assert dialer.dialed == []


async def test_a_listed_private_range_is_dialed() -> None:
    dialer = CountingDialer()
    policy = NetworkPolicy(allowed_private_cidrs=("10.0.0.0/8",))
    await backend(dialer, Names(gitlab_example=[["10.0.0.1"]]), policy).connect_tcp("gitlab.example", 443)
    assert dialer.dialed == [("10.0.0.1", 443)]


async def test_the_next_address_is_tried_but_not_without_end() -> None:
    addresses = [f"8.8.8.{number}" for number in range(1, 9)]
    dialer = CountingDialer(addresses[0])
    await backend(dialer, Names(gitlab_example=[addresses])).connect_tcp("gitlab.example", 443)
    assert dialer.dialed == [(addresses[0], 443), (addresses[1], 443)]
    dead = CountingDialer(*addresses)
    with pytest.raises(HostUnreachable) as failed:
        await backend(dead, Names(gitlab_example=[addresses])).connect_tcp("gitlab.example", 443)
    assert len(dead.dialed) == 4
    assert "8.8.8" not in str(failed.value)


@pytest.mark.parametrize("origin", [("evil.example", 443), ("gitlab.example", 8443)])
async def test_only_the_origin_is_ever_connected_to(origin: tuple[str, int]) -> None:
    dialer = CountingDialer()
    with pytest.raises(HostNotAllowed):
        await backend(dialer, Names(evil_example=[["8.8.8.8"]])).connect_tcp(*origin)
    assert dialer.dialed == []


async def test_sockets_of_the_file_system_are_refused() -> None:
    with pytest.raises(HostNotAllowed):
        await backend(CountingDialer(), Names()).connect_unix_socket("/var/run/docker.sock")


@pytest.mark.parametrize("names", [Names(), Names(gitlab_example=[[]])])
async def test_a_name_without_addresses_is_unreachable(names: Names) -> None:
    with pytest.raises(HostUnreachable):
        await backend(CountingDialer(), names).connect_tcp("gitlab.example", 443)


async def test_a_slow_resolver_ends_in_time() -> None:
    async def stuck(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(30)
        return ["8.8.8.8"]

    subject = VettedBackend(GITLAB, NetworkPolicy(), resolve=stuck, dialer=CountingDialer())
    with pytest.raises(HostUnreachable):
        await subject.connect_tcp("gitlab.example", 443, timeout=0.01)


async def test_a_literal_address_is_vetted_without_asking_a_resolver() -> None:
    dialer, names = CountingDialer(), Names()
    policy = NetworkPolicy(allow_loopback=True)
    subject = VettedBackend(Address("http", "127.0.0.1", 8929), policy, resolve=names, dialer=dialer)
    await subject.connect_tcp("127.0.0.1", 8929)
    assert (dialer.dialed, names.asked) == ([("127.0.0.1", 8929)], [])


async def test_an_unlisted_host_is_refused_at_connect_time_too() -> None:
    policy = NetworkPolicy(allowed_hosts=("gitlab.com",))
    with pytest.raises(HostNotAllowed):
        await backend(CountingDialer(), Names(gitlab_example=[["8.8.8.8"]]), policy).connect_tcp("gitlab.example", 443)


async def test_it_serves_httpcores_pool() -> None:
    subject = backend(CountingDialer(), Names())
    await subject.sleep(0)
    assert isinstance(subject, httpcore.AsyncNetworkBackend)


async def test_a_cancelled_handshake_leaves_no_open_connection() -> None:
    dialer = CountingDialer(stuck=True)
    stream = await backend(dialer, Names(gitlab_example=[["8.8.8.8"]])).connect_tcp("gitlab.example", 443)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await stream.start_tls(ssl.create_default_context(), "gitlab.example")
    assert dialer.closed == 1


async def test_a_connection_passes_everything_on() -> None:
    dialer = CountingDialer()
    stream = await backend(dialer, Names(gitlab_example=[["8.8.8.8"]])).connect_tcp("gitlab.example", 443)
    await stream.write(b"x")
    assert await stream.read(10) == b"answer"
    assert stream.get_extra_info("socket") is None
    secure = await stream.start_tls(ssl.create_default_context(), "gitlab.example")
    assert await secure.read(10) == b"answer"
    await stream.aclose()
    assert dialer.closed == 1
