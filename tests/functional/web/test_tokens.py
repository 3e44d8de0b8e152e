"""Hub tokens from making to revoking, through the routes and the authorizer's book."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from gitlab_hub.audit.log import AuditLog
from gitlab_hub.web.api import Api
from gitlab_hub.web.idempotency import Idempotency
from gitlab_hub.web.pagination import Cursors
from gitlab_hub.web.principal import Principal, Role
from gitlab_hub.web.token_routes import TokenRoutes
from gitlab_hub.web.tokens import MasterKey, OwnerToken, TokenAuthenticator, TokenStore
from tests.fakes.events import OWNER, Context, answered, http_event
from tests.fakes.secrets import MemorySecrets
from tests.fakes.table import MemoryTable
from tests.functional.web.sample import Guard

V1, V2 = "1" * 32, "2" * 32
LIMITED = Principal("t-limited", Role.OWNER, frozenset({"i1"}))


@dataclass(slots=True)
class Tokens:
    """The token routes, and the book that the authorizer reads."""

    now: float = 1_800_000_000.0
    table: MemoryTable = field(default_factory=MemoryTable)
    secrets: MemorySecrets = field(default_factory=MemorySecrets)

    def __post_init__(self) -> None:
        self.secrets.create("master", {"key": "k" * 40}, version=V1)
        self.secrets.create("owner", {"id": "owner", "secret": "first-secret"}, version=V1)

    def api(self) -> Api:
        keys = MasterKey(self.secrets, "master")
        cursors, audit = Cursors(lambda: keys.derive("cursors")), AuditLog(self.table, lambda: self.now)
        routes = TokenRoutes(TokenStore(self.table), keys, cursors, audit, lambda: self.now)
        return Api(routes.routes(), guard=Guard(), idempotency=Idempotency(self.table), now=lambda: self.now)

    def book(self) -> TokenAuthenticator:
        store = TokenStore(self.table)
        return TokenAuthenticator(store, OwnerToken(self.secrets, "owner", lambda: self.now), lambda: self.now)

    def call(self, method: str, path: str = "/v1/tokens", body: Any = None, **how: Any) -> tuple[int, Any]:
        return answered(self.api().resolve(http_event(method, path, body, **how), Context()))

    def make(self, **body: Any) -> Any:
        status, made = self.call("POST", body={"role": "viewer", **body})
        assert status == 201
        return made


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


def test_a_made_token_opens_the_hub_and_is_shown_once(tokens: Tokens) -> None:
    made = tokens.make(role="developer", integration_ids=["i1"], label="CI")
    assert made["token"].startswith(f"ghub_{made['id']}_")
    assert tokens.book().principal_of(made["token"]) == Principal(made["id"], Role.DEVELOPER, frozenset({"i1"}))
    [listed] = tokens.call("GET")[1]["tokens"]
    assert listed == {name: value for name, value in made.items() if name != "token"}
    assert listed["created_by"] == OWNER.token_id


def test_a_token_names_the_people_in_gitlab_it_belongs_to(tokens: Tokens) -> None:
    people = [{"integration_id": "i2", "account_id": 7}, {"integration_id": "i1", "account_id": 5}]
    made = tokens.make(gitlab_accounts=[*people, people[0]])
    assert made["gitlab_accounts"] == people[::-1]
    principal = tokens.book().principal_of(made["token"])
    assert principal is not None
    assert (principal.accounts_in("i1"), principal.accounts_in("i3")) == (frozenset({5}), frozenset())
    assert Principal.from_context(principal.to_context()) == principal
    assert tokens.call("GET")[1]["tokens"][0]["gitlab_accounts"] == made["gitlab_accounts"]
    tokens.call("DELETE", f"/v1/tokens/{made['id']}")
    assert tokens.call("GET")[1]["tokens"][0]["gitlab_accounts"] == made["gitlab_accounts"]
    assert tokens.make()["gitlab_accounts"] == []


def test_a_token_of_an_earlier_release_belongs_to_nobody(tokens: Tokens) -> None:
    made = tokens.make()
    row = tokens.table.get("TOKENS", made["id"])
    assert row is not None
    tokens.table.put({name: value for name, value in row.items() if name != "gitlab_accounts"})
    assert tokens.book().principal_of(made["token"]) == Principal(made["id"], Role.VIEWER)


def test_nobody_of_an_integration_that_the_token_does_not_see(tokens: Tokens) -> None:
    body = {"role": "viewer", "integration_ids": ["i1"], "gitlab_accounts": [{"integration_id": "i2", "account_id": 5}]}
    status, said = tokens.call("POST", body=body)
    assert (status, said["details"]["fields"][0]["field"]) == (422, "body.gitlab_accounts.0.integration_id")
    assert "must be one of integration_ids" in said["error"]


def test_nothing_stored_opens_anything(tokens: Tokens) -> None:
    made = tokens.call("POST", body={"role": "owner"}, headers={"Idempotency-Key": "k"})[1]
    secret = made["token"].split("_", 2)[2]
    assert secret not in repr(tokens.table.dump())


def test_a_repeated_call_makes_the_same_token_again_without_keeping_it(tokens: Tokens) -> None:
    how: Any = {"body": {"role": "owner"}, "headers": {"Idempotency-Key": "k"}}
    first = tokens.call("POST", **how)
    tokens.now += 5
    assert tokens.call("POST", **how) == first
    assert len(tokens.call("GET")[1]["tokens"]) == 1
    assert tokens.call("POST", body={"role": "admin"}, headers={"Idempotency-Key": "k"})[0] == 422


def test_a_repeated_call_does_not_bring_a_revoked_token_back(tokens: Tokens) -> None:
    how: Any = {"body": {"role": "owner"}, "headers": {"Idempotency-Key": "k"}}
    made = tokens.call("POST", **how)[1]
    tokens.call("DELETE", f"/v1/tokens/{made['id']}")
    tokens.call("POST", **how)
    assert tokens.book().principal_of(made["token"]) is None


def test_a_key_used_again_after_a_day_makes_another_token(tokens: Tokens) -> None:
    how: Any = {"body": {"role": "owner"}, "headers": {"Idempotency-Key": "k"}}
    first = tokens.call("POST", **how)[1]
    tokens.now += 25 * 3600
    assert tokens.call("POST", **how)[1]["token"] != first["token"]


def test_a_token_ends_when_it_says(tokens: Tokens) -> None:
    made = tokens.make(expires_at=int(tokens.now) + 60)
    tokens.now += 59
    assert tokens.book().principal_of(made["token"]) is not None
    tokens.now += 1
    assert tokens.book().principal_of(made["token"]) is None


def test_a_revoked_token_ends_at_once_and_stays_listed(tokens: Tokens) -> None:
    made = tokens.make()
    assert tokens.call("DELETE", f"/v1/tokens/{made['id']}") == (200, {"ok": True})
    assert tokens.call("DELETE", f"/v1/tokens/{made['id']}") == (200, {"ok": True})
    assert tokens.book().principal_of(made["token"]) is None
    assert tokens.call("GET")[1]["tokens"][0]["revoked_at"] == int(tokens.now)


def test_an_unknown_token_is_not_found(tokens: Tokens) -> None:
    assert tokens.call("DELETE", "/v1/tokens/nothing")[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        {}, {"role": "god"}, {"role": "viewer", "expires_at": 1}, {"role": "viewer", "expires_at": "tomorrow"},
        {"role": "viewer", "integration_ids": []}, {"role": "viewer", "integration_ids": ["a b"]},
        {"role": "viewer", "integration_ids": ["*"]}, {"role": "viewer", "secret": "mine"},
        {"role": "viewer", "id": "x"}, {"role": "viewer", "expires_at": "1790000000"},
        {"role": "viewer", "expires_at": 1790000000.0}, {"role": "viewer", "expires_at": True},
        {"role": "viewer", "gitlab_accounts": [{"integration_id": "i1"}]},
        {"role": "viewer", "gitlab_accounts": [{"integration_id": "i 1", "account_id": 1}]},
        {"role": "viewer", "gitlab_accounts": [{"integration_id": "i1", "account_id": "1"}]},
        {"role": "viewer", "gitlab_accounts": [{"integration_id": "i1", "account_id": 1}] * 21},
    ],
)  # fmt: skip
def test_a_token_nobody_should_have_is_not_made(tokens: Tokens, body: Any) -> None:
    assert tokens.call("POST", body=body)[0] == 422
    assert tokens.table.dump() == []


def test_a_limited_owner_cannot_reach_beyond_the_limit(tokens: Tokens) -> None:
    wide, narrow = tokens.make(), tokens.make(integration_ids=["i1"])
    for body in ({"role": "owner"}, {"role": "viewer", "integration_ids": ["i1", "i2"]}):
        assert tokens.call("POST", body=body, principal=LIMITED)[1]["code"] == "permission_denied"
    assert tokens.call("POST", body={"role": "viewer", "integration_ids": ["i1"]}, principal=LIMITED)[0] == 201
    assert wide["id"] not in {token["id"] for token in tokens.call("GET", principal=LIMITED)[1]["tokens"]}
    assert tokens.call("DELETE", f"/v1/tokens/{wide['id']}", principal=LIMITED)[0] == 404
    assert tokens.call("DELETE", f"/v1/tokens/{narrow['id']}", principal=LIMITED)[0] == 200


def test_tokens_come_in_pages(tokens: Tokens) -> None:
    made = {tokens.make()["id"] for _ in range(5)}
    seen, cursor = set(), None
    for _ in range(3):
        page = tokens.call("GET", query={"limit": 2} | ({"cursor": cursor} if cursor else {}))[1]
        seen |= {token["id"] for token in page["tokens"]}
        cursor = page["next_cursor"]
    assert (seen, cursor) == (made, None)


def test_the_first_owner_comes_from_the_secret(tokens: Tokens) -> None:
    owner = Principal("owner", Role.OWNER)
    assert tokens.book().principal_of("ghub_owner_first-secret") == owner
    tokens.secrets.write("owner", {"token": "any text will do"}, version=V2)
    assert tokens.book().principal_of("any text will do") == owner
    assert tokens.book().principal_of("ghub_owner_first-secret") is None


def test_a_new_owner_secret_counts_within_a_minute(tokens: Tokens) -> None:
    book = tokens.book()
    assert book.principal_of("ghub_owner_first-secret") is not None
    tokens.secrets.write("owner", {"id": "owner", "secret": "second"}, version=V2)
    tokens.now += 61
    assert book.principal_of("ghub_owner_first-secret") is None
    assert book.principal_of("ghub_owner_second") is not None


@pytest.mark.parametrize("value", [{}, {"id": "owner"}, {"id": "owner", "secret": ""}, {"token": ""}, {"secret": None}])
def test_an_empty_owner_secret_matches_nothing(tokens: Tokens, value: Any) -> None:
    tokens.secrets.write("owner", value, version=V2)
    for presented in ("ghub_owner_", "ghub_owner_None", "", "owner", "ghub_owner_first-secret"):
        assert tokens.book().principal_of(presented) is None


def test_a_hub_without_an_owner_secret_still_knows_its_tokens(tokens: Tokens) -> None:
    made = tokens.make()
    tokens.secrets.delete("owner")
    assert tokens.book().principal_of(made["token"]) is not None


def test_what_is_nearly_a_token_opens_nothing(tokens: Tokens) -> None:
    made = tokens.make()
    token, (_, token_id, secret) = made["token"], made["token"].split("_", 2)
    wrong = [
        token[:-1], token + "0", token.upper(), f"ghub_{token_id}_", f"ghub_{token_id}", f"ghub__{secret}", secret,
        f"ghub_other_{secret}", f" {token}", f"{token}\n", "ghub_é_é", "\ud800", "ghub_a_b" * 100,
    ]  # fmt: skip
    assert [text for text in wrong if tokens.book().principal_of(text) is not None] == []


@pytest.mark.parametrize("stored", [None, {"key": "short"}, {"other": "k" * 40}])
def test_without_a_good_master_key_a_call_is_told_that_a_person_is_needed(tokens: Tokens, stored: Any) -> None:
    if stored is None:
        tokens.secrets.delete("master")
    else:
        tokens.secrets.write("master", stored, version=V2)
    status, said = tokens.call("POST", body={"role": "viewer"})
    assert (status, said["code"], said["retryable"]) == (500, "storage_refused", False)
    assert "MasterKeySecretName" in said["error"]
    assert "short" not in said["error"]


@dataclass(slots=True)
class Counting:
    """Secrets that count who reads them."""

    secrets: MemorySecrets
    reads: int = 0

    def read(self, name: str, *, version: str | None = None) -> Any:
        self.reads += 1
        return self.secrets.read(name, version=version)


def test_the_owners_secret_is_read_for_no_token_that_has_a_row(tokens: Tokens) -> None:
    made = tokens.make()
    token, token_id = made["token"], made["token_id"] if "token_id" in made else made["id"]
    counting = Counting(tokens.secrets)
    owner: Any = OwnerToken(counting, "owner", lambda: tokens.now)  # type: ignore[arg-type]  # it only reads
    book = TokenAuthenticator(TokenStore(tokens.table), owner, lambda: tokens.now)
    assert book.principal_of(token) is not None
    assert book.principal_of(f"ghub_{token_id}_wrong") is None
    assert book.principal_by_id(token_id) is not None
    tokens.call("DELETE", f"/v1/tokens/{token_id}")
    assert (book.principal_of(token), book.principal_by_id(token_id)) == (None, None)
    assert counting.reads == 0
    for _ in range(50):
        assert book.principal_of("ghub_owner_first-secret") == Principal("owner", Role.OWNER)
        assert book.principal_of("ghub_nobody_x") is None
        assert book.principal_of("no token at all") is None
    assert counting.reads == 1
