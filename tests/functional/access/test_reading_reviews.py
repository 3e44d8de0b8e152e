"""Reading reviews: their lists, pages and tables, and who is shown them."""

import csv
from io import StringIO
from typing import Any

import pytest

from gitlab_hub.access.model import Account
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.events import Context, http_event
from tests.functional.access.access_api import grant
from tests.functional.access.review_hub import (
    ACME,
    ADMIN,
    ANAS,
    BEN,
    REVIEWER,
    SHOP,
    VIEWER,
    ReviewHub,
)


@pytest.fixture
def hub() -> ReviewHub:
    return ReviewHub()


def test_the_table_of_a_review_is_a_file_without_formulas(hub: ReviewHub) -> None:
    hub.company.store(Account(id=BEN, username="ben", name='=HYPERLINK("https://x.example","Ben")'))
    review_id = hub.make(project_id=SHOP, reviewers=["ana"])
    comment = {"item_id": "00002", "decision": "keep", "comment": '+1, "fine"\nfor me'}
    assert hub.decide(review_id, comment)[0] == 200
    event = http_event("GET", f"/v1/integrations/i1/reviews/{review_id}.csv", principal=ANAS)
    answer = hub.api().resolve(event, Context())
    assert answer["headers"]["content-type"] == "text/csv; charset=utf-8"
    assert answer["headers"]["content-disposition"] == f'attachment; filename="{review_id}.csv"'
    rows = list(csv.DictReader(StringIO(answer["body"], newline="")))
    assert [row["username"] for row in rows] == ["ana", "ben", "acme_bot", "root"]
    assert rows[1]["name"] == '\'=HYPERLINK("https://x.example","Ben")'
    assert (rows[1]["comment"], rows[1]["reviewer"]) == ('\'+1, "fine"\nfor me', ADMIN.token_id)
    assert (rows[0]["email"], rows[0]["email_source"], rows[0]["two_factor"]) == ("ana@example.com", "account", "true")
    assert {row["review_id"] for row in rows} == {review_id}


def test_a_large_review_is_read_in_pages_of_every_size(hub: ReviewHub) -> None:
    hub.company.store(*(Account(id=number, username=f"u{number}") for number in range(1000, 1700)))
    hub.company.store(*(grant("group", ACME, number, 30) for number in range(1000, 1700)))
    review_id = hub.make(group_id=ACME)
    every = hub.items(review_id)
    assert len(every) == 3 * 700 + 11
    assert [row["id"] for row in every] == [f"{number:05d}" for number in range(1, len(every) + 1)]
    assert hub.items(review_id, limit=7) == every
    assert hub("GET", f"/{review_id}.csv")[1].count("\r\n") == len(every) + 1


def test_reviews_are_listed_in_pages(hub: ReviewHub) -> None:
    made = {hub.make(project_id=SHOP) for _ in range(5)}
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        _, body = hub("GET", query=query)
        found += [one["id"] for one in body["reviews"]]
        if body["next_cursor"] is None:
            break
        query["cursor"] = body["next_cursor"]
    assert (len(found), set(found)) == (5, made)


def test_an_empty_review_has_no_items(hub: ReviewHub) -> None:
    review_id = hub.make(kinds=["internal"])
    assert hub.items(review_id) == []
    assert hub("GET", f"/{review_id}.csv")[1].count("\r\n") == 1


@pytest.mark.parametrize("who", [VIEWER, Principal("t-dev", Role.DEVELOPER), REVIEWER, ANAS])
def test_who_is_neither_admin_nor_reviewer_sees_nothing_of_it(hub: ReviewHub, who: Principal) -> None:
    review_id = hub.make(reviewers=["ben", "0000000000000000"])
    assert hub("GET", who=who)[0] == 403
    for path in (f"/{review_id}", f"/{review_id}/items", f"/{review_id}.csv"):
        status, said = hub("GET", path, who=who)
        assert (status, said["code"]) == (403, "permission_denied"), path
    assert hub.decide(review_id, {"item_id": "00001", "decision": "keep"}, who=who)[0] == 403
    assert hub("POST", f"/{review_id}/close", who=who)[0] == 403


@pytest.mark.parametrize("path", ["/rev_none", "/rev_none/items", "/rev_none.csv", "/.csv"])
def test_a_review_that_is_not_there_is_not_found(hub: ReviewHub, path: str) -> None:
    status, said = hub("GET", path)
    assert (status, said["code"]) == (404, "not_found")
    assert hub.decide("rev_none", {"item_id": "00001", "decision": "keep"})[0] == 404
    assert hub("POST", "/rev_none/close")[0] == 404


def test_a_review_of_one_integration_is_none_of_another(hub: ReviewHub) -> None:
    review_id = hub.make()
    assert hub("GET", f"/{review_id}")[0] == 200
    assert hub.company.table.get("i2#reviews", review_id) is None
