"""What the entries of webhooks and builds are built from, beside what `wiring` has for everybody.

Imports stand inside the functions: a cold start pays for what its function uses, and nothing else.
"""

import time
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from gitlab_hub import wiring

if TYPE_CHECKING:
    from gitlab_hub.builds.feature import BuildsFeature
    from gitlab_hub.builds.targets.addresses import TargetCheck
    from gitlab_hub.gitlab.policy import NetworkPolicy
    from gitlab_hub.webhooks.deliveries_feature import DeliveriesFeature
    from gitlab_hub.webhooks.hooks.feature import HooksFeature
    from gitlab_hub.webhooks.hooks.scopes import HookScopes
    from gitlab_hub.webhooks.receiver import Receiver
    from gitlab_hub.webhooks.secrets import HookSecrets


@cache
def hook_secrets() -> "HookSecrets":
    """The secrets of hooks, derived when they are needed."""
    from gitlab_hub.webhooks.secrets import HookSecrets

    return HookSecrets(lambda: wiring.master_key().derive("webhooks"))


@cache
def deliveries() -> "DeliveriesFeature":
    """What happens to deliveries once they are kept."""
    from gitlab_hub.storage.sqs import SqsOrderedQueue
    from gitlab_hub.webhooks.deliveries_feature import DeliveriesFeature

    queue = SqsOrderedQueue(wiring.settings().deliveries_queue_url)
    return DeliveriesFeature(table=wiring.table(wiring.settings().deliveries_table), queue=queue)


@cache
def hooks() -> "HooksFeature":
    """The hooks themselves."""
    from gitlab_hub.incidents import IncidentStore
    from gitlab_hub.webhooks.hooks.feature import HooksFeature
    from gitlab_hub.webhooks.hooks.kept_deliveries import KeptDeliveries

    state = wiring.table(wiring.settings().deliveries_table)
    return HooksFeature(
        table=state,
        secrets=hook_secrets(),
        incidents=IncidentStore(wiring.integrations_table(), time.time),
        gitlabs=wiring.gitlabs(),
        deliveries=KeptDeliveries(state),
        webhook_url=wiring.public_url().webhook,
        now=time.time,
    )


def hook_scopes() -> "HookScopes":
    """What hooks may speak of."""
    from gitlab_hub.webhooks.hook_store import HookStore
    from gitlab_hub.webhooks.hooks.remote import Remote
    from gitlab_hub.webhooks.hooks.scopes import DEADLINE_SECONDS, HookScopes

    store = HookStore(wiring.table(wiring.settings().deliveries_table))
    return HookScopes(store, Remote(wiring.gitlabs(), deadline=DEADLINE_SECONDS))


@cache
def builds() -> "BuildsFeature":
    """Builds, from their request to their end."""
    from gitlab_hub.builds.feature import BuildsFeature
    from gitlab_hub.storage.sqs import SqsOrderedQueue

    return BuildsFeature(
        table=wiring.table(wiring.settings().deliveries_table),
        queue=SqsOrderedQueue(wiring.settings().builds_queue_url),
        gitlabs=wiring.gitlabs(),
        now=time.time,
    )


def target_policy() -> "NetworkPolicy":
    """Where HTTPS targets of builds may be: the hosts that the deployer lists, and no others."""
    # A host without a name is nobody's: an empty list would allow them all.
    return replace(wiring.policy(), allowed_hosts=wiring.settings().build_target_hosts or ("",), allowed_ports=())


def target_check() -> "TargetCheck":
    """What refuses targets that the deployer does not allow."""
    from gitlab_hub.builds.targets.addresses import TargetCheck
    from gitlab_hub.builds.targets.allowed import AllowedArns

    given = wiring.settings()
    arns = AllowedArns(
        own_bus=given.builds_bus_arn,
        buses=given.build_bus_arns,
        projects=given.build_project_arns,
        state_machines=given.build_state_machine_arns,
        executions=given.build_execution_arns,
        queues=given.build_queue_arns,
    )
    return TargetCheck(target_policy(), arns)


def signing_key() -> bytes:
    """The key of what is signed for HTTPS targets."""
    return wiring.master_key().derive("build-targets")


@cache
def receiver() -> "Receiver":
    """What takes webhooks in, with clients of AWS that would rather fail than keep GitLab waiting."""
    from gitlab_hub import joints
    from gitlab_hub.integrations.store import IntegrationStore
    from gitlab_hub.storage.aws import QUICK, LazyClient
    from gitlab_hub.storage.backoff import Backoff
    from gitlab_hub.storage.dynamodb import DynamoTable
    from gitlab_hub.storage.secretsmanager import SecretsManager
    from gitlab_hub.storage.sqs import SqsOrderedQueue
    from gitlab_hub.web.keys import MasterKey
    from gitlab_hub.webhooks.notices import LoggedNotices
    from gitlab_hub.webhooks.receive_feature import ReceiveFeature
    from gitlab_hub.webhooks.secrets import HookSecrets

    once = Backoff(tries=2)
    dynamodb, secrets = (
        LazyClient("dynamodb", config=QUICK),
        SecretsManager("", LazyClient("secretsmanager", config=QUICK)),
    )
    key = MasterKey(secrets, wiring.plain("master_key_secret"))
    integrations = IntegrationStore(DynamoTable(wiring.plain("integrations_table"), dynamodb, backoff=once), secrets)
    return ReceiveFeature(
        table=DynamoTable(wiring.plain("deliveries_table"), dynamodb, backoff=once),
        queue=SqsOrderedQueue(wiring.plain("deliveries_queue_url"), LazyClient("sqs", config=QUICK)),
        secrets=HookSecrets(lambda: key.derive("webhooks")),
        standing=joints.Standings(integrations),
        notices=LoggedNotices(wiring.name()),
    ).receiver
