"""Pages by number and by the last row seen."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from stand_in_gitlab.company.model import User
from stand_in_gitlab.company.state import Company


def links(got: Any) -> dict[str, str]:
    """The `Link` header by relation."""
    parts = [part.split("; ") for part in got.headers.get("Link", "").split(", ") if part]
    return {relation.removeprefix('rel="').removesuffix('"'): address.strip("<>") for address, relation in parts}


def follow(ask: Any, target: str, holder: str = "admin-read") -> tuple[list[int], int]:
    """All ids behind the `next` links, and how many pages that took."""
    ids, pages = [], 0
    while target:
        got = ask(target, holder)
        assert got.status == 200
        ids += [row["id"] for row in got.json]
        pages += 1
        following = urlsplit(links(got).get("next", ""))
        target = f"{following.path.removeprefix('/api/v4')}?{following.query}" if following.path else ""
    return ids, pages


def crowd(company: Company, count: int) -> None:
    """Fill the company up to this many accounts."""
    for _ in range(count - len(company.users)):
        number = company.next_id("user")
        company.users[number] = User(id=number, username=f"u{number}", name="U", email="u@acme.example", created=1.0)


def test_the_headers_of_a_page_in_the_middle(ask: Any, app: Any) -> None:
    got, total = ask("/users?per_page=10&page=2"), len(app.company.users)
    last = -(-total // 10)
    named = {name: got.headers[name] for name in ("X-Page", "X-Per-Page", "X-Next-Page", "X-Prev-Page", "X-Total")}
    assert named == {"X-Page": "2", "X-Per-Page": "10", "X-Next-Page": "3", "X-Prev-Page": "1", "X-Total": str(total)}
    assert got.headers["X-Total-Pages"] == str(last)
    pages = {relation: dict(parse_qsl(urlsplit(address).query))["page"] for relation, address in links(got).items()}
    assert pages == {"prev": "1", "next": "3", "first": "1", "last": str(last)}


def test_the_last_page_has_no_next(ask: Any) -> None:
    got = ask("/groups?per_page=100")
    assert got.headers["X-Next-Page"] == ""
    assert set(links(got)) == {"first", "last"}


def test_a_page_never_has_more_than_a_hundred_rows(ask: Any, app: Any) -> None:
    crowd(app.company, 150)
    assert len(ask("/users?per_page=1000").json) == 100
    assert len(ask("/users").json) == 20


def test_beyond_ten_thousand_rows_nobody_counts(ask: Any, app: Any) -> None:
    crowd(app.company, 10_000)
    assert ask("/users").headers["X-Total"] == "10000"
    crowd(app.company, 10_001)
    got = ask("/users?per_page=100")
    assert "X-Total" not in got.headers
    assert "X-Total-Pages" not in got.headers
    assert set(links(got)) == {"next", "first"}


@pytest.mark.parametrize("path", ["/users", "/projects", "/groups", "/groups/1/projects", "/projects/1/jobs"])
def test_deep_pages_are_refused_where_keyset_exists(ask: Any, path: str) -> None:
    assert ask(f"{path}?per_page=100&page=500").status == 200
    got = ask(f"{path}?per_page=100&page=501")
    assert got.status == 405
    assert "maximum allowed offset of 50000" in got.json["error"]


@pytest.mark.parametrize("path", ["/groups/1/members", "/projects/1/pipelines"])
def test_deep_pages_are_empty_where_keyset_does_not_exist(ask: Any, path: str) -> None:
    assert (ask(f"{path}?per_page=100&page=501").status, ask(f"{path}?per_page=100&page=501").json) == (200, [])


@pytest.mark.parametrize("path", ["/users", "/projects", "/groups/1/projects", "/projects/1/jobs", "/groups"])
@pytest.mark.parametrize("token", ["admin-read", "owner-read"])
def test_keyset_and_numbered_pages_agree(ask: Any, path: str, token: str) -> None:
    keyset, _ = follow(ask, f"{path}?pagination=keyset&per_page=7&order_by=id&sort=desc", token)
    numbered = [row["id"] for row in ask.everything(path, token)]
    assert keyset == sorted(numbered, reverse=True)


def test_keyset_pages_ascend_too(ask: Any, app: Any) -> None:
    assert follow(ask, "/users?pagination=keyset&order_by=id&sort=asc&per_page=9")[0] == sorted(app.company.users)
    assert follow(ask, "/projects?pagination=keyset&order_by=id&sort=asc&per_page=9")[0] == sorted(app.company.projects)


def test_the_older_keyset_ends_with_an_empty_page(ask: Any) -> None:
    ids, pages = follow(ask, "/projects?pagination=keyset&order_by=id&per_page=30")
    assert (len(ids), pages) == (30, 2)
    got = ask("/projects?pagination=keyset&order_by=id&per_page=30")
    assert set(links(got)) == {"next"}
    assert "X-Page" not in got.headers


def test_other_orders_have_no_keyset(ask: Any) -> None:
    assert ask("/users?pagination=keyset&order_by=name&sort=asc").status == 405
    assert ask("/projects?pagination=keyset&order_by=name").status == 405
    assert ask("/projects/1/jobs?pagination=keyset&sort=asc").status == 405


def test_a_forged_cursor_is_a_bad_request(ask: Any) -> None:
    assert ask("/users?pagination=keyset&cursor=nonsense").status == 400


def test_pages_of_pipelines_ignore_keyset(ask: Any) -> None:
    assert "X-Page" in ask("/projects/1/pipelines?pagination=keyset").headers
