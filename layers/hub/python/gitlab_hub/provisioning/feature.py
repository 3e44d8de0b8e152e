"""The parts of provisioning put together over their ports; nothing is read or sent by putting them together."""

from collections.abc import Callable
from functools import cached_property

from gitlab_hub.audit.log import Audit
from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.provisioning.execution import Execution
from gitlab_hub.provisioning.ledger import Ledger
from gitlab_hub.provisioning.mirror import Mirror
from gitlab_hub.provisioning.planner import Planner
from gitlab_hub.provisioning.ports import Addresses, HubUsers, Inventory, OwnChanges, Refresh
from gitlab_hub.provisioning.service import PlanService
from gitlab_hub.provisioning.store import PlanStore
from gitlab_hub.provisioning.timed.asking import Asking
from gitlab_hub.provisioning.timed.deciding import Deciding
from gitlab_hub.provisioning.timed.in_plans import TimedSteps
from gitlab_hub.provisioning.timed.incidents import RequestIncidents
from gitlab_hub.provisioning.timed.judging import RequestPolicies
from gitlab_hub.provisioning.timed.plans import RequestPlans
from gitlab_hub.provisioning.timed.returning import Returning
from gitlab_hub.provisioning.timed.store import PolicyStore, RequestStore
from gitlab_hub.provisioning.timed.wanted import Names
from gitlab_hub.provisioning.timed.worker import TimedAccess
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
        addresses: Addresses,
        users: HubUsers,
        inventory: Inventory,
        audit: Audit,
        incidents: IncidentStore,
        is_revoked: Callable[[str], bool],
        now: Callable[[], float],
    ) -> None:
        self.store, self.ledger = PlanStore(table), Ledger(table)
        self.planner = Planner(gitlabs, Mirror(table, runs, now), addresses, users, now)
        self._inventory = inventory
        self._provisioner, self._gitlabs, self._audit, self._now = provisioner, gitlabs, audit, now
        self._requests, self._policies = RequestStore(table), PolicyStore(table)
        self._is_revoked = is_revoked
        self._incidents = RequestIncidents(incidents, now)
        self._making = RequestPlans(
            plans=self.store,
            requests=self._requests,
            ledger=self.ledger,
            planner=self.planner,
            audit=audit,
            now=now,
        )

    @cached_property
    def service(self) -> PlanService:
        """What can be done with plans."""
        return PlanService(
            self.store,
            self.ledger,
            self.planner,
            self._gitlabs,
            self._provisioner,
            TimedSteps(self._requests, self._now),
            self._inventory,
            self._audit,
            self._now,
        )

    @cached_property
    def policies(self) -> RequestPolicies:
        """Who may ask for access, and decide about it."""
        return RequestPolicies(self._policies, self._is_revoked, self._audit, self._now)

    @cached_property
    def asking(self) -> Asking:
        """What takes requests for access."""
        return Asking(
            store=self._requests,
            policies=self.policies,
            making=self._making,
            names=Names(self._gitlabs, self.planner),
            gitlabs=self._gitlabs,
            provisioner=self._provisioner,
            incidents=self._incidents,
            audit=self._audit,
            now=self._now,
        )

    @cached_property
    def deciding(self) -> Deciding:
        """What takes decisions about requests for access."""
        return Deciding(
            store=self._requests,
            policies=self.policies,
            making=self._making,
            gitlabs=self._gitlabs,
            provisioner=self._provisioner,
            incidents=self._incidents,
            audit=self._audit,
            now=self._now,
        )

    def _timed(self) -> TimedAccess:
        returning = Returning(
            requests=self._requests,
            plans=self.store,
            making=self._making,
            planner=self.planner,
            gitlabs=self._gitlabs,
            incidents=self._incidents,
            audit=self._audit,
            now=self._now,
        )
        return TimedAccess(
            requests=self._requests,
            plans=self.store,
            returning=returning,
            incidents=self._incidents,
            now=self._now,
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
            inventory=self._inventory,
            timed=self._timed(),
            now=self._now,
            new_id=new_id,
        )
