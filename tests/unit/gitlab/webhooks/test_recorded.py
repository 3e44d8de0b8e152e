"""Every recorded body says what GitLab's documentation says it does."""

import json
from pathlib import Path
from typing import Any

import pytest

from gitlab_hub.gitlab.webhooks.parse import HookEvent, parse

BODIES = Path(__file__).parents[3] / "data" / "gitlab"
RECORDED = sorted(str(path.relative_to(BODIES).with_suffix("")) for path in BODIES.glob("*hooks/*.json"))
SHOWN = (
    "kind",
    "action",
    "project_id",
    "project_path",
    "group_id",
    "ref",
    "actor_id",
    "actor",
    "pipeline_id",
    "job_id",
    "at",
)

# Name of the body → every plain field that is not None; `sha` by its first eight digits.
EXPECTED: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("recorded_events.json").read_text())


def body(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((BODIES / f"{name}.json").read_text())
    return found


def read(name: str) -> HookEvent:
    return parse("System Hook" if name.startswith("systemhooks") else "Any Hook", body(name))


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_body_is_read_as_documented(name: str) -> None:
    event = read(name)
    plain = {field: value for field in SHOWN if (value := getattr(event, field)) is not None}
    sha = {} if event.sha is None else {"sha": event.sha[:8]}
    assert plain | sha == EXPECTED[name]


@pytest.mark.parametrize("name", RECORDED)
def test_only_the_header_says_that_it_is_a_system_hook(name: str) -> None:
    assert read(name).is_system == name.startswith("systemhooks/")


def test_a_push_lists_its_commits_with_what_they_changed() -> None:
    event = read("webhooks/push")
    assert event.before == "95790bf891e76fee5e1747ab589903a6a1f80f22"
    assert event.after == event.sha == event.commits[-1].id
    assert event.message == "fixed readme\n"
    assert [commit.paths for commit in event.commits] == [("CHANGELOG", "app/controller/application.rb")] * 2
    assert event.total_commits == 4


def test_a_system_hooks_push_does_not_say_what_changed() -> None:
    event = read("systemhooks/push")
    assert [commit.paths for commit in event.commits] == [()] * event.total_commits


def test_an_annotated_tag_builds_its_commit_and_not_the_tags_own_object() -> None:
    event = read("systemhooks/tag_push")
    assert (event.sha, event.after) == (
        body("systemhooks/tag_push")["checkout_sha"],
        body("systemhooks/tag_push")["after"],
    )
    assert event.sha != event.after
    assert event.creates_ref


def test_a_merge_request_says_what_a_trigger_asks() -> None:
    found = read("webhooks/service_merge_request").merge_request
    assert found is not None
    assert (found.iid, found.action, found.state, found.draft) == (2, "update", "opened", False)
    assert (found.source_branch, found.target_branch, found.from_fork) == ("next-feature", "master", False)
    assert (found.oldrev, found.head_pipeline_id) == ("6ef047571374c96a2bf13c361efd1fb008b0063e", 5)


def test_labels_are_read_by_their_titles() -> None:
    opened, noted = read("webhooks/merge_request").merge_request, read("webhooks/note_merge_request").merge_request
    assert opened is not None
    assert noted is not None
    assert (opened.labels, noted.labels) == (("API",), ("Afterpod", "Element"))


def test_a_merge_request_without_a_number_is_none() -> None:
    # The fields of this recorded body have a blank at the end of their names.
    event = read("webhooks/group_merge_request")
    assert (event.kind, event.merge_request) == ("merge_request", None)


def test_a_pipeline_knows_the_merge_request_it_ran_for() -> None:
    found = read("webhooks/pipeline").merge_request
    assert found is not None
    assert (found.iid, found.source_branch, found.action) == (1, "test", None)
