"""What every function may need: its settings, its tables and queues, and who may call; each made when first needed.

Imports stand inside the functions: a cold start pays for what its function uses, and nothing else.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

if TYPE_CHECKING:
    from gitlab_hub.audit.log import AuditLog
    from gitlab_hub.composition.settings import Settings
    from gitlab_hub.gitlab.address import Address
    from gitlab_hub.gitlab.client import GitLab, Tokens
    from gitlab_hub.gitlab.limits import Limiter
    from gitlab_hub.gitlab.policy import NetworkPolicy
    from gitlab_hub.incidents import IncidentStore
    from gitlab_hub.integrations.connector import Connector
    from gitlab_hub.integrations.store import IntegrationStore
    from gitlab_hub.storage.ports import Bus, Function, Objects, OrderedQueue, Queue, Secrets, Table
    from gitlab_hub.web.pagination import Cursors
    from gitlab_hub.web.public_url import PublicUrl
    from gitlab_hub.web.tokens import MasterKey, TokenAuthenticator


Required = Literal[
    "integrations_table",
    "access_table",
    "pipelines_table",
    "deliveries_table",
    "sync_accounts_queue_url",
    "sync_pipelines_queue_url",
    "deliveries_queue_url",
    "builds_queue_url",
    "provisioner_function",
    "exporter_function",
    "access_function",
    "builds_function",
    "integrations_function",
    "oauth_function",
    "operations_function",
    "pipelines_function",
    "provisioning_function",
    "builds_bus",
    "exports_bucket",
    "secret_prefix",
    "master_key_secret",
    "owner_token_secret",
    "console_gitlab_url",
    "console_client_id",
    "console_client_secret",
    "console_roles",
]
"""Settings that are plain texts: functions that start often read them as they are, without the models of `settings`."""


class MissingSettingError(Exception):
    """A function needs an environment variable that it does not have."""


class Core:
    """Adapters, settings and keys. Tests give other adapters, and nothing else, by replacing the first methods."""

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environ, self.now, self.clock = environ, now, clock

    # ---- Adapters

    def table(self, name: Required) -> "Table":
        """The table that a setting names."""
        from gitlab_hub.storage.dynamodb import DynamoTable

        return DynamoTable(self.env(name))

    def secrets(self, prefix: str = "") -> "Secrets":
        """Secrets whose names begin with a prefix."""
        from gitlab_hub.storage.secretsmanager import SecretsManager

        return SecretsManager(prefix)

    def queue(self, name: Required) -> "Queue":
        """The queue that a setting names."""
        from gitlab_hub.storage.sqs import SqsQueue

        return SqsQueue(self.env(name))

    def ordered_queue(self, name: Required) -> "OrderedQueue":
        """The FIFO queue that a setting names."""
        from gitlab_hub.storage.sqs import SqsOrderedQueue

        return SqsOrderedQueue(self.env(name))

    def objects(self, name: Required) -> "Objects":
        """The bucket that a setting names."""
        from gitlab_hub.storage.s3 import S3Objects

        return S3Objects(self.env(name), is_emulated=bool(self.settings.aws_endpoint_url))

    def function(self, name: Required) -> "Function":
        """The function that a setting names."""
        from gitlab_hub.storage.functions import LambdaFunction

        return LambdaFunction(self.env(name))

    def bus(self, name: Required) -> "Bus":
        """The event bus that a setting names."""
        from gitlab_hub.storage.events import EventBridgeBus

        return EventBridgeBus(self.env(name))

    def connector(self, *, patient: bool = False) -> "Connector":
        """What opens clients that no rate limiter holds back; a patient one waits longer for an answer."""
        from gitlab_hub.integrations.connector import PATIENT, QUICK, GitLabConnector

        options = replace(PATIENT if patient else QUICK, ca_bundle=self.settings.ca_bundle or None)
        return GitLabConnector(self.policy, options)

    def client(self, address: "Address", tokens: "Tokens", limiter: "Limiter") -> "GitLab":
        """A client for one integration, for what somebody waits for."""
        from gitlab_hub.gitlab.client import ClientOptions, GitLab

        options = ClientOptions(concurrency=5, deadline=8.0, ca_bundle=self.settings.ca_bundle or None)
        return GitLab(address, tokens, policy=self.policy, limiter=limiter, options=options)

    def limiter(self, base_url: str, user_id: int) -> "Limiter":
        """What holds requests back, with the budget that all functions share."""
        from gitlab_hub.sync.rate_limit import SharedLimiter

        return SharedLimiter(self.integrations_table, host=base_url, user_id=user_id, now=self.now)

    def new_id(self) -> str:
        """An id that nobody else has."""
        return uuid4().hex

    # ---- Settings

    @cached_property
    def settings(self) -> "Settings":
        """What the environment of this function says."""
        from gitlab_hub.composition.settings import Settings

        return Settings.from_env(self._environ)

    def env(self, name: Required) -> str:
        """One setting as it stands, without the models that check the others; empty where there is none."""
        return self._environ.get(name.upper(), "")

    def require_env(self, name: Required) -> str:
        """One setting that this function cannot do without. Raises MissingSettingError."""
        value = self.env(name)
        if not value:
            raise MissingSettingError(f"Set the environment variable {name.upper()} of this function.")
        return value

    @property
    def function_name(self) -> str:
        """What Lambda calls this function."""
        return self._environ.get("AWS_LAMBDA_FUNCTION_NAME", "unknown")

    # ---- State and keys

    @cached_property
    def integrations_table(self) -> "Table":
        """The table that every function may use."""
        return self.table("integrations_table")

    @cached_property
    def deliveries_table(self) -> "Table":
        """Hooks, deliveries, triggers and builds."""
        return self.table("deliveries_table")

    @cached_property
    def incidents(self) -> "IncidentStore":
        """What needs a person."""
        from gitlab_hub.incidents import IncidentStore
        from gitlab_hub.integrations.rows import is_live

        return IncidentStore(self.integrations_table, self.now, is_live)

    @cached_property
    def audit(self) -> "AuditLog":
        """Who did what."""
        from gitlab_hub.audit.log import AuditLog

        return AuditLog(self.integrations_table, self.now)

    @cached_property
    def master_key(self) -> "MasterKey":
        """The key that all others are derived from; read when first used."""
        from gitlab_hub.web.tokens import MasterKey

        return MasterKey(self.secrets(), self.env("master_key_secret"))

    @cached_property
    def cursors(self) -> "Cursors":
        """Positions in lists."""
        from gitlab_hub.web.pagination import Cursors

        return Cursors(lambda: self.master_key.derive("cursors"))

    @cached_property
    def token_authenticator(self) -> "TokenAuthenticator":
        """Who the hub tokens stand for."""
        from gitlab_hub.web.tokens import OwnerToken, TokenAuthenticator, TokenStore

        owner = OwnerToken(self.secrets(), self.env("owner_token_secret"), self.now)
        return TokenAuthenticator(TokenStore(self.integrations_table), owner, self.now)

    @cached_property
    def integration_store(self) -> "IntegrationStore":
        """The integrations alone, for those who only look at them."""
        from gitlab_hub.integrations.store import IntegrationStore

        return IntegrationStore(self.integrations_table, self.secrets(self.env("secret_prefix")))

    # ---- Addresses

    @cached_property
    def public_url(self) -> "PublicUrl":
        """Where the outside world reaches the hub."""
        from gitlab_hub.web.public_url import PublicUrl

        given = self.settings
        return PublicUrl(given.public_url, self._environ.get("AWS_REGION", ""), given.url_suffix)

    @cached_property
    def policy(self) -> "NetworkPolicy":
        """Where requests may go to."""
        from gitlab_hub.gitlab.policy import NetworkPolicy

        given = self.settings
        return NetworkPolicy(
            allowed_private_cidrs=given.allowed_private_cidrs,
            allowed_hosts=given.allowed_hosts,
            allowed_ports=given.allowed_ports,
            allow_loopback=given.allow_loopback,
            allow_http=given.allow_insecure_http,
        )
