"""The features, put together over their ports; each made when first needed, once per process.

Imports stand inside the functions: a cold start pays for what its function uses, and nothing else.
"""

from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from gitlab_hub.composition.core import Core

if TYPE_CHECKING:
    from gitlab_hub.builds.feature import BuildsFeature
    from gitlab_hub.builds.runs.worker import Builder
    from gitlab_hub.builds.targets.https import TargetCheck
    from gitlab_hub.composition.core import Required
    from gitlab_hub.gitlab.clients import GitLabs
    from gitlab_hub.gitlab.policy import NetworkPolicy
    from gitlab_hub.integrations.feature import IntegrationsFeature
    from gitlab_hub.integrations.gitlab_access import SyncTargets
    from gitlab_hub.integrations.lifecycle import IntegrationLifecycle
    from gitlab_hub.integrations.tokens.services import Runtime, TokenServices
    from gitlab_hub.provisioning.feature import ProvisioningFeature
    from gitlab_hub.sync.engine import Connection
    from gitlab_hub.sync.ports import SyncTarget
    from gitlab_hub.sync.service import SyncService
    from gitlab_hub.webhooks.deliveries.feature import DeliveriesFeature
    from gitlab_hub.webhooks.hooks.feature import HooksFeature
    from gitlab_hub.webhooks.hooks.scopes import HookScopes
    from gitlab_hub.webhooks.hooks.secrets import HookSecrets
    from gitlab_hub.webhooks.receiving.receiver import Receiver


