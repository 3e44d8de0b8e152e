"""TLS with a private authority: the name is checked and sent, while exactly the vetted address is dialed."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.client import ClientOptions, GitLab, Reply
from gitlab_hub.gitlab.errors import TlsError
from gitlab_hub.gitlab.network import VettedBackend
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.gitlab.wire import VettedTransport
from tests.fakes.gitlab_client import FixedTokens
from tests.fakes.gitlab_server import FaultServer, as_json, closing_when_idle
from tests.fakes.network import Names

pytestmark = pytest.mark.enable_socket

NAME = "gitlab.test"
Key = ec.EllipticCurvePrivateKey


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


class Authority:
    """A private authority that signs whatever it is asked to."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign("Test authority", self.key, days=2, is_authority=True)

    def context(self, folder: Path, *, name: str = NAME, days: int = 2) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        path = folder / "server.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        path.write_text(private + pem(self._sign(name, key, days=days)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _sign(self, name: str, key: Key, *, days: int, is_authority: bool = False) -> x509.Certificate:
        now = datetime.now(UTC)
        issuer = "Test authority"
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=5))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def client(port: int, ca_bundle: str | None) -> GitLab:
    address = Address("https", NAME, port)
    policy = NetworkPolicy(allow_loopback=True, allowed_ports=(port,))
    options = ClientOptions(ca_bundle=ca_bundle, tries=1, deadline=3.0)
    backend = VettedBackend(address, policy, resolve=Names(gitlab_test=[["127.0.0.1"]]))
    transport = VettedTransport(address, policy, options, backend=backend)
    return GitLab(address, FixedTokens("glpat-x"), policy=policy, options=options, transport=transport)


async def call(port: int, ca_bundle: str | None) -> Reply:
    async with client(port, ca_bundle) as gitlab:
        return await gitlab.get("/user")


async def test_name_and_host_stay_while_the_address_is_dialed(authority: Authority, tmp_path: Path) -> None:
    names: list[str | None] = []
    context = authority.context(tmp_path)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    bundle = tmp_path / "ca.pem"
    bundle.write_text(pem(authority.certificate))
    async with FaultServer(as_json({"id": 7}), tls=context) as server:
        assert (await call(server.port, pem(authority.certificate))).body == {"id": 7}
        assert (await call(server.port, str(bundle))).body == {"id": 7}
        assert f"\r\nHost: {NAME}:{server.port}\r\n".encode() in server.requests[0]
    assert names == [NAME, NAME]


async def test_a_connection_that_was_closed_while_idle_is_not_used_again(authority: Authority, tmp_path: Path) -> None:
    async with FaultServer(closing_when_idle({"id": 7}), as_json({"id": 8}), tls=authority.context(tmp_path)) as server:
        async with client(server.port, pem(authority.certificate)) as gitlab:
            assert (await gitlab.get("/user")).body == {"id": 7}
            await asyncio.sleep(0.3)
            assert (await gitlab.get("/user")).body == {"id": 8}
            assert (await gitlab.get("/user")).body == {"id": 8}
        assert server.connections == 2


async def test_an_unknown_authority_is_refused_before_anything_is_sent(authority: Authority, tmp_path: Path) -> None:
    async with FaultServer(as_json({}), tls=authority.context(tmp_path)) as server:
        with pytest.raises(TlsError):
            await call(server.port, None)
        assert server.requests == []


@pytest.mark.parametrize(("name", "days"), [("other.test", 2), (NAME, -1)])
async def test_a_wrong_certificate_is_refused(authority: Authority, tmp_path: Path, name: str, days: int) -> None:
    async with FaultServer(as_json({}), tls=authority.context(tmp_path, name=name, days=days)) as server:
        with pytest.raises(TlsError):
            await call(server.port, pem(authority.certificate))
        assert server.requests == []


async def test_a_server_without_tls_is_told() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        with pytest.raises(TlsError):
            await call(server.sockets[0].getsockname()[1], None)
