"""Reading the inventory back: filtered, in pages, judged at this moment, and a bounded number of rows per request."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitlab_hub.access.credentials.model import Credential, account_partition_of, scope_of, source_of
from gitlab_hub.access.credentials.owners import OwnerReader
from gitlab_hub.access.credentials.risks import DAY, OF_OWNER, UNKNOWN, Risk, risks_of
from gitlab_hub.access.credentials.store import OWN_TOKEN, READ, CredentialStore
from gitlab_hub.access.effective.graph import Place
from gitlab_hub.access.keys import BY_ACCOUNT, CREDENTIALS
from gitlab_hub.access.model import Account
from gitlab_hub.access.pages import MAX_READ, Page
from gitlab_hub.access.reader import MOST_ASKED
from gitlab_hub.gitlab.credential_kinds import ACCESS_TOKENS, CredentialKind
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import Resource, ResourceType, partition
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import value_of
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.scope_list import ListedScope, ScopeList
from gitlab_hub.sync.scope_notes import partition as notes_partition

CHUNK = 200
MOST_NOTES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFilter:
    """Which credentials to list; None does not filter."""

    kind: CredentialKind | None = None
    risk: Risk | None = None
    account_id: int | None = None
    resource: Place | None = None
    expiring_within_days: int | None = None
    """What ends by then; what is over already is asked for as a risk."""

    def keeps(self, credential: Credential, now: float) -> bool:
        """Say whether a credential is asked for, as far as it tells itself; what its owner is, is not known here."""
        days = self.expiring_within_days
        is_ending = days is None or (
            not credential.revoked and credential.ends_at is not None and now < credential.ends_at < now + days * DAY
        )
        is_there = self.resource is None or self.resource == _place_of(credential)
        may_have_risk = (
            self.risk is None or self.risk in OF_OWNER or self.risk in risks_of(credential, UNKNOWN, now=now)
        )
        return is_ending and is_there and may_have_risk and self.kind in {None, credential.kind}


@dataclass(frozen=True, slots=True)
class Judged:
    """A credential with its risks, and what else is shown with it."""

    credential: Credential
    risks: Sequence[Risk]
    account: Account | None
    resource: Resource | None
    is_hub: bool
    """Whether it is the token that the hub itself read this with."""


class CredentialReader:
    """The stored credentials of every integration, as queries need them."""

    def __init__(self, table: Table, scopes: ScopeList, *, now: Callable[[], float]) -> None:
        self._table, self._scopes, self.now = table, scopes, now

    def page(self, integration_id: str, wanted: CredentialFilter, *, after: str | None, limit: int) -> Page[Judged]:
        """List credentials by kind, by what they belong to, and by their ids.

        At most `MAX_READ` rows are read for a page; where the owner decides, at most `MOST_ASKED`, with one small query
        for each of their accounts. Such a page may be shorter than `limit`, and the next goes on behind it.
        """
        found: list[Judged] = []
        left = MOST_ASKED if wanted.risk in OF_OWNER else MAX_READ
        for rows, is_end in self._rows(integration_id, wanted, after, min(CHUNK, left)):
            now = self.now()
            kept = [(key, one) for key, one in rows if wanted.keeps(one, now)]
            # Their owners are read: no more than are shown, where these do not decide.
            some = kept if wanted.risk in OF_OWNER else kept[: limit - len(found)]
            for (key, _), judged in zip(some, self._judged(integration_id, [one for _, one in some], now), strict=True):
                if wanted.risk is None or wanted.risk in judged.risks:
                    found.append(judged)
                if len(found) == limit:
                    return Page(found, None if is_end and key == rows[-1][0] else key)
            left -= len(rows)
            if left <= 0:
                return Page(found, None if is_end else rows[-1][0])
        return Page(found, None)

    def unseen(self, integration_id: str) -> list[ListedScope]:
        """What the last run has noted of what it was not shown."""
        return self._scopes.page(
            notes_partition(integration_id), kind=Kind.CREDENTIALS, status=None, after=None, limit=MOST_NOTES
        )[0]

    def read_at(self, integration_id: str) -> int | None:
        """When the inventory was last read (unix seconds); None = not yet."""
        return CredentialStore(self._table, integration_id).noted(READ)

    def _rows(
        self, integration_id: str, wanted: CredentialFilter, after: str | None, size: int
    ) -> Iterator[tuple[list[tuple[str, Credential]], bool]]:
        """Rows with their keys, some at a time, and whether nothing is behind them."""
        pk, index, prefixes = self._ranges(integration_id, wanted)
        left = [one for one in prefixes if after is None or f"{one}~" > after]
        while left:
            prefix, place = left[0], after if after is not None and after.startswith(left[0]) else None
            rows = self._table.query(pk, prefix=prefix, after=place, limit=size, index=index)
            after = None if rows.last is None else rows.last[1]
            left = left if after is not None else left[1:]
            if rows.items:
                yield [(_key_of(item, index), value_of(Credential, item)) for item in rows.items], not left

    def _ranges(self, integration_id: str, wanted: CredentialFilter) -> tuple[str, str | None, list[str]]:
        """Where to look: a partition, its index, and the beginnings of keys in their order."""
        kinds = sorted(CredentialKind) if wanted.kind is None else [wanted.kind]
        if wanted.account_id is not None:
            prefixes = [""] if wanted.kind is None else [f"{scope_of(wanted.kind)}#"]
            return account_partition_of(integration_id, wanted.account_id), BY_ACCOUNT, prefixes
        pk = partition(integration_id, CREDENTIALS)
        if wanted.resource is not None:
            source = source_of(wanted.resource.type, wanted.resource.id)
            return pk, None, [f"{scope_of(kind, source)}#" for kind in kinds]
        return pk, None, [""] if wanted.kind is None else [f"{scope_of(wanted.kind)}#"]

    def _judged(self, integration_id: str, credentials: Sequence[Credential], now: float) -> Iterator[Judged]:
        """Judge some credentials, and read what else is shown of them."""
        reader, own = OwnerReader(self._table, integration_id), self._own_token(integration_id)
        ids = {one.account_id for one in credentials if one.account_id is not None}
        owners, accounts = reader.owners(ids), reader.accounts(ids)
        resources = self._resources(integration_id, credentials)
        for one in credentials:
            yield Judged(
                credential=one,
                risks=risks_of(one, owners.facts(one.account_id), now=now),
                account=accounts.get(one.account_id or 0),
                resource=resources.get(place) if (place := _place_of(one)) else None,
                is_hub=one.kind in ACCESS_TOKENS and one.id == own,
            )

    def _resources(self, integration_id: str, of: Sequence[Credential]) -> Mapping[Place, Resource]:
        places = {place for one in of if (place := _place_of(one)) is not None}
        keys = {(partition(integration_id, place.type.collection), padded(place.id)): place for place in places}
        items = self._table.get_many(sorted(keys))
        return {keys[item["pk"], item["sk"]]: value_of(Resource, item) for item in items}

    def _own_token(self, integration_id: str) -> int | None:
        return CredentialStore(self._table, integration_id).noted(OWN_TOKEN)


def _place_of(credential: Credential) -> Place | None:
    if credential.resource_type is None or credential.resource_id is None:
        return None
    return Place(ResourceType(credential.resource_type), credential.resource_id)


def _key_of(item: Item, index: str | None) -> str:
    return str(item["sk"] if index is None else item[f"{index}_sk"])
