"""The command line at a hub that may change a GitLab: the company of `plan_hub`, behind the routes of the whole hub."""

from pathlib import Path

import httpx

from gitlab_hub.access.model import Account
from gitlab_hub.inventory.model import Resource, ResourceType
from tests.fakes.events import Context, http_event
from tests.functional.access.access_api import Client
from tests.functional.api.api_hub import ApiHub
from tests.functional.cli.command_line import CommandLine, Network
from tests.functional.provisioning.plan_hub import ACME, ANA, BEN, HUB, INTEGRATION, SHOP, TEAM, PlanHub

NEW = 20
"""Somebody who has nothing in the shop yet."""


class PlanNetwork(Network):
    """Plans and requests are those of a company that can be changed; the rest of the hub knows the same people."""

    plans: PlanHub

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Carry a request to whom it is for."""
        room = request.url.path.split("/")[4:5]
        if room not in (["plans"], ["access-requests"]):
            return super().answer(request)
        event = http_event(
            request.method,
            request.url.path.replace(self.hub.own, INTEGRATION),
            raw=request.content.decode() or None,
            headers=dict(request.headers),
            principal=self.principal(request),
            query=dict(request.url.params),
        )
        answer = self.plans.api().resolve(event, Context())
        return httpx.Response(answer["statusCode"], headers=answer["headers"], text=answer["body"])


class PlanLine(CommandLine):
    """A shell at that hub; whenever a command waits, the provisioner works."""

    def __init__(self, hub: ApiHub, folder: Path) -> None:
        super().__init__(hub, folder)
        self.plans = PlanHub()
        self.network = PlanNetwork(hub)
        self.network.plans = self.plans
        self.when_slept = self.plans.work


def with_company(hub: ApiHub) -> ApiHub:
    """Let a hub know the people, groups and projects of `plan_hub`."""
    company = Client(hub.tables["access"], hub.own)
    people = ((HUB, "hub"), (ANA, "ana"), (BEN, "ben"), (NEW, "dev20"))
    company.store(
        *(Account(id=one, username=username, name=username.title()) for one, username in people),
        Resource(id=ACME, full_path="acme", name="Acme"),
        Resource(id=TEAM, full_path="acme/team", name="Team", parent_id=ACME),
    )
    company.store(Resource(id=SHOP, full_path="acme/team/shop", name="Shop", parent_id=TEAM), kind=ResourceType.PROJECT)
    company.access_store().note_administrators()
    return hub
