"""What the entries are built from: tables, secrets, queues and features, each made once per process, when first needed.

Imports stand inside the functions: a cold start pays for what its function uses, and nothing else.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from gitlab_hub import environment

if TYPE_CHECKING:
    from gitlab_hub.audit import AuditLog
    from gitlab_hub.builds.leaving import ActiveBuilds
    from gitlab_hub.gitlab.clients import GitLabs
    from gitlab_hub.gitlab.policy import NetworkPolicy
    from gitlab_hub.integrations.feature import IntegrationsFeature
    from gitlab_hub.integrations.store import IntegrationStore
    from gitlab_hub.integrations.targets import SyncTargets
    from gitlab_hub.settings import Settings
    from gitlab_hub.storage.dynamodb import DynamoTable
    from gitlab_hub.sync.engine import Connection
    from gitlab_hub.sync.ports import Target
    from gitlab_hub.sync.service import SyncService
    from gitlab_hub.web.cursors import Cursors
    from gitlab_hub.web.keys import MasterKey
    from gitlab_hub.web.public_url import PublicUrl
    from gitlab_hub.web.route import Route
    from gitlab_hub.web.tokens import TokenBook
    from gitlab_hub.webhooks.hooks.removal import HookRemoval

Entry = Callable[[Mapping[str, Any], Any], dict[str, Any]]


@cache
def settings() -> "Settings":
    """What the environment of this function says."""
    from gitlab_hub.settings import Settings

    return Settings.from_env(os.environ)


def plain(name: environment.Required) -> str:
    """One setting as it stands, without the models that check the others; empty where there is none."""
    return environment.plain(os.environ, name)


def needed(name: environment.Required) -> str:
    """One setting that this function cannot do without. Raises MissingSettingError."""
    return environment.needed(os.environ, name)


def table(name: str) -> "DynamoTable":
    """One table."""
    from gitlab_hub.storage.dynamodb import DynamoTable

    return DynamoTable(name)


@cache
def integrations_table() -> "DynamoTable":
    """The table that every function may use."""
    return table(plain("integrations_table"))


@cache
def master_key() -> "MasterKey":
    """The key that all others are derived from; read when first used."""
    from gitlab_hub.storage.secretsmanager import SecretsManager
    from gitlab_hub.web.keys import MasterKey

    return MasterKey(SecretsManager(), settings().master_key_secret)


@cache
def cursors() -> "Cursors":
    """Positions in lists."""
    from gitlab_hub.web.cursors import Cursors

    return Cursors(lambda: master_key().derive("cursors"))


@cache
def public_url() -> "PublicUrl":
    """Where the outside world reaches the hub."""
    from gitlab_hub.web.public_url import PublicUrl

    return PublicUrl(settings().public_url, os.environ.get("AWS_REGION", ""))


@cache
def policy() -> "NetworkPolicy":
    """Where requests may go to."""
    from gitlab_hub.gitlab.policy import NetworkPolicy

    given = settings()
    return NetworkPolicy(
        allowed_private_cidrs=given.allowed_private_cidrs,
        allowed_hosts=given.allowed_hosts,
        allowed_ports=given.allowed_ports,
        allow_loopback=given.allow_loopback,
        allow_http=given.allow_insecure_http,
    )


@cache
def integration_store() -> "IntegrationStore":
    """The integrations alone, for those who only look at them."""
    from gitlab_hub.integrations.store import IntegrationStore
    from gitlab_hub.storage.secretsmanager import SecretsManager

    return IntegrationStore(integrations_table(), SecretsManager(settings().secret_prefix))


@cache
def integrations(*, verify_within: float | None = None) -> "IntegrationsFeature":
    """Everything about integrations; `verify_within` (seconds) for those who have other things to do as well."""
    from gitlab_hub import joints
    from gitlab_hub.integrations.care.parts import Outside
    from gitlab_hub.integrations.connector import PATIENT, QUICK, GitLabConnector
    from gitlab_hub.integrations.feature import IntegrationsFeature
    from gitlab_hub.integrations.verifier import DEADLINE_SECONDS, Verifier
    from gitlab_hub.storage.secretsmanager import SecretsManager
    from gitlab_hub.web.time_left import time_left

    quick, patient = (
        GitLabConnector(policy(), replace(options, ca_bundle=settings().ca_bundle or None))
        for options in (QUICK, PATIENT)
    )
    return IntegrationsFeature(
        table=integrations_table(),
        secrets=SecretsManager(settings().secret_prefix),
        connector=quick,
        patient=patient,
        verifier=Verifier(quick, deadline=verify_within or DEADLINE_SECONDS, left=time_left),
        purge=syncs().forget,
        now=time.time,
        hooks=joints.HooksOf(_hook_removal),
        builds=joints.BuildsOf(_active_builds),
        outside=Outside(remaining=time_left),
    )


def http(routes: Iterable["Route"], everywhere: "Callable[[], Iterable[Route]] | None" = None) -> Entry:
    """The entry of an HTTP function; `everywhere`: all routes, for the one that answers where there is none."""
    from gitlab_hub.web.api import Api
    from gitlab_hub.web.entry import http_entry
    from gitlab_hub.web.idempotency import Idempotency

    guard, idempotency = integration_store(), Idempotency(integrations_table())
    return http_entry(Api(routes, guard=guard, idempotency=idempotency, now=time.time, everywhere=everywhere))


@cache
def syncs() -> "SyncService":
    """What people and routes may ask of syncs."""
    from gitlab_hub.storage.sqs import SqsQueue
    from gitlab_hub.sync.ports import Kind
    from gitlab_hub.sync.purge_book import PurgeBook
    from gitlab_hub.sync.service import SyncService
    from gitlab_hub.sync.store import RunStore

    urls = {Kind.ACCESS: settings().sync_accounts_queue_url, Kind.PIPELINES: settings().sync_pipelines_queue_url}
    return SyncService(
        runs=RunStore(integrations_table()),
        queues={kind: SqsQueue(url) for kind, url in urls.items() if url},
        purges=partial(PurgeBook, integrations_table()),
        now=time.time,
        new_id=new_id,
    )


@cache
def targets() -> "SyncTargets":
    """Integrations as the sync engine sees them."""
    from gitlab_hub.integrations.targets import SyncTargets

    return SyncTargets(integrations().store, time.time, integrations().care.refresher)


def connect(target: "Target") -> "Connection":
    """A client for one target, held back by the budget that all workers share."""
    from gitlab_hub.gitlab.address import Address
    from gitlab_hub.gitlab.client import ClientOptions, GitLab
    from gitlab_hub.sync.engine import Connection
    from gitlab_hub.sync.limiter import SharedLimiter

    options = ClientOptions(ca_bundle=settings().ca_bundle or None)
    address = Address.vetted(target.base_url, policy())
    limiter = SharedLimiter(integrations_table(), host=address.origin, user_id=target.user_id, now=time.time)
    gitlab = GitLab(address, targets().tokens(target), policy=policy(), limiter=limiter, options=options)
    return Connection(gitlab, limiter)


@cache
def gitlabs() -> "GitLabs":
    """Clients for integrations, held back by the budget that all functions share."""
    from gitlab_hub.gitlab.client import ClientOptions
    from gitlab_hub.gitlab.limits import Limiter
    from gitlab_hub.integrations.clients import Clients
    from gitlab_hub.sync.limiter import SharedLimiter

    def limiter_for(origin: str, user_id: int) -> Limiter:
        return SharedLimiter(integrations_table(), host=origin, user_id=user_id, now=time.time)

    return Clients(
        store=integrations().store,
        source=integrations().care.refresher,
        refused=integrations().care.opinion.refused,
        limiter_for=limiter_for,
        policy=policy(),
        options=ClientOptions(concurrency=5, deadline=8.0, ca_bundle=settings().ca_bundle or None),
    )


@cache
def token_book() -> "TokenBook":
    """Who the hub tokens stand for."""
    from gitlab_hub.storage.secretsmanager import SecretsManager
    from gitlab_hub.web.tokens import OwnerToken, TokenBook, TokenStore

    owner = OwnerToken(SecretsManager(), plain("owner_token_secret"), time.time)
    return TokenBook(TokenStore(integrations_table()), owner, time.time)


@cache
def audit() -> "AuditLog":
    """Who did what."""
    from gitlab_hub.audit import AuditLog

    return AuditLog(integrations_table(), time.time)


def name() -> str:
    """What Lambda calls this function."""
    return os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "unknown")


def new_id() -> str:
    """An id that nobody else has."""
    return uuid4().hex


def _hook_removal() -> "HookRemoval":
    from gitlab_hub import wiring_events

    return wiring_events.hooks().removal


def _active_builds() -> "ActiveBuilds":
    from gitlab_hub import wiring_events

    return wiring_events.builds().active
