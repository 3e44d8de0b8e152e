"""A project that somebody listens to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stand_in_gitlab.app import StandIn
from tests.unit.stand_in.conftest import Caller, Receiver

URL = "https://hub.test/hook"


@dataclass(frozen=True, slots=True)
class Hooked:
    """Registers hooks, carries changes out and waits until every hook has heard of them."""

    app: StandIn
    ask: Caller
    control: Callable[..., Any]
    receiver: Receiver

    def hook(self, place: str = "/projects/1/hooks", **flags: Any) -> int:
        made = self.ask(place, "admin", "POST", {"url": URL, "push_events": False, **flags})
        assert made.status == 201, made.json
        return int(made.json["id"])

    def do(self, verb: str, **what: Any) -> dict[str, Any]:
        done: dict[str, Any] = self.control("POST", "changes", {"do": verb, **what})
        self.quiet()
        return done

    def advance(self, seconds: float) -> None:
        self.control("POST", "advance", {"seconds": seconds, "idle": True})
        self.quiet()

    def quiet(self) -> None:
        assert self.control("POST", "wait_for_hooks", {"seconds": 5})["quiet"]

    def heard(self, kind: str = "") -> list[dict[str, Any]]:
        """Bodies of calls whose `X-Gitlab-Event` begins so, which are then forgotten."""
        got = [
            body
            for call, body in zip(self.receiver.got, self.receiver.bodies, strict=True)
            if call.headers["X-Gitlab-Event"].startswith(kind)
        ]
        self.receiver.got.clear()
        return got
