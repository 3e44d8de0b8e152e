"""Where the deployer lets the hub connect to."""

from collections.abc import Collection
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from gitlab_hub.gitlab.addresses import IPAddress, IPNetwork, Standing, carries_ipv4, standing
from gitlab_hub.gitlab.errors import HostNotAllowed, InvalidUrl

if TYPE_CHECKING:
    from gitlab_hub.gitlab.address import Address

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

NO_PLAIN_HTTP = (
    "Use an https:// URL: plain http is not allowed here. The deployer can allow it with AllowInsecureHttp=true "
    "(local stack: --allow-http)."
)


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

    def check(self, address: "Address") -> None:
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
        match standing(ip):
            case Standing.PUBLIC:
                return
            case Standing.LOOPBACK if self.allow_loopback:
                return
            case Standing.PRIVATE if any(ip_address(ip) in network for network in self._networks):
                return
            case Standing.PRIVATE:
                raise HostNotAllowed(
                    "This host has a private address. The deployer can allow its network with AllowedPrivateCidrs "
                    "(local stack: --allow-private)."
                )
            case Standing.LOOPBACK:
                raise HostNotAllowed(
                    "This host has a loopback address, which is the hub itself. "
                    "Only the local stack can connect such a one (--allow-loopback)."
                )
        raise HostNotAllowed("This host has an address that is never allowed (link-local, metadata, multicast, …).")

    def _check_literal(self, literal: IPAddress) -> None:
        if carries_ipv4(literal):
            raise HostNotAllowed("Write the IPv4 address itself instead of an IPv6 form of it.")
        self.vet(literal)

    def _port_allowed(self, address: "Address") -> bool:
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
    return _is_local_name(host) or (_literal(host) is not None and standing(host) is Standing.LOOPBACK)
