from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitlab_hub.gitlab.policy import AddressClass, carries_ipv4, classify_address


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", AddressClass.PUBLIC),
        ("172.65.251.78", AddressClass.PUBLIC),
        ("2606:4700:90:0:f22e:fbec:5bed:a9b9", AddressClass.PUBLIC),
        ("64:ff9b::808:808", AddressClass.PUBLIC),
        ("10.0.0.1", AddressClass.PRIVATE),
        ("172.16.0.1", AddressClass.PRIVATE),
        ("192.168.1.1", AddressClass.PRIVATE),
        ("100.64.0.1", AddressClass.PRIVATE),
        ("198.18.0.1", AddressClass.PRIVATE),
        ("192.88.99.1", AddressClass.PRIVATE),
        ("203.0.113.5", AddressClass.PRIVATE),
        ("fd12:3456::1", AddressClass.PRIVATE),
        ("2001:db8::1", AddressClass.PRIVATE),
        ("2001:10::1", AddressClass.PRIVATE),
        ("3fff::1", AddressClass.PRIVATE),
        ("4000::1", AddressClass.PRIVATE),
        ("127.0.0.1", AddressClass.LOOPBACK),
        ("127.255.255.254", AddressClass.LOOPBACK),
        ("::1", AddressClass.LOOPBACK),
        ("0.0.0.0", AddressClass.FORBIDDEN),
        ("0.1.2.3", AddressClass.FORBIDDEN),
        ("169.254.169.254", AddressClass.FORBIDDEN),
        ("169.254.170.2", AddressClass.FORBIDDEN),
        ("100.100.100.200", AddressClass.FORBIDDEN),
        ("168.63.129.16", AddressClass.FORBIDDEN),
        ("192.0.0.192", AddressClass.FORBIDDEN),
        ("224.0.0.1", AddressClass.FORBIDDEN),
        ("240.0.0.1", AddressClass.FORBIDDEN),
        ("255.255.255.255", AddressClass.FORBIDDEN),
        ("::", AddressClass.FORBIDDEN),
        ("::8.8.8.8", AddressClass.FORBIDDEN),
        ("::ffff:8.8.8.8", AddressClass.FORBIDDEN),
        ("::ffff:127.0.0.1", AddressClass.FORBIDDEN),
        ("::ffff:0:127.0.0.1", AddressClass.FORBIDDEN),
        ("64:ff9b::7f00:1", AddressClass.FORBIDDEN),
        ("64:ff9b::a9fe:a9fe", AddressClass.FORBIDDEN),
        ("64:ff9b::a00:1", AddressClass.FORBIDDEN),
        ("64:ff9b:1::808:808", AddressClass.FORBIDDEN),
        ("2001:0:808:808::1", AddressClass.FORBIDDEN),
        ("2002:7f00:1::", AddressClass.FORBIDDEN),
        ("2002:808:808::1", AddressClass.FORBIDDEN),
        ("fd00:ec2::254", AddressClass.FORBIDDEN),
        ("fd20:ce::254", AddressClass.FORBIDDEN),
        ("fe80::1", AddressClass.FORBIDDEN),
        ("fe80::1%eth0", AddressClass.FORBIDDEN),
        ("2606:4700::1%eth0", AddressClass.FORBIDDEN),
        ("fec0::1", AddressClass.FORBIDDEN),
        ("ff02::1", AddressClass.FORBIDDEN),
        ("gitlab.com", AddressClass.FORBIDDEN),
        ("", AddressClass.FORBIDDEN),
    ],
)
def test_every_address_has_its_standing(address: str, expected: AddressClass) -> None:
    assert classify_address(address) is expected


@given(st.ip_addresses())
def test_nothing_public_is_special_to_the_standard_library(ip: object) -> None:
    address = ip_address(str(ip))
    if classify_address(address) is AddressClass.PUBLIC and not carries_ipv4(address):
        assert address.is_global
        assert not any([address.is_multicast, address.is_loopback, address.is_link_local, address.is_reserved])


@given(st.ip_addresses(v=4))
def test_no_ipv6_form_of_an_address_gets_further_than_the_address(ip: object) -> None:
    plain = classify_address(str(ip))
    assert classify_address(f"::ffff:{ip}") is AddressClass.FORBIDDEN
    assert classify_address(f"64:ff9b::{ip}") is (
        AddressClass.PUBLIC if plain is AddressClass.PUBLIC else AddressClass.FORBIDDEN
    )
