"""Reading rows of wanted access, each mistake with the number of its line. Pure but for the directory that is asked."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Any, Protocol

from gitlab_hub.gitlab.fields import MAX_ID
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.desired.model import RowProblem, Wanted, is_level
from gitlab_hub.web.errors import Unprocessable

COLUMNS = ("account_id", "username", "resource_type", "resource_id", "resource_path", "access_level", "expires_at")
MOST_ROWS = 1_000
MOST_DIGITS = 20
MOST_TOLD = 100
"""Mistakes that one answer names."""

Row = tuple[int, Mapping[str, str]]
"""The number of a line, and its cells by their columns; what is empty is left out."""


class Directory(Protocol):
    """Who and what the mirror knows."""

    def account(self, integration_id: str, account_id: int | None, username: str | None) -> int | None:
        """The id of an account by its id or username; None: it is not known."""

    def resource(self, integration_id: str, kind: ResourceType, number: int | None, path: str | None) -> int | None:
        """The id of a group or project by its id or full path; None: the integration does not cover it."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a line, and where."""

    line: int
    column: str
    code: RowProblem
    message: str


class _WrongError(Exception):
    def __init__(self, column: str, code: RowProblem, message: str) -> None:
        self.column, self.code, self.message = column, code, message


def rows_of_csv(text: str) -> list[Row]:
    """Read a CSV file with a header (RFC 4180). Raises Unprocessable for columns that are not known."""
    try:
        return _read(text.removeprefix("\ufeff"))
    except csv.Error:
        told = "cannot be read as CSV; a cell has 131,072 characters at most"
        raise _refused([Mistake(1, "header", RowProblem.UNKNOWN_COLUMN, told)]) from None


def _read(text: str) -> list[Row]:
    reader = csv.reader(StringIO(text, newline=""))
    header = [name.strip() for name in next(reader, [])]
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or len(set(header)) != len(header) or not header:
        told = f"needs a header of some of {', '.join(COLUMNS)}, each once"
        raise _refused([Mistake(1, (unknown or ["header"])[0][:100], RowProblem.UNKNOWN_COLUMN, told)])
    rows, wide = list[Row](), list[Mistake]()
    for cells in reader:
        if any(cell.strip() for cell in cells[len(header) :]):
            told = f"has more cells than the {len(header)} of the header"
            wide.append(Mistake(reader.line_num, header[-1], RowProblem.UNKNOWN_COLUMN, told))
        elif any(cell.strip() for cell in cells):
            rows.append((reader.line_num, _cells(header, cells)))
    if wide:
        raise _refused(wide)
    return rows


def rows_of_json(grants: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Read the rows of a JSON body; the first one is line 1."""
    return [
        (number, {name: str(value) for name, value in row.items() if value is not None})
        for number, row in enumerate(grants, 1)
    ]


def wanted_of(integration_id: str, rows: Iterable[Row], directory: Directory) -> list[Wanted]:
    """What rows ask for. Raises Unprocessable, which names everything that is wrong by line."""
    found: dict[tuple[object, ...], tuple[int, Wanted]] = {}
    mistakes: list[Mistake] = []
    for line, cells in rows:
        try:
            one = _wanted(integration_id, cells, directory)
        except _WrongError as wrong:
            mistakes.append(Mistake(line, wrong.column, wrong.code, wrong.message))
            continue
        first, _ = found.setdefault((*one.place, one.account_id), (line, one))
        if first != line:
            told = f"is about the same account and resource as line {first}"
            mistakes.append(Mistake(line, "account_id", RowProblem.REPEATED, told))
    if mistakes:
        raise _refused(mistakes)
    return [one for _, one in found.values()]


def _cells(header: list[str], cells: list[str]) -> dict[str, str]:
    # What the hub's own files write in front of a formula.
    texts = [cell.strip().removeprefix("'") for cell in cells]
    return {name: cell for name, cell in zip(header, texts, strict=False) if cell}


def _wanted(integration_id: str, cells: Mapping[str, str], directory: Directory) -> Wanted:
    account_id, username = _number(cells, "account_id"), cells.get("username")
    if account_id is None and username is None:
        raise _WrongError("account_id", RowProblem.MISSING, "needs an account_id or a username")
    kind = _kind(cells)
    number, path = _number(cells, "resource_id"), cells.get("resource_path")
    if number is None and path is None:
        raise _WrongError("resource_id", RowProblem.MISSING, "needs a resource_id or a resource_path")
    level = _number(cells, "access_level")
    if level is None:
        raise _WrongError("access_level", RowProblem.MISSING, "needs an access_level; 0 is none")
    if not is_level(level, kind):
        raise _WrongError("access_level", RowProblem.BAD_LEVEL, f"is no level that a {kind} has, nor 0 for none")
    username = username and username.removeprefix("@")
    account = directory.account(integration_id, account_id, username)
    if account is None:
        raise _WrongError(
            "username" if account_id is None else "account_id",
            RowProblem.UNKNOWN_ACCOUNT,
            "is no account that the hub has read; check how it is written, or sync access first",
        )
    resource = directory.resource(integration_id, kind, number, path)
    if resource is None:
        raise _WrongError(
            "resource_path" if number is None else "resource_id",
            RowProblem.UNKNOWN_RESOURCE,
            f"is no {kind} that the integration covers; check how it is written, or sync access first",
        )
    if account_id is not None and username is not None and directory.account(integration_id, None, username) != account:
        raise _WrongError("username", RowProblem.MISMATCH, f"is not that of account {account}")
    if number is not None and path is not None and directory.resource(integration_id, kind, None, path) != resource:
        raise _WrongError("resource_path", RowProblem.MISMATCH, f"is not that of {kind} {resource}")
    return Wanted(
        account_id=account, resource_type=kind, resource_id=resource, access_level=level, expires_on=_day(cells, level)
    )


def _kind(cells: Mapping[str, str]) -> ResourceType:
    try:
        return ResourceType(cells.get("resource_type", ""))
    except ValueError:
        raise _WrongError("resource_type", RowProblem.BAD_TYPE, "must be group or project") from None


def _number(cells: Mapping[str, str], column: str) -> int | None:
    text = cells.get(column)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > MOST_DIGITS or int(text) > MAX_ID:
        raise _WrongError(column, RowProblem.BAD_NUMBER, "must be a whole number")
    return int(text)


def _day(cells: Mapping[str, str], level: int) -> str | None:
    text = cells.get("expires_at")
    if text is None:
        return None
    try:
        found = date.fromisoformat(text).isoformat()
    except ValueError:
        found = ""
    if found != text or not level:
        raise _WrongError("expires_at", RowProblem.BAD_DAY, "must be a day, such as 2027-01-31, and of a level above 0")
    return found


def _refused(mistakes: list[Mistake]) -> Unprocessable:
    return Unprocessable("; ".join(_told(mistakes)), details={"rows": [*_shown(mistakes)], "row_count": len(mistakes)})


def _told(mistakes: list[Mistake]) -> Iterator[str]:
    yield f"Nothing was taken: {len(mistakes)} line{'s are' if len(mistakes) > 1 else ' is'} wrong"
    for one in mistakes[:5]:
        yield f"line {one.line}: {one.column} {one.message}"


def _shown(mistakes: list[Mistake]) -> Iterator[dict[str, object]]:
    for one in mistakes[:MOST_TOLD]:
        yield {"line": one.line, "column": one.column, "code": str(one.code), "message": one.message}
