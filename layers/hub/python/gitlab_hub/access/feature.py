"""The access sync: which stages a run has, in which order."""

from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.hinted_read import TargetedRead
from gitlab_hub.access.hints import subject
from gitlab_hub.access.lists import AccountsStage, GroupsStage, ProjectsStage
from gitlab_hub.access.members import AccountCollector, MembersStage
from gitlab_hub.access.model import ResourceType
from gitlab_hub.access.store import AccessStore
from gitlab_hub.access.sweep import MemberAccountsStage, SweepStage
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.message import Hint
from gitlab_hub.sync.ports import Kind, Session, Stage


class AccessFeature:
    """Keeps accounts, groups, projects and direct grants equal to GitLab's."""

    kind = Kind.ACCESS

    def __init__(self, table: Table) -> None:
        self.table = table

    def stages(self, session: Session) -> list[Stage]:
        """Give the steps of one run."""
        work = AccessContext.of(session, AccessStore(session.fenced(self.table), session.target.integration_id))
        union = AccountCollector(work)
        return [
            AccountsStage(work),
            GroupsStage(work),
            ProjectsStage(work),
            MembersStage(work, ResourceType.GROUP, union),
            MembersStage(work, ResourceType.PROJECT, union),
            MemberAccountsStage(work),
            SweepStage(work),
        ]

    async def refresh(self, session: Session, hint: Hint) -> None:
        """Read the one group or project that a hint is about."""
        work = AccessContext.of(session, AccessStore(session.fenced(self.table), session.target.integration_id))
        await TargetedRead(work).run(*subject(hint))
