"""Hub tokens: only hashes are kept, and a token is found by the id that it carries."""

import hashlib
import hmac
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gitlab_hub.storage.ports import (
    ABSENT,
    PRESENT,
    ConditionFailed,
    Item,
    SecretMissing,
    Secrets,
    StorageRefused,
    Table,
)
from gitlab_hub.storage.rows import is_written
from gitlab_hub.web.principal import GitLabAccount, Principal, Role

PARTITION = "TOKENS"
# Revoked and expired tokens stay for a while, so that nobody wonders where they went, and none is made again.
KEPT_SECONDS = 30 * 24 * 3600
OWNER_CACHE_SECONDS = 60

_TOKEN = re.compile(r"ghub_(?P<id>[A-Za-z0-9-]{1,64})_(?P<secret>[A-Za-z0-9_-]{1,256})")


@dataclass(frozen=True, slots=True, kw_only=True)
class HubToken:
    """What is stored of a token."""

    id: str
    secret_sha256: str
    role: Role
    integration_ids: frozenset[str] | None
    label: str | None
    created_at: int
    created_by: str
    valid_until: int | None
    revoked_at: int | None = None
    gitlab_accounts: frozenset[GitLabAccount] = frozenset()

    @property
    def principal(self) -> Principal:
        """The caller that the token stands for."""
        return Principal(self.id, self.role, self.integration_ids, self.gitlab_accounts)

    def is_good(self, now: float) -> bool:
        """Say whether the token still opens anything."""
        return self.revoked_at is None and (self.valid_until is None or now < self.valid_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownToken:
    """A token that was found good: who calls with it, its label, and a fingerprint that no other secret has."""

    principal: Principal
    label: str | None
    fingerprint: str

    @property
    def binding(self) -> str:
        """What is kept with whatever ends with this very token: its id may be another token's one day."""
        return secret_hash(self.fingerprint)


class TokenStore:
    """The hub tokens in the table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, token_id: str) -> HubToken | None:
        """Read one token, whatever its state."""
        row = self._table.get(PARTITION, token_id)
        return None if row is None else _token(row)

    def is_revoked(self, token_id: str, *, now: float) -> bool:
        """Say whether a token that was good is not any more. The owner's own, which has no row, is not."""
        token = self.get(token_id)
        return token is not None and not token.is_good(now)

    def add(self, token: HubToken) -> HubToken:
        """Keep a token; where there is one of this id already, that one is given back."""
        return token if is_written(self._table.put, _row(token), ABSENT) else self.get(token.id) or token

    def revoke(self, token: HubToken, *, now: float) -> None:
        """Make a token useless from now on."""
        row = {**_row(token), "revoked_at": int(now), "expires_at": int(now) + KEPT_SECONDS}
        try:
            self._table.put(row, PRESENT)
        except ConditionFailed:
            return  # Its time to live ended in between.

    def page(self, after: str | None, limit: int) -> tuple[list[HubToken], str | None]:
        """Read tokens in order of their ids, and where to go on."""
        rows = self._table.query(PARTITION, after=after, limit=limit)
        return [_token(row) for row in rows.items], rows.last[1] if rows.last else None


class OwnerToken:
    """The first owner's token, which the stack puts into Secrets Manager; looked up at most once a minute."""

    def __init__(self, secrets: Secrets, name: str, now: Callable[[], float]) -> None:
        self._secrets, self._name, self._now = secrets, name, now
        self._last: tuple[str, bytes] | None = None
        self._until = 0.0

    def known(self, token: str) -> KnownToken | None:
        """Give the owner's token, if this is it."""
        if self._now() >= self._until:
            self._last, self._until = self._read(), self._now() + OWNER_CACHE_SECONDS
        if self._last is None or not hmac.compare_digest(_digest(token), self._last[1]):
            return None
        return _of_owner(self._last)

    def known_by_id(self, token_id: str) -> KnownToken | None:
        """Give the owner's token, if it has this id now."""
        last = self._read()
        return _of_owner(last) if last is not None and last[0] == token_id else None

    def _read(self) -> tuple[str, bytes] | None:
        try:
            value = self._secrets.read(self._name)
        except SecretMissing:
            return None
        token_id, secret = str(value.get("id") or "owner"), value.get("secret")
        whole = value.get("token") or (f"ghub_{token_id}_{secret}" if secret else None)
        # An empty or missing secret never matches anything.
        return (token_id, _digest(str(whole))) if whole else None


class TokenAuthenticator:
    """Finds who a presented token stands for."""

    def __init__(self, store: TokenStore, owner: OwnerToken, now: Callable[[], float]) -> None:
        self._store, self._owner, self._now = store, owner, now

    def principal_of(self, presented: str) -> Principal | None:
        """Give the caller, or None for every token that is not good."""
        known = self.known(presented)
        return None if known is None else known.principal

    def principal_by_id(self, token_id: str) -> Principal | None:
        """Give the caller that a token of this id stands for now, without the token; None where it is no good."""
        known = self.known_by_id(token_id)
        return None if known is None else known.principal

    def known(self, presented: str) -> KnownToken | None:
        """Give the token, or None for every one that is not good.

        The owner's token has no row, so its secret is read only for a token whose id has none either.
        """
        parts = _TOKEN.fullmatch(presented)
        token = self._store.get(parts["id"]) if parts else None
        if parts is None or token is None:
            return self._owner.known(presented)
        is_same = hmac.compare_digest(secret_hash(parts["secret"]).encode(), token.secret_sha256.encode())
        return self._good(token) if is_same else None

    def known_by_id(self, token_id: str) -> KnownToken | None:
        """Give the token of this id as it is now, without having seen it; None where it is no good."""
        token = self._store.get(token_id)
        return self._owner.known_by_id(token_id) if token is None else self._good(token)

    def _good(self, token: HubToken) -> KnownToken | None:
        if not token.is_good(self._now()):
            return None
        return KnownToken(principal=token.principal, label=token.label, fingerprint=token.secret_sha256)


def _of_owner(last: tuple[str, bytes]) -> KnownToken:
    token_id, digest = last
    return KnownToken(principal=Principal(token_id, Role.OWNER), label=None, fingerprint=digest.hex())


def secret_hash(secret: str) -> str:
    """Hash a token's secret; it is random and long, so no salt or slow hash is needed."""
    return _digest(secret).hex()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def _row(token: HubToken) -> Item:
    ends = token.valid_until
    row: Item = {
        "pk": PARTITION,
        "sk": token.id,
        "schema_version": 1,
        "secret_sha256": token.secret_sha256,
        "role": token.role.value,
        "integration_ids": None if token.integration_ids is None else sorted(token.integration_ids),
        "label": token.label,
        "created_at": token.created_at,
        "created_by": token.created_by,
        "valid_until": ends,
        "revoked_at": token.revoked_at,
        "gitlab_accounts": [one._asdict() for one in sorted(token.gitlab_accounts)],
    }
    return row if ends is None else {**row, "expires_at": ends + KEPT_SECONDS}


def _token(row: Item) -> HubToken:
    limit: list[str] | None = row["integration_ids"]
    known: dict[str, Any] = {name: row[name] for name in ("secret_sha256", "label", "created_at", "created_by")}
    return HubToken(
        id=row["sk"],
        role=Role(row["role"]),
        integration_ids=None if limit is None else frozenset(limit),
        valid_until=row["valid_until"],
        revoked_at=row["revoked_at"],
        # Rows of earlier releases name nobody.
        gitlab_accounts=frozenset(GitLabAccount(**one) for one in row.get("gitlab_accounts") or ()),
        **known,
    )


# Keys for every purpose, all derived from the hub's one master key.

_SHORTEST = 32
_NO_MASTER_KEY = (
    f"The hub's master key is missing: the secret of the output MasterKeySecretName must hold a `key` of at least "
    f"{_SHORTEST} characters; restore it, or its value before, in Secrets Manager."
)


class MasterKey:
    """Reads the master key once per process and derives from it; the key itself is never given out."""

    def __init__(self, secrets: Secrets, name: str) -> None:
        self._secrets, self._name = secrets, name
        self._key: bytes | None = None
        self._lock = threading.Lock()

    def derive(self, purpose: str) -> bytes:
        """Give 32 bytes that belong to this purpose alone.

        Raises StorageRefused where the secret is gone or holds no such key: no repeated call helps, a person must.
        """
        return hmac.digest(self._read(), f"gitlab-hub/{purpose}".encode(), hashlib.sha256)

    def _read(self) -> bytes:
        with self._lock:
            if self._key is None:
                try:
                    key = str(self._secrets.read(self._name).get("key", "")).encode()
                except SecretMissing:
                    key = b""
                if len(key) < _SHORTEST:
                    raise StorageRefused(_NO_MASTER_KEY)
                self._key = key
            return self._key
