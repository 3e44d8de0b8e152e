"""One row for each access token, wherever it was stored before.

Where a token lies follows from the account that it acts as, and an account may be found out to be something else: a
bot whose token is read before the bot itself is met counts as a person until then. The token has then moved, and asked
for by its id it is still there, so the sweep would keep what is stored of it at the former place for good.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable

from gitlab_hub.access.credentials.model import Credential, id_of, scope_of
from gitlab_hub.access.credentials.store import CredentialStore
from gitlab_hub.gitlab.credential_kinds import ACCESS_TOKENS, CredentialKind
from gitlab_hub.sync.ports import Session


class OneRow:
    """Removes rows of access tokens that lie elsewhere by now; what is stored is read once per slice."""

    def __init__(self, session: Session, store: CredentialStore) -> None:
        self._session, self._store = session, store
        self._reading = asyncio.Lock()
        self._known: dict[int, set[str]] | None = None

    async def settle(self, stored: Iterable[Credential]) -> None:
        """Hear of credentials that have just been stored where they belong, and remove their other rows.

        Ids are one sequence for all kinds of access tokens (personal_access_tokens in GitLab); keys and deploy tokens
        have their own.
        """
        tokens = [one for one in stored if one.kind in ACCESS_TOKENS]
        if not tokens:
            return
        known, former = await self._keys(), defaultdict[CredentialKind, list[str]](list)
        for token in tokens:
            for key in known.get(token.id, set()) - {token.key}:
                former[CredentialKind(key.partition("#")[0])].append(key)
            known[token.id] = {token.key}
        for kind, keys in former.items():
            taken = await self._session.io(self._store.rows.stored_of, scope_of(kind), keys)
            await self._session.write(self._store.rows.remove, scope_of(kind), taken, at=self._session.now())

    async def _keys(self) -> dict[int, set[str]]:
        async with self._reading:
            if self._known is None:
                known = defaultdict[int, set[str]](set)
                for key in await self._session.io(lambda: list(self._store.keys(ACCESS_TOKENS))):
                    known[id_of(key)].add(key)
                self._known = known
        return self._known
