"""Keys and deploy tokens as GitLab's database would hold them; access tokens are in `model.py`."""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Literal

from stand_in_gitlab.company.prng import token_hex

SourceKind = Literal["group", "project"]


@dataclass(slots=True, kw_only=True)
class Key:
    """A public key, of a person or to be added to projects."""

    id: int
    title: str
    created: float
    expires: float | None = None
    last_used: float | None = None

    @property
    def text(self) -> str:
        """The key itself, made up."""
        return f"ssh-ed25519 {base64.b64encode(bytes.fromhex(token_hex('key', self.id, digits=64))).decode()}"

    @property
    def fingerprint(self) -> str:
        """What names it."""
        digest = hashlib.sha256(self.text.encode()).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


@dataclass(slots=True, kw_only=True)
class SshKey(Key):
    """A key that a person signs in with."""

    user_id: int


@dataclass(slots=True, kw_only=True)
class DeployKey(Key):
    """A key that opens projects: by their ids, whether it may push there."""

    projects: dict[int, bool] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class DeployToken:
    """A token that reads (or writes) packages, images or code of one group or project, and acts as nobody."""

    id: int
    name: str
    source: tuple[SourceKind, int]
    scopes: tuple[str, ...] = ("read_repository",)
    expires: float | None = None
    revoked: bool = False
