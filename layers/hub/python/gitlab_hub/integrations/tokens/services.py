"""The token services put together over their ports."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations.connector import Connector
from gitlab_hub.integrations.rows import is_live
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.tokens.alerts import LambdaTokenAlerts, TokenAlerts
from gitlab_hub.integrations.tokens.gitlab_api import TokenEndpoint, unlimited
from gitlab_hub.integrations.tokens.lease import Leases
from gitlab_hub.integrations.tokens.monitor import TokenMonitor
from gitlab_hub.integrations.tokens.pair_revoker import PairRevoker
from gitlab_hub.integrations.tokens.refresh import Refresher, RenewalParts
from gitlab_hub.integrations.tokens.replacement import TokenReplacement
from gitlab_hub.integrations.tokens.revocation_queue import RevocationQueue
from gitlab_hub.integrations.tokens.rotation import TokenRotator
from gitlab_hub.integrations.tokens.source import RejectionCheck
from gitlab_hub.storage.ports import Secrets, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What token services get from the running function; `remaining` is the running function's time in seconds."""

    alerts: TokenAlerts = field(default_factory=LambdaTokenAlerts)
    sleep: Callable[[float], None] = time.sleep
    remaining: Callable[[], float] = unlimited


class TokenServices:
    """Who renews what: `refresher` gives tokens that work, `rotator` has new access tokens made."""

    def __init__(
        self,
        *,
        table: Table,
        secrets: Secrets,
        connector: Connector,
        now: Callable[[], float],
        runtime: Runtime | None = None,
    ) -> None:
        runtime = runtime or Runtime()
        self.store = IntegrationStore(table, secrets, runtime.alerts.rejected)
        self.leases, self.alerts = Leases(table, now), runtime.alerts
        self.token_endpoint = TokenEndpoint(connector, runtime.remaining)
        self.incidents = IncidentStore(table, now, is_live)
        self.replacement = TokenReplacement(self.store, self.incidents, runtime.alerts, now, runtime.sleep)
        self.pair_revoker = PairRevoker(self.store, self.token_endpoint)
        self.revocation_queue = RevocationQueue(
            table, self.store, self.pair_revoker, self.incidents, now, runtime.remaining
        )
        self.rejection_check = RejectionCheck(self.store, self.token_endpoint, now)
        parts = RenewalParts(
            store=self.store,
            leases=self.leases,
            replacement=self.replacement,
            token_endpoint=self.token_endpoint,
            pair_revoker=self.pair_revoker,
            now=now,
            sleep=runtime.sleep,
            remaining=runtime.remaining,
        )
        self.refresher, self.rotator = Refresher(parts), TokenRotator(parts)
        self.table, self._now = table, now

    def monitor(self, *, rotate: bool) -> TokenMonitor:
        """What looks after tokens on schedule; `rotate` = access tokens may be rotated before they expire."""
        return TokenMonitor(
            table=self.table,
            store=self.store,
            refresher=self.refresher,
            rotator=self.rotator,
            revocation_queue=self.revocation_queue,
            incidents=self.incidents,
            alerts=self.alerts,
            rotate=rotate,
            now=self._now,
        )
