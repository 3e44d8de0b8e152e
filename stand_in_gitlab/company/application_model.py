"""OAuth applications and the codes they were given."""

from dataclasses import dataclass, field

SCOPES = ("api", "read_api", "read_user", "openid")


@dataclass(slots=True, kw_only=True)
class Application:
    """A registered client."""

    name: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...] = SCOPES
    confidential: bool = True


@dataclass(slots=True, kw_only=True)
class Grant:
    """A code that waits to be exchanged, once."""

    code: str = field(repr=False)
    client_id: str
    user_id: int
    redirect_uri: str
    scopes: tuple[str, ...]
    created: float
    challenge: str | None
    method: str | None
    nonce: str | None = None
    """What an ID token repeats (OpenID Connect Core, 3.1.2.1)."""
    used: bool = False
