"""The care of tokens put together over its ports."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations.care.ending import Ending
from gitlab_hub.integrations.care.exchange import Exchange
from gitlab_hub.integrations.care.lease import Leases
from gitlab_hub.integrations.care.refresh import Refresher, unlimited
from gitlab_hub.integrations.care.revoking import Revoking
from gitlab_hub.integrations.care.rotation import Rotator
from gitlab_hub.integrations.care.second_opinion import SecondOpinion
from gitlab_hub.integrations.care.signals import LambdaSignals, Signals
from gitlab_hub.integrations.care.succession import Succession
from gitlab_hub.integrations.connector import Connector
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.storage.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the care of tokens has from its surroundings; `remaining` is the running function's time in seconds."""

    signals: Signals = field(default_factory=LambdaSignals)
    sleep: Callable[[float], None] = time.sleep
    remaining: Callable[[], float] = unlimited


class CareParts:
    """Who renews what: `refresher` gives tokens that work, `rotator` has new access tokens made."""

    def __init__(
        self, table: Table, store: IntegrationStore, connector: Connector, now: Callable[[], float], outside: Outside
    ) -> None:
        self.leases, self.exchange, self.signals = Leases(table, now), Exchange(connector), outside.signals
        incidents = IncidentStore(table, now)
        self.succession = Succession(store, incidents, outside.signals, now, outside.sleep)
        self.ending = Ending(store, self.exchange)
        self.revoking = Revoking(table, store, self.ending, incidents, now, outside.remaining)
        self.opinion = SecondOpinion(store, self.exchange, now)
        self.refresher = Refresher(
            store=store,
            leases=self.leases,
            succession=self.succession,
            exchange=self.exchange,
            ending=self.ending,
            now=now,
            sleep=outside.sleep,
            remaining=outside.remaining,
        )
        self.rotator = Rotator(
            store=store,
            leases=self.leases,
            succession=self.succession,
            exchange=self.exchange,
            ending=self.ending,
            now=now,
            remaining=outside.remaining,
        )
