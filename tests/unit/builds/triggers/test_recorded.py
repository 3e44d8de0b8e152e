"""The recorded bodies of GitLab, put to a trigger for everything in their project."""

import json
from pathlib import Path

import pytest

from gitlab_hub.builds.triggers.evaluation import Decision
from gitlab_hub.gitlab.webhooks.parse import parse
from tests.fakes.triggers import asked, including, rules, trigger

BODIES = Path(__file__).parents[3] / "data" / "gitlab"
RECORDED = sorted(str(path.relative_to(BODIES).with_suffix("")) for path in BODIES.glob("*hooks/*.json"))

# Event, ref, first digits of the commit, and whether somebody has to approve.
BUILDING = {
    "webhooks/push": ("push", "master", "da1560", False),
    "systemhooks/push": ("push", "master", "da1560", False),
    "webhooks/tag_push": ("tag_push", "v1.0.0", "82b3d5", False),
    "systemhooks/tag_push": ("tag_push", "v1.0.0", "5937ac", False),
    "webhooks/merge_request": ("merge_request", "ms-viewport", "da1560", False),
    "webhooks/service_merge_request": ("merge_request", "next-feature", "0ab96a", False),
}
# The system hook's was recorded without an action, the group's with names of fields that end in a blank.
REFUSED = {
    "systemhooks/merge_request": ("action_ignored",),
    "webhooks/group_merge_request": ("project_unknown", "merge_request_unreadable"),
}


def decision(name: str, **changes: object) -> Decision:
    header = "System Hook" if name.startswith("systemhooks") else "Any Hook"
    event = parse(header, json.loads((BODIES / f"{name}.json").read_text()))
    return asked(trigger(project_id=event.project_id, **changes), event)


@pytest.mark.parametrize("name", RECORDED)
def test_exactly_the_events_that_bring_code_build(name: str) -> None:
    request = decision(name).request
    found = request and (request.event, request.ref, request.sha[:6], request.needs_approval)
    assert found == BUILDING.get(name)


@pytest.mark.parametrize("name", sorted(set(RECORDED) - set(BUILDING)))
def test_every_other_one_says_why_not(name: str) -> None:
    refusals = decision(name).refusals
    wanted = REFUSED.get(name, ("event_not_wanted",))
    assert set(refusals) - {"project_unknown"} == set(wanted) - {"project_unknown"}


@pytest.mark.parametrize("name", BUILDING)
def test_each_builds_in_a_trigger_of_its_group_and_not_of_another(name: str) -> None:
    path = str(decision(name).request and decision(name).request.project_path)  # type: ignore[union-attr] # it builds
    assert decision(name).would_build
    header, body = "Any Hook", json.loads((BODIES / f"{name}.json").read_text())
    of_group = trigger(project_id=None, group=path.partition("/")[0])
    assert asked(of_group, parse(header, body)).would_build
    assert asked(trigger(project_id=None, group="another"), parse(header, body)).refusals == ("other_group",)


def test_the_recorded_merge_request_has_the_label_that_it_needs() -> None:
    assert decision("webhooks/merge_request", merge_requests=rules(labels=("API",))).would_build
    assert decision("webhooks/merge_request", merge_requests=rules(labels=("ci",))).refusals == ("label_missing",)


def test_the_recorded_push_has_more_commits_than_it_lists() -> None:
    # Two of four: what the other two change has to be asked.
    found = decision("webhooks/push", paths=including("nothing/**"))
    assert [reason.code for reason in found.reasons if reason.code.startswith("path")] == ["paths_unknown"]
