"""A hint about a group or project brings what is new in it at once, and removes no more than a run would."""

from typing import Any

import pytest

from gitlab_hub.access.store import partitions
from gitlab_hub.gitlab.errors import Forbidden, GitLabError, RateLimited, ResourceNotFound, Unavailable
from gitlab_hub.sync.ports import SyncTarget
from gitlab_hub.sync.run import RunStatus
from tests.functional.access.company import BOT, JANE, MEMBER, OLE, TOP_GROUP, group, member, project, user
from tests.functional.access.hinted_company import NEW, HintedCompany


@pytest.fixture
def company() -> HintedCompany:
    return HintedCompany()


def test_a_new_member_is_there_at_once_and_has_a_face(company: HintedCompany) -> None:
    company.script["/projects/9/members"].append(member(NEW, "new"))
    company.script[f"/users/{NEW}"] = user(NEW, "new")
    assert company.hint(project=9) == 1
    assert company.members("project", 9) == {OLE: 20, NEW: 30}
    assert NEW in company.ids("accounts")


@pytest.mark.parametrize("who", [MEMBER, TOP_GROUP])
def test_a_token_that_cannot_list_accounts_takes_them_from_the_members(who: SyncTarget) -> None:
    company = HintedCompany(who)
    company.script["/projects/9/members"].append(member(NEW, "new"))
    company.hint(project=9)
    assert company.members("project", 9) == {OLE: 20, NEW: 30}
    assert NEW in company.ids("accounts")
    assert "/users" not in company.gitlab.paths


def test_a_changed_level_is_there_at_once(company: HintedCompany) -> None:
    company.script["/projects/8/members"] = [member(JANE, "jane", 50), member(BOT, "project_8_bot_ab12", 40)]
    company.hint(project=8)
    assert company.members("project", 8) == {JANE: 50, BOT: 40}


def test_a_renamed_project_and_its_shares_are_there_at_once(company: HintedCompany) -> None:
    share = {"group_id": 2, "group_full_path": "acme/teams", "group_access_level": 30, "expires_at": None}
    company.script["/projects/8"] = project(8, "acme/shop", shared_with_groups=[share])
    company.hint(project=8)
    row = company.rows("projects")["000000000008"]
    assert (row["full_path"], [one["group_id"] for one in row["shared_with"]]) == ("acme/shop", [2])


def test_a_group_brings_its_shares_and_its_newest_children(company: HintedCompany) -> None:
    company.script["/groups/2"] = group(2, "acme/teams", parent_id=1, shared_with_groups=[])
    company.script["/groups/2/subgroups"] = [group(NEW, "acme/teams/red", parent_id=2)]
    company.script["/groups/2/projects"] = [project(NEW, "acme/teams/app")]
    company.script["/groups/2/members"] = [member(OLE, "ole", 40)]
    company.hint(group=2)
    assert NEW in company.ids("groups")
    assert NEW in company.ids("projects")
    assert company.members("group", 2) == {OLE: 40}
    asked = {path for path, _ in company.gitlab.calls if str(NEW) in path}
    assert asked == set(), "what is in the children is for their own hints and the next run"


def test_shares_that_are_kept_survive_a_parent_that_lists_its_children(company: HintedCompany) -> None:
    company.script["/groups/2"]["shared_with_groups"] = [
        {"group_id": 1, "group_full_path": "acme", "group_access_level": 10, "expires_at": None}
    ]
    company.hint(group=2)
    company.hint(group=1)
    assert [one["group_id"] for one in company.rows("groups")["000000000002"]["shared_with"]] == [1]


def test_a_hint_about_nothing_new_writes_nothing(company: HintedCompany) -> None:
    before = company.table.dump()
    company.hint(project=8, group=1)
    assert company.table.dump() == before


def test_a_burst_about_one_group_is_one_reading(company: HintedCompany) -> None:
    for _ in range(20):
        company.hint_worker.access.group("i1", 1)
    assert company.hint_worker.work() == 1
    assert company.gitlab.paths.count("/groups/1/members") == 1


# ---- Removals


def leave(company: HintedCompany, number: int, path: str = "/projects/8/members") -> None:
    """Let a member leave, as the list and the question by id show it."""
    company.script[path] = [row for row in company.script[path] if row["id"] != number]
    company.script.pop(f"{path}/{number}", None)


def test_a_leaver_that_gitlab_confirms_is_gone_at_once(company: HintedCompany) -> None:
    leave(company, BOT)
    company.hint(project=8)
    assert company.members("project", 8) == {JANE: 30}
    assert BOT in company.ids("accounts"), "accounts are for the next run to remove"


def test_a_leaver_that_gitlab_still_knows_stays(company: HintedCompany) -> None:
    known = company.script[f"/projects/8/members/{BOT}"]
    leave(company, BOT)
    company.script[f"/projects/8/members/{BOT}"] = known
    company.hint(project=8)
    assert BOT in company.members("project", 8)


@pytest.mark.parametrize("answer", [Forbidden("no", http_status=403), Unavailable("down", http_status=503)])
def test_a_leaver_that_nobody_confirms_stays(company: HintedCompany, answer: GitLabError) -> None:
    leave(company, BOT)
    company.script[f"/projects/8/members/{BOT}"] = answer
    company.hint_worker.access.project("i1", 8)
    [message] = company.hint_worker.queue.take()
    company.hint_worker.handler().handle(message, remaining=lambda: 900.0)
    assert BOT in company.members("project", 8)


