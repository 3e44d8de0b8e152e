"""A company whose hub hears hints."""

import asyncio

from gitlab_hub.storage.codec import Wire
from gitlab_hub.storage.ports import Key
from gitlab_hub.sync.ports import Kind, SyncTarget
from tests.fakes.hints import HintWorker
from tests.functional.access.company import ADMIN, BOT, JANE, Company, member, user

NEW = 10

_SYNCED: dict[SyncTarget, dict[Key, Wire]] = {}
"""What the first sync of a company leaves, by who reads it: the same for every test."""


class HintedCompany(Company):
    """A company that was synced once, and a hint_worker for hints about it."""

    def __init__(self, who: SyncTarget = ADMIN) -> None:
        super().__init__()
        self.who = who
        for number, below in ((1, [self.script["/groups/2"]]), (2, [])):
            self.script[f"/groups/{number}/subgroups"] = below
        self.script["/groups/2/projects"] = []
        for number, account in ((JANE, "jane"), (BOT, "project_8_bot_ab12")):
            self.script[f"/projects/8/members/{number}"] = member(number, account)
        self.script["/users/1"] = user(1, "root", is_admin=True)
        if who not in _SYNCED:
            asyncio.run(self.sync(who))
            _SYNCED[who] = self.table.snapshot()
        self.table.restore(_SYNCED[who])
        self.hint_worker = HintWorker(Kind.ACCESS, self.table, self.gitlab, who)
        self.hint_worker.state = self.table
        self.hint_worker.ran("s0", grants=len(self.grants()))
        self.gitlab.calls.clear()

    def hint(self, *, project: int | None = None, group: int | None = None) -> int:
        """Give a hint and process it; the answer is how many messages that took."""
        if project is not None:
            self.hint_worker.access.project("i1", project)
        if group is not None:
            self.hint_worker.access.group("i1", group)
        return self.hint_worker.work()

    def members(self, kind: str, number: int) -> dict[int, int]:
        """Who has which level in one resource."""
        return {who: level for what, which, who, level in self.grants() if (what, which) == (kind, number)}
