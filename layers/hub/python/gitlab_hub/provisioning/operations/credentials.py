"""Tokens and keys: revoked for good, or deleted. There is no way back."""

import asyncio
from dataclasses import replace

from gitlab_hub.gitlab.credential_kinds import ACCESS_TOKENS, ANYWHERE, CredentialKind
from gitlab_hub.gitlab.fields import GitLabRow
from gitlab_hub.provisioning.facts import Hand
from gitlab_hub.provisioning.model import Step
from gitlab_hub.provisioning.operation import Operation
from gitlab_hub.provisioning.operations.base import Around, Finding
from gitlab_hub.provisioning.operations.credential_rules import (
    CredentialFacts,
    decide,
    is_read,
    list_of,
    path_of,
    state_in,
    successor_in,
)
from gitlab_hub.provisioning.reading import LiveReader
from gitlab_hub.provisioning.sentences import revocation
from gitlab_hub.provisioning.states import CredentialState, CredentialStatus


class Credentials:
    """`revoke_credential`."""

    waits_for: str | None = None
    makes_members = False

    async def look(self, reader: LiveReader, operation: Operation, around: Around) -> Finding:
        """Decide by what GitLab says about the token or key, and whose it is."""
        facts = await _facts(reader, operation, around)
        decision = decide(operation, facts, around.hand)
        who = facts.person.label if facts.person else ""
        where = facts.place.full_path if facts.place else ""
        state = decision.before if isinstance(decision.before, CredentialState) else None
        return Finding(
            decision=decision,
            sentence=revocation(
                CredentialKind(operation.credential_kind or ""),
                operation.credential_id,
                name=facts.name,
                holder=where or who or operation.place,
                state=state if facts.row is not None else None,
                is_change=bool(decision.calls),
                is_read=is_read(operation, facts.place, facts.own_level, around.hand),
            ),
            subject=who or where,
            full_path=where,
        )

    async def state(self, reader: LiveReader, operation: Operation) -> CredentialState | None:
        """What it is good for; what is gone is good for nothing. Raises OutOfSight."""
        row = await _row(reader, operation)
        if row is None and operation.resource_type is not None:
            await reader.check_shown(*operation.resource)
        return state_in(row, CredentialKind(operation.credential_kind or ""), reader.hand.now)

    def back(self, step: Step) -> Operation | None:  # noqa: ARG002 - there is none, whatever was done
        """Nothing: what is revoked stays so."""
        return None


async def _facts(reader: LiveReader, operation: Operation, around: Around) -> CredentialFacts:
    kind, place = CredentialKind(operation.credential_kind or ""), None
    if operation.resource_type is not None:
        place = await reader.place(*operation.resource)
    own_level = 0 if place is None else await reader.own_level(place)
    row, successor, own_token = None, None, None
    if is_read(operation, place, own_level, around.hand):
        row, own_token = await asyncio.gather(_row(reader, operation), reader.own_token())
        successor = await _successor(reader, operation, kind, row)
    facts = CredentialFacts(
        place=place, row=row, own_level=own_level, own_token=own_token, successor=successor, is_fresh=around.is_fresh
    )
    holder = facts.holder(operation)
    return replace(facts, person=await reader.person(holder)) if holder else facts


async def _row(reader: LiveReader, operation: Operation) -> GitLabRow | None:
    """What GitLab shows of it.

    There is no page of a single token of a service account; and to whoever is no administrator a token that is not
    there is 401 (lib/api/personal_access_tokens.rb), as if the hub's own were no good. So lists are looked through.
    """
    if operation.credential_kind in {CredentialKind.PERSONAL_TOKEN, CredentialKind.SERVICE_ACCOUNT_TOKEN}:
        if reader.hand.is_admin:
            return await reader.row(f"/{ANYWHERE}/{operation.credential_id}")
        return await reader.row_in(list_of(operation), operation.credential_id, _query(operation, reader.hand))
    return await reader.row(path_of(operation))


async def _successor(
    reader: LiveReader, operation: Operation, kind: CredentialKind, row: GitLabRow | None
) -> int | None:
    state = state_in(row, kind, reader.hand.now)
    is_revoked = state == CredentialState(status=CredentialStatus.REVOKED)
    if row is None or kind not in ACCESS_TOKENS or not is_revoked:
        return None
    query = {**_query(operation, reader.hand), "state": "active", "per_page": "100"}
    return successor_in(await reader.rows(list_of(operation), query), row, kind)


def _query(operation: Operation, hand: Hand) -> dict[str, str]:
    """What narrows the list of all access tokens to those of one account."""
    if list_of(operation) != f"/{ANYWHERE}":
        return {}
    return {"user_id": str(operation.account_id or hand.account_id)}
