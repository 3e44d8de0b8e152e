from typing import Any

import pytest

from gitlab_hub.gitlab.webhooks.event_types import Effect
from gitlab_hub.gitlab.webhooks.parse import HookEvent, parse
from gitlab_hub.webhooks.deliveries.dispatch import INCOMPLETE, UNSUPPORTED, hook_may_report, route_event
from tests.functional.webhooks.deliveries_hub import a_hook


def event(kind: str, **more: Any) -> HookEvent:
    return HookEvent(kind=kind, **more)


@pytest.mark.parametrize(
    ("kind", "ids", "effect"),
    [
        ("push", {"project_id": 1}, Effect.BUILDS),
        ("tag_push", {"project_id": 1}, Effect.BUILDS),
        ("merge_request", {"project_id": 1}, Effect.BUILDS),
        ("push", {}, INCOMPLETE),
        ("pipeline", {"project_id": 1, "pipeline_id": 2}, Effect.PIPELINE),
        ("job", {"project_id": 1, "pipeline_id": 2}, Effect.PIPELINE),
        ("pipeline", {"project_id": 1}, INCOMPLETE),
        ("deployment", {"project_id": 1}, Effect.DEPLOYMENTS),
        ("deployment", {}, INCOMPLETE),
        ("job", {"pipeline_id": 2}, INCOMPLETE),
        ("member", {"project_id": 1, "group_id": 2}, Effect.PROJECT),
        ("member", {"group_id": 2}, Effect.GROUP),
        ("project", {"project_id": 1}, Effect.PROJECT),
        ("group", {"group_id": 2}, Effect.GROUP),
        ("subgroup", {"group_id": 2}, Effect.GROUP),
        ("subgroup", {}, INCOMPLETE),
        ("user", {}, UNSUPPORTED),
        ("issue", {"project_id": 1}, UNSUPPORTED),
        ("", {}, UNSUPPORTED),
    ],
)
def test_every_kind_has_its_effect_or_a_reason_for_none(kind: str, ids: dict[str, int], effect: str) -> None:
    found = route_event(event(kind, **ids))
    assert (found, isinstance(found, Effect)) == (effect, isinstance(effect, Effect))


@pytest.mark.parametrize(
    ("body", "within"),
    [
        ({"project_id": 15}, True),
        ({"project": {"id": 15}}, True),
        ({"project_id": 15, "project": {"id": 15}, "object_attributes": {"target_project_id": 15}}, True),
        ({"project_id": 15, "object_attributes": {"source_project_id": 16}}, True),
        ({"project_id": 16}, False),
        ({"project_id": 15, "project": {"id": 16}}, False),
        ({"project_id": 16, "project": {"id": 15}}, False),
        ({"project_id": 15, "object_attributes": {"target_project_id": 16}}, False),
        ({}, False),
        ({"project_id": "15"}, False),
    ],
)
def test_a_project_hook_speaks_of_its_project_whatever_the_body_calls_it(body: dict[str, Any], within: bool) -> None:
    assert hook_may_report(a_hook(), parse("Push Hook", body), body) is within


@pytest.mark.parametrize("path", ["Top/Sub/App", "top/sub/deeper/app"])
def test_a_group_hook_speaks_of_paths_below_its_own(path: str) -> None:
    group = a_hook(scope="group", target="top/sub")
    assert hook_may_report(group, event("push", project_path=path), {})
    assert hook_may_report(group, event("push", project_path=f"x{path}"), {}) is None


@pytest.mark.parametrize("path", ["top/sub", "top/subway/app", "top", "", "/top/sub/app"])
def test_what_only_looks_like_a_path_below_is_not(path: str) -> None:
    assert hook_may_report(a_hook(scope="group", target="top/sub"), event("push", project_path=path), {}) is None


def test_without_a_path_a_group_hook_may_only_hint() -> None:
    group = a_hook(scope="group", target="top")
    assert hook_may_report(group, event("push", project_id=1), {}) is None
    assert hook_may_report(group, event("merge_request", project_id=1), {}) is None
    assert hook_may_report(group, event("job", project_id=1), {})
    assert hook_may_report(group, event("member", group_id=3), {})


def test_an_unknown_scope_covers_nothing() -> None:
    assert hook_may_report(a_hook(scope="system", target_id=None), event("push"), {})
    assert not hook_may_report(a_hook(scope="new in 30"), event("push", project_id=15), {"project_id": 15})
