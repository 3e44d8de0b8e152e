"""Who a hub token stands for later, when the token itself is not at hand."""

from dataclasses import replace

import pytest

from gitlab_hub.web.principal import Principal, Role
from gitlab_hub.web.tokens import HubToken, OwnerToken, TokenAuthenticator, TokenStore, secret_hash
from tests.fakes.secrets import MemorySecrets
from tests.fakes.table import MemoryTable

TOKEN = HubToken(
    id="t1", secret_sha256=secret_hash("s"), role=Role.ADMIN, integration_ids=frozenset({"int_1"}), label=None,
    created_at=1, created_by="owner", valid_until=2000,
)  # fmt: skip


class Book:
    """A book of one token and an owner."""

    def __init__(self) -> None:
        self.now, self.secrets, self.store = 1000.0, MemorySecrets(), TokenStore(MemoryTable())
        self.secrets.create("owner", {"id": "owner", "secret": "first"}, version="1" * 32)
        self.store.add(TOKEN)
        self.book = TokenAuthenticator(self.store, OwnerToken(self.secrets, "owner", self.clock), self.clock)

    def clock(self) -> float:
        return self.now


@pytest.fixture
def book() -> Book:
    return Book()


def test_a_good_token_stands_for_its_caller(book: Book) -> None:
    assert book.book.principal_by_id("t1") == Principal("t1", Role.ADMIN, frozenset({"int_1"}))
    assert book.book.principal_by_id("owner") == Principal("owner", Role.OWNER)


@pytest.mark.parametrize("token_id", ["", "t2", "Owner"])
def test_an_unknown_one_stands_for_nobody(book: Book, token_id: str) -> None:
    assert book.book.principal_by_id(token_id or "none") is None


def test_an_expired_or_revoked_one_stands_for_nobody(book: Book) -> None:
    book.now = 2000
    assert book.book.principal_by_id("t1") is None
    book.now = 1000
    book.store.revoke(replace(TOKEN), now=1000)
    assert book.book.principal_by_id("t1") is None


@pytest.mark.parametrize("value", [{}, {"id": "owner", "secret": ""}])
def test_an_owner_without_a_secret_stands_for_nobody(book: Book, value: dict[str, str]) -> None:
    book.secrets.write("owner", value, version="2" * 32)
    assert book.book.principal_by_id("owner") is None
    book.secrets.delete("owner")
    assert book.book.principal_by_id("owner") is None
