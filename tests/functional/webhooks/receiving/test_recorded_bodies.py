"""Every recorded body of GitLab's, sent as GitLab sends it: none is refused, none fails, each has its effect."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.functional.webhooks.deliveries_hub import DATA, PROJECT, PUSH, DeliveriesHub, a_hook

BODIES = sorted([*(DATA / "webhooks").glob("*.json"), *(DATA / "systemhooks").glob("*.json")])
EVENTS = {"group_merge_request": "merge_request", "service_merge_request": "merge_request", "build": "job"}

# What follows from each; of all others nothing does.
EFFECTS = {
    "webhooks/build": [("pipeline", 380, 2366)],
    "webhooks/deployment": [("deployments", 30)],
    "webhooks/job": [("pipeline", 31537070, 743121198)],
    "webhooks/member": [("group", 100)],
    "webhooks/merge_request": "build",
    "webhooks/pipeline": [("pipeline", 1, 31)],
    "webhooks/push": "build",
    "webhooks/service_merge_request": "build",
    "webhooks/subgroup": [("group", 2)],
    "webhooks/tag_push": "build",
    "systemhooks/group_create": [("group", 78)],
    "systemhooks/group_destroy": [("group", 78)],
    "systemhooks/group_rename": [("group", 64)],
    "systemhooks/merge_request": "build",
    "systemhooks/project_create": [("project", 74)],
    "systemhooks/project_destroy": [("project", 73)],
    "systemhooks/project_rename": [("project", 73)],
    "systemhooks/project_transfer": [("project", 73)],
    "systemhooks/project_update": [("project", 74)],
    "systemhooks/push": "build",
    "systemhooks/tag_push": "build",
    "systemhooks/user_add_to_group": [("group", 78)],
    "systemhooks/user_add_to_team": [("project", 74)],
    "systemhooks/user_remove_from_group": [("group", 78)],
    "systemhooks/user_remove_from_team": [("project", 74)],
    "systemhooks/user_update_for_group": [("group", 78)],
    "systemhooks/user_update_for_team": [("project", 74)],
}


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def header_of(path: Path) -> str:
    if path.parent.name == "systemhooks":
        return "System Hook"
    return f"{EVENTS.get(path.stem, path.stem).replace('_', ' ').title()} Hook"


def test_all_recorded_bodies_are_here() -> None:
    assert len(BODIES) == 45
    assert set(EFFECTS) < {name_of(path) for path in BODIES}


@pytest.mark.parametrize("named", [True, False], ids=["by id", "by secret"])
@pytest.mark.parametrize("verification", ["token", "signature"])
@pytest.mark.parametrize("path", BODIES, ids=name_of)
def test_a_recorded_body_is_taken_and_has_its_effect(path: Path, verification: str, named: bool) -> None:
    hook = a_hook(scope="system", target_id=None, target="https://gitlab.example.com", verification=verification)
    if verification == "signature" and not named:
        hook = replace(hook, scope="project", target_id=PROJECT)  # Only projects can be found by what they sign.
    hub, body = DeliveriesHub(hook), path.read_bytes()
    status, answer = hub(hook, body, {"X-Gitlab-Event": header_of(path)}, named=named)
    if not named and verification == "signature":
        assert status in (200, 202) or json.loads(body).get("project_id") != PROJECT
        return
    effect = EFFECTS.get(name_of(path))
    # That recording has blanks in the names of its ids, so nobody can know which project it is of.
    reason = "incomplete_event" if path.stem == "group_merge_request" else "unsupported_event"
    assert (status, answer.get("ignored")) == ((202, None) if effect else (200, reason))
    hub.work()
    assert hub.dead == hub.queue.sent == []
    assert [row["status"] for row in hub.rows()] == (["handled"] if effect else [])
    assert len(hub.builds.asked) == (effect == "build")
    assert [(kind, *ids) for kind, _, *ids in hub.hints.given] == (effect if isinstance(effect, list) else [])


GONE = "0" * 40
ODD: dict[str, dict[str, Any]] = {
    "a branch is deleted": {"after": GONE, "checkout_sha": None, "commits": [], "total_commits_count": 0},
    "a branch is made without commits": {"before": GONE, "commits": [], "total_commits_count": 0},
    "fields are of other types": {"commits": {"a": 1}, "ref": 5, "user_id": "x", "project": {"id": 15, "name": None}},
    "an annotated tag": {"object_kind": "tag_push", "ref": "refs/tags/v1", "after": "b" * 40},
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_a_push_without_the_usual_is_taken_and_decided(change: dict[str, Any]) -> None:
    hub = DeliveriesHub()
    assert hub(a_hook(), PUSH | change)[0] == 202
    hub.work()
    assert hub.dead == []
    assert hub.rows()[0]["status"] in {"handled", "ignored"}
    assert len(hub.builds.asked) == 1
