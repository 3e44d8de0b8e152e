"""Effective access over the routes: who has what in all, why, what would end it, and what limits the answer."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gitlab_hub.inventory.model import Resource, ResourceType
from tests.functional.access.access_api import NOW, Client, grant
from tests.functional.access.effective_company import (
    ACME,
    ANA,
    API_TEAM,
    BEN,
    CY,
    DAY,
    DEE,
    EVERYTHING,
    IMPLIED,
    LAB,
    LOCKED,
    OPS,
    ROOT,
    SHOP,
    VAULT,
    account,
    company,
    levels,
    share,
)

__all__ = ["company"]


@pytest.mark.parametrize("limit", [1, 3, 200])
def test_everybodys_access_to_everything_is_listed_in_pages(company: Client, limit: int) -> None:
    assert levels(company, limit=limit) == EVERYTHING | IMPLIED


@pytest.mark.parametrize("limit", [1, 2, 200])
def test_it_is_the_same_from_the_account_and_from_the_resource(company: Client, limit: int) -> None:
    whole = EVERYTHING | IMPLIED
    for number in (ANA, BEN, CY, ROOT, DEE):
        expected = {key: found for key, found in whole.items() if key[2] == number}
        assert levels(company, account_id=number, limit=limit) == expected
    for kind, number in {key[:2] for key in whole}:
        expected = {key: found for key, found in whole.items() if key[:2] == (kind, number)}
        assert levels(company, **{f"{kind}_id": number}, limit=limit) == expected


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({"username": "ANA", "path": "Acme/API/shop"}, [("project", SHOP, ANA)]),
        ({"username": "@ben", "min_access_level": 40}, [("group", OPS, BEN)]),
        ({"path": "acme", "kind": "shared"}, [("group", ACME, BEN), ("group", ACME, CY)]),
        ({"path": "/acme/api/", "kind": "inherited"}, [("group", API_TEAM, ANA)]),
        ({"kind": "owner"}, [("project", LAB, ANA)]),
        ({"group_id": ACME, "expiring_within_days": 7}, [("group", ACME, BEN), ("group", ACME, CY)]),
        ({"group_id": ACME, "expiring_within_days": 4}, []),
        ({"group_id": 999}, []),
        ({"account_id": 999}, []),
    ],
)
def test_effective_grants_are_narrowed(company: Client, query: dict[str, Any], keys: list[Any]) -> None:
    assert [*levels(company, **query)] == keys


PATHS = {ACME: "acme", API_TEAM: "acme/api"}


def named(step: dict[str, Any]) -> dict[str, Any]:
    return {name: step[name] for name in ("type", "id", "full_path")}


def test_a_grant_shows_the_way_that_gives_the_most(company: Client) -> None:
    (shown,) = company.every("grants", view="effective", account_id=BEN, project_id=LAB)
    ops = {"type": "group", "id": OPS, "full_path": "ops", "level": 50}
    acme, team = ({"type": "group", "id": number, "full_path": path} for number, path in PATHS.items())
    lab = {"type": "project", "id": LAB, "full_path": "ana/lab"}
    assert shown["path"] == [
        {**ops, "cap": None, "expires_at": None, "invited": None},
        {**acme, "level": 30, "cap": 30, "expires_at": NOW + 5 * DAY, "invited": named(ops)},
        {**lab, "level": 30, "cap": 30, "expires_at": None, "invited": team},
    ]
    assert shown["revoke_at"] == [ops]
    assert (shown["expires_at"], shown["overdue"], shown["at_least"]) == (NOW + 5 * DAY, False, False)


def test_all_ways_are_explained(company: Client) -> None:
    status, body = company.get("explain", username="ana", path="acme/api/shop")
    assert (status, body["access_level"], body["role"]) == (200, 40, "Maintainer")
    assert body["account"] == {"id": ANA, "username": "Ana", "name": "Ana", "kind": "human", "status": "active"}
    assert [(way["kind"], way["level"], way["overdue"]) for way in body["paths"]] == [
        ("inherited", 40, False),
        ("direct", 20, True),
    ]
    assert (body["paths"][0]["since"], body["paths"][0]["granted_by"]) == (5, ROOT)
    assert [(edge["type"], edge["id"]) for edge in body["revoke_at"]] == [("group", ACME), ("project", SHOP)]
    assert (body["next_change_at"], body["at_least"]) == (None, False)
    assert body["sentence"] == (
        "Ana (@Ana) has Maintainer in acme/api/shop: as a member of acme (Maintainer). There is one more way."
    )


def test_an_invitation_that_ends_is_when_the_access_changes(company: Client) -> None:
    _, body = company.get("explain", account_id=CY, project_id=SHOP)
    assert body["next_change_at"] == NOW + 5 * DAY
    assert body["sentence"] == (
        "Cy (@cy) has Guest in acme/api/shop: as a member of ops (Guest), which was invited into acme with at most "
        "Developer, until 2026-03-06. The account is blocked and cannot use it."
    )


def test_what_is_overdue_ends_with_the_next_nightly_job(company: Client) -> None:
    company.store(grant("group", API_TEAM, DEE, 30, ends_at=NOW - 3 * DAY))
    _, body = company.get("explain", account_id=DEE, group_id=API_TEAM)
    assert (body["next_change_at"], body["paths"][0]["overdue"]) == (NOW, True), (
        "it is midnight, and the job comes at ten past"
    )
    assert "overdue since 2026-02-26: GitLab has not removed it yet" in body["sentence"]


@pytest.mark.parametrize(("who", "what"), [(DEE, {"group_id": LOCKED}), (BEN, {"project_id": VAULT})])
def test_no_access_is_said(company: Client, who: int, what: dict[str, Any]) -> None:
    status, body = company.get("explain", account_id=who, **what)
    assert (status, body["access_level"], body["role"], body["paths"], body["revoke_at"]) == (
        200, 0, "No access", [], [],
    )  # fmt: skip
    assert " has no access to locked" in body["sentence"]


def test_an_owner_of_a_namespace_and_an_administrator_have_nothing_to_revoke(company: Client) -> None:
    for who, what, kind in ((ANA, LAB, "owner"), (ROOT, SHOP, "implied")):
        _, body = company.get("explain", account_id=who, project_id=what)
        assert (body["paths"][0]["kind"], body["access_level"], body["revoke_at"]) == (kind, 50, [])
        assert body["paths"][0]["edges"] == []


def test_a_group_that_cannot_be_read_makes_every_answer_below_it_a_least(company: Client) -> None:
    hidden = Resource(id=API_TEAM, full_path="acme/api", name="API", parent_id=ACME, shared_with=[share(77, 40)])
    company.store(hidden)
    for row in company.every("grants", view="effective", project_id=SHOP):
        assert row["at_least"] is (row["account_id"] != ROOT), row
    _, body = company.get("explain", account_id=DEE, project_id=SHOP)
    assert body["at_least"]
    assert body["sentence"].startswith("Dee (@dee) has no access to acme/api/shop that the hub can see. It may be more")
    assert not any(row["at_least"] for row in company.every("grants", view="effective", group_id=ACME))


@pytest.mark.parametrize("status", ["forbidden", "failed", "partial", "gone"])
def test_members_that_could_not_be_read_make_it_a_least(company: Client, status: str) -> None:
    sk = f"SCOPE#access#group_members#{OPS:012d}"
    company.notes.put({"pk": "INTEGRATION#i1", "sk": sk, "status": status, "code": "forbidden", "hint": ""})
    for query in ({"project_id": SHOP}, {"account_id": ANA}):
        rows = [row for row in company.every("grants", view="effective", **query) if row["access_level"] < 50]
        shop = [row for row in rows if row["resource"]["id"] == SHOP]
        assert shop
        assert all(row["at_least"] for row in shop)


def test_an_unread_parent_makes_it_a_least(company: Client) -> None:
    company.store(Resource(id=API_TEAM, full_path="acme/api", name="API", parent_id=66))
    _, body = company.get("explain", account_id=ANA, project_id=SHOP)
    assert (body["access_level"], body["at_least"]) == (20, True)


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"project_id": SHOP}, 422, "account_id"),
        ({"account_id": ANA}, 422, "path"),
        ({"account_id": ANA, "username": "ana", "project_id": SHOP}, 422, "username"),
        ({"account_id": ANA, "project_id": SHOP, "path": "acme"}, 422, "path"),
        ({"username": "nobody", "project_id": SHOP}, 404, None),
        ({"account_id": 999, "project_id": SHOP}, 404, None),
        ({"account_id": ANA, "path": "acme/nothing"}, 404, None),
        ({"account_id": ANA, "group_id": 999}, 404, None),
    ],
)
def test_what_cannot_be_explained_is_refused(
    company: Client, query: dict[str, Any], status: int, field: str | None
) -> None:
    answer, body = company.get("explain", **query)
    assert (answer, body["code"]) == (status, "invalid_input" if status == 422 else "not_found")
    if field is not None:
        assert body["details"]["fields"][0]["field"] == f"query.{field}"


def test_rings_of_invitations_and_of_parents_end(company: Client) -> None:
    company.store(
        Resource(id=ACME, full_path="acme", name="Acme", parent_id=API_TEAM, shared_with=[share(API_TEAM, 30)]),
        Resource(id=API_TEAM, full_path="acme/api", name="API", parent_id=ACME, shared_with=[share(ACME, 20)]),
    )
    assert levels(company, account_id=ANA, project_id=SHOP) == {("project", SHOP, ANA): (40, "inherited")}


def test_an_explanation_reads_little(company: Client) -> None:
    company.store(*(account(number, f"user{number}") for number in range(200, 300)))
    company.store(*(grant("group", ACME, number, 30) for number in range(200, 300)))
    company.table.bill.clear()
    company.get("explain", account_id=250, project_id=SHOP)
    assert company.table.bill["requests"] <= 8
    assert company.table.bill["items"] <= 8


def test_who_administers_costs_a_read_however_many_accounts_there_are(company: Client) -> None:
    company.store(*(account(number, f"user{number}") for number in range(200, 1_200)))
    company.table.bill.clear()
    assert levels(company, group_id=OPS)["group", OPS, ROOT] == (50, "implied")
    assert company.table.bill["items"] < 20


def test_a_group_that_is_invited_and_above_another_invited_one_counts_with_all_above(company: Client) -> None:
    """The crew, two levels down, is invited into the project, and its top group into the group above the project."""
    partners, guild, middle, crew = 40, 41, 42, 43
    company.store(
        Resource(id=partners, full_path="partners", name="Partners"),
        Resource(id=guild, full_path="guild", name="Guild", shared_with=[share(partners, 30)]),
        Resource(id=middle, full_path="guild/middle", name="Middle", parent_id=guild),
        Resource(id=crew, full_path="guild/middle/crew", name="Crew", parent_id=middle),
        Resource(id=LOCKED, full_path="locked", name="Locked", shared_with=[share(guild, 10)]),
    )
    vault = Resource(id=VAULT, full_path="locked/vault", name="Vault", parent_id=LOCKED, shared_with=[share(crew, 40)])
    company.store(vault, kind=ResourceType.PROJECT)
    company.store(grant("group", partners, DEE, 50))
    expected = {("project", VAULT, DEE): (30, "shared")}
    assert levels(company, account_id=DEE, project_id=VAULT) == expected
    assert {key: level for key, level in levels(company, project_id=VAULT).items() if key[2] == DEE} == expected
    assert {key: level for key, level in levels(company, account_id=DEE).items() if key[1] == VAULT} == expected


def test_a_subgroup_that_is_invited_is_named(company: Client) -> None:
    company.store(Resource(id=21, full_path="ops/eu", name="EU", parent_id=OPS))
    vault = Resource(id=VAULT, full_path="vault", name="Vault", shared_with=[share(21, 30)], visibility="public")
    company.store(vault, kind=ResourceType.PROJECT)
    _, body = company.get("explain", account_id=BEN, project_id=VAULT)
    assert body["paths"][0]["edges"][1]["invited"] == {"type": "group", "id": 21, "full_path": "ops/eu"}
    assert body["sentence"] == (
        "Ben (@ben) has Developer in vault: as a member of ops (Owner), and ops/eu, where that counts, was invited "
        "into vault with at most Developer."
    )
    _, body = company.get("explain", account_id=DEE, project_id=VAULT)
    assert body["sentence"].endswith("It is public, so that it can be read without any.")


def test_who_is_shown_neither_invited_groups_nor_administrators_is_told_the_least(company: Client) -> None:
    company.access_store().drop_administrators()
    rows = company.every("grants", view="effective", group_id=OPS)
    assert {row["account_id"]: row["at_least"] for row in rows} == {BEN: False, CY: True}, "Owner is the most there is"
    _, body = company.get("explain", account_id=DEE, group_id=OPS)
    assert (body["access_level"], body["at_least"]) == (0, True)


@pytest.mark.parametrize("query", [{"username": "nobody"}, {"path": "acme/nothing"}])
def test_a_name_that_nobody_has_is_said_to_be_that(company: Client, query: dict[str, Any]) -> None:
    status, body = company.get("grants", **query)
    assert (status, body["code"]) == (404, "not_found")
    assert next(iter(query)) in body["error"]


def test_rows_of_a_group_that_was_outside_until_now_give_nothing(company: Client) -> None:
    """The next run covers the group; what the last one left of it outside is not what it says by now."""
    acme = Resource(id=ACME, full_path="acme", name="Acme")
    stale = [grant("group", ACME, DEE, 50)]
    company.access_store().outside.put(acme, stale, is_whole=True, at=datetime.fromtimestamp(NOW, UTC))
    assert levels(company, account_id=DEE) == {}
    assert ("group", ACME, DEE) not in levels(company, group_id=ACME)


def test_a_member_whose_account_is_not_listed_yet_has_access_all_the_same(company: Client) -> None:
    company.store(grant("group", OPS, 99, 20))
    assert levels(company, account_id=99)["group", OPS, 99] == (20, "direct")
    assert levels(company, group_id=OPS)["group", OPS, 99] == (20, "direct")
