"""The parts of provisioning put together over their ports; nothing is read or sent by putting them together."""

from collections.abc import Callable
from functools import cached_property

from gitlab_hub.audit.log import Audit
from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.provisioning.execution import Execution
from gitlab_hub.provisioning.ledger import Ledger
from gitlab_hub.provisioning.mirror import Mirror
from gitlab_hub.provisioning.planner import Planner
from gitlab_hub.provisioning.ports import OwnChanges, Refresh
from gitlab_hub.provisioning.service import PlanService
from gitlab_hub.provisioning.store import PlanStore
from gitlab_hub.provisioning.worker import Provisioner
from gitlab_hub.storage.ports import Function, Table
from gitlab_hub.sync.store import RunStore


class ProvisioningFeature:
    """Plans, and what carries them out."""

    def __init__(
        self,
        *,
        table: Table,
        runs: RunStore,
        provisioner: Function,
        gitlabs: GitLabs,
        audit: Audit,
        now: Callable[[], float],
    ) -> None:
        self.store, self.ledger = PlanStore(table), Ledger(table)
        self.planner = Planner(gitlabs, Mirror(table, runs, now), now)
        self._provisioner, self._gitlabs, self._audit, self._now = provisioner, gitlabs, audit, now

    @cached_property
    def service(self) -> PlanService:
        """What can be done with plans."""
        return PlanService(
            self.store, self.ledger, self.planner, self._gitlabs, self._provisioner, self._audit, self._now
        )

    def worker(
        self,
        refresh: Refresh,
        own_changes: OwnChanges,
        new_id: Callable[[], str],
        sleep: Callable[[float], None],
    ) -> Provisioner:
        """What carries plans out."""
        execution = Execution(self.store, self.planner, self._gitlabs, self._audit, own_changes, self._now, sleep)
        return Provisioner(
            store=self.store,
            ledger=self.ledger,
            execution=execution,
            gitlabs=self._gitlabs,
            refresh=refresh,
            now=self._now,
            new_id=new_id,
        )
