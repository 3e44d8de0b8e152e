import pytest

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.errors import HostNotAllowed, InvalidUrl
from gitlab_hub.gitlab.policy import NetworkPolicy

NEVER = [
    "127.0.0.1",
    "::1",
    "169.254.169.254",
    "fd00:ec2::254",
    "0.0.0.0",
    "224.0.0.1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


def address(url: str) -> Address:
    return Address.parse(url, allow_http=True)


@pytest.mark.parametrize("ip", ["10.1.2.3", "fd12::1"])
def test_a_private_address_needs_its_range_listed(ip: str) -> None:
    with pytest.raises(HostNotAllowed):
        NetworkPolicy().vet(ip)
    with pytest.raises(HostNotAllowed):
        NetworkPolicy(allowed_private_cidrs=("10.9.0.0/16", "fd99::/16")).vet(ip)
    NetworkPolicy(allowed_private_cidrs=("10.0.0.0/8", " fd12::/16")).vet(ip)


@pytest.mark.parametrize("ip", NEVER)
def test_some_addresses_are_never_allowed_even_if_listed(ip: str) -> None:
    with pytest.raises(HostNotAllowed) as refused:
        NetworkPolicy(allowed_private_cidrs=("0.0.0.0/0", "::/0")).vet(ip)
    assert ip not in str(refused.value)


@pytest.mark.parametrize("ip", NEVER[2:])
def test_allowing_loopback_allows_nothing_else(ip: str) -> None:
    policy = NetworkPolicy(allow_loopback=True)
    policy.vet("127.0.0.1")
    policy.vet("::1")
    with pytest.raises(HostNotAllowed):
        policy.vet(ip)


def test_a_wrong_range_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        NetworkPolicy(allowed_private_cidrs=("10.0.0.0/99",))


def test_with_a_list_of_hosts_no_other_is_allowed() -> None:
    policy = NetworkPolicy(allowed_hosts=("GitLab.example.com.",))
    policy.check_host("gitlab.example.com")
    for host in ("gitlab.com", "evil.gitlab.example.com", "8.8.8.8"):
        with pytest.raises(HostNotAllowed):
            policy.check_host(host)


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "metadata", "metadata.google.internal", "127.0.0.1"])
def test_names_of_the_machine_and_the_cloud_are_refused(host: str) -> None:
    with pytest.raises(HostNotAllowed):
        NetworkPolicy().check_host(host)


def test_metadata_names_stay_refused_with_loopback() -> None:
    with pytest.raises(HostNotAllowed):
        NetworkPolicy(allow_loopback=True).check_host("metadata.google.internal")


@pytest.mark.parametrize(
    ("url", "policy", "allowed"),
    [
        ("https://gitlab.com", NetworkPolicy(), True),
        ("https://gitlab.com:80", NetworkPolicy(), False),
        ("https://gitlab.com:8443", NetworkPolicy(), False),
        ("http://gitlab.com", NetworkPolicy(allow_http=True), True),
        ("http://gitlab.com:443", NetworkPolicy(allow_http=True), False),
        ("https://gitlab.com:8443", NetworkPolicy(allowed_ports=(443, 8443)), True),
        ("https://gitlab.com:22", NetworkPolicy(allowed_ports=(443, 8443)), False),
        ("https://gitlab.com", NetworkPolicy(allowed_ports=(8443,)), False),
        ("https://gitlab.com:8929", NetworkPolicy(allow_loopback=True), False),
        ("http://127.0.0.1:8929", NetworkPolicy(allow_loopback=True, allow_http=True), True),
        ("http://localhost:8929", NetworkPolicy(allow_loopback=True, allow_http=True), True),
        ("http://[::1]:8929", NetworkPolicy(allow_loopback=True, allow_http=True), True),
        ("http://127.0.0.1:8929", NetworkPolicy(allow_http=True, allowed_ports=(8929,)), False),
    ],
)
def test_ports_and_hosts_together(url: str, policy: NetworkPolicy, *, allowed: bool) -> None:
    if allowed:
        policy.check(address(url))
    else:
        with pytest.raises(HostNotAllowed):
            policy.check(address(url))


def test_http_is_refused_by_the_policy_too() -> None:
    with pytest.raises(InvalidUrl):
        NetworkPolicy().check(address("http://gitlab.com"))
