from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitlab_hub.gitlab.addresses import Standing, carries_ipv4, standing


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", Standing.PUBLIC),
        ("172.65.251.78", Standing.PUBLIC),
        ("2606:4700:90:0:f22e:fbec:5bed:a9b9", Standing.PUBLIC),
        ("64:ff9b::808:808", Standing.PUBLIC),
        ("10.0.0.1", Standing.PRIVATE),
        ("172.16.0.1", Standing.PRIVATE),
        ("192.168.1.1", Standing.PRIVATE),
        ("100.64.0.1", Standing.PRIVATE),
        ("198.18.0.1", Standing.PRIVATE),
        ("192.88.99.1", Standing.PRIVATE),
        ("203.0.113.5", Standing.PRIVATE),
        ("fd12:3456::1", Standing.PRIVATE),
        ("2001:db8::1", Standing.PRIVATE),
        ("2001:10::1", Standing.PRIVATE),
        ("3fff::1", Standing.PRIVATE),
        ("4000::1", Standing.PRIVATE),
        ("127.0.0.1", Standing.LOOPBACK),
        ("127.255.255.254", Standing.LOOPBACK),
        ("::1", Standing.LOOPBACK),
        ("0.0.0.0", Standing.FORBIDDEN),
        ("0.1.2.3", Standing.FORBIDDEN),
        ("169.254.169.254", Standing.FORBIDDEN),
        ("169.254.170.2", Standing.FORBIDDEN),
        ("100.100.100.200", Standing.FORBIDDEN),
        ("168.63.129.16", Standing.FORBIDDEN),
        ("192.0.0.192", Standing.FORBIDDEN),
        ("224.0.0.1", Standing.FORBIDDEN),
        ("240.0.0.1", Standing.FORBIDDEN),
        ("255.255.255.255", Standing.FORBIDDEN),
        ("::", Standing.FORBIDDEN),
        ("::8.8.8.8", Standing.FORBIDDEN),
        ("::ffff:8.8.8.8", Standing.FORBIDDEN),
        ("::ffff:127.0.0.1", Standing.FORBIDDEN),
        ("::ffff:0:127.0.0.1", Standing.FORBIDDEN),
        ("64:ff9b::7f00:1", Standing.FORBIDDEN),
        ("64:ff9b::a9fe:a9fe", Standing.FORBIDDEN),
        ("64:ff9b::a00:1", Standing.FORBIDDEN),
        ("64:ff9b:1::808:808", Standing.FORBIDDEN),
        ("2001:0:808:808::1", Standing.FORBIDDEN),
        ("2002:7f00:1::", Standing.FORBIDDEN),
        ("2002:808:808::1", Standing.FORBIDDEN),
        ("fd00:ec2::254", Standing.FORBIDDEN),
        ("fd20:ce::254", Standing.FORBIDDEN),
        ("fe80::1", Standing.FORBIDDEN),
        ("fe80::1%eth0", Standing.FORBIDDEN),
        ("2606:4700::1%eth0", Standing.FORBIDDEN),
        ("fec0::1", Standing.FORBIDDEN),
        ("ff02::1", Standing.FORBIDDEN),
        ("gitlab.com", Standing.FORBIDDEN),
        ("", Standing.FORBIDDEN),
    ],
)
def test_every_address_has_its_standing(address: str, expected: Standing) -> None:
    assert standing(address) is expected


@given(st.ip_addresses())
def test_nothing_public_is_special_to_the_standard_library(ip: object) -> None:
    address = ip_address(str(ip))
    if standing(address) is Standing.PUBLIC and not carries_ipv4(address):
        assert address.is_global
        assert not any([address.is_multicast, address.is_loopback, address.is_link_local, address.is_reserved])


@given(st.ip_addresses(v=4))
def test_no_ipv6_form_of_an_address_gets_further_than_the_address(ip: object) -> None:
    plain = standing(str(ip))
    assert standing(f"::ffff:{ip}") is Standing.FORBIDDEN
    assert standing(f"64:ff9b::{ip}") is (Standing.PUBLIC if plain is Standing.PUBLIC else Standing.FORBIDDEN)
