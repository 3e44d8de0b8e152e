"""The table that auditors get: its columns, RFC 4180, and no cell that is a formula."""

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitlab_hub.access.reviews.model import Item, Membership, Review
from gitlab_hub.access.reviews.table import COLUMNS, csv_of
from gitlab_hub.web.errors import Unprocessable
from gitlab_hub.web.responses import HttpResponse, check_size

REVIEW = Review(
    id="rev_1", title="", snapshot_at=0, created_by="t", complete=True, sync_status="idle", synced_at=1, item_count=1
)
ITEM = Item(
    id="00001",
    account_id=5,
    username="jane",
    resource_type="project",
    resource_id=8,
    full_path="a/b",
    access_level=40,
    kind="shared",
    cap=40,
    granted_at=86_400,
    two_factor_enabled=False,
    revoke_at=[
        Membership(type="group", id=1, full_path="ops", level=50),
        Membership(type="group", id=2, full_path=None, level=5),
    ],
)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline="")))


def test_the_columns_are_those_that_the_page_tells_of() -> None:
    page = (Path(__file__).parents[4] / "docs" / "reviews.md").read_text()
    told = re.findall(r"^\| `(\w+)`", page.partition("## The CSV file")[2], re.MULTILINE)
    assert told == [*COLUMNS]
    assert csv_of(REVIEW, []) == ",".join(COLUMNS) + "\r\n"


def test_a_row_tells_who_has_what_and_why() -> None:
    decided = replace(ITEM, decision="change", new_access_level=20, decided_by="t1", decided_at=1, comment='so "be" it')
    (row,) = rows(csv_of(REVIEW, [decided]))
    assert {name: value for name, value in row.items() if value} == {
        "review_id": "rev_1", "snapshot_at": "1970-01-01T00:00:00Z", "source_system": "gitlab",
        "completeness": "complete", "account_id": "5", "username": "jane", "account_kind": "unknown",
        "account_status": "unknown", "two_factor": "false", "resource_type": "project", "resource_id": "8",
        "resource_path": "a/b", "role": "Maintainer", "access_level": "40", "membership_type": "shared", "cap": "40",
        "granted_at": "1970-01-02T00:00:00Z", "overdue": "false", "privileged": "true",
        "revoke_at": "ops; group 2", "reviewer": "t1", "decision": "change to Reporter (20)",
        "decision_at": "1970-01-01T00:00:01Z", "comment": 'so "be" it',
    }  # fmt: skip


@pytest.mark.parametrize(
    ("complete", "at_least", "said"),
    [(True, False, "complete"), (False, False, "incomplete"), (True, True, "at_least"), (False, True, "at_least")],
)
def test_a_row_says_how_sure_it_is(complete: bool, at_least: bool, said: str) -> None:
    (row,) = rows(csv_of(replace(REVIEW, complete=complete), [replace(ITEM, at_least=at_least)]))
    assert row["completeness"] == said


TEXTS = st.one_of(
    st.text(max_size=20),
    st.builds(str.__add__, st.sampled_from("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"), st.text(max_size=8)),
)


@given(TEXTS, TEXTS, TEXTS)
def test_no_cell_is_a_formula_and_every_text_is_read_back(name: str, path: str, comment: str) -> None:
    text = csv_of(REVIEW, [replace(ITEM, name=name, full_path=path, comment=comment)])
    (row,) = rows(text)
    for column, given_ in (("name", name), ("resource_path", path), ("comment", comment)):
        assert row[column] in {given_, f"'{given_}"}
    assert not [
        one
        for one in row.values()
        if one.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
    ]
    assert text.endswith("\r\n")


def test_what_outgrows_an_answer_is_refused_before_lambda_does() -> None:
    item = replace(ITEM, name="ü" * 1_000)
    fits = csv_of(REVIEW, [item] * 900)
    check_size(HttpResponse(status=200, body=fits))
    taken = 0

    def items() -> Iterator[Item]:
        nonlocal taken
        while True:
            taken += 1
            yield item

    with pytest.raises(Unprocessable, match="page through"):
        csv_of(REVIEW, items())
    assert 900 < taken < 1_000
