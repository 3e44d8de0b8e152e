"""Tokens that are still to be ended in GitLab: a row each, written together with the change that ends their use.

A row has no secret in it: it names the version of the integration's secret at which the token was in use. Secrets
Manager keeps such a version for a day at least, and for as long as there are not a hundred newer ones (Secrets Manager
user guide, "What's in a Secrets Manager secret?", Secret version).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from gitlab_hub.integrations import rows
from gitlab_hub.integrations.model import Credential, CredentialKind, Integration
from gitlab_hub.storage.ports import Condition, Item, Key, Put

SETTLED_SECONDS = 120
"""Longer than a worker takes that was renewing the token at that moment: by then it has kept what GitLab gave it."""

FIRST_PAUSE, LONGEST_PAUSE = 60, 6 * 3600
TOLD_TRIES, MOST_TRIES = 12, 120
"""With these pauses a person is told after a day, and four weeks later nobody tries again."""

_KEPT_SECONDS = 90 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """The end that a credential's token of a generation is still to have in GitLab. Times are unix seconds.

    `secret_version` is where that token was in use; "" = it is not the hub's to end (people made it), only what a
    renewal that was under way may have brought is.
    """

    integration_id: str
    credential_id: str
    generation: int
    kind: str
    host_url: str
    secret_version: str
    since: int
    due_at: int
    tries: int = 0

    @property
    def key(self) -> Key:
        """Where it is noted."""
        return rows.partition(self.integration_id), f"{rows.REVOCATION}{self.credential_id}#{self.generation}"

    def after_failure(self, now: float) -> "Revocation":
        """The same with its next try, after a growing pause."""
        pause = min(FIRST_PAUSE << min(self.tries, 10), LONGEST_PAUSE)
        return replace(self, tries=self.tries + 1, due_at=int(now) + pause)


def revocation_of(was: Integration, credential: Credential, *, announced: bool, now: float) -> Revocation:
    """What is to end of a credential as it was at a version of its integration."""
    return Revocation(
        integration_id=was.id,
        credential_id=credential.id,
        generation=credential.generation,
        kind=credential.kind,
        host_url=was.host_url,
        secret_version=was.secret_version if announced else "",
        since=int(now),
        due_at=int(now) + SETTLED_SECONDS,
    )


def noted(was: Integration, credential: Credential | None, *, now: int) -> list[Put]:
    """What a change writes that replaces or removes the token of a credential; nothing for a new one.

    The caretaker looks at it also where the token ends at once: a worker that was renewing it may have ended.
    """
    if credential is None or credential.deleted_at is not None:
        return []
    granted = credential.kind == CredentialKind.OAUTH
    return [Put(row(revocation_of(was, credential, announced=granted, now=now)))]


def row(revocation: Revocation) -> Item:
    """Spell a revocation."""
    pk, sk = revocation.key
    kept_until = revocation.since + _KEPT_SECONDS
    return {"pk": pk, "sk": sk, "schema_version": 1, **asdict(revocation), "expires_at": kept_until}


def revocation_in(item: Mapping[str, Any]) -> Revocation:
    """Read a revocation; attributes of a later release are left alone."""
    return Revocation(**{field.name: item[field.name] for field in fields(Revocation) if field.name in item})


def unchanged(revocation: Revocation) -> Condition:
    """What must hold for its row to be written again: nobody has dropped it, or was faster."""
    return Condition(equals={"tries": revocation.tries})
