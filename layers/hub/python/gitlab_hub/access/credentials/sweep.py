"""The last stage: remove what GitLab, listed completely and then asked by id, no longer has."""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus

from gitlab_hub.access.credentials.context import CredentialContext
from gitlab_hub.access.credentials.model import ACCOUNT, scope_of
from gitlab_hub.access.credentials.store import READ
from gitlab_hub.access.keys import ACCOUNTS
from gitlab_hub.access.summary_row import SummaryRow
from gitlab_hub.gitlab.credential_kinds import ACCESS_TOKENS, CredentialKind
from gitlab_hub.gitlab.errors import Forbidden, ResourceNotFound
from gitlab_hub.gitlab.fields import number
from gitlab_hub.inventory.coverage import fetch
from gitlab_hub.inventory.listing import collect
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.ports import Scope, SingleScopeStage

BY_ACCOUNT = (CredentialKind.SSH_KEY, CredentialKind.IMPERSONATION_TOKEN)
"""Read account by account, whoever reads."""

BY_RESOURCE = (
    CredentialKind.GROUP_TOKEN, CredentialKind.PROJECT_TOKEN, CredentialKind.SERVICE_ACCOUNT_TOKEN,
    CredentialKind.DEPLOY_TOKEN, CredentialKind.DEPLOY_KEY,
)  # fmt: skip
"""Read group by group and project by project, by whoever is shown no list of all."""

_PATHS = {
    CredentialKind.GROUP_TOKEN: "access_tokens",
    CredentialKind.PROJECT_TOKEN: "access_tokens",
    CredentialKind.DEPLOY_TOKEN: "deploy_tokens",
    CredentialKind.DEPLOY_KEY: "deploy_keys",
    CredentialKind.SSH_KEY: "keys",
    CredentialKind.IMPERSONATION_TOKEN: "impersonation_tokens",
}


OWN = f"{scope_of(CredentialKind.PERSONAL_TOKEN)}#"


class SweepStage(SingleScopeStage):
    """Removes credentials that are gone, and those of accounts, groups and projects that are not stored any more."""

    name = "sweep"

    def __init__(self, context: CredentialContext, table: Table) -> None:
        self._context, self._table = context, table

    async def read(self, scope: Scope) -> None:  # noqa: ARG002 - there is only one
        """Sweep the dataset, and note when it was read."""
        context = self._context
        sees_instance = await context.reach.sees_instance()
        await context.mirror.delete_missing(partial(self._is_gone, sees_instance))
        for kind in BY_ACCOUNT if sees_instance else (*BY_ACCOUNT, *BY_RESOURCE):
            await self._remove_orphans(kind)
        now, session = context.session.now().timestamp(), context.session
        await session.write(context.store.note, READ, int(now))
        summary = SummaryRow(session.fenced(self._table), session.target.integration_id)
        await session.write(partial(summary.count, session.sync_id, now, always=True))

    async def _is_gone(self, sees_instance: bool, _: str, key: str) -> bool:  # noqa: FBT001 - bound by name above
        """Ask GitLab for one credential by its id, where it has a route for that."""
        path = path_of(key, sees_instance=sees_instance)
        if path is None:
            return await self._is_gone_unasked(key)
        try:
            found = await self._context.reach.as_refusal(lambda: fetch(self._context.session.gitlab, path))
        except Forbidden as error:
            # Of its own tokens a user is shown each; 401 is what only administrators are told as 404
            # (lib/api/personal_access_tokens.rb).
            return key.startswith(OWN) and not sees_instance and error.http_status == HTTPStatus.UNAUTHORIZED
        return found is None

    async def _is_gone_unasked(self, key: str) -> bool:
        """Judge what GitLab has no page of: a list with nothing in it, of all things, is no evidence."""
        context, kind = self._context, CredentialKind(key.partition("#")[0])
        if kind is not CredentialKind.SERVICE_ACCOUNT_TOKEN:
            return context.mirror.lists_any(scope_of(kind))
        token = await context.session.io(context.store.get, key)
        if token is None or token.account_id is None or token.resource_id is None:
            return False
        gitlab = context.session.gitlab
        if await fetch(gitlab, f"/users/{token.account_id}") is None:
            return True
        owner = f"/groups/{token.resource_id}/service_accounts/{token.account_id}"
        try:
            rows = await self._context.reach.as_refusal(lambda: collect(gitlab, f"{owner}/personal_access_tokens"))
        except (Forbidden, ResourceNotFound):
            return False
        return bool(rows) and token.id not in {number(row.get("id")) for row in rows}

    async def _remove_orphans(self, kind: CredentialKind) -> None:
        """Remove what lies in something that is not stored any more: no list will ever show it missing."""
        context, session = self._context, self._context.session
        stored = await session.io(lambda: dict(context.store.rows.stored(scope_of(kind))))
        by_source: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
        for key in stored:
            for source in _source(key):
                by_source[source].append(key)
        gone: list[str] = []
        for collection in {collection for collection, _ in by_source}:
            ids = [number for there, number in by_source if there == collection]
            left = await session.io(context.store.are_stored, collection, ids)
            gone += [key for number in ids if number not in left for key in by_source[collection, number]]
        if gone:
            await session.write(context.store.rows.remove, scope_of(kind), {key: stored[key] for key in gone},
                                at=session.now())  # fmt: skip
            session.count(rows_removed=len(gone))


def path_of(key: str, *, sees_instance: bool) -> str | None:
    """Where GitLab shows one credential by its id; None where it does not."""
    name, *source, number = key.split("#")
    kind = CredentialKind(name)
    is_own = kind is CredentialKind.PERSONAL_TOKEN  # Without the list of all no other person's are read.
    if is_own or (sees_instance and kind in ACCESS_TOKENS - {CredentialKind.IMPERSONATION_TOKEN}):
        return f"/personal_access_tokens/{int(number)}"
    if kind not in _PATHS or len(source) < 2:  # noqa: PLR2004 - a type and an id
        return None
    collection = "users" if source[0] == ACCOUNT else ResourceType(source[0]).collection
    return f"/{collection}/{int(source[1])}/{_PATHS[kind]}/{int(number)}"


def _source(key: str) -> Iterator[tuple[str, int]]:
    """What a row belongs to: the collection and the id, or nothing."""
    _, *source, _ = key.split("#")
    if len(source) == 2:  # noqa: PLR2004 - a type and an id
        yield (ACCOUNTS if source[0] == ACCOUNT else ResourceType(source[0]).collection), int(source[1])
