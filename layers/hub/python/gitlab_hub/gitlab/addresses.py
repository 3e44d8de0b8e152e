"""What kind of place an IP address is, told without asking anybody.

`ipaddress.is_global` alone is not enough: it says yes to multicast, NAT64, 6to4 and site-local addresses, and its
answers changed between Python releases. So the ranges that matter are written down here.
"""

from collections.abc import Iterable
from enum import Enum, auto
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


class Standing(Enum):
    """How far an address may be trusted to be somebody else's server on the internet."""

    PUBLIC = auto()
    PRIVATE = auto()
    """Reachable only where the deployer listed its range."""
    LOOPBACK = auto()
    FORBIDDEN = auto()
    """Never reachable, whatever the deployer listed."""


def _networks(*cidrs: str) -> tuple[IPNetwork, ...]:
    return tuple(ip_network(cidr) for cidr in cidrs)


_NAT64 = IPv6Network("64:ff9b::/96")
_PUBLIC_IPV6 = IPv6Network("2000::/3")
_LOOPBACK = _networks("127.0.0.0/8", "::1/128")
_TUNNELS = _networks(
    "::ffff:0:0/96",  # IPv4-mapped
    "::ffff:0:0:0/96",  # IPv4-translated
    "64:ff9b:1::/48",  # NAT64, local use
    "2001::/32",  # Teredo
    "2002::/16",  # 6to4
)
_FORBIDDEN = _networks(
    "0.0.0.0/8",
    "100.100.100.200/32",  # metadata (Alibaba Cloud)
    "168.63.129.16/32",  # platform services (Azure)
    "169.254.0.0/16",  # link-local: metadata, container credentials
    "192.0.0.0/24",  # IETF protocol assignments; metadata (Oracle Cloud)
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/96",  # unspecified and IPv4-compatible
    "100::/64",
    "fd00:42::42/128",  # metadata (Scaleway)
    "fd00:ec2::/32",  # metadata (AWS)
    "fd20:ce::254/128",  # metadata (Google Cloud)
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
)
_NOT_PUBLIC = _networks("192.88.99.0/24", "2001::/23", "2001:db8::/32", "3fff::/20")


def standing(address: str | IPAddress) -> Standing:
    """Classify one address; anything that is not an address is forbidden."""
    try:
        ip = ip_address(address)
    except ValueError:
        return Standing.FORBIDDEN
    if isinstance(ip, IPv6Address) and ip in _NAT64:
        return _behind_nat64(ip)
    if _in(ip, _LOOPBACK):
        return Standing.LOOPBACK
    if _in(ip, _TUNNELS) or _in(ip, _FORBIDDEN) or getattr(ip, "scope_id", None):
        return Standing.FORBIDDEN
    return Standing.PUBLIC if _is_public(ip) else Standing.PRIVATE


def carries_ipv4(ip: IPAddress) -> bool:
    """Whether an IPv6 address stands for an IPv4 one: nobody writes such a literal for an honest reason."""
    return isinstance(ip, IPv6Address) and (ip in _NAT64 or _in(ip, _TUNNELS))


def _behind_nat64(ip: IPv6Address) -> Standing:
    # A resolver with DNS64 gives these for public IPv4 servers; a private server behind one is a detour, not a route.
    inner = standing(IPv4Address(int(ip) & 0xFFFF_FFFF))
    return Standing.PUBLIC if inner is Standing.PUBLIC else Standing.FORBIDDEN


def _is_public(ip: IPAddress) -> bool:
    outside = isinstance(ip, IPv6Address) and ip not in _PUBLIC_IPV6
    return ip.is_global and not outside and not _in(ip, _NOT_PUBLIC)


def _in(ip: IPAddress, networks: Iterable[IPNetwork]) -> bool:
    return any(ip in network for network in networks)
