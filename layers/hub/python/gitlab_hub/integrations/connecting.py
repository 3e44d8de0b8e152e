"""Connecting a GitLab with a token: verify first, keep nothing where that fails."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from gitlab_hub.audit import AuditLog
from gitlab_hub.integrations.birth import FIRST_LABEL, new_credential, new_integration
from gitlab_hub.integrations.checks import Verification
from gitlab_hub.integrations.errors import refusal
from gitlab_hub.integrations.life import Life
from gitlab_hub.integrations.model import Features, Integration
from gitlab_hub.integrations.neighbours import Neighbours
from gitlab_hub.integrations.vault import Contents, TokenSet
from gitlab_hub.integrations.verifier import Subject, Verifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be connected: the subject of the verification, and how it is to be called and used."""

    subject: Subject
    features: Features
    display_name: str | None
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What became of a start: the verification, and the integration unless it was a rehearsal."""

    verification: Verification
    integration: Integration | None


class Connecting:
    """Connects GitLabs."""

    def __init__(
        self,
        *,
        life: Life,
        neighbours: Neighbours,
        verifier: Verifier,
        audit: AuditLog,
        now: Callable[[], float],
    ) -> None:
        self._life, self._neighbours, self._verifier = life, neighbours, verifier
        self._audit, self._now = audit, now

    def start(self, wish: Wish, *, actor: str, seed: str) -> Started:
        """Verify, and keep the integration unless it is only a rehearsal.

        All ids come from the seed: a request that is sent again finds what the first one had begun.
        """
        verification = self._verifier.verify(wish.subject, self._neighbours.share)
        if error := refusal(verification):
            raise error
        if wish.dry_run:
            return Started(verification=verification, integration=None)
        integration_id, credential_id = f"int_{_derived(seed, 'i')}", f"cred_{_derived(seed, 'c')}"
        now = int(self._now())
        integration = new_integration(
            integration_id, verification.facts, wish.features, wish.display_name, created_by=actor, now=now
        )
        credential = new_credential(integration_id, credential_id, verification.facts, label=FIRST_LABEL, now=now)
        self._audit.record(
            "integration.connect", actor=actor, integration_id=integration_id, host_url=integration.host_url
        )
        first = TokenSet(access_token=wish.subject.token, expires_at=credential.token_expires_at)
        kept = self._life.begin(integration, credential, Contents(tokens={credential.id: first}))
        return Started(verification=verification, integration=kept)


def _derived(seed: str, purpose: str) -> str:
    return hashlib.sha256(f"{purpose}:{seed}".encode()).hexdigest()[:20]
