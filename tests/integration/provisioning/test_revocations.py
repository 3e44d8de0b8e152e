"""Revoking tokens and keys of the stand-in: afterwards just these are of no use, and nothing else was written."""

import random
from typing import Any

import pytest

from stand_in_gitlab.company.people import group_of_service_account, source_of_bot
from tests.functional.provisioning.plan_hub import PlanHub, revoke_credential
from tests.integration.provisioning.stand_in_gitlabs import StandInGitLabs

Truth = dict[tuple[str, int, int], str]
"""Kind, id, and (of a deploy key) the project, of everything that is there → whether it is revoked."""


def truth(gitlabs: StandInGitLabs) -> Truth:
    company = gitlabs.app.company
    found = {("token", one.id, 0): "revoked" if one.revoked else "good" for one in company.tokens.values()}
    found |= {("deploy_token", one, 0): "good" for one in company.deploy_tokens}
    found |= {("ssh_key", one, 0): "good" for one in company.ssh_keys}
    return found | {
        ("deploy_key", one.id, project): "good" for one in company.deploy_keys.values() for project in one.projects
    }


def everything(gitlabs: StandInGitLabs) -> list[dict[str, Any]]:
    """An operation for each token and key, as somebody would ask for it who reads the inventory."""
    company, found = gitlabs.app.company, list[dict[str, Any]]()
    for one in company.tokens.values():
        user = company.users[one.user_id]
        source, group = source_of_bot(user), group_of_service_account(user)
        more: dict[str, Any] = {"account_id": user.id}
        if source is not None:
            kind, more = f"{source[0]}_token", {"resource": {"type": source[0], "id": source[1]}}
        elif group is not None:
            kind, more = "service_account_token", {**more, "resource": {"type": "group", "id": group}}
        else:
            kind = "impersonation_token" if one.impersonation else "personal_token"
        found.append(revoke_credential(kind, one.id, **more))
    for token in company.deploy_tokens.values():
        place = {"type": token.source[0], "id": token.source[1]}
        found.append(revoke_credential("deploy_token", token.id, resource=place))
    for key in company.deploy_keys.values():
        found += [
            revoke_credential("deploy_key", key.id, resource={"type": "project", "id": one}) for one in key.projects
        ]
    return found + [revoke_credential("ssh_key", key.id, account_id=key.user_id) for key in company.ssh_keys.values()]


def without(before: Truth, operation: dict[str, Any]) -> Truth:
    """The truth once an operation was carried out."""
    project = operation.get("resource", {}).get("id", 0) if operation["kind"] == "deploy_key" else 0
    if operation["kind"] in {"deploy_token", "deploy_key", "ssh_key"}:
        gone = (operation["kind"], operation["id"], project)
        return {key: state for key, state in before.items() if key != gone}
    return {**before, ("token", operation["id"], 0): "revoked"}


@pytest.mark.parametrize("seed", range(3))
def test_just_what_was_planned_is_of_no_use_afterwards(seed: int) -> None:
    dice, gitlabs = random.Random(seed), StandInGitLabs(seed)  # noqa: S311 - no secret
    hub, outcomes = PlanHub(gitlabs), set[str]()
    own = gitlabs.app.company.tokens[gitlabs.app.company.well_known["admin"]].id
    some = dice.sample(everything(gitlabs), 8)
    for operation in [*some, revoke_credential("personal_token", own, account_id=1), some[0]]:
        before, members, written = truth(gitlabs), gitlabs.truth(), len(gitlabs.writes())
        plan = hub.plan(operation)
        [one] = plan["operations"]
        if hub.apply(plan, "test")[0] == 403:
            assert one["refusals"] == ["self_target"], one
            assert (truth(gitlabs), len(gitlabs.writes())) == (before, written)
            continue
        hub.work()
        [done] = hub.read(plan["id"])["operations"]
        assert (done["status"], done["error"]) == ("applied" if one["calls"] else "skipped", None), done
        outcomes.add(done["status"])
        assert gitlabs.writes()[written:] == [(call["method"], call["path"]) for call in one["calls"]]
        assert truth(gitlabs) == (without(before, operation) if one["calls"] else before), plan
        assert gitlabs.truth() == members
    assert outcomes == {"applied", "skipped"}


def test_older_releases_delete_the_bot_with_its_token_and_that_is_no_failure() -> None:
    gitlabs = StandInGitLabs(1)
    hub, company = PlanHub(gitlabs), gitlabs.app.company
    company.behaviour.bots_go_with_tokens, company.behaviour.deletion_delay = True, 0.0
    bot = company.tokens[company.well_known["project"]]
    source = source_of_bot(company.users[bot.user_id])
    assert source is not None
    place = {"type": source[0], "id": source[1]}
    done = hub.done(revoke_credential("project_token", bot.id, resource=place), reason="test")
    assert [one["status"] for one in done["operations"]] == ["applied"]
    assert bot.user_id not in company.users
