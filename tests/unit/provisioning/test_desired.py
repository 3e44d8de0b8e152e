"""Wanted access: how rows are read, and how what is so differs from it."""

from typing import Any

import pytest

from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.desired.model import Held, Wanted, drift
from gitlab_hub.provisioning.desired.rows import rows_of_csv, rows_of_json, wanted_of
from gitlab_hub.web.errors import Unprocessable

PROJECT, GROUP = ResourceType.PROJECT, ResourceType.GROUP
HEADER = "username,resource_type,resource_path,access_level,expires_at\n"


class Known:
    """Ana (2) and Ben (3), the group acme (10) and its project acme/shop (100)."""

    def account(self, integration_id: str, account_id: int | None, username: str | None) -> int | None:
        return account_id if account_id in {2, 3} else {"ana": 2, "ben": 3}.get(username or "")

    def resource(self, integration_id: str, kind: ResourceType, number: int | None, path: str | None) -> int | None:
        known = {(GROUP, "acme"): 10, (PROJECT, "acme/shop"): 100}
        return number if (kind, number) in {(GROUP, 10), (PROJECT, 100)} else known.get((kind, path or ""))


def wanted(account_id: int, level: int, end: str | None = None) -> Wanted:
    return Wanted(account_id=account_id, resource_type=PROJECT, resource_id=100, access_level=level, expires_on=end)


def refused(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(Unprocessable) as found:
        wanted_of("i1", rows_of_csv(text), Known())
    return [(row["line"], row["column"], row["code"]) for row in found.value.details["rows"]]


def test_a_file_and_json_say_the_same() -> None:
    text = f"{HEADER}@ana,project,acme/shop,30,2027-01-31\r\n\r\n'ben,project,acme/shop,0,\r\n"
    found = wanted_of("i1", rows_of_csv(text), Known())
    assert found == [wanted(2, 30, "2027-01-31"), wanted(3, 0)]
    rows: list[dict[str, Any]] = [
        {
            "account_id": 2,
            "resource_type": "project",
            "resource_id": 100,
            "access_level": 30,
            "expires_at": "2027-01-31",
        },
        {"username": "ben", "resource_type": "project", "resource_path": "acme/shop", "access_level": 0},
    ]
    assert wanted_of("i1", rows_of_json(rows), Known()) == found


def test_every_wrong_line_is_named_with_its_number_and_a_code() -> None:
    lines = [
        "ana,project,acme/shop,30,",
        "zoe,project,acme/shop,30,",
        "ana,planet,acme/shop,30,",
        "ana,project,acme/moon,30,",
        "ana,project,acme/shop,31,",
        "ana,project,acme/shop,5,",
        "ana,project,acme/shop,many,",
        "ana,group,acme,30,31.01.2027",
        "ana,group,acme,0,2027-01-31",
        ",group,acme,30,",
        "ana,group,,30,",
        "ana,group,acme,,",
        "ana,project,acme/shop,20,",
    ]
    assert refused(HEADER + "\n".join(lines)) == [
        (3, "username", "unknown_account"),
        (4, "resource_type", "bad_type"),
        (5, "resource_path", "unknown_resource"),
        (6, "access_level", "bad_level"),
        (7, "access_level", "bad_level"),
        (8, "access_level", "bad_number"),
        (9, "expires_at", "bad_day"),
        (10, "expires_at", "bad_day"),
        (11, "account_id", "missing"),
        (12, "resource_id", "missing"),
        (13, "access_level", "missing"),
        (14, "account_id", "repeated"),
    ]
    assert refused("username,colour\nana,red\n") == [(1, "colour", "unknown_column")]


def test_only_what_differs_is_drift_and_what_is_not_named_is_not_touched() -> None:
    rows = [wanted(2, 30), wanted(3, 40), wanted(4, 30, "2027-01-31"), wanted(5, 0), wanted(6, 0)]
    held = {(PROJECT, 100): {2: Held(30), 4: Held(30), 5: Held(20), 99: Held(50)}}
    found = drift(rows, held, "2026-09-21")
    assert [(one.kind, one.wanted.account_id) for one in found] == [("missing", 3), ("different", 4), ("unwanted", 5)]
    operations = [one.operation for one in found]
    assert [(str(one.kind), one.access_level, one.mode, one.expires_on, one.expected_level) for one in operations] == [
        ("grant", 40, "set_exactly", None, None),
        ("grant", 30, "set_exactly", "2027-01-31", None),
        ("revoke", None, None, None, 20),
    ]


def test_a_row_whose_day_is_over_says_nothing_any_more() -> None:
    rows = [wanted(2, 30, "2026-09-21"), wanted(3, 30, "2026-09-22"), wanted(4, 30, "2026-09-20")]
    found = drift(rows, {(PROJECT, 100): {4: Held(40)}}, "2026-09-21")
    assert [(one.kind, one.wanted.account_id) for one in found] == [("missing", 3)]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("ana,project,acme/shop,30,,more", ("expires_at", "unknown_column")),
        ("ana,project,acme,shop,30,2027-01-31", ("expires_at", "unknown_column")),
        (f"ana,project,acme/shop,{'0' * 5_000},", ("access_level", "bad_number")),
        (f"ana,project,acme/shop,{'0' * 20}{'9' * 5_000},", ("access_level", "bad_number")),
        (f"ana,project,{'x' * 140_000},30,", ("header", "unknown_column")),
    ],
)
def test_what_no_file_can_mean_is_refused(line: str, wrong: tuple[str, str]) -> None:
    [(_, *found)] = refused(f"{HEADER}{line}\n")
    assert tuple(found) == wrong


def test_empty_cells_behind_the_last_column_say_nothing() -> None:
    assert wanted_of("i1", rows_of_csv(f"{HEADER}ana,project,acme/shop,30,,,\n"), Known()) == [wanted(2, 30)]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({"account_id": 3, "username": "ana", "resource_id": 100}, "username"),
        ({"account_id": 3, "username": "nobody", "resource_id": 100}, "username"),
        ({"account_id": 2, "resource_id": 100, "resource_path": "acme/other"}, "resource_path"),
    ],
)
def test_an_id_and_a_name_have_to_be_of_the_same(row: dict[str, Any], column: str) -> None:
    with pytest.raises(Unprocessable) as found:
        wanted_of("i1", rows_of_json([{"resource_type": "project", "access_level": 30, **row}]), Known())
    assert [(one["column"], one["code"]) for one in found.value.details["rows"]] == [(column, "mismatch")]


def test_an_id_beside_its_own_name_is_taken() -> None:
    row = {"resource_type": "project", "resource_id": 100, "resource_path": "acme/shop", "account_id": 2}
    assert wanted_of("i1", rows_of_json([{**row, "username": "@ana", "access_level": 30}]), Known()) == [wanted(2, 30)]
