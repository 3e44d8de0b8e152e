"""Whether both ways tell the same of a list: each field as it would be stored. Pure."""

from collections.abc import Mapping
from typing import Any

from gitlab_hub.access.graphql.queries import MemberPage
from gitlab_hub.access.graphql.standing import ACTIVE
from gitlab_hub.access.transform import account_of_member, grant_of
from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.inventory.listing import Rows
from gitlab_hub.inventory.model import ResourceType

Row = Mapping[str, Any]


def is_same(rest: Rows, page: MemberPage, kind: ResourceType, number: int, *, accounts_too: bool) -> bool:
    """Compare REST's whole list with GraphQL's first page of it. Someone who joined or left in between is a difference.

    `accounts_too`: whether accounts are taken from these rows.
    """
    try:
        told, shown = (_by_account(rows, kind, number) for rows in (rest, page.rows))
        if not shown.keys() <= told.keys() or (page.next is None and shown.keys() < told.keys()):
            return False
        return all(_is_same_row(told[one], shown[one], kind, number, accounts_too=accounts_too) for one in shown)
    except UnexpectedResponse:
        return False  # A row that makes no sense is none to compare.


def _by_account(rows: Rows, kind: ResourceType, number: int) -> dict[int, Row]:
    return {grant_of(row, kind, number).account_id: row for row in rows}


def _is_same_row(rest: Row, graphql: Row, kind: ResourceType, number: int, *, accounts_too: bool) -> bool:
    one, other = grant_of(rest, kind, number), grant_of(graphql, kind, number)
    # Of one that waits for approval only REST says so; lists that may have such are read by REST.
    waits = one.membership_state not in {None, ACTIVE}
    return (waits or one == other) and (not accounts_too or account_of_member(rest) == account_of_member(graphql))
