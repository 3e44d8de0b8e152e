"""Signatures of the requests that the hub sends to HTTPS targets, as Standard Webhooks has them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gitlab_hub.builds.runs.model import Build
from gitlab_hub.storage.ports import Item, Key, Table
from gitlab_hub.storage.rows import at_version

GRACE_SECONDS = 24 * 3600
"""How long requests are signed with the secret before the newest one as well."""
REMEMBERED = 8
"""How many calls are remembered: those of the last day, as long as an `Idempotency-Key` is, or nearly all of them."""
_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """Which secret of a trigger counts. `previous_until`: unix seconds; until then the one before counts too."""

    version: int
    previous_until: int

    def signing(self, *, now: float) -> Sequence[int]:
        """The versions to sign with, newest first."""
        return (self.version, self.version - 1) if self.version > 1 and now < self.previous_until else (self.version,)


class TargetSecrets:
    """Derives each trigger's signing secret, by version, from one key; it is stored nowhere.

    `key` gives 32 bytes that belong to build targets alone; it is asked at the first use, not before.
    """

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key

    def secret(self, trigger_id: str, version: int) -> str:
        """The secret as receivers are given it: `whsec_` and base64 of 32 bytes."""
        return f"whsec_{base64.b64encode(self._derived(trigger_id, version)).decode()}"

    def sign(
        self, trigger_id: str, versions: Sequence[int], *, message_id: str, at: int, body: bytes
    ) -> dict[str, str]:
        """The headers of a signed request."""
        text = f"{message_id}.{at}.".encode() + body
        made = (hmac.digest(self._derived(trigger_id, version), text, hashlib.sha256) for version in versions)
        signatures = " ".join(f"v1,{base64.b64encode(each).decode()}" for each in made)
        return {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": signatures}

    def _derived(self, trigger_id: str, version: int) -> bytes:
        return hmac.digest(self._key(), f"signing\n{trigger_id}\n{version}".encode(), hashlib.sha256)


class SecretVersions:
    """Which version of its secret each trigger is at; without a row it is the first one, which nobody was shown."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def of(self, integration_id: str, trigger_id: str) -> SecretVersion:
        """Read the version."""
        row = self._table.get(*_key(integration_id, trigger_id))
        return SecretVersion(1, 0) if row is None else SecretVersion(row["version"], row["previous_until"])

    def rotate(self, integration_id: str, trigger_id: str, *, seed: str, now: float) -> SecretVersion:
        """Go on to the next version; the same seed goes on only once. Raises ConditionFailed under contention."""
        pk, sk = _key(integration_id, trigger_id)
        row = self._table.get(pk, sk) or {"version": 1, "made": []}
        told = hashlib.sha256(seed.encode()).hexdigest()
        made = row["made"] if "made" in row else [[row["seed"], row["version"], row["previous_until"]]]
        known = next((SecretVersion(*rest) for digest, *rest in made if digest == told), None)
        if known is not None:
            return known
        following = SecretVersion(row["version"] + 1, int(now) + GRACE_SECONDS)
        noted = [told, following.version, following.previous_until]
        values: Item = {"version": following.version, "previous_until": following.previous_until, "seed": told}
        values |= {"pk": pk, "sk": sk, "schema_version": _SCHEMA, "made": [*made, noted][-REMEMBERED:]}
        as_read = at_version(row["version"] if "pk" in row else 0)
        self._table.put(values, as_read)  # `seed` is what the release before reads.
        return following


def _key(integration_id: str, trigger_id: str) -> Key:
    return f"INTEGRATION#{integration_id}", f"SIGNING#{trigger_id}"


class TargetSigner:
    """Signs what is sent for a build, with the secrets of its trigger that count now."""

    def __init__(self, secrets: TargetSecrets, versions: SecretVersions, now: Callable[[], float]) -> None:
        self._secrets, self._versions, self._now = secrets, versions, now

    def __call__(self, build: Build, *, message_id: str, body: bytes) -> dict[str, str]:
        """Give the headers of the signed request."""
        now = self._now()
        versions = self._versions.of(build.integration_id, build.trigger_id).signing(now=now)
        return self._secrets.sign(build.trigger_id, versions, message_id=message_id, at=int(now), body=body)
