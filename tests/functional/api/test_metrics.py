"""`/metrics` over the whole hub."""

import re
from dataclasses import replace
from typing import Any, cast

import pytest

from gitlab_hub.composition.adapters import metric_sources
from gitlab_hub.pipelines.figures.metrics import MetricRoutes
from gitlab_hub.pipelines.figures.stage import FiguresStage
from gitlab_hub.pipelines.model import job_of, pipeline_of
from gitlab_hub.pipelines.projects import ProjectRows
from gitlab_hub.pipelines.store import Copy, PipelineStore
from gitlab_hub.sync.incidents import note
from gitlab_hub.sync.ports import Kind, Scope, Session, SyncTarget
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.store import RunStore
from gitlab_hub.web.api import Api
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.events import OWNER, Context, answered, http_event
from tests.fakes.scripted_client import ScriptedClient
from tests.fakes.session import FakeSession
from tests.functional.api.api_hub import ApiHub

SAMPLE = re.compile(r'[a-z_]+(\{([a-z_]+="[^"]*",?)+\})? [0-9.e+-]+')


@pytest.fixture
def hub() -> ApiHub:
    return ApiHub()


def scrape(hub: ApiHub, principal: Principal = OWNER, **query: Any) -> list[str]:
    answer = hub.resolve(http_event("GET", "/metrics", query=query, principal=principal))
    assert answer["statusCode"] == 200, answer
    assert answer["headers"]["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines: list[str] = answer["body"].splitlines()
    assert all(line.startswith("# ") or SAMPLE.fullmatch(line) for line in lines)
    return [line for line in lines if not line.startswith("#")]


async def run_some(hub: ApiHub) -> None:
    """Store two pipelines of today and count them."""
    table, created = hub.tables["pipelines"], "2026-09-21T10:00:00Z"
    for number, status in ((1, "success"), (2, "failed")):
        made = {"id": number, "status": status, "created_at": created, "updated_at": created, "duration": 60}
        job = {"id": number, "name": "rspec", "status": status, "failure_reason": "script_failure", "duration": 30}
        copy = Copy(pipeline=pipeline_of(made, 7), jobs=[job_of(job)], bridges=[], settled=True)
        PipelineStore(table, hub.own).save(copy, None, now=number)
    target = SyncTarget(integration_id=hub.own, credential_id="c", base_url="https://x", user_id=1, is_admin=True)
    session = cast("Session", FakeSession(target, cast("ScriptedClient", None)))
    await FiguresStage(session, ProjectRows(table, hub.own), table).read(Scope("all"))


async def test_each_integration_says_how_it_is_doing(hub: ApiHub) -> None:
    await run_some(hub)
    runs = RunStore(hub.tables["integrations"])
    now = int(hub.now())
    ended = Run(integration_id=hub.own, kind=Kind.PIPELINES, succeeded_at=now - 90)
    runs.save(ended)
    note(hub.container.incidents, replace(ended, finished_at=now, status=RunStatus.FAILED))
    one = f'integration="{hub.own}"'
    found = scrape(hub)
    assert f'gitlab_hub_sync_lag_seconds{{{one},kind="pipelines"}} 90' in found
    assert f'gitlab_hub_incidents{{{one},kind="sync_failed"}} 1' in found
    assert f'gitlab_hub_pipelines{{{one},status="failed"}} 1' in found
    assert f"gitlab_hub_pipeline_success_ratio{{{one}}} 0.5" in found
    assert f'gitlab_hub_failed_jobs{{{one},failure_class="script"}} 1' in found
    assert f"gitlab_hub_job_minutes{{{one}}} 1" in found
    assert any(line.startswith(f'gitlab_hub_pipeline_duration_seconds{{{one},percentile="p95"}} 60') for line in found)


def test_a_caller_sees_the_integrations_of_its_token(hub: ApiHub) -> None:
    limited = Principal("t1", Role.VIEWER, frozenset({hub.other}))
    assert {hub.own, hub.other} == {line.split('"')[1] for line in scrape(hub)}
    assert {hub.other} == {line.split('"')[1] for line in scrape(hub, limited)}
    assert {hub.own} == {line.split('"')[1] for line in scrape(hub, integration_id=hub.own)}
    assert scrape(hub, limited, integration_id=hub.own) == []


@pytest.mark.parametrize("query", [{"days": 0}, {"days": 31}, {"project_id": 7}])
def test_what_makes_no_sense_is_refused(hub: ApiHub, query: dict[str, Any]) -> None:
    assert hub("GET", "/metrics", query=query)[0] == 422


def test_too_many_integrations_are_asked_for_one_by_one(hub: ApiHub) -> None:
    routes = MetricRoutes(hub.tables["pipelines"], metric_sources(hub.container), hub.now, most=1).routes()
    api = Api(routes, guard=hub.container.integration_store, idempotency=None, now=hub.now)
    status, body = answered(api.resolve(http_event("GET", "/metrics"), Context()))
    assert (status, [one["field"] for one in body["details"]["fields"]]) == (422, ["query.integration_id"])
    one = api.resolve(http_event("GET", "/metrics", query={"integration_id": hub.own}), Context())
    assert one["statusCode"] == 200


def test_nobody_scrapes_without_a_token(hub: ApiHub) -> None:
    answer = hub.api.resolve(http_event("GET", "/metrics", principal=None), Context())
    assert answer["statusCode"] == 401
