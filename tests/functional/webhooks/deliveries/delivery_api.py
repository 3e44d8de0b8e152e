"""The routes of deliveries over a worker and its queue."""

from typing import Any

from gitlab_hub.web.api import Api
from gitlab_hub.web.pagination import Cursors
from gitlab_hub.web.principal import Principal, Role
from gitlab_hub.webhooks.deliveries.log import DeliveryLog
from gitlab_hub.webhooks.deliveries.routes import DeliveryRoutes
from gitlab_hub.webhooks.receiving.routes import ReceiverRoutes
from tests.fakes.events import OWNER, Context, answered, http_event
from tests.functional.webhooks.deliveries_hub import PUSH, DeliveriesHub, a_hook

ONE, OTHER = "int_0a1b", "int_2c3d"
HOOK, SECOND, FOREIGN = a_hook("1"), a_hook("2"), a_hook("3", OTHER)
LIMITED = Principal("t", Role.VIEWER, frozenset({ONE}))
LIST = "/v1/deliveries"


class KnownIntegrations:
    """Knows the integrations."""

    ids = (ONE, OTHER)

    def exists(self, integration_id: str) -> bool:
        """Say whether it is one of them."""
        return integration_id in self.ids

    def visible(self, principal: Principal) -> list[str]:
        """Those that a caller may see."""
        return [one for one in self.ids if principal.can_see(one)]


class DeliveryApi:
    """The routes over a worker and its queue."""

    def __init__(self, hub: DeliveriesHub) -> None:
        self.hub, self.known = hub, KnownIntegrations()
        self.use()

    def use(self) -> None:
        """Put the routes together over what the worker uses now."""
        cursors = Cursors(lambda: b"k" * 32)
        routes = DeliveryRoutes(
            log=DeliveryLog(self.hub.table),
            replaying=self.hub.deliveries.replay,
            guard=self.known,
            visible=self.known.visible,
            cursors=cursors,
        )
        raw = ReceiverRoutes(self.hub.receive.receiver)
        all_routes = [*routes.routes(), *raw.routes()]
        self.api = Api(all_routes, guard=self.known, idempotency=None, now=lambda: self.hub.now)

    def __call__(
        self, path: str = LIST, *, method: str = "GET", principal: Principal | None = OWNER, **query: Any
    ) -> tuple[int, Any]:
        return answered(self.api.resolve(http_event(method, path, principal=principal, query=query), Context()))

    def ids(self, *, principal: Principal = OWNER, **query: Any) -> list[str]:
        """Read a whole list, page by page."""
        found: list[str] = []
        while True:
            status, body = self(principal=principal, **query)
            assert status == 200, body
            found += [row["id"] for row in body["deliveries"]]
            if body["next_cursor"] is None:
                return found
            query["cursor"] = body["next_cursor"]


def fill(log: DeliveryApi, count: int = 12) -> list[str]:
    """Deliveries of three hooks in turn, a second apart; gives their ids, newest first."""
    ids: list[str] = []
    for number in range(count):
        log.hub.now += 1
        hook = (HOOK, SECOND, FOREIGN)[number % 3]
        body = PUSH | {"user_id": number + 1, "object_kind": "tag_push" if number % 2 else "push"}
        ids.insert(0, log.hub(hook, body)[1]["delivery_id"])
    return ids
