"""The access sync: which stages a run has, in which order."""

from collections.abc import Callable

from gitlab_hub.access.accounts import AccountCollector, AccountsStage, MemberAccountsStage
from gitlab_hub.access.changes.feed import ChangeFeed
from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.graphql.members import WORTH_IT, MemberBatches
from gitlab_hub.access.hints import subject
from gitlab_hub.access.invitations import InvitationsStage, RoundsStage
from gitlab_hub.access.members import MemberListsStage, MembersStage, NamelessMembers
from gitlab_hub.access.outside.stage import OutsideGroupsStage
from gitlab_hub.access.sources.merging import AccountFactsStage
from gitlab_hub.access.sources.roles import MemberRolesStage
from gitlab_hub.access.sources.stage import AccountListsStage
from gitlab_hub.access.store import AccessStore
from gitlab_hub.access.sweep import SweepStage
from gitlab_hub.access.targeted_refresh import TargetedRefresh
from gitlab_hub.inventory.listing import GroupsStage, ProjectsStage
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.message import Hint
from gitlab_hub.sync.ports import Kind, Session, Stage


class AccessFeature:
    """Keeps accounts, groups, projects, direct grants and invitations equal to GitLab's.

    `graphql_from`: so many groups and projects are worth asking whether GraphQL may tell their members.
    """

    kind = Kind.ACCESS

    def __init__(
        self, table: Table, note_end: Callable[[str, str], None] = lambda *_: None, *, graphql_from: int = WORTH_IT
    ) -> None:
        """`note_end` hears (integration, run) before a run ends that has gone through all of its stages."""
        self.table, self._note_end, self._graphql_from = table, note_end, graphql_from

    def stages(self, session: Session) -> list[Stage]:
        """Give the steps of one run."""
        context = self._context(session, beside_runs=False)
        collector, batches = AccountCollector(context), MemberBatches(context, worth_it=self._graphql_from)
        nameless = NamelessMembers()
        members = {kind: MembersStage(context, kind, collector, batches, nameless) for kind in ResourceType}
        invitations = [InvitationsStage(context, kind, nameless, stage.read_members) for kind, stage in members.items()]
        return [
            AccountsStage(context),
            GroupsStage(context.inventory),
            ProjectsStage(context.inventory),
            *members.values(),
            MemberListsStage(context),
            OutsideGroupsStage(context, context.store.outside, collector),
            AccountListsStage(context),
            MemberRolesStage(context),
            AccountFactsStage(context),
            MemberAccountsStage(context),
            # Behind whatever asks whether all was read: nothing that is refused here may count there.
            *invitations,
            RoundsStage([members[ResourceType.GROUP], *invitations]),
            SweepStage(context, self._note_end, self.table),
        ]

    async def refresh(self, session: Session, hint: Hint) -> None:
        """Read the one group or project that a hint is about."""
        context = self._context(session, beside_runs=True)
        await TargetedRefresh(context).run(*subject(hint))

    def _context(self, session: Session, *, beside_runs: bool) -> AccessContext:
        table, integration_id = session.fenced(self.table), session.target.integration_id
        feed = ChangeFeed(
            table,
            integration_id,
            sync_id=session.sync_id,
            now=lambda: session.now().timestamp(),
            beside_runs=beside_runs,
        )
        return AccessContext.of(session, AccessStore(table, integration_id, feed))
