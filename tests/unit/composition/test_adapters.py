"""The adapters between rooms: each says exactly what the other side asks for."""

from typing import Any

import pytest

from gitlab_hub.builds.feature import TriggersFeature
from gitlab_hub.composition.adapters import BuilderMessageRouter, SyncHints, TriggeredProjects
from gitlab_hub.pipelines.projects import ProjectRows
from tests.fakes.table import MemoryTable
from tests.fakes.triggers import MemoryGroups, trigger
from tests.functional.builds.triggers_hub import NoGitLab

INTEGRATION = "int_0a1b"


def projects(integration_id: str) -> ProjectRows:
    table = MemoryTable()
    paths = {3: "acme/p3", 4: "Acme/Web/p4", 5: "acme-labs/p5", 6: "other/p6"}
    for number, path in paths.items():
        row = {"id": number, "path_with_namespace": path}
        table.put({"pk": f"{integration_id}#projects", "sk": f"{number:012d}", **row})
    return ProjectRows(table, integration_id)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ([{"project_id": 9, "group": None}], [9]),
        ([{"project_id": None, "group": "acme"}], [3, 4]),
        ([{"project_id": None, "group": "acme/web"}, {"project_id": 4, "group": None}], [4]),
        ([{"project_id": 6, "group": None, "enabled": False}], []),
        ([], []),
    ],
)
def test_the_projects_that_triggers_build_are_those_named_and_those_below_a_group(
    wanted: list[dict[str, Any]], expected: list[int]
) -> None:
    triggers = TriggersFeature(table=MemoryTable(), gitlabs=NoGitLab(), group_lookup=MemoryGroups())
    for number, fields in enumerate(wanted):
        triggers.store.add(trigger(id=f"trg_0a1b_{number}", integration_id=INTEGRATION, **fields))
    assert list(TriggeredProjects(triggers, projects)(INTEGRATION)) == expected


def test_the_projects_of_a_group_are_found_by_what_it_is_called_now() -> None:
    group_lookup = MemoryGroups(groups={7: "acme"}, silent=False)
    triggers = TriggersFeature(table=MemoryTable(), gitlabs=NoGitLab(), group_lookup=group_lookup)
    triggers.store.add(trigger(integration_id=INTEGRATION, project_id=None, group="before", group_id=7))
    assert list(TriggeredProjects(triggers, projects)(INTEGRATION)) == [3, 4]


class Answer:
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.calls.append((name, *arguments))


def test_hints_go_to_the_sync_that_they_concern() -> None:
    pipelines, access = Answer(), Answer()
    hints = SyncHints(pipelines, access)
    hints.pipeline(INTEGRATION, 3, 900)
    hints.deployments(INTEGRATION, 3)
    hints.project(INTEGRATION, 3)
    hints.group(INTEGRATION, 1)
    assert pipelines.calls == [("pipeline", INTEGRATION, 3, 900), ("deployments", INTEGRATION, 3)]
    assert access.calls == [("project", INTEGRATION, 3), ("group", INTEGRATION, 1)]


class OneBuilder:
    """A builder that only notes what it is given."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.messages: list[Any] = []

    def __call__(self, message: Any, *, remaining: Any) -> None:
        self.messages.append(message)

    def on_event(self, event: Any) -> None:
        self.events.append(event)


def test_what_aws_says_about_builds_is_told_from_what_is_left_to_do() -> None:
    builder = OneBuilder()
    queues = BuilderMessageRouter(builder)  # type: ignore[arg-type]  # of a builder it needs these two alone
    change, work = {"detail-type": "CodeBuild Build State Change"}, {"schema": 1, "start": "bld_0a1b_1"}
    for message in (change, work):
        queues(message, remaining=lambda: 10.0)
    assert (builder.events, builder.messages) == ([change], [work])
