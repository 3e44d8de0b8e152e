"""The console over the whole API in memory, with a company whose names may be anything."""

import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gitlab_hub.access.model import Account, AccountStatus
from gitlab_hub.composition import routes as routing
from gitlab_hub.composition.console import console_of
from gitlab_hub.composition.export_sources import exporter_of
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.inventory.model import Resource, ResourceType, Share
from gitlab_hub.web.api import Api
from gitlab_hub.web.idempotency import Idempotency
from tests.fakes.container import PARTS
from tests.fakes.events import Context
from tests.fakes.queue import MemoryFunction
from tests.functional.access.access_api import Client, grant
from tests.functional.api.api_hub import ApiHub
from tests.functional.console.company_pipelines import CompanyPipelines
from tests.functional.console.visitor import Visitor

FOLDER = Path(__file__).parents[3] / "functions" / "console"
OWNER_TOKEN = "ghub_t-owner_" + "s" * 40
START = 1_790_000_000
DAY = 86_400
ANA, BEN, CY = 1, 2, 3
ACME, OPS, SHOP = 10, 20, 100


class ConsoleHub(ApiHub):
    """A hub with a small company, whose parts are functions that the console asks."""

    def __init__(self, name: str = "Ana") -> None:
        super().__init__()
        self.clock = float(START)
        self.container.now = lambda: self.clock
        self.away: set[str] = set()
        self._lock = threading.Lock()
        for part in PARTS:
            routes = getattr(routing, f"{part}_routes")(self.container)
            idempotency = Idempotency(self.tables["integrations"])
            api = Api(routes, guard=self.container.integration_store, idempotency=idempotency, now=lambda: self.clock)
            self.container.functions[part] = MemoryFunction(partial(self._answer, part, api))
        self.console = console_of(self.container, FOLDER)
        self._employ(name)

    @property
    def base(self) -> str:
        """Where the pages of the company are."""
        return f"/console/{self.own}"

    def token(self, **body: Any) -> dict[str, Any]:
        """Make a hub token."""
        status, made = self("POST", "/v1/tokens", body)
        assert status == 201, made
        return dict(made)

    def signed_in(self, token: str = OWNER_TOKEN) -> Visitor:
        """A browser in which somebody has signed in with a hub token."""
        visitor = Visitor(self.console)
        visitor.sign_in(token)
        return visitor

    def export(self) -> None:
        """Make the exports that were asked for."""
        exporter_of(self.container, self.tables["access"], self.tables["pipelines"]).tick(lambda: 840.0)

    def _employ(self, name: str) -> None:
        """Ana is a Maintainer of acme until a day, Ben is in ops, which was invited into acme; shop lies in acme."""
        company = Client(self.tables["access"], self.own)
        human: dict[str, Any] = {"kind": AccountKind.HUMAN, "status": AccountStatus.ACTIVE}
        company.store(
            Account(id=ANA, username="ana", name=name, web_url="javascript:alert(1)", **human),
            Account(id=BEN, username="ben", name=f"Ben {name}", **human),
            Account(id=CY, username="cy", name="Cy", **human),
            Resource(id=ACME, full_path="acme", name=name, shared_with=[_invited(OPS, f"ops-{name}")]),
            Resource(id=OPS, full_path=f"ops-{name}", name=name),
            grant("group", ACME, ANA, 40, ends_at=START + 5 * DAY, granted_at=START - DAY, granted_by=CY),
            grant("group", OPS, BEN, 50),
        )
        shop = Resource(id=SHOP, full_path=f"acme/shop-{name}", name=name, parent_id=ACME)
        company.store(shop, kind=ResourceType.PROJECT)
        company.access_store().note_administrators()
        CompanyPipelines(self.tables["pipelines"], self.own, name, now=START, projects=(SHOP, 3)).employ()

    def _answer(self, part: str, api: Api, event: Mapping[str, Any]) -> dict[str, Any]:
        if part in self.away:
            return {"statusCode": 503, "body": AWAY}
        with self._lock:
            return api.resolve(event, Context())


AWAY = '{"error": "DynamoDB is away.", "code": "service_unavailable", "retryable": true, "request_id": "req-9"}'


def _invited(group_id: int, full_path: str) -> Share:
    return Share(group_id=group_id, full_path=full_path, access_level=30, ends_at=None, member_role_id=None)
