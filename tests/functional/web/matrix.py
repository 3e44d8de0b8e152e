"""Calls made from routes themselves: every route, by everybody. Works for any list of routes."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gitlab_hub.web.principal import Principal, Role
from gitlab_hub.web.route import GUARDED_PARAMETERS, OWNED_PARAMETERS, Route
from tests.fakes.events import answered, http_event

Resolve = Callable[[Mapping[str, Any]], Mapping[str, Any]]

NAMING = (*GUARDED_PARAMETERS, *OWNED_PARAMETERS)
NOBODY = None
CALLERS: tuple[Role | None, ...] = (NOBODY, *Role)


@dataclass(frozen=True, slots=True)
class Case:
    """One route called by one caller; `ids` fill the parameters of the path."""

    route: Route
    caller: Principal | None
    ids: Mapping[str, str]
    body: Any = None

    def event(self) -> dict[str, Any]:
        """Make the call."""
        path = re.sub(r"<(\w+)>", lambda match: self.ids.get(match[1], "1"), self.route.path)
        return http_event(self.route.method, path, self.body, principal=self.caller)

    def __str__(self) -> str:
        caller = self.caller.role if self.caller else "nobody"
        return f"{caller} {self.route.method} {self.route.path}"

    def refusal(self) -> int | None:
        """The status that the documented matrix asks for; None = let in."""
        if self.route.role is None:
            return None
        if self.caller is None:
            return 401
        return None if self.caller.role.includes(self.route.role) else 403


def matrix(routes: Iterable[Route], ids: Mapping[str, str]) -> Iterator[Case]:
    """Every route with every caller, nobody included."""
    for route in routes:
        for role in CALLERS:
            yield Case(route, Principal(f"t-{role}", role) if role else None, ids)


def mistakes(resolve: Resolve, cases: Iterable[Case]) -> list[str]:
    """Where the answers differ from the matrix: empty is right.

    A caller who is let in may meet any other answer (the bodies here are empty), but no 401 or 403 with our codes.
    """
    found = []
    for case in cases:
        status, body = answered(resolve(case.event()))
        refused = status if _is_refusal(body, case.route) else None
        if refused != case.refusal():
            found.append(f"{case}: {status} {body}")
    return found


def foreign(routes: Iterable[Route], *, own: str, other: str, unknown: str) -> Iterator[tuple[Case, Case]]:
    """For every route with an integration in its path: the same call on another's and on an unknown integration."""
    for route in routes:
        if route.role is None or not any(f"<{name}>" in route.path for name in NAMING):
            continue
        caller = Principal("t-limited", Role.OWNER, frozenset({own}))
        case = Case(route, caller, naming(other))
        yield case, replace(case, ids=naming(unknown))


def naming(integration_id: str) -> dict[str, str]:
    """Parameters of paths that name an integration, itself or through an id of ours that belongs to it."""
    owned = f"x_{integration_id.removeprefix('int_')}_1"
    return dict.fromkeys(GUARDED_PARAMETERS, integration_id) | dict.fromkeys(OWNED_PARAMETERS, owned)


def _is_refusal(body: Any, route: Route) -> bool:
    if not isinstance(body, dict):
        return False
    code = body.get("code") or body.get("error") if route.render_error else body.get("code")
    return code in ("unauthorized", "permission_denied", "not_authed")
