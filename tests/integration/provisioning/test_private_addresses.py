"""Inviting people who have an account, by an Owner's token that is not shown their addresses, against the stand-in."""

from collections import Counter

import httpx
import pytest

from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.clients import GitLabConnection
from stand_in_gitlab.company.tokens import FULL, add
from tests.fakes.gitlab_client import FixedTokens, client
from tests.functional.provisioning.plan_hub import PlanHub, invite
from tests.integration.provisioning.stand_in_gitlabs import StandInGitLabs


class OwnersGitLabs(StandInGitLabs):
    """The stand-in as an Owner of its first group sees it."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        company = self.app.company
        self.owner = company.tokens[company.well_known["owner-read"]].user_id
        self.token = add(company, "owner-write", self.owner, FULL).value
        for one in self.known:
            self.set(one, is_admin=False, user_id=self.owner)

    def open(self, connection: GitLabConnection) -> GitLab:
        return client(httpx.ASGITransport(self.app), FixedTokens(self.token))  # type: ignore[arg-type]  # any transport


@pytest.mark.parametrize("seed", range(4))
def test_whoever_became_a_member_is_named_and_undo_leads_back_to_what_was_there(seed: int) -> None:
    gitlabs = OwnersGitLabs(seed)
    hub, company, told = PlanHub(gitlabs), gitlabs.app.company, Counter[str]()
    top = min(company.groups)
    group = {"type": "group", "id": top}
    for user in list(company.users.values())[:12]:
        before = gitlabs.truth()
        plan = hub.plan(invite(user.email, 20, group))
        if hub.apply(plan)[0] == 403:
            assert gitlabs.truth() == before
            told["refused"] += 1
            continue
        hub.work()
        done = hub.read(plan["id"])
        [one] = done["operations"]
        assert one["status"] == "failed", one
        told[one["error"]] += 1
        if one["error"] != "became_member":
            # GitLab refused it, or it had been so: either way nobody has anything else than before.
            assert gitlabs.truth() == before, one
            continue
        assert one["instead"]["account_id"] == user.id
        assert gitlabs.truth()["group", top][user.id] == (20, None)
        back = hub("POST", f"/{done['id']}/undo")[1]["plan"]
        if back["status"] == "ready":
            assert hub.apply(back)[0] == 202
            hub.work()
            assert gitlabs.truth() == before, one
    assert told["became_member"]
    assert told["refused"]
