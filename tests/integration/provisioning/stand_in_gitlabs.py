"""The stand-in, which has GitLab's rules, as the GitLab of a hub in memory."""

import httpx

from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.clients import GitLabConnection
from stand_in_gitlab.app import StandIn
from stand_in_gitlab.company.build import Sizes
from stand_in_gitlab.server import stand_in
from tests.fakes.gitlab_client import FixedTokens, client
from tests.fakes.gitlab_members import MemberGitLab
from tests.functional.provisioning.plan_hub import START, GitLabs

Truth = dict[tuple[str, int], dict[int, tuple[int, str | None]]]
Entry = tuple[str, int, str]
"""A group or project, and who has something there: `group#12` or an address."""


class StandInGitLabs(GitLabs):
    """The stand-in as both integrations see it, by an administrator's token, without a socket."""

    token = "admin"

    def __init__(self, seed: int) -> None:
        super().__init__(MemberGitLab())
        sizes = Sizes(users=14, groups=5, projects=6, pipelines=0, jobs=1)
        self.app: StandIn = stand_in(
            "https://gitlab.example/gitlab", seed=seed, sizes=sizes, root_path="gitlab", epoch=float(START), frozen=True
        )
        for one in self.known:
            self.set(one, is_admin=True)

    def open(self, connection: GitLabConnection) -> GitLab:
        tokens = FixedTokens(self.app.company.well_known[self.token])
        return client(httpx.ASGITransport(self.app), tokens)  # type: ignore[arg-type]  # any transport will do

    def places(self) -> list[tuple[str, int]]:
        company = self.app.company
        return [*(("groups", one) for one in company.groups), *(("projects", one) for one in company.projects)]

    def truth(self) -> Truth:
        """Who has what, as GitLab's database has it."""
        found = self.app.company.members
        return {
            key: {one: (row.level, row.expires_at) for one, row in rows.items()} for key, rows in found.items() if rows
        }

    def writes(self) -> list[tuple[str, str]]:
        """The calls that were to change something."""
        return [(row["method"], row["path"].removeprefix("/api/v4")) for row in self.app.writes.since()]

    def others(self) -> dict[Entry, tuple[int, str | None]]:
        """All shares and invitations, as GitLab's database has them."""
        company, found = self.app.company, dict[Entry, tuple[int, str | None]]()
        shares = {("group", one.id): one.shares for one in company.groups.values()}
        shares |= {("project", one.id): one.shares for one in company.projects.values()}
        for (kind, number), links in shares.items():
            found |= {(kind, number, f"group#{link.group_id}"): (link.level, link.expires_at) for link in links}
        for (kind, number), rows in company.invitations.items():
            found |= {(kind, number, row.email): (row.level, row.expires_at) for row in rows.values()}
        return found
