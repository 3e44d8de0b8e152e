"""Access as code over HTTP: the drift, its plan, and the incident while it lasts."""

from collections.abc import Mapping
from typing import Any

import pytest

from gitlab_hub.audit.log import AuditLog
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.desired.model import Held, Place
from gitlab_hub.provisioning.desired.routes import DesiredAccessRoutes
from gitlab_hub.provisioning.desired.store import DesiredStore, DriftWatch
from gitlab_hub.storage.ports import ABSENT, Check
from gitlab_hub.web.api import Api
from tests.fakes.events import Context, answered, http_event
from tests.functional.provisioning.plan_hub import ADMIN, BEN, INTEGRATION, SHOP, Guard, PlanHub

HEADER = "account_id,resource_type,resource_id,access_level\n"


class Mirror:
    """The mirror as it would be after a sync of this moment."""

    def __init__(self, hub: PlanHub) -> None:
        self._hub = hub

    def account(self, integration_id: str, account_id: int | None, username: str | None) -> int | None:
        return account_id if account_id in self._hub.gitlab.users else None

    def resource(self, integration_id: str, kind: ResourceType, number: int | None, path: str | None) -> int | None:
        row = self._hub.access.get(f"{integration_id}#{kind.collection}", padded(number or 0))
        return None if row is None else number

    def held(self, integration_id: str, place: Place) -> Mapping[int, Held]:
        rows = self._hub.gitlab.members.get((place[0].collection, place[1]), {})
        return {number: Held(row["access_level"], row["expires_at"]) for number, row in rows.items()}


class DesiredHub(PlanHub):
    """The route of desired access beside those of plans."""

    def __init__(self) -> None:
        super().__init__()
        self.mirror, self.desired = Mirror(self), DesiredStore(self.access)
        live = Check(("INTEGRATIONS", "none"), ABSENT)
        self.incidents = IncidentStore(self.notes, self.clock, lambda _: live)
        self.watch = DriftWatch(self.desired, self.mirror, self.incidents, self.clock)

    def put(self, body: Any, *, dry_run: bool = False, csv: bool = False) -> tuple[int, Any]:
        audit = AuditLog(self.notes, self.clock)
        routes = DesiredAccessRoutes(
            self.feature().service, self.desired, self.mirror, self.mirror, audit, self.clock
        ).routes()
        event = http_event(
            "PUT",
            f"/v1/integrations/{INTEGRATION}/desired-access",
            None if csv else body,
            principal=ADMIN,
            query={} if dry_run else {"dry_run": "false"},
        )
        if csv:
            event |= {"body": body, "headers": {**event["headers"], "content-type": "text/csv; charset=utf-8"}}
        return answered(Api(routes, guard=Guard(), idempotency=None, now=self.clock).resolve(event, Context()))

    def looked(self) -> list[tuple[str, int]]:
        """The incidents after another sync."""
        self.watch.look(INTEGRATION)
        return [(one.kind, one.details["count"]) for one in self.incidents.of(INTEGRATION)]


@pytest.fixture
def hub() -> DesiredHub:
    return DesiredHub()


def row(account_id: int, level: int, **more: Any) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "resource_type": "project",
        "resource_id": SHOP,
        "access_level": level,
        **more,
    }


def test_a_dry_run_shows_the_drift_and_keeps_nothing(hub: DesiredHub) -> None:
    before = hub.access.dump()
    status, body = hub.put({"grants": [row(BEN, 40), row(20, 30), row(21, 0)]}, dry_run=True)
    assert (status, body["plan"]) == (201, None)
    assert [(one["kind"], one["account_id"], one["access_level"]) for one in body["drift"]] == [
        ("different", BEN, 30),
        ("missing", 20, None),
    ]
    assert (hub.access.dump(), hub.gitlab.writes) == (before, [])


def test_only_the_difference_becomes_operations_and_drift_is_told_while_it_lasts(hub: DesiredHub) -> None:
    text = f"{HEADER}{BEN},project,{SHOP},30\n20,project,{SHOP},40\n"
    status, body = hub.put(text, csv=True)
    assert status == 201, body
    [operation] = body["plan"]["operations"]
    assert (operation["account_id"], operation["after"]["access_level"], body["plan"]["status"]) == (20, 40, "ready")
    assert hub.looked() == [("access_drift", 1)]
    assert hub.apply(body["plan"])[0] == 202
    hub.work()
    assert hub.looked() == []
    assert hub.put(text, csv=True)[1] == {"plan": None, "drift": []}
    hub.gitlab.members["projects", SHOP][20]["access_level"] = 50
    assert hub.looked() == [("access_drift", 1)]
    assert hub.put({"grants": []})[0] == 201
    assert hub.looked() == []


def test_what_is_refused_is_shown_by_the_plan(hub: DesiredHub) -> None:
    _, body = hub.put({"grants": [row(1, 30)]})
    assert body["plan"]["status"] == "blocked"
    assert "self_target" in body["plan"]["operations"][0]["refusals"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"grants": [row(number, 30) for number in [*range(20, 60), 999]]}, "invalid_input"),
        ({"grants": [row(20, 30)], "csv": HEADER}, "invalid_input"),
        ({"grants": [row(20, 30)] * 1001}, "invalid_input"),
        (
            {
                "grants": [
                    row(number, 30, resource_type=kind, resource_id=place)
                    for number in range(20, 60)
                    for kind, place in (("project", SHOP), ("group", 10), ("group", 11))
                ]
            },
            "too_many_operations",
        ),
    ],
    ids=["an unknown account", "both", "too many rows", "more than a plan holds"],
)
def test_what_cannot_be_taken_changes_and_keeps_nothing(hub: DesiredHub, body: Any, code: str) -> None:
    before = hub.access.dump()
    status, said = hub.put(body)
    assert (status, said["code"], hub.access.dump()) == (422, code, before)


def test_a_wrong_line_is_named(hub: DesiredHub) -> None:
    _, said = hub.put(f"{HEADER}{BEN},project,{SHOP},30\n999,project,{SHOP},30\n", csv=True)
    assert said["details"]["rows"] == [
        {
            "line": 3,
            "column": "account_id",
            "code": "unknown_account",
            "message": "is no account that the hub has read; check how it is written, or sync access first",
        }
    ]


def test_while_provisioning_is_off_nothing_is_kept(hub: DesiredHub) -> None:
    hub.gitlabs.set(provisioning=False)
    assert hub.put({"grants": [row(20, 30)]})[1]["code"] == "feature_disabled"
    assert hub.desired.get(INTEGRATION) == []


@pytest.mark.parametrize("value", [True, "3", 3.0, 2**70, -1])
@pytest.mark.parametrize("name", ["account_id", "resource_id", "access_level"])
def test_ids_and_levels_are_whole_numbers_and_nothing_that_could_be_read_as_one(name: str, value: Any) -> None:
    row = {"account_id": BEN, "resource_type": "project", "resource_id": SHOP, "access_level": 40, name: value}
    status, body = DesiredHub().put({"grants": [row]}, dry_run=True)
    assert (status, body["code"]) == (422, "invalid_input")
