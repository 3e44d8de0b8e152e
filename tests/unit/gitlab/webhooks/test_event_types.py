"""The table of events, and what is derived from it or has to keep up with it."""

import re
from pathlib import Path

import pytest

from gitlab_hub.builds.triggers.evaluation import CHECKS
from gitlab_hub.gitlab.webhooks.event_types import (
    BUILDING,
    EVENT_TYPES,
    REGISTRABLE,
    UNWANTED,
    Effect,
    EventType,
    Scope,
    named_by_event_name,
)
from gitlab_hub.gitlab.webhooks.kept_fields import KEPT
from gitlab_hub.gitlab.webhooks.parse import kind_named

PAGE = Path(__file__).parents[4] / "docs" / "webhooks.md"
ROW = re.compile(r"^\| `(\w+)` \| (.*) \|$", re.MULTILINE)
SETS_OFF = {
    (): "nothing yet",
    (Effect.BUILDS,): "builds",
    (Effect.PIPELINE,): "a look at the pipeline",
    (Effect.DEPLOYMENTS,): "a look at the deployments, by the next sync",
    (Effect.PROJECT, Effect.GROUP): "a look at the project or group",
}

names = pytest.mark.parametrize("row", EVENT_TYPES, ids=lambda row: row.name)


def documented(row: EventType) -> str:
    """Write a row as docs/webhooks.md has it."""
    asked = {scope: "always" if scope in row.unasked else "yes" for scope in row.scopes}
    scopes = [asked.get(scope, "no") for scope in Scope]
    header = f"`{row.header}`"
    kind = f"`{row.object_kind}`" if row.object_kind else "no"
    cells = [header, kind, f"`{row.flag}`", *scopes, SETS_OFF[row.effects], f"[GitLab]({row.docs})"]
    return " | ".join(cells)


def test_the_page_has_every_event_that_can_be_registered() -> None:
    section = PAGE.read_text().partition("## Events\n")[2].partition("\n## ")[0]
    wanted = {row.name: documented(row) for row in EVENT_TYPES if row.scopes}
    assert dict(ROW.findall(section)) == wanted


@names
def test_what_gitlab_calls_an_event_is_that_event(row: EventType) -> None:
    spelled = [name for name in (row.header, row.object_kind, row.name) if name]
    assert {kind_named(name) for name in spelled} == {row.name}


@names
def test_an_event_that_can_be_registered_has_a_switch_and_one_that_cannot_is_kept_off(row: EventType) -> None:
    assert bool(row.flag) == bool(row.scopes)
    assert row.unasked <= row.scopes
    assert row.flag not in UNWANTED


def test_no_two_events_share_a_name_of_gitlabs() -> None:
    for column in ("name", "header", "object_kind", "event_name", "flag"):
        told = [value for row in EVENT_TYPES if (value := getattr(row, column)) is not None]
        assert len(told) == len(set(told)), column
    assert len(UNWANTED) == len(set(UNWANTED))


def test_the_names_of_the_api_stay() -> None:
    assert BUILDING == ("push", "tag_push", "merge_request")
    assert (
        *BUILDING, "pipeline", "job", "deployment", "release", "note", "member", "project", "subgroup",
    ) == REGISTRABLE  # fmt: skip


def test_what_is_named_elsewhere_is_in_the_table() -> None:
    assert tuple(CHECKS) == BUILDING
    assert set(KEPT) <= {row.name for row in EVENT_TYPES if row.effects}


@pytest.mark.parametrize(
    ("event_name", "found"),
    [
        ("user_add_to_team", ("member", "user_add_to_team")),
        ("user_access_request_to_group", ("member", "user_access_request_to_group")),
        ("user_create", ("user", "create")),
        ("subgroup_create", ("subgroup", "create")),
        ("repository_update", ("repository_update", None)),
        ("gitlab_subscription_member_approval", None),
    ],
)
def test_the_first_pattern_that_fits_names_a_system_event(event_name: str, found: tuple[str, str | None]) -> None:
    assert named_by_event_name(event_name) == found
