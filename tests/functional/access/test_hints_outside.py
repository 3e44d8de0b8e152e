"""Hints about what is outside of the integration's group, or only in sight: nothing of it is stored."""

import pytest

from tests.functional.access.company import JANE, MEMBER, TOP_GROUP, group, member, project
from tests.functional.access.hinted_company import NEW, HintedCompany


@pytest.fixture
def company() -> HintedCompany:
    return HintedCompany()


# ---- What the integration does not cover


@pytest.mark.parametrize("path", ["other/store", "acmeother/store", "other"])
def test_what_is_outside_the_group_stores_nothing(path: str) -> None:
    company = HintedCompany(TOP_GROUP)
    before = company.table.dump()
    company.script.update({f"/projects/{NEW}": project(NEW, path), f"/groups/{NEW}": group(NEW, path)})
    for kind in ("projects", "groups"):
        company.script[f"/{kind}/{NEW}/members"] = [member(JANE, "jane")]
    company.hint(project=NEW, group=NEW)
    assert company.table.dump() == before
    assert not [path for path in company.gitlab.paths if path.endswith("members")]


def test_what_a_member_only_sees_stores_nothing() -> None:
    company = HintedCompany(MEMBER)
    before = company.table.dump()
    nothing = {"project_access": None, "group_access": None}
    company.script[f"/projects/{NEW}"] = project(NEW, "public/app", permissions=nothing)
    company.script[f"/groups/{NEW}"] = group(NEW, "public")
    for kind in ("projects", "groups"):
        company.script[f"/{kind}/{NEW}/members"] = [member(JANE, "jane")]
    company.hint(project=NEW, group=NEW)
    assert company.table.dump() == before


def test_what_an_invited_group_gives_is_taken_in() -> None:
    company = HintedCompany(MEMBER)
    nothing = {"project_access": None, "group_access": None}
    company.script[f"/projects/{NEW}"] = project(NEW, "others/app", permissions=nothing)
    company.script[f"/projects/{NEW}/members"] = [member(JANE, "jane")]
    company.script[f"/projects/{NEW}/members/all/{MEMBER.user_id}"] = {"id": MEMBER.user_id, "access_level": 30}
    company.hint(project=NEW)
    assert NEW in company.ids("projects")


def test_a_child_outside_the_group_stores_nothing() -> None:
    company = HintedCompany(TOP_GROUP)
    company.script["/groups/1/projects"] = [project(NEW, "other/shared")]
    company.hint(group=1)
    assert NEW not in company.ids("projects")


@pytest.mark.parametrize("number", [0, -1, 10**12])
def test_ids_that_no_gitlab_has_are_no_hints(company: HintedCompany, number: int) -> None:
    company.hint_worker.access.project("i1", number)
    company.hint_worker.access.group("i1", number)
    assert company.hint_worker.queue.sent == []


def test_a_body_that_names_another_thing_is_not_taken(company: HintedCompany) -> None:
    before = company.table.dump()
    company.script["/projects/9"] = project(8, "acme/elsewhere")
    company.hint(project=9)
    assert company.table.dump() == before