def test_a_list_that_is_suddenly_empty_is_not_believed(company: HintedCompany) -> None:
    leave(company, BOT)
    leave(company, JANE)
    company.hint(project=8)
    assert company.members("project", 8) == {JANE: 30, BOT: 40}


def test_more_leavers_than_a_run_would_let_go_wait_for_the_run(company: HintedCompany) -> None:
    people = [member(number, f"m{number}") for number in range(20, 30)]
    company.script["/projects/9/members"] = [*people, member(OLE, "ole")]
    company.hint(project=9)
    company.hint_worker.ran("s1", grants=14)
    for number in range(20, 24):
        leave(company, number, "/projects/9/members")
    company.hint(project=9)
    assert len(company.members("project", 9)) == 11, "four of eleven are more than thirty of a hundred"
    company.script["/projects/9/members"] += [member(number, f"m{number}") for number in (20, 21)]
    company.hint(project=9)
    assert len(company.members("project", 9)) == 9


def many_projects(company: HintedCompany) -> list[int]:
    """Ten projects with two members each, of which the last run knew, and one of which leaves each project."""
    projects = list(range(100, 110))
    for number in projects:
        path = f"/projects/{number}"
        company.script.update({path: project(number, f"acme/{number}"), f"{path}/members": [member(JANE, "jane")]})
        company.script[f"{path}/members"].append(member(OLE, "ole"))
        company.hint(project=number)
    company.hint_worker.ran("s1", grants=24)
    for number in projects:
        leave(company, OLE, f"/projects/{number}/members")
    return projects


def left_of(company: HintedCompany, projects: list[int]) -> int:
    """How many of them have only one member left."""
    return [len(company.members("project", number)) for number in projects].count(1)


def test_many_small_removals_are_no_more_than_one_large_one_may_be(company: HintedCompany) -> None:
    projects = many_projects(company)
    for number in projects:
        company.hint(project=number)
    assert left_of(company, projects) == 7, "of 24 memberships at most 30 % go without a run"
    company.hint_worker.ran("s2", grants=17)
    for number in projects:
        company.hint(project=number)
    assert left_of(company, projects) == 10, "a run has looked at it since"


def test_a_run_that_waits_for_an_owner_holds_hints_back_too(company: HintedCompany) -> None:
    company.hint_worker.ran("s1", status=RunStatus.SUSPECT, grants=24)
    leave(company, BOT)
    company.script["/projects/8/members"][0] = member(JANE, "jane", 50)
    company.hint(project=8)
    assert company.members("project", 8) == {JANE: 50, BOT: 40}


def test_before_the_first_run_hints_remove_nothing(company: HintedCompany) -> None:
    company.hint_worker.ran("s1")
    leave(company, BOT)
    company.hint(project=8)
    assert BOT in company.members("project", 8)


@pytest.mark.parametrize("path", ["/projects/8", "/projects/8/members"])
@pytest.mark.parametrize("error", [ResourceNotFound("no", http_status=404), Forbidden("no", http_status=403)])
def test_a_project_that_cannot_be_read_keeps_everything(company: HintedCompany, path: str, error: GitLabError) -> None:
    before = company.table.dump()
    leave(company, BOT)
    company.script[path] = error
    company.hint(project=8)
    assert (company.table.dump(), company.hint_worker.queue.sent) == (before, [])


def test_a_vanished_group_is_for_the_run_to_remove(company: HintedCompany) -> None:
    before = company.table.dump()
    for path in ("/groups/2", "/groups/2/members"):
        del company.script[path]
    company.hint(group=2)
    assert company.table.dump() == before


def test_a_limit_delays_a_hint(company: HintedCompany) -> None:
    company.script["/projects/9/members"].append(member(OLE + 90, "late"))
    company.script["/users/96"] = user(OLE + 90, "late")
    answer, asked = company.script["/projects/9/members"], list[Any]()

    def limited(params: dict[str, Any]) -> Any:
        asked.append(params)
        return RateLimited("later", retry_after=60) if len(asked) < 3 else answer

    company.script["/projects/9/members"] = limited
    before = company.hint_worker.now
    assert company.hint(project=9) == 3
    assert company.hint_worker.now - before >= 120
    assert OLE + 90 in company.members("project", 9)


def test_marks_go_with_the_integration(company: HintedCompany) -> None:
    company.hint_worker.access.group("i1", 1)
    [mark] = [row for row in company.table.dump() if "due_at" in row]
    assert mark["pk"] in partitions("i1")


@pytest.mark.parametrize("kind", ["project", "group"])
def test_who_was_invited_is_there_at_once_and_who_answered_is_gone(company: HintedCompany, kind: str) -> None:
    number = 9 if kind == "project" else 2
    path = f"/{kind}s/{number}/invitations"
    company.script.update({"/groups/2/subgroups": [], "/groups/2/projects": []})
    row = {"invite_email": "ann@example.com", "access_level": 30, "expires_at": None, "created_at": None}
    company.script[path] = [row]
    company.hint(**{kind: number})
    assert [one["email"] for one in company.rows("invitations").values()] == ["ann@example.com"]
    company.script[path] = []
    company.hint(**{kind: number})
    assert company.rows("invitations") == {}


def test_a_list_of_invitations_in_trouble_costs_a_hint_nothing(company: HintedCompany) -> None:
    company.script["/projects/9/members"].append(member(NEW, "new"))
    company.script[f"/users/{NEW}"] = user(NEW, "new")
    company.script["/projects/9/invitations"] = Unavailable("no", http_status=502)
    assert company.hint(project=9) == 1
    assert NEW in company.members("project", 9)
