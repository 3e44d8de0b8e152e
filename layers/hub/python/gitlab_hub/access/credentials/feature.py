"""The credentials sync: which stages a run has, in which order.

It reads by what the access sync has stored (accounts, groups, projects), and runs in the same function.
"""

from collections.abc import Callable

from gitlab_hub.access.credentials.access_tokens import AccessTokensStage, ImpersonationTokensStage
from gitlab_hub.access.credentials.context import CredentialContext
from gitlab_hub.access.credentials.instance_lists import DeployKeysStage, DeployTokensStage
from gitlab_hub.access.credentials.sources import (
    deploy_tokens_stage,
    group_tokens_stage,
    project_deploy_keys_stage,
    project_tokens_stage,
    service_account_tokens_stage,
)
from gitlab_hub.access.credentials.ssh_keys import SshKeysStage
from gitlab_hub.access.credentials.store import CredentialStore
from gitlab_hub.access.credentials.sweep import SweepStage
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.errors import Parked
from gitlab_hub.sync.ports import Kind, Scope, Session, SingleScopeStage, Stage
from gitlab_hub.sync.run import Run

WAIT_SECONDS = 5


class CredentialsFeature:
    """Keeps the inventory of tokens and keys equal to GitLab's, as far as the token is shown it."""

    kind = Kind.CREDENTIALS

    def __init__(self, table: Table, access_run: Callable[[str], Run]) -> None:
        self.table, self._access_run = table, access_run

    def stages(self, session: Session) -> list[Stage]:
        """Give the steps of one run."""
        context = CredentialContext.of(
            session, CredentialStore(session.fenced(self.table), session.target.integration_id)
        )
        return [
            AccessReadStage(session, self._access_run),
            AccessTokensStage(context),
            ImpersonationTokensStage(context),
            group_tokens_stage(context),
            project_tokens_stage(context),
            service_account_tokens_stage(context),
            DeployTokensStage(context),
            deploy_tokens_stage(context, ResourceType.GROUP),
            deploy_tokens_stage(context, ResourceType.PROJECT),
            DeployKeysStage(context),
            project_deploy_keys_stage(context),
            SshKeysStage(context),
            SweepStage(context, self.table),
        ]


class AccessReadStage(SingleScopeStage):
    """Waits while the access sync is under way: credentials are read group by group, project by project, by its rows.

    Where it has never run and nobody has asked for it, there is nothing to wait for.
    """

    name = "access_read"

    def __init__(self, session: Session, access_run: Callable[[str], Run]) -> None:
        self._session, self._access_run = session, access_run

    async def read(self, scope: Scope) -> None:
        """Raise Parked until the access sync is at rest."""
        session = self._session
        run = await session.io(self._access_run, session.target.integration_id)
        if not run.status.at_rest:
            # A checkpoint, so that waiting does not count as a slice that came to nothing.
            await session.checkpoint(scope, int(session.now().timestamp()))
            raise Parked(WAIT_SECONDS)
