"""Every real route by every caller: exactly the documented matrix, the same 404 for what is not there or not theirs."""

import pytest

from gitlab_hub.composition import routes as routing
from gitlab_hub.composition.container import Container
from gitlab_hub.web.principal import Principal, Role
from gitlab_hub.web.route import Route
from tests.fakes.events import answered
from tests.functional.api.api_hub import ApiHub
from tests.functional.web.matrix import NAMING, foreign, matrix, mistakes, naming

ONE = "/v1/integrations/<integration_id>"
RPC = "/api/connections/<connection_id>/credentials"
REVIEW, PLAN = f"{ONE}/reviews/<review_id>", f"{ONE}/plans/<plan_id>"
REQUEST = f"{ONE}/access-requests/<request_id>"
HOOK, BUILD = f"{ONE}/webhooks/<hook_id>", "/v1/builds/<build_id>"
PIPELINE = f"{ONE}/projects/<project_id>/pipelines/<pipeline_id>"

FIGURES = ("summary", "trend", "queue", "duration", "failures", "flaky", "mttr", "cost", "dora")

DOCUMENTED = {
    "open": [
        "GET /healthz", "GET /openapi.json", "POST /v1/webhooks/gitlab", "POST /v1/webhooks/gitlab/<hook_id>",
        "GET /v1/integrations/gitlab/connect/<ticket>", "GET /v1/integrations/gitlab/callback",
    ],
    "viewer": [
        "GET /v1/integrations", f"GET {ONE}", f"GET {ONE}/repositories", f"GET {ONE}/sync", f"GET {ONE}/accounts",
        f"GET {ONE}/sync/history",
        f"GET {ONE}/scopes",
        f"GET {ONE}/changes",
        f"GET {ONE}/accounts/<account_id>", f"GET {ONE}/groups", f"GET {ONE}/projects", f"GET {ONE}/grants",
        f"GET {ONE}/explain", f"GET {ONE}/access-summary", f"GET {ONE}/gitlab-credentials",
        f"GET {ONE}/access-review.csv", f"GET {ONE}/population.csv", f"GET {ONE}/leavers.csv",
        f"GET {ONE}/groups/<group_id>", f"GET {ONE}/projects/<project_id>", "GET /v1/audit-log", "GET /v1/whoami",
        "GET /metrics",
        "POST /v1/console-links",
        f"GET {ONE}/pipelines", f"GET {ONE}/pipelines/completeness", f"GET {ONE}/projects/<project_id>/pipelines",
        f"GET {PIPELINE}", f"GET {PIPELINE}/jobs", f"GET {PIPELINE}/tree", f"GET {ONE}/jobs",
        f"GET {ONE}/deployments", f"GET {ONE}/environments",
        *(f"GET {ONE}/analytics/{name}" for name in FIGURES),
        f"GET {RPC}.list", f"GET {RPC}.info/<credential_id>", f"GET {ONE}/webhooks", f"GET {HOOK}",
        "GET /v1/deliveries", "GET /v1/deliveries/<delivery_id>", "GET /v1/triggers", "GET /v1/triggers/<trigger_id>",
        "GET /v1/builds", f"GET {BUILD}", "GET /v1/incidents", f"GET {ONE}/invitations",
        # Of these, the review says who may: its reviewers whatever their role, and admins.
        f"GET {REVIEW}/items", f"PATCH {REVIEW}/items", f"GET {REVIEW}.csv",
    ],
    "developer": [
        "POST /v1/deliveries/<delivery_id>/replay", "POST /v1/triggers/<trigger_id>/test", "POST /v1/builds",
        f"PATCH {BUILD}", f"POST {BUILD}/cancel", f"POST {BUILD}/rerun", f"POST {BUILD}/approve",
        # Of these, the policies say who may.
        f"POST {ONE}/access-requests", f"GET {ONE}/access-requests",
        f"POST {REQUEST}/approve", f"POST {REQUEST}/deny", f"POST {REQUEST}/revoke",
    ],
    "admin": [
        "POST /v1/integrations/gitlab/start", f"PATCH {ONE}", f"POST {ONE}/verify", f"POST {ONE}/gitlab-token/check",
        f"PUT {ONE}/gitlab-token", f"POST {ONE}/sync", f"POST {RPC}.create", f"POST {RPC}.update",
        f"POST {RPC}.delete", "POST /v1/integrations/gitlab/authorize", f"POST {ONE}/gitlab-token/rotate",
        f"POST {ONE}/webhooks", f"DELETE {HOOK}", f"POST {HOOK}/rotate", f"POST {HOOK}/test", f"POST {HOOK}/repair",
        f"POST {HOOK}/resend-failed", f"POST {ONE}/sync/accept", f"POST {ONE}/sync/reject", "POST /v1/triggers",
        "PATCH /v1/triggers/<trigger_id>",
        "DELETE /v1/triggers/<trigger_id>", "POST /v1/triggers/<trigger_id>/signing-secret",
        f"POST {ONE}/reviews", f"GET {ONE}/reviews", f"GET {REVIEW}", f"POST {REVIEW}/close",
        f"POST {ONE}/plans", f"GET {ONE}/plans", f"GET {PLAN}", f"POST {PLAN}/undo",
        f"PUT {ONE}/desired-access",
        f"POST {ONE}/exports", f"GET {ONE}/exports", f"GET {ONE}/exports/<export_id>",
    ],
    "owner": [
        f"DELETE {ONE}", f"POST {PLAN}/apply", f"GET {ONE}/access-policies",
        f"PUT {ONE}/access-policies", "GET /v1/tokens", "POST /v1/tokens", "DELETE /v1/tokens/<token_id>",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def hub() -> ApiHub:
    return ApiHub()


def ids(hub: ApiHub) -> dict[str, str]:
    return naming(hub.own)


def spelled(route: Route) -> tuple[object, ...]:
    render = route.render_error.__name__ if route.render_error else ""
    return route.method, route.path, route.role, route.status, route.secret_answer, route.guarded, render


def test_these_are_the_routes_that_are_deployed(hub: ApiHub) -> None:
    assert sorted(map(repr, map(spelled, hub.routes))) == sorted(
        map(repr, map(spelled, routing.all_routes(Container({}))))
    )


def test_the_roles_are_the_documented_ones(hub: ApiHub) -> None:
    found = {f"{route.method} {route.path}": str(route.role or "open") for route in hub.routes}
    assert found == {route: role for role, routes in DOCUMENTED.items() for route in routes}


def test_every_caller_meets_the_matrix(hub: ApiHub) -> None:
    cases = [case for case in matrix(hub.routes, ids(hub)) if case.route.method != "DELETE"]
    assert len(cases) > 5 * 25
    assert mistakes(hub.resolve, cases) == []


def test_whoever_is_refused_changes_nothing(hub: ApiHub) -> None:
    before, asked = hub.stored(), len(hub.gitlab.requests)
    refused = [case for case in matrix(hub.routes, ids(hub)) if case.refusal() is not None]
    for case in refused:
        status, body = answered(hub.resolve(case.event()))
        assert status == case.refusal(), f"{case}: {body}"
    assert len(refused) > 60
    assert (hub.stored(), len(hub.gitlab.requests)) == (before, asked)


def test_a_foreign_integration_is_an_unknown_one_on_every_route(hub: ApiHub) -> None:
    before, asked = hub.stored(), len(hub.gitlab.requests)
    pairs = list(foreign(hub.routes, own=hub.own, other=hub.other, unknown="int_unknown"))
    guarded = [route for route in hub.routes if route.role is not None]
    assert len(pairs) == sum(any(f"<{name}>" in route.path for name in NAMING) for route in guarded)
    for case, unknown in pairs:
        theirs, nobodys = (answered(hub.resolve(each.event())) for each in (case, unknown))
        assert theirs == nobodys, str(case)
        status, body = theirs
        if case.route.render_error:
            assert (status, body["error"]) == (422, "connection_not_found"), str(case)
        else:
            assert (status, body["code"]) == (404, "not_found"), str(case)
    assert (hub.stored(), len(hub.gitlab.requests)) == (before, asked)


def test_a_limited_token_lists_its_own_alone(hub: ApiHub) -> None:
    caller = Principal("t-limited", Role.OWNER, frozenset({hub.own}))
    _, body = hub("GET", "/v1/integrations", principal=caller)
    assert [row["id"] for row in body["integrations"]] == [hub.own]
