"""Whoever leaves, against the stand-in, which has GitLab's rules: nothing is left of what the plan says will end."""

import random
from dataclasses import replace
from typing import Any

import pytest

from stand_in_gitlab.company.model import Membership
from tests.functional.provisioning.plan_hub import HUB, INTEGRATION, PlanHub
from tests.integration.provisioning.stand_in_gitlabs import StandInGitLabs, Truth


def company(seed: int) -> StandInGitLabs:
    gitlabs = StandInGitLabs(seed)
    gitlabs.app.company.behaviour = replace(gitlabs.app.company.behaviour, deletion_delay=0, account_lists=True)
    return gitlabs


def of(truth: Truth, account: int) -> dict[tuple[str, int], Any]:
    """What somebody has."""
    return {place: rows[account] for place, rows in truth.items() if account in rows}


def without(truth: Truth, account: int) -> Truth:
    """What everybody else has."""
    found = {place: {one: row for one, row in rows.items() if one != account} for place, rows in truth.items()}
    return {place: rows for place, rows in found.items() if rows}


@pytest.mark.parametrize("seed", range(2))
def test_an_administrator_ends_all_that_somebody_has_and_nothing_else(seed: int) -> None:
    dice, gitlabs = random.Random(seed), company(seed)  # noqa: S311 - no secret
    hub, left = PlanHub(gitlabs), 0
    for account in dice.sample(sorted(gitlabs.app.company.users), 3):
        before, written, delete = gitlabs.truth(), len(gitlabs.writes()), dice.random() < 0.5
        states = {user.id: user.state for user in gitlabs.app.company.users.values()}
        status, body = hub("POST", "", {"operations": [{"op": "offboard", "account_id": account, "delete": delete}]})
        assert status == 201, body
        plan = body["plan"]
        status, _ = hub.apply(plan, "leaver")
        hub.work()
        if status == 403:
            assert (gitlabs.truth(), len(gitlabs.writes())) == (before, written), plan
            continue
        found = hub.read(plan["id"])
        assert found["status"] == "applied", found
        shown = [(one["op"], call["method"], call["path"].partition("?")[0]) for one in found["operations"]
                 for call in one["calls"]]  # fmt: skip
        assert gitlabs.writes()[written:] == [call[1:] for call in shown]
        assert shown[0][0] == "block"
        # Whoever is deleted takes the projects in their own namespace along.
        there = {(kind.removesuffix("s"), number) for kind, number in gitlabs.places()}
        gone = {place for place in before if place not in there}
        assert delete or not gone
        assert gitlabs.truth() == {one: rows for one, rows in without(before, account).items() if one not in gone}
        users = {user.id: user.state for user in gitlabs.app.company.users.values()}
        assert users == {one: state for one, state in {**states, account: "blocked"}.items()
                         if not (delete and one == account)}  # fmt: skip
        left += 1
    assert left


def test_undo_gives_back_what_an_offboarding_took() -> None:
    gitlabs = company(3)
    hub = PlanHub(gitlabs)
    people = [user.id for user in gitlabs.app.company.users.values() if user.state == "active" and not user.bot]
    for account in people:
        before = gitlabs.truth()
        plan = hub("POST", "", {"operations": [{"op": "offboard", "account_id": account}]})[1]["plan"]
        refused = {code for one in plan["operations"] for code in one["refusals"]}
        if refused - {"blast_radius"} or len(of(before, account)) != 1:
            continue
        assert hub.apply(plan, "leaver")[0] == 202
        hub.work()
        back = hub("POST", f"/{plan['id']}/undo")[1]["plan"]
        assert hub.apply(back)[0] == 202, back
        hub.work()
        assert (hub.read(back["id"])["status"], gitlabs.truth()) == ("applied", before)
        return
    raise AssertionError("nobody was offboarded")


class OwnedGitLabs(StandInGitLabs):
    """The stand-in as an Owner of a top-level group sees it, who is no administrator."""

    token = "owner-of-top"


def owned() -> tuple[OwnedGitLabs, int, int]:
    """A company, its first top-level group, and somebody who has something in it and is not its Owner."""
    gitlabs = OwnedGitLabs(5)
    people = gitlabs.app.company
    people.behaviour = replace(people.behaviour, deletion_delay=0, account_lists=True)
    top = min(one for one, group in people.groups.items() if group.parent_id is None)
    person = people.users[max(one for one, user in people.users.items() if not user.bot and user.state == "active")]
    person.is_admin = False
    people.members["group", top][HUB] = Membership(user_id=HUB, level=50, created=1.0, created_by=None)
    inside = next(one for one, project in people.projects.items() if project.group_id is not None
                  and people.ancestors(project.group_id)[-1].id == top)  # fmt: skip
    for place in (("group", top), ("project", inside)):
        people.members[place][person.id] = Membership(user_id=person.id, level=30, created=1.0, created_by=None)
    people.users[HUB].is_admin = False
    people.well_known["owner-of-top"] = people.well_known["admin"]
    gitlabs.set(INTEGRATION, is_admin=False, group=people.groups[top].full_path)
    return gitlabs, top, person.id


def test_an_owner_removes_somebody_from_the_whole_tree() -> None:
    gitlabs, top, account = owned()
    hub = PlanHub(gitlabs)
    before = gitlabs.truth()
    status, body = hub("POST", "", {"operations": [{"op": "offboard", "account_id": account}]})
    assert status == 201, body
    plan = body["plan"]
    assert hub.apply(plan, "leaver")[0] == 202, plan
    hub.work()
    [one] = hub.read(plan["id"])["operations"]
    assert (one["status"], gitlabs.writes()) == ("applied", [("DELETE", f"/groups/{top}/billable_members/{account}")])
    groups = {top, *(group.id for group in gitlabs.app.company.descendants(top))}
    projects = {project.id for project in gitlabs.app.company.projects_of(groups)}
    left = {place: row for place, row in of(before, account).items()
            if place[1] not in (groups if place[0] == "group" else projects)}  # fmt: skip
    assert (of(gitlabs.truth(), account), without(gitlabs.truth(), account)) == (left, without(before, account))
