"""Reading and changing integrations: rows that point to a version of their secret, never the other way round."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.oauth import Application
from gitlab_hub.integrations import rows
from gitlab_hub.integrations.errors import DuplicateIntegration, TooBusy
from gitlab_hub.integrations.health import on_schedule, with_primary_facts
from gitlab_hub.integrations.model import Credential, GitLabUser, Integration, IntegrationWithCredentials
from gitlab_hub.integrations.tokens import incidents, revocations
from gitlab_hub.integrations.tokens.due import changed, due_token_checks
from gitlab_hub.integrations.tokens.vault import TokenSet, Vault
from gitlab_hub.storage.ports import (
    ABSENT,
    Condition,
    ConditionFailed,
    Delete,
    Item,
    Put,
    SecretMissing,
    Secrets,
    Table,
)
from gitlab_hub.storage.rows import query_all
from gitlab_hub.sync.due import rows_at_once

_LOG = logging.getLogger(__name__)
ATTEMPTS = 4
PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A version of the secret that has the change's tokens already, made of the version `base`."""

    base: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to become of an integration: its new self, credentials that differ, their new tokens (None = gone).

    `application` takes the place of the OAuth application that was stored; None = that one stays. `renewed`: the new
    tokens are the successors that GitLab gave for the old ones, which it ended as it did so; all other tokens that are
    replaced or removed are still to be ended, and that is noted together with the change. `to_end` is what else is.
    """

    integration: Integration
    credentials: tuple[Credential, ...] = ()
    tokens: Mapping[str, str | TokenSet | None] = field(default_factory=dict, repr=False)
    prepared: Prepared | None = None
    application: Application | None = None
    renewed: bool = False
    to_end: tuple[revocations.Revocation, ...] = ()


class IntegrationStore:
    """The integrations of a hub. Every write names the version it has read, so a deleted one never comes back.

    `turned_bad` hears of each credential that GitLab turns out to refuse, before that is noted: a crash in between
    tells twice, and never not at all.
    """

    def __init__(
        self, table: Table, secrets: Secrets, turned_bad: Callable[[Credential], None] = lambda _: None
    ) -> None:
        self._table, self.vault, self._turned_bad = table, Vault(secrets), turned_bad

    def get(self, integration_id: str) -> Integration | None:
        """One integration; None where it is not there, not finished, or about to go."""
        item = self._table.get(rows.INTEGRATIONS, integration_id) if integration_id else None
        return rows.integration_of(item) if item and item["lifecycle"] == rows.LIVE else None

    def exists(self, integration_id: str) -> bool:
        """Say whether there is an integration of this id."""
        return self.get(integration_id) is not None

    def require(self, integration_id: str) -> Integration:
        """One integration. Raises NotFound."""
        integration = self.get(integration_id)
        if integration is None:
            raise NotFound("There is no such integration.")
        return integration

    def after(
        self, position: str | None, *, among: frozenset[str] | None = None, page: int = PAGE
    ) -> Iterator[Integration]:
        """All integrations behind a position, in order of their ids, read `page` by page; `among`: those of these ids.

        A few ids are read one by one: who may see one of thousands has no use for the others.
        """
        if among is not None:
            return self.some(among, position)
        items = query_all(self._table, rows.INTEGRATIONS, after=position, limit=page)
        return filter(None, map(_readable, items))

    def page(self, after: str | None, *, size: int = PAGE) -> tuple[list[Integration], str | None]:
        """The integrations among `size` rows behind a position, and where the next page begins, None at the end."""
        read = self._table.query(rows.INTEGRATIONS, after=after, limit=size)
        return list(filter(None, map(_readable, read.items))), None if read.last is None else read.last[1]

    def many(self, integration_ids: Iterable[str]) -> list[Integration]:
        """Those of the integrations named that are there, in no order, a hundred read together."""
        items = self._table.get_many([(rows.INTEGRATIONS, one) for one in integration_ids])
        return list(filter(None, map(_readable, items)))

    def some(self, integration_ids: Iterable[str], position: str | None) -> Iterator[Integration]:
        """Those of the integrations named that are behind a position and there, in order of their ids."""
        for integration_id in sorted(integration_ids):
            found = self.get(integration_id) if integration_id > (position or "") else None
            if found is not None:
                yield found

    def holding(self, integration_id: str) -> IntegrationWithCredentials:
        """An integration with its credentials, the deleted ones too. Raises NotFound."""
        integration = self.require(integration_id)
        for _ in range(ATTEMPTS):
            credentials = tuple(self._credentials(integration_id))
            # Every change of a credential moves the integration's version: the same one before and after is a snapshot.
            again = self.require(integration_id)
            if again.version == integration.version:
                return IntegrationWithCredentials(integration=integration, credentials=credentials)
            integration = again
        raise _busy()

    def claimant(self, identity: str) -> str | None:
        """The integration that connects what an identity names; None = there is none."""
        claim = rows.claim_item(identity, "")
        stored = self._table.get(claim["pk"], claim["sk"])
        return str(stored["integration_id"]) if stored else None

    def rival(self, integration: Integration) -> str | None:
        """Another integration that connects what this one is to connect; None = there is none."""
        claimants = map(self.claimant, integration.identities)
        return next((other for other in claimants if other not in (None, integration.id)), None)

    def shares_gitlab_user(
        self, host_url: str, account: GitLabUser, *, integration_id: str = "", credential_id: str = ""
    ) -> bool:
        """Whether another credential than the one named belongs to the same GitLab user, and shares its rate limit.

        One of an earlier release counts from the moment on when it is verified or changed.
        """
        found = self._table.query(rows.user_partition(host_url, account.id), limit=2).items
        return any(item["sk"] != rows.user_key(integration_id, credential_id) for item in found)

    def token(self, integration: Integration, credential_id: str) -> str | None:
        """The token of a credential, as of the version that the integration was read at."""
        return self.vault.token(integration.id, integration.secret_version, credential_id)

    def change(
        self,
        integration_id: str,
        decide: Callable[[IntegrationWithCredentials], Change | None],
        *,
        known: IntegrationWithCredentials | None = None,
    ) -> IntegrationWithCredentials:
        """Apply a decision to what is stored now; decide anew where others were faster. None = leave it.

        `known` is what was stored a moment ago: as long as it still is, nothing is read.
        """
        for attempt in range(ATTEMPTS):
            before = known if known is not None and attempt == 0 else self.holding(integration_id)
            change = decide(before)
            if change is None:
                return before
            after = _merged(before, change)
            for one in change.credentials if attempt == 0 else ():
                if incidents.turned_bad(_of(before, one.id), one):
                    self._turned_bad(one)
            try:
                after = self._with_secret(before.integration, after, change)
                self._write(before, after, change)
            except (ConditionFailed, SecretMissing):
                if not self._is_stored(after.integration):
                    continue
            return after
        raise _busy()

    def _with_secret(
        self, before: Integration, after: IntegrationWithCredentials, change: Change
    ) -> IntegrationWithCredentials:
        tokens, prepared = change.tokens, change.prepared
        if not tokens and change.application is None:
            return after
        if prepared is not None and prepared.base == before.secret_version:
            version = prepared.version
        else:
            version = self.vault.change(before.id, before.secret_version, tokens, change.application)
        changed = tuple(
            replace(one, token_version=version, generation=one.generation + 1)
            if tokens.get(one.id) is not None
            else one
            for one in after.credentials
        )
        return IntegrationWithCredentials(
            integration=replace(after.integration, secret_version=version), credentials=changed
        )

    def _write(self, before: IntegrationWithCredentials, after: IntegrationWithCredentials, change: Change) -> None:
        was, touched = before.integration, {one.id for one in change.credentials}
        unchanged = Condition(equals={"version": was.version, "lifecycle": rows.LIVE})
        actions: list[Put | Delete] = [Put(rows.integration_item(after.integration), unchanged)]
        for one in (one for one in after.credentials if one.id in touched):
            listed = rows.user_item(one, was.host_url)
            actions.append(Put(rows.credential_item(one, was.host_url)))
            actions.append(Put(listed) if one.live else Delete((listed["pk"], listed["sk"])))
            actions += incidents.actions(_of(before, one.id), one, at=after.integration.updated_at)
            if not change.renewed and one.id in change.tokens:
                actions += revocations.noted(was, _of(before, one.id), now=after.integration.updated_at)
                actions += incidents.superseded(_of(before, one.id))
        actions += [Put(revocations.row(one)) for one in change.to_end]
        if after.integration.identity != was.identity:
            claim = rows.claim_item(after.integration.identity, was.id)
            if other := self.rival(after.integration):
                raise DuplicateIntegration(other)
            actions += [Put(claim, ABSENT), Delete((f"IDENTITY#{was.identity}", "CLAIM"))]
        actions.append(Put(due_token_checks(self._table).item(changed(after.integration))))
        if on_schedule(after.integration) and not on_schedule(was):
            actions += [Put(item) for item in rows_at_once(self._table, was.id, after.integration.version)]
        self._table.transact(actions)

    def _is_stored(self, integration: Integration) -> bool:
        # A transaction may be done and its answer lost; then its repetition fails, and what is stored is ours.
        return self._table.get(rows.INTEGRATIONS, integration.id) == rows.integration_item(integration)

    def _credentials(self, integration_id: str) -> Iterator[Credential]:
        return map(rows.credential_of, query_all(self._table, rows.partition(integration_id), prefix=rows.CREDENTIAL))


def _of(holding: IntegrationWithCredentials, credential_id: str) -> Credential | None:
    return next((one for one in holding.credentials if one.id == credential_id), None)


def _readable(item: Item) -> Integration | None:
    """A live integration of a list; one that a later release wrote otherwise holds up nobody."""
    if item.get("lifecycle") != rows.LIVE:
        return None
    try:
        return rows.integration_of(item)
    except (KeyError, TypeError, ValueError) as error:
        _LOG.warning("integration unreadable", extra={"integration_id": item["sk"], "reason": type(error).__name__})
        return None


def _merged(before: IntegrationWithCredentials, change: Change) -> IntegrationWithCredentials:
    credentials: dict[str, Credential] = {one.id: one for one in before.credentials}
    credentials |= {one.id: one for one in change.credentials}
    integration = replace(change.integration, version=before.integration.version + 1)
    return IntegrationWithCredentials(
        integration=with_primary_facts(integration, credentials.values()), credentials=tuple(credentials.values())
    )


def _busy() -> TooBusy:
    return TooBusy("Others are changing this integration; try again.", retry_after=1)