class Container(Core):
    """Everything that an entry can be built from."""

    # ---- Integrations

    @cached_property
    def token_runtime(self) -> "Runtime":
        """What the token services have from its surroundings."""
        from gitlab_hub.integrations.tokens.services import Runtime
        from gitlab_hub.web.entry import time_left

        return Runtime(remaining=time_left)

    @cached_property
    def tokens(self) -> "TokenServices":
        """What keeps tokens of GitLab good."""
        from gitlab_hub.integrations.tokens.services import TokenServices

        return TokenServices(
            table=self.integrations_table,
            secrets=self.secrets(self.env("secret_prefix")),
            connector=self.connector(patient=True),
            now=self.now,
            runtime=self.token_runtime,
        )

    @cached_property
    def lifecycle(self) -> "IntegrationLifecycle":
        """How integrations come and go."""
        from gitlab_hub.integrations.lifecycle import IntegrationLifecycle

        return IntegrationLifecycle(
            self.integrations_table,
            self.tokens.store,
            self.syncs.delete,
            self.now,
            self.tokens.revocation_queue.last_tries,
        )

    def integrations(self, *, verify_within: float | None = None) -> "IntegrationsFeature":
        """What the API does with integrations; `verify_within` (seconds) for who has other things to do as well."""
        from gitlab_hub.composition import adapters
        from gitlab_hub.integrations.feature import IntegrationsFeature
        from gitlab_hub.integrations.verification.verifier import DEADLINE_SECONDS, Verifier
        from gitlab_hub.web.entry import time_left

        return IntegrationsFeature(
            tokens=self.tokens,
            lifecycle=self.lifecycle,
            connector=self.connector(),
            verifier=Verifier(
                self.connector(),
                deadline=verify_within or DEADLINE_SECONDS,
                left=time_left,
                now=self.now,
                clock=self.clock,
            ),
            audit=self.audit,
            now=self.now,
            hooks=adapters.HookRemovalAdapter(lambda: self.hooks.removal),
            builds=adapters.ActiveBuildsAdapter(lambda: self.builds.store),
        )

    @cached_property
    def gitlabs(self) -> "GitLabs":
        """Clients for integrations; what they are made of is loaded when one is asked for."""
        from gitlab_hub.composition.adapters import LazyGitLabs

        return LazyGitLabs(self._gitlab_clients)

    def _gitlab_clients(self) -> "GitLabs":
        from gitlab_hub.integrations.gitlab_access import GitLabClients

        return GitLabClients(
            store=self.tokens.store,
            source=self.tokens.refresher,
            refused=self.tokens.rejection_check.refused,
            limiter_for=self.limiter,
            policy=self.policy,
            open_client=self.client,
        )

    # ---- Syncs

    @cached_property
    def syncs(self) -> "SyncService":
        """What people and routes may ask of syncs."""
        from gitlab_hub.sync.ports import Kind
        from gitlab_hub.sync.service import SyncService
        from gitlab_hub.sync.store import RunStore
        from gitlab_hub.sync.worker import PurgeBook

        names: dict[Kind, Required] = {
            Kind.ACCESS: "sync_accounts_queue_url",
            Kind.PIPELINES: "sync_pipelines_queue_url",
        }
        return SyncService(
            runs=RunStore(self.integrations_table),
            queues={kind: self.queue(name) for kind in Kind if self.env(name := names[kind.worked_with])},
            purges=partial(PurgeBook, self.integrations_table),
            audit=self.audit,
            incidents=self.incidents,
            now=self.now,
            new_id=self.new_id,
        )

    @cached_property
    def targets(self) -> "SyncTargets":
        """Integrations as the sync engine sees them."""
        from gitlab_hub.integrations.gitlab_access import SyncTargets

        return SyncTargets(self.tokens.store, self.now, self.tokens.refresher)

    def connect(self, target: "SyncTarget") -> "Connection":
        """A client for one target, held back by the budget that all workers share."""
        from gitlab_hub.gitlab.client import ClientOptions, GitLab
        from gitlab_hub.sync.engine import Connection
        from gitlab_hub.sync.rate_limit import SharedLimiter

        options = ClientOptions(ca_bundle=self.settings.ca_bundle or None)
        address = self.policy.vetted(target.base_url)
        limiter = SharedLimiter(self.integrations_table, host=address.base_url, user_id=target.user_id, now=self.now)
        gitlab = GitLab(address, self.targets.tokens(target), policy=self.policy, limiter=limiter, options=options)
        return Connection(gitlab, limiter)

    # ---- Provisioning

    @cached_property
    def provisioning(self) -> "ProvisioningFeature":
        """Plans to change access, and what carries them out."""
        from gitlab_hub.access.addresses import AccountAddresses
        from gitlab_hub.composition.adapters import HubTokenUsers, ListedCredentials
        from gitlab_hub.provisioning.feature import ProvisioningFeature
        from gitlab_hub.sync.store import RunStore
        from gitlab_hub.web.tokens import TokenStore

        tokens = TokenStore(self.integrations_table)
        return ProvisioningFeature(
            table=self.table("access_table"),
            runs=RunStore(self.integrations_table),
            provisioner=self.function("provisioner_function"),
            gitlabs=self.gitlabs,
            addresses=AccountAddresses(self.table("access_table")),
            users=HubTokenUsers(self.integration_store),
            inventory=ListedCredentials(self.table("access_table")),
            audit=self.audit,
            incidents=self.incidents,
            is_revoked=lambda token_id: tokens.is_revoked(token_id, now=self.now()),
            now=self.now,
        )

    # ---- Webhooks

    @cached_property
    def hook_secrets(self) -> "HookSecrets":
        """The secrets of hooks, derived when they are needed."""
        from gitlab_hub.webhooks.hooks.secrets import HookSecrets

        return HookSecrets(lambda: self.master_key.derive("webhooks"))

    @cached_property
    def hooks(self) -> "HooksFeature":
        """The hooks themselves."""
        from gitlab_hub.webhooks.deliveries.store import StoredDeliveries
        from gitlab_hub.webhooks.hooks.feature import HooksFeature

        return HooksFeature(
            table=self.deliveries_table,
            secrets=self.hook_secrets,
            incidents=self.incidents,
            gitlabs=self.gitlabs,
            deliveries=StoredDeliveries(self.deliveries_table),
            webhook_url=self.public_url.webhook,
            now=self.now,
        )

    def hook_scopes(self) -> "HookScopes":
        """What hooks may speak of."""
        from gitlab_hub.webhooks.hooks.gitlab_api import GitLabRunner
        from gitlab_hub.webhooks.hooks.scopes import DEADLINE_SECONDS, HookScopes
        from gitlab_hub.webhooks.hooks.store import HookStore

        return HookScopes(HookStore(self.deliveries_table), GitLabRunner(self.gitlabs, deadline=DEADLINE_SECONDS))

    @cached_property
    def deliveries(self) -> "DeliveriesFeature":
        """What happens to deliveries once they are kept."""
        from gitlab_hub.webhooks.deliveries.feature import DeliveriesFeature

        return DeliveriesFeature(
            table=self.deliveries_table, queue=self.ordered_queue("deliveries_queue_url"), now=self.now
        )

    def receiver(self) -> "Receiver":
        """What takes webhooks in, with adapters that would rather fail than keep GitLab waiting."""
        from gitlab_hub.composition import adapters
        from gitlab_hub.integrations.store import IntegrationStore
        from gitlab_hub.webhooks.deliveries.metrics import WebhookMetrics
        from gitlab_hub.webhooks.receiving.receiver import ReceiveFeature

        return ReceiveFeature(
            table=self.deliveries_table,
            queue=self.ordered_queue("deliveries_queue_url"),
            secrets=self.hook_secrets,
            states=adapters.IntegrationStates(IntegrationStore(self.integrations_table, self.secrets())),
            metrics=WebhookMetrics(self.function_name),
            now=self.now,
        ).receiver

    # ---- Builds

    @cached_property
    def builds(self) -> "BuildsFeature":
        """Builds, from their request to their end."""
        from gitlab_hub.builds.feature import BuildsFeature

        return BuildsFeature(
            table=self.deliveries_table,
            queue=self.ordered_queue("builds_queue_url"),
            gitlabs=self.gitlabs,
            now=self.now,
        )

    def builder(self) -> "Builder":
        """What works on builds, with every type of target."""
        import random

        from gitlab_hub.builds.runs.feature import builder_of
        from gitlab_hub.builds.targets.registry import build_targets
        from gitlab_hub.builds.targets.signing import SecretVersions, TargetSecrets, TargetSigner

        signer = TargetSigner(TargetSecrets(self.signing_key), SecretVersions(self.deliveries_table), self.now)
        targets = build_targets(
            bus=self.settings.builds_bus,
            policy=self.target_policy,
            sign=signer,
            ca_bundle=self.settings.ca_bundle or None,
        )
        return builder_of(self.builds, targets, draw=random.random)

    @property
    def target_policy(self) -> "NetworkPolicy":
        """Where HTTPS targets of builds may be: the hosts that the deployer lists, and no others."""
        # A host without a name is nobody's: an empty list would allow them all.
        return replace(self.policy, allowed_hosts=self.settings.build_target_hosts or ("",), allowed_ports=())

    def target_check(self) -> "TargetCheck":
        """What refuses targets that the deployer does not allow."""
        from gitlab_hub.builds.targets.allowed import AllowedArns
        from gitlab_hub.builds.targets.https import TargetCheck

        given = self.settings
        arns = AllowedArns(
            own_bus=given.builds_bus_arn,
            buses=given.build_bus_arns,
            projects=given.build_project_arns,
            state_machines=given.build_state_machine_arns,
            executions=given.build_execution_arns,
            queues=given.build_queue_arns,
        )
        return TargetCheck(self.target_policy, arns)

    def signing_key(self) -> bytes:
        """The key of what is signed for HTTPS targets."""
        return self.master_key.derive("build-targets")
