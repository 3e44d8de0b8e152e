"""Where the deployer lets the hub connect to."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from gitlab_hub.gitlab.address import NO_PLAIN_HTTP, Address
from gitlab_hub.gitlab.errors import HostNotAllowed, InvalidUrl

# What kind of place an IP address is, told without asking anybody.
#
# `ipaddress.is_global` alone is not enough: it says yes to multicast, NAT64, 6to4 and site-local addresses, and its
# answers changed between Python releases. So the ranges that matter are written down here.

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


class AddressClass(Enum):
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


def classify_address(address: str | IPAddress) -> AddressClass:
    """Classify one address; anything that is not an address is forbidden."""
    try:
        ip = ip_address(address)
    except ValueError:
        return AddressClass.FORBIDDEN
    if isinstance(ip, IPv6Address) and ip in _NAT64:
        return _behind_nat64(ip)
    if _in(ip, _LOOPBACK):
        return AddressClass.LOOPBACK
    if _in(ip, _TUNNELS) or _in(ip, _FORBIDDEN) or getattr(ip, "scope_id", None):
        return AddressClass.FORBIDDEN
    return AddressClass.PUBLIC if _is_public(ip) else AddressClass.PRIVATE


def carries_ipv4(ip: IPAddress) -> bool:
    """Whether an IPv6 address stands for an IPv4 one: nobody writes such a literal for an honest reason."""
    return isinstance(ip, IPv6Address) and (ip in _NAT64 or _in(ip, _TUNNELS))


def _behind_nat64(ip: IPv6Address) -> AddressClass:
    # A resolver with DNS64 gives these for public IPv4 servers; a private server behind one is a detour, not a route.
    inner = classify_address(IPv4Address(int(ip) & 0xFFFF_FFFF))
    return AddressClass.PUBLIC if inner is AddressClass.PUBLIC else AddressClass.FORBIDDEN


def _is_public(ip: IPAddress) -> bool:
    outside = isinstance(ip, IPv6Address) and ip not in _PUBLIC_IPV6
    return ip.is_global and not outside and not _in(ip, _NOT_PUBLIC)


def _in(ip: IPAddress, networks: Iterable[IPNetwork]) -> bool:
    return any(ip in network for network in networks)


_DEFAULT_PORTS = {"https": 443, "http": 80}
_METADATA_NAMES = frozenset(
    {
        "metadata",
        "instance-data",
        "metadata.goog",
        "metadata.azure.com",
        "metadata.google.internal",
        "instance-data.ec2.internal",
    }
)
_METADATA_SUFFIXES = (".instance-data", ".metadata.google.internal")


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """The deployer's rules; a caller of the hub cannot widen them.

    Private ranges are reachable only when listed. Link-local, metadata, multicast and reserved addresses never are,
    listed or not; loopback only with `allow_loopback`, which only the local stack sets. With `allowed_hosts`, no other
    host is reachable. Without `allowed_ports`, the scheme's own port is the only one (any port on loopback).
    """

    allowed_private_cidrs: Collection[str] = ()
    allowed_hosts: Collection[str] = ()
    allowed_ports: Collection[int] = ()
    allow_loopback: bool = False
    allow_http: bool = False
    _networks: tuple[IPNetwork, ...] = field(init=False, repr=False, compare=False)
    _hosts: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the ranges once, so that a wrong one fails at deployment and not at the first call."""
        networks = tuple(ip_network(cidr.strip(), strict=False) for cidr in self.allowed_private_cidrs)
        object.__setattr__(self, "_networks", networks)
        object.__setattr__(self, "_hosts", frozenset(host.strip().lower().rstrip(".") for host in self.allowed_hosts))

    def vetted(self, url: str) -> Address:
        """Read a base URL that these rules must allow. Raises InvalidUrl or HostNotAllowed."""
        address = Address.parse(url, allow_http=True)
        self.check(address)
        return address

    def check(self, address: Address) -> None:
        """Refuse an address by what can be told without resolving it."""
        # On loopback nobody listens in, and a GitLab-shaped server on one's own machine rarely has a certificate.
        may_be_plain = self.allow_http or (self.allow_loopback and _is_loopback(address.host))
        if address.scheme != "https" and not may_be_plain:
            raise InvalidUrl(NO_PLAIN_HTTP)
        self.check_host(address.host)
        if not self._port_allowed(address):
            raise HostNotAllowed(
                "This port is not allowed here. The deployer can add it to AllowedPorts (local stack: --allow-port)."
            )

    def check_host(self, host: str) -> None:
        """Refuse a host by its name, or by its address where it is a literal one."""
        if self._hosts and host not in self._hosts:
            raise HostNotAllowed(
                "This host is not one of those the deployer allows (AllowedHosts, for builds BuildTargetHosts)."
            )
        literal = _literal(host)
        if literal is not None:
            self._check_literal(literal)
        elif _is_local_name(host) and not self.allow_loopback:
            raise HostNotAllowed(
                "This host is the hub itself. Use the address under which others reach your GitLab; "
                "on the local stack, --allow-loopback lets one on this machine be connected."
            )
        elif _is_metadata_name(host):
            raise HostNotAllowed("This host belongs to the cloud's own services, not to a GitLab.")

    def vet(self, ip: str | IPAddress) -> None:
        """Refuse an address that the deployer has not allowed; its text never names the address."""
        match classify_address(ip):
            case AddressClass.PUBLIC:
                return
            case AddressClass.LOOPBACK if self.allow_loopback:
                return
            case AddressClass.PRIVATE if any(ip_address(ip) in network for network in self._networks):
                return
            case AddressClass.PRIVATE:
                raise HostNotAllowed(
                    "This host has a private address. The deployer can allow its network with AllowedPrivateCidrs "
                    "(local stack: --allow-private)."
                )
            case AddressClass.LOOPBACK:
                raise HostNotAllowed(
                    "This host has a loopback address, which is the hub itself. "
                    "Only the local stack can connect such a one (--allow-loopback)."
                )
        raise HostNotAllowed("This host has an address that is never allowed (link-local, metadata, multicast, …).")

    def _check_literal(self, literal: IPAddress) -> None:
        if carries_ipv4(literal):
            raise HostNotAllowed("Write the IPv4 address itself instead of an IPv6 form of it.")
        self.vet(literal)

    def _port_allowed(self, address: Address) -> bool:
        if self.allow_loopback and _is_loopback(address.host):
            return True
        return address.port in (self.allowed_ports or {_DEFAULT_PORTS[address.scheme]})


def _literal(host: str) -> IPAddress | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_local_name(host: str) -> bool:
    return host in {"localhost", "localhost.localdomain", "ip6-localhost"} or host.endswith(".localhost")


def _is_metadata_name(host: str) -> bool:
    return host in _METADATA_NAMES or host.endswith(_METADATA_SUFFIXES)


def _is_loopback(host: str) -> bool:
    return _is_local_name(host) or (_literal(host) is not None and classify_address(host) is AddressClass.LOOPBACK)
