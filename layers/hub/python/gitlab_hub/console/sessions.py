"""Who is signed in: a row for each browser, found by a random id that only the browser's cookie holds."""

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from gitlab_hub.console.forms import is_same
from gitlab_hub.console.people import Person
from gitlab_hub.storage.ports import ABSENT, PRESENT, ConditionFailed, Item, Table
from gitlab_hub.web.principal import GITLAB_SIGN_IN_SECONDS, Principal, Role
from gitlab_hub.web.tokens import KnownToken, secret_hash

PARTITION = "CONSOLE_SESSION#"
COOKIE = "__Host-hub-session"
IDLE_SECONDS = 3600
LONGEST_SECONDS = 12 * 3600
NOTED_SECONDS = 60
"""How often at most a session's last use is written down."""

_SK = "SESSION"


class Tokens(Protocol):
    """What is known of hub tokens."""

    def known(self, presented: str) -> KnownToken | None:
        """The token, if it is good."""

    def known_by_id(self, token_id: str) -> KnownToken | None:
        """The token of this id, if it is good now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """What is stored of a session; times are unix seconds. `form_key` proves that a form was made for it.

    It is a hub token's (`token_id` and `fingerprint`), or somebody's who has signed in with GitLab (`person`).
    """

    key: str
    form_key: str
    created_at: int
    used_at: int
    token_id: str = ""
    fingerprint: str = ""
    person: dict[str, Any] | None = None

    def is_over(self, now: float) -> bool:
        """Say whether it has lasted, or rested, for too long."""
        return now >= self.ends_at

    @property
    def ends_at(self) -> int:
        """When it ends, unless it is used before."""
        longest = LONGEST_SECONDS if self.person is None else GITLAB_SIGN_IN_SECONDS
        return min(self.created_at + longest, self.used_at + IDLE_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who is signed in, with what their hub token, or their groups in GitLab, are good for at this moment.

    `person`: who it is, where they have signed in with GitLab.
    """

    principal: Principal
    label: str | None
    form_key: str = field(repr=False)
    person: Person | None = None

    def has_made(self, form_key: str) -> bool:
        """Say whether a form that carries this key was made for this session."""
        return is_same(form_key, self.form_key)

    def may(self, role: Role | str) -> bool:
        """Say whether the role is enough; only to leave out what the API would refuse."""
        return self.principal.role.includes(Role(role))


class Sessions:
    """Begins, finds and ends sessions.

    A session is worth what its hub token is worth when it is used, or what the rules make of its person, and no more.
    """

    def __init__(
        self,
        table: Table,
        tokens: Tokens,
        now: Callable[[], float],
        *,
        principal_of: Callable[[Person], Principal | None] = lambda _person: None,
        new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        """`principal_of`: who somebody from GitLab is by the rules of this moment."""
        self._table, self._tokens, self._now, self._new_secret = table, tokens, now, new_secret
        self._principal_of = principal_of

    def begin(self, token: KnownToken) -> str:
        """Begin a session, and give the new id for the browser: never one that the browser came with."""
        return self._begun(token_id=token.principal.token_id, fingerprint=token.binding)

    def begin_of(self, person: Person) -> str:
        """The same for somebody who has signed in with GitLab."""
        return self._begun(person=person.to_row())

    def find(self, session_id: str, *, in_use: bool = True) -> Session | None:
        """Find a session that still counts; the token is looked up anew. `in_use` false does not prolong it."""
        row = self._row(session_id)
        now = self._now()
        if row is None or row.is_over(now):
            return None
        person = None if row.person is None else Person.from_row(row.person)
        known = self._of_token(row) if person is None else self._of_person(person)
        if known is None:
            self.end(session_id)
            return None
        if in_use and now - row.used_at >= NOTED_SECONDS and not self._noted(row, int(now)):
            return None
        principal, label = known
        return Session(principal=principal, label=label, form_key=row.form_key, person=person)

    def end(self, session_id: str) -> None:
        """End a session; one that is over already stays so."""
        self._table.delete(f"{PARTITION}{secret_hash(session_id)}", _SK)

    def _begun(self, **whose: Any) -> str:
        session_id, now = self._new_secret(), int(self._now())
        row = SessionRow(key=secret_hash(session_id), form_key=self._new_secret(), created_at=now, used_at=now, **whose)
        self._table.put(_item(row), ABSENT)
        return session_id

    def _of_token(self, row: SessionRow) -> tuple[Principal, str | None] | None:
        token = self._tokens.known_by_id(row.token_id)
        # A token of the same id with another secret is another token.
        if token is None or not is_same(token.binding, row.fingerprint):
            return None
        return token.principal, token.label

    def _of_person(self, person: Person) -> tuple[Principal, str | None] | None:
        principal = self._principal_of(person)
        return None if principal is None else (principal, f"@{person.username}")

    def _noted(self, row: SessionRow, now: int) -> bool:
        """Write down that it was used; false where it was ended meanwhile, which must not bring it back."""
        try:
            self._table.put(_item(replace(row, used_at=now)), PRESENT)
        except ConditionFailed:
            return False
        return True

    def _row(self, session_id: str) -> SessionRow | None:
        item = self._table.get(f"{PARTITION}{secret_hash(session_id)}", _SK)
        return None if item is None else SessionRow(**_fields(item))


def _item(row: SessionRow) -> Item:
    place = {"pk": f"{PARTITION}{row.key}", "sk": _SK, "schema_version": 1}
    return {**place, **asdict(row), "expires_at": row.created_at + LONGEST_SECONDS}


def _fields(item: Item) -> dict[str, Any]:
    # Rows of earlier releases are all of tokens.
    return {name: item[name] for name in SessionRow.__dataclass_fields__ if name in item}
