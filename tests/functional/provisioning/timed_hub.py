"""Requests for access in the company of `plan_hub`, with people who ask and people who decide."""

from typing import Any

from gitlab_hub.web.principal import GitLabAccount, Principal, Role
from tests.fakes.events import OWNER
from tests.functional.provisioning.plan_hub import BEN, INTEGRATION, PROJECT, SHOP, PlanHub

DEV = Principal("t-dev", Role.DEVELOPER)
LEAD = Principal("t-lead", Role.DEVELOPER)
BENS = Principal("t-ben", Role.OWNER, None, frozenset({GitLabAccount(INTEGRATION, BEN)}))
NEW = 20
"""Somebody who has nothing in the shop yet."""

GLASS = {
    "id": "glass", "name": "Break-glass", "resources": ["acme/team/*"], "max_access_level": 40, "max_minutes": 120,
    "requesters": {"roles": ["developer"]}, "approvers": {"roles": ["owner"]}, "break_glass": True,
    "review_within_minutes": 60,
}  # fmt: skip


def policy(**changes: Any) -> dict[str, Any]:
    """The default policy, changed."""
    plain = {
        "id": "p1", "name": "A policy", "resources": ["*"], "max_access_level": 40, "max_minutes": 480,
        "requesters": {"roles": ["developer"]}, "approvers": {"roles": ["owner"]},
    }  # fmt: skip
    return {**plain, **changes}


class TimedHub(PlanHub):
    """A hub whose requests can be made, decided about and looked at in a line."""

    def requests(self, method: str, path: str = "", body: Any = None, **how: Any) -> tuple[int, Any]:
        return self(method, path, body, room="access-requests", **how)

    def ask(self, account: int = NEW, /, *, who: Principal = DEV, api: Any = None, **more: Any) -> tuple[int, Any]:
        """Ask for Maintainer in the shop for an hour."""
        time = {} if "until" in more else {"minutes": 60}
        body = {"account_id": account, "resource": PROJECT, "access_level": 40, "reason": "OPS-1", **time, **more}
        return self.requests(
            "POST", "", {name: value for name, value in body.items() if value is not None}, who=who, api=api
        )

    def asked(self, account: int = NEW, /, **more: Any) -> str:
        """Ask, and give the request's id."""
        status, body = self.ask(account, **more)
        assert status == 201, body
        return str(body["access_request"]["id"])

    def decide(self, request_id: str, how: str, *, who: Principal = OWNER, **more: Any) -> tuple[int, Any]:
        return self.requests("POST", f"/{request_id}/{how}", {}, who=who, **more)

    def given(self, account: int = NEW, /, **more: Any) -> str:
        """Have a request approved and the access given."""
        request_id = self.asked(account, **more)
        status, body = self.decide(request_id, "approve")
        assert (status, body["access_request"]["status"]) == (200, "approved"), body
        self.work()
        assert self.one(request_id)["status"] == "active"
        return request_id

    def one(self, request_id: str) -> dict[str, Any]:
        """A request as the list shows it."""
        status, body = self.requests("GET", query={"limit": 200})
        assert status == 200, body
        return next(one for one in body["access_requests"] if one["id"] == request_id)

    def put_policies(self, *policies: dict[str, Any]) -> None:
        status, body = self("PUT", "", {"policies": list(policies)}, room="access-policies")
        assert status == 200, body

    def until_over(self, request_id: str, ticks: int = 30) -> dict[str, Any]:
        """Let the minute's ticks come until a request is over."""
        for _ in range(ticks):
            found = self.one(request_id)
            if found["status"] not in {"pending", "approved", "active"}:
                return found
            self.later()
        raise AssertionError(self.one(request_id))

    def incidents(self) -> dict[str, dict[str, Any]]:
        """What needs a person, by kind."""
        return {row["kind"]: row for row in self.notes.dump() if row["pk"] == "INCIDENTS"}

    def left(self) -> list[str]:
        """What is still to be looked at after a day."""
        for _ in range(2):
            self.later(86_400)
        return [row["sk"] for row in self.access.dump() if row["pk"] == "DUE#plans"]

    def shop(self) -> Any:
        """Who has what in the shop."""
        return self.gitlab.state().get(("projects", SHOP), {})
