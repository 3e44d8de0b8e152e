"""A company in which code is written, and the hub's integration that hears of it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from stand_in_gitlab.process import Running
from tests.end_to_end.companies import first_group, token
from tests.end_to_end.hub_client import Hub, until

EVENTS = ("push", "tag_push", "merge_request", "pipeline", "job", "deployment", "release", "note")
FEATURES = {"manage_webhooks": True, "report_statuses": True}
Row = dict[str, Any]

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class CodingCompany:
    """The two sides. Each test has projects of its own, so that none hears of another's."""

    hub: Hub
    gitlab: Running
    path: str

    @classmethod
    def connected(cls, hub: Hub, gitlab: Running) -> "CodingCompany":
        """Connect a company as its administrator, and sync it once."""
        path = hub.connect(gitlab.base, token(gitlab, scopes=("api",)), features=FEATURES, display_name="Company")
        hub.sync(path)
        return cls(hub, gitlab, path)

    @property
    def id(self) -> str:
        """The integration's id."""
        return self.path.rpartition("/")[2]

    def project(self, group_id: int | None = None) -> int:
        """Begin a project; returns its id."""
        group = group_id or first_group(self.gitlab)["id"]
        return int(self.gitlab.change("add_project", path=f"shop-{next(_numbers)}", group_id=group)["id"])

    def group(self) -> Row:
        """Begin a group."""
        return self.gitlab.change("add_group", path=f"works-{next(_numbers)}")

    def hook(self, scope: str, target: Any, *events: str, **more: Any) -> Row:
        """Register a webhook; with `mode="manual"` its secrets are under `manual`."""
        wanted = {"scope": scope, "target": target, "events": list(events or EVENTS), **more}
        answer = self.hub.call("POST", f"{self.path}/webhooks", wanted)
        assert answer.status == 201, answer
        self.guard_hooks()
        manual = answer.body.get("manual") or {}
        self.hub.guard(*manual.values(), shown_at="/webhooks$")
        return {**answer.body["webhook"], **manual}

    def there(self, **filters: Any) -> list[Row]:
        """The hooks that GitLab has, with their secrets."""
        return self.gitlab.truth("hooks", **filters)

    def guard_hooks(self) -> None:
        """Remember the secrets of the hooks that GitLab has now."""
        self.hub.guard(*(row[name] for row in self.there() for name in ("token", "signing_token")))

    def sent(self, hook: Row) -> list[Row]:
        """What GitLab has sent through a hook, oldest first, once all of it was answered."""
        self.gitlab.wait_for_hooks(40)
        return self.gitlab.truth("hook_events", hook_id=hook["gitlab_hook_id"])

    def deliveries(self, **query: Any) -> list[Row]:
        """The log of deliveries, newest first."""
        return self.hub.rows("/v1/deliveries", integration_id=self.id, **query)

    def worked_on(self, at_least: int = 1, **query: Any) -> list[Row]:
        """The same once so many are there and none of them is pending."""

        def look() -> list[Row] | None:
            rows = self.deliveries(**query)
            return rows if len(rows) >= at_least and all(row["status"] != "pending" for row in rows) else None

        return until(look)

    def builds(self, **query: Any) -> list[Row]:
        """Builds, newest first."""
        return self.hub.rows("/v1/builds", integration_id=self.id, **query)

    def built(self, trigger_id: str, fits: Callable[[Row], bool] = bool) -> Row:
        """The newest build of a trigger, once there is one that fits."""
        return until(lambda: next(filter(fits, self.builds(trigger_id=trigger_id)), None), pause=0.05)
