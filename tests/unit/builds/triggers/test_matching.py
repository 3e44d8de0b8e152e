"""Which triggers an event meets, what is asked of GitLab for them, and when a change of a trigger counts."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitlab_hub.builds.triggers.group_resolver import Ancestors, Group
from gitlab_hub.builds.triggers.groups import TriggerGroups
from gitlab_hub.builds.triggers.matching import TriggerIndex, TriggerMatcher
from gitlab_hub.builds.triggers.model import Trigger
from gitlab_hub.builds.triggers.rules import lies_below
from gitlab_hub.builds.triggers.store import TriggerStore
from gitlab_hub.gitlab.webhooks.parse import HookEvent, parse
from tests.fakes.faults import Plan, faulty
from tests.fakes.table import MemoryTable
from tests.fakes.triggers import (
    BEFORE,
    INTEGRATION,
    SHA,
    ZERO,
    MemoryGroups,
    MemorySources,
    changing,
    codes,
    including,
    merge_request,
    push,
    tag,
    trigger,
)

FIELD = Path(__file__).parents[3] / "data" / "gitlab" / "field"


class World:
    """A store of triggers, and a GitLab that may know what changed."""

    def __init__(self, *triggers: Trigger, paths: Sequence[str] | None = None) -> None:
        self.calls = Plan()
        self.store = TriggerStore(faulty(MemoryTable(), self.calls))
        for one in triggers:
            self.store.add(one)
        self.sources = MemorySources(paths)
        self.group_lookup = MemoryGroups()
        self.matcher = TriggerMatcher(self.store, self.sources, TriggerGroups(self.store, self.group_lookup))

    def built(self, event: HookEvent) -> list[str]:
        return [one.id for one, decision in self.matcher.evaluate(INTEGRATION, event) if decision.would_build]

    def met(self, event: HookEvent) -> list[str]:
        return [one.id for one, _ in self.matcher.evaluate(INTEGRATION, event)]


def numbered(number: int, **changes: Any) -> Trigger:
    return trigger(id=f"trg_0a1b_{number}", **changes)


def test_an_event_meets_the_triggers_of_its_kind_and_place() -> None:
    world = World(
        numbered(1),
        numbered(2, project_id=16),
        numbered(3, events=("tag_push",)),
        numbered(4, project_id=None, group="Mike"),
        numbered(5, project_id=None, group="mike/tools"),
        numbered(6, project_id=None, group="mike/tools/diaspora"),
        numbered(7, project_id=None, group="mike/too"),
        numbered(8, enabled=False),
    )
    assert world.met(push()) == ["trg_0a1b_1", "trg_0a1b_8", "trg_0a1b_4", "trg_0a1b_5"]
    assert world.built(push()) == ["trg_0a1b_1", "trg_0a1b_4", "trg_0a1b_5"]
    assert world.built(tag(project_path=None)) == ["trg_0a1b_1", "trg_0a1b_3"]
    assert world.met(push(kind="note")) == []


def test_what_the_index_leaves_out_would_not_have_been_built() -> None:
    triggers = [
        numbered(number, project_id=project, group=group, events=events)
        for number, (project, group, events) in enumerate(
            (project, group, events)
            for project, group in [(15, None), (16, None), (None, "mike"), (None, "MIKE/Tools"), (None, "x")]
            for events in [("push",), ("tag_push", "merge_request"), ("merge_request",)]
        )
    ]
    everything, indexed = World(*triggers), TriggerIndex(triggers)
    for event in (push(), tag(), merge_request(), push(project_id=16), push(project_path=None), push(kind="job")):
        met = {one.id for one in indexed.concerned(event)}
        building = {one.id for one in triggers if everything.matcher.dry_run(one, event).would_build}
        assert building <= met


TOOLS, OTHERS = Group(2, "mike/tools"), Group(9, "renamed")


@pytest.mark.parametrize("path", ["mike/tools/diaspora", None])
@pytest.mark.parametrize(
    "ancestors",
    [
        None,
        Ancestors("mike/tools/diaspora", (TOOLS, Group(1, "mike")), complete=True),
        Ancestors("mike/tools/diaspora", (TOOLS,), complete=False),
        Ancestors("mike/tools/diaspora", (TOOLS, OTHERS), complete=True),
        Ancestors("mike/tools/diaspora", (), complete=False),
    ],
)
def test_the_index_meets_each_trigger_below_whose_group_the_project_lies_and_once(
    ancestors: Ancestors | None, path: str | None
) -> None:
    triggers = [
        numbered(number, project_id=None, group=group, group_id=group_id)
        for number, (group, group_id) in enumerate(
            (group, group_id)
            for group in ("mike", "MIKE/Tools", "mike/tools/diaspora", "elsewhere")
            for group_id in (None, 1, 2, 9, 77)
        )
    ]
    met = [one.id for one in TriggerIndex(triggers).concerned(push(project_path=path), ancestors)]
    known = path or ("" if ancestors is None else ancestors.path)
    assert sorted(met) == sorted(one.id for one in triggers if lies_below(one, known, ancestors))


def test_another_integrations_triggers_are_not_met() -> None:
    assert World(trigger(), trigger(id="trg_ffff_2", integration_id="int_ffff")).met(push()) == ["trg_0a1b_1"]


def test_gitlab_is_asked_once_for_all_triggers_and_only_where_it_matters() -> None:
    docs, off = including("docs/**"), {"enabled": False}
    world = World(numbered(1, paths=docs), numbered(2, paths=docs), numbered(3), paths=["docs/a"])
    assert world.built(push(total_commits=30)) == ["trg_0a1b_1", "trg_0a1b_2", "trg_0a1b_3"]
    assert world.sources.asked == [("compare", INTEGRATION, 15, BEFORE, SHA)]
    quiet = World(numbered(1, paths=docs, **off), numbered(2))
    assert quiet.built(push(total_commits=30)) == ["trg_0a1b_2"]
    assert quiet.sources.asked == []


def test_gitlab_is_not_asked_where_the_event_says_yes() -> None:
    world = World(trigger(paths=including("docs/**")), paths=["src/a"])
    assert world.built(changing("docs/a")) == ["trg_0a1b_1"]
    assert world.sources.asked == []


def test_gitlab_is_asked_where_the_event_does_not_say_yes() -> None:
    world = World(trigger(paths=including("docs/**")), paths=["docs/a"])
    assert world.built(changing("src/a")) == ["trg_0a1b_1"]
    assert world.sources.asked == [("compare", INTEGRATION, 15, BEFORE, SHA)]


def test_what_a_new_branch_has_changed_is_asked_of_gitlab_where_it_has_commits() -> None:
    world = World(trigger(paths=including("docs/**")), paths=["docs/a"])
    new = changing("src/a", before=ZERO, ref="feature")
    assert world.built(new) == ["trg_0a1b_1"], "there is nothing to compare it with"
    assert world.sources.asked == []
    assert world.built(replace(new, default_branch="main")) == ["trg_0a1b_1"]
    assert world.sources.asked == [("branch", INTEGRATION, 15, "main", SHA)]


def test_the_message_of_a_commit_that_is_not_listed_is_asked_for_once_and_only_where_it_matters() -> None:
    silent = push(message=None)
    world = World(numbered(1), numbered(2), numbered(3, skip_ci=False), numbered(4, enabled=False))
    world.sources.message = "work [Skip CI]"
    assert world.built(silent) == ["trg_0a1b_3"]
    assert world.sources.asked == [("message", INTEGRATION, 15, SHA)]
    world.sources.message = "work"
    assert world.built(silent) == ["trg_0a1b_1", "trg_0a1b_2", "trg_0a1b_3"]
    world.sources.message = None
    assert world.built(silent) == ["trg_0a1b_1", "trg_0a1b_2", "trg_0a1b_3"], "a build too many is cheaper"
    calls = len(world.sources.asked)
    assert World(numbered(3, skip_ci=False)).built(silent) == ["trg_0a1b_3"]
    assert world.met(replace(silent, message="work")) != []
    assert world.built(push(message=None, after=ZERO, sha=None)) == []
    assert len(world.sources.asked) == calls


def test_a_new_branch_at_a_commit_that_skips_is_not_built() -> None:
    body = json.loads((FIELD / "push__new_branch_without_commits.json").read_bytes())
    event = parse("Push Hook", body)
    world = World(trigger(project_id=60, paths=including("docs/**")))
    world.sources.message = "Skip\n\n[skip ci]"
    [(_, decision)] = world.matcher.evaluate(INTEGRATION, event)
    assert decision.refusals == ("skip_ci_message",)
    assert world.sources.asked == [("message", INTEGRATION, 60, body["after"])]


@pytest.mark.parametrize("event", [tag(message=None), merge_request(event={"message": None})])
def test_tags_and_merge_requests_skip_by_the_message_of_their_commit_too(event: HookEvent) -> None:
    world = World(trigger())
    world.sources.message = "[ci skip]"
    assert world.built(event) == []


@pytest.mark.parametrize("paths", [["src/a"], []])
def test_gitlabs_answer_decides(paths: list[str]) -> None:
    assert World(trigger(paths=including("docs/**")), paths=paths).built(push(total_commits=30)) == []


def test_a_merge_request_is_asked_for_by_its_number() -> None:
    world = World(trigger(paths=including("docs/**")), paths=["docs/a"])
    assert world.built(merge_request()) == ["trg_0a1b_1"]
    assert world.sources.asked == [("merge_request", INTEGRATION, 15, 7, SHA)]


def test_a_new_branch_has_nothing_to_be_compared_with_and_builds() -> None:
    world = World(trigger(paths=including("docs/**")), paths=["src/a"])
    [(_, decision)] = world.matcher.evaluate(INTEGRATION, push(before=ZERO))
    assert "paths_unknown" in codes(decision)
    assert world.sources.asked == []


def test_where_gitlab_does_not_answer_it_is_asked_once_and_all_build() -> None:
    docs = including("docs/**")
    world = World(numbered(1, paths=docs), numbered(2, paths=docs))
    assert world.built(push(total_commits=30)) == ["trg_0a1b_1", "trg_0a1b_2"]
    assert len(world.sources.asked) == 1


def test_a_change_of_a_trigger_counts_for_the_next_event() -> None:
    world = World()
    assert world.built(push()) == []
    world.store.add(trigger())
    assert world.built(push()) == ["trg_0a1b_1"]
    world.store.change("trg_0a1b_1", lambda found: replace(found, enabled=False, version=found.version + 1))
    assert world.built(push()) == []
    world.store.change("trg_0a1b_1", lambda found: replace(found, enabled=True, version=found.version + 1))
    assert world.built(push()) == ["trg_0a1b_1"]
    world.store.remove("trg_0a1b_1")
    assert world.built(push()) == []


def test_unchanged_triggers_are_not_read_again() -> None:
    world = World(trigger())
    world.built(push())
    world.calls.calls.clear()
    world.built(push())
    assert world.calls.calls == ["get"]


def test_a_worker_keeps_the_triggers_of_few_integrations_in_memory() -> None:
    world = World(trigger())
    for number in range(40):
        world.matcher.evaluate(f"int_{number}", push())
    assert len(world.matcher._cache) == 16
    assert world.built(push()) == ["trg_0a1b_1"]


def test_the_delivery_is_handed_on() -> None:
    [(_, decision)] = World(trigger()).matcher.evaluate(INTEGRATION, push(), delivery_id="dlv_0a1b_9")
    assert decision.request is not None
    assert decision.request.delivery_id == "dlv_0a1b_9"
