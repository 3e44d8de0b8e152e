"""`/v1/tokens`: owners make, list and revoke hub tokens."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.fields import MAX_ID
from gitlab_hub.web.api import Route, Seed
from gitlab_hub.web.auth import Caller, Principal, Role
from gitlab_hub.web.errors import PermissionDenied, Unprocessable
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor
from gitlab_hub.web.principal import GitLabAccount
from gitlab_hub.web.tokens import HubToken, MasterKey, TokenStore, secret_hash

_LISTING = "tokens"

IntegrationId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


MOST_PEOPLE = 20
"""They travel in the authorizer's answer of every call, which has to stay small."""


class PersonBody(BaseModel):
    """A person in GitLab that the token belongs to."""

    model_config = ConfigDict(extra="forbid")

    integration_id: IntegrationId
    account_id: Annotated[StrictInt, Field(ge=1, le=MAX_ID)]


class NewToken(BaseModel):
    """What to make. `expires_at` is in unix seconds; without `integration_ids` the token sees every integration.

    `gitlab_accounts` says who uses it: in access reviews nobody decides on the access of these people with it.
    """

    model_config = ConfigDict(extra="forbid")

    role: Role
    integration_ids: Annotated[list[IntegrationId], Field(min_length=1, max_length=100)] | None = None
    expires_at: Annotated[StrictInt, Field(gt=0, lt=10**11)] | None = None
    label: Annotated[str, Field(max_length=200)] | None = None
    gitlab_accounts: Annotated[list[PersonBody], Field(max_length=MOST_PEOPLE)] | None = None

    @property
    def people(self) -> frozenset[GitLabAccount]:
        """Whose token it is to be."""
        return frozenset(GitLabAccount(one.integration_id, one.account_id) for one in self.gitlab_accounts or ())


class PersonView(BaseModel):
    """A person in GitLab that the token belongs to."""

    integration_id: str
    account_id: int


class TokenView(BaseModel):
    """A token as anybody may see it: without its secret."""

    id: str
    role: Role
    integration_ids: list[str] | None
    label: str | None
    created_at: int
    created_by: str
    expires_at: int | None
    revoked_at: int | None
    gitlab_accounts: list[PersonView]


class MadeToken(TokenView):
    """A new token; this is the only time that `token` is shown."""

    token: str


class TokenList(BaseModel):
    """One page of tokens."""

    tokens: list[TokenView]
    next_cursor: str | None


class Revoked(BaseModel):
    """The token is useless from now on."""

    ok: bool = True


class TokenRoutes:
    """The routes for hub tokens. A limited owner sees and makes only tokens within the own limit."""

    def __init__(
        self, store: TokenStore, keys: MasterKey, cursors: Cursors, audit: Audit, now: Callable[[], float]
    ) -> None:
        self._store, self._keys, self._cursors, self._audit, self._now = store, keys, cursors, audit, now

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        one, all_ = "/v1/tokens/<token_id>", "/v1/tokens"
        return (
            Route(method="POST", path=all_, handler=self.create, role=Role.OWNER, status=201, secret_answer=True,
                  summary="Make a hub token; it is shown once"),
            Route(method="GET", path=all_, handler=self.list, role=Role.OWNER, summary="List hub tokens"),
            Route(method="DELETE", path=one, handler=self.revoke, role=Role.OWNER,
                  operation="revoke_token", summary="Revoke a hub token"),
        )  # fmt: skip

    def create(self, body: NewToken, caller: Caller, seed: Seed) -> MadeToken:
        """Make a token; id and secret follow from the seed, so nothing secret is kept for a repeated call."""
        now = int(self._now())
        limit = None if body.integration_ids is None else frozenset(body.integration_ids)
        if not _within(limit, caller):
            raise PermissionDenied("Your token is limited; list only integrations that it may see.")
        if body.expires_at is not None and body.expires_at <= now:
            raise Unprocessable("expires_at lies in the past; give a later time in unix seconds.")
        _check_people(body)
        token_id, secret = self._derived(seed)
        made = HubToken(
            id=token_id, secret_sha256=secret_hash(secret), role=body.role, integration_ids=limit,
            label=body.label, created_at=now, created_by=caller.token_id, valid_until=body.expires_at,
            gitlab_accounts=body.people,
        )  # fmt: skip
        token = self._store.get(token_id)
        if token is None:
            self._record(AuditAction.TOKEN_CREATE, caller, made, after=_told(made))
            token = self._store.add(made)
        return MadeToken(token=f"ghub_{token_id}_{secret}", **_view(token).model_dump())

    def list(self, caller: Caller, limit: Limit = DEFAULT_LIMIT, cursor: PageCursor = None) -> TokenList:
        """List tokens, revoked ones too."""
        tokens, last = self._store.page(self._cursors.open(_LISTING, cursor), limit)
        views = [_view(token) for token in tokens if _within(token.integration_ids, caller)]
        return TokenList(tokens=views, next_cursor=self._cursors.following(_LISTING, last))

    def revoke(self, token_id: Annotated[str, Path()], caller: Caller) -> Revoked:
        """Revoke a token; revoking it again changes nothing."""
        token = self._store.get(token_id)
        if token is None or not _within(token.integration_ids, caller):
            raise NotFound("There is no such token.")
        if token.revoked_at is None:
            self._record(AuditAction.TOKEN_REVOKE, caller, token, before=_told(token))
            self._store.revoke(token, now=self._now())
        return Revoked()

    def _record(self, action: AuditAction, caller: Principal, token: HubToken, **values: Any) -> None:
        """Note it; a token for one integration concerns that one, any other one the whole hub."""
        limit = token.integration_ids
        of_one = next(iter(limit)) if limit is not None and len(limit) == 1 else None
        self._audit.record(action, actor=caller.token_id, integration_id=of_one, target=token.id, **values)

    def _derived(self, seed: str) -> tuple[str, str]:
        key = self._keys.derive("hub-tokens")
        parts = (hmac.digest(key, f"{part}\n{seed}".encode(), hashlib.sha256) for part in ("id", "secret"))
        token_id, secret = (part.hex() for part in parts)
        return token_id[:16], secret


def _within(limit: frozenset[str] | None, caller: Principal) -> bool:
    return caller.integration_ids is None or (limit is not None and limit <= caller.integration_ids)


def _check_people(body: NewToken) -> None:
    limit = body.integration_ids
    for number, person in enumerate(body.gitlab_accounts or ()):
        if limit is not None and person.integration_id not in limit:
            field = f"body.gitlab_accounts.{number}.integration_id"
            told = "must be one of integration_ids: the token sees no other integration"
            raise Unprocessable(
                f"{field} {told}.", details={"fields": [{"field": field, "problem": "rule", "message": told}]}
            )


def _told(token: HubToken) -> dict[str, Any]:
    """What the log keeps of a token."""
    view = _view(token)
    return {"role": str(view.role), "integration_ids": view.integration_ids, "label": view.label,
            "expires_at": view.expires_at, "gitlab_accounts": [one.model_dump() for one in view.gitlab_accounts],
            }  # fmt: skip


def _view(token: HubToken) -> TokenView:
    return TokenView(
        id=token.id,
        role=token.role,
        integration_ids=None if token.integration_ids is None else sorted(token.integration_ids),
        label=token.label,
        created_at=token.created_at,
        created_by=token.created_by,
        expires_at=token.valid_until,
        revoked_at=token.revoked_at,
        gitlab_accounts=[PersonView(**one._asdict()) for one in sorted(token.gitlab_accounts)],
    )
