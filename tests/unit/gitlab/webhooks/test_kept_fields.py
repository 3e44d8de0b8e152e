"""What is kept of bodies: all that is read later, and nothing else."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitlab_hub.gitlab.webhooks.event_types import Effect
from gitlab_hub.gitlab.webhooks.kept_fields import KEPT, kept
from gitlab_hub.gitlab.webhooks.parse import parse
from gitlab_hub.webhooks.deliveries.dispatch import route_event

DATA = Path(__file__).parents[3] / "data" / "gitlab"
BODIES = sorted([*(DATA / "webhooks").glob("*.json"), *(DATA / "systemhooks").glob("*.json")])
READ_AGAIN = ("push", "tag_push", "merge_request")


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


class Watched(Mapping[str, Any]):
    """An object that notes which of its fields somebody asked for, whether or not they are there."""

    def __init__(self, fields: Mapping[str, Any], asked: set[str], at: str = "") -> None:
        self._fields, self._asked, self._at = fields, asked, at

    def __getitem__(self, name: str) -> Any:
        self._asked.add(f"{self._at}{name}")
        return self._watched(self._fields[name], f"{self._at}{name}.")

    def get(self, name: str, default: Any = None) -> Any:
        """Give a field, or the default."""
        self._asked.add(f"{self._at}{name}")
        return self[name] if name in self._fields else default

    def _watched(self, value: Any, at: str) -> Any:
        if isinstance(value, dict):
            return Watched(value, self._asked, at)
        return [self._watched(one, at) for one in value] if isinstance(value, list) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def paths_of(shape: Any, at: str = "") -> Iterator[str]:
    """Every field that a shape names."""
    if isinstance(shape, list):
        yield from paths_of(shape[0], at)
    elif shape is not None:
        for name, inner in shape.items():
            yield f"{at}{name}"
            yield from paths_of(inner, f"{at}{name}.")


@pytest.mark.parametrize("kind", READ_AGAIN)
def test_every_field_that_is_read_of_what_is_built_is_kept(kind: str) -> None:
    asked: set[str] = set()
    for path in BODIES:
        parse("", Watched(json.loads(path.read_text()) | {"object_kind": kind}, asked))
    assert asked - set(paths_of(KEPT[kind])) == set()


@pytest.mark.parametrize("path", BODIES, ids=name_of)
def test_a_recorded_body_means_the_same_when_it_is_read_again(path: Path) -> None:
    body = json.loads(path.read_text())
    before = parse("System Hook", body)
    after = parse("System Hook", kept(before.kind, body))
    assert route_event(after) == route_event(before)
    assert (after.kind, after.project_id, after.group_id) == (before.kind, before.project_id, before.group_id)
    if isinstance(route_event(before), Effect):
        assert after.pipeline_id == before.pipeline_id
    if before.kind in READ_AGAIN:
        assert after == before


def spread(value: Any, canary: str) -> Any:
    """The same body with something secret beside everything in it."""
    if isinstance(value, dict):
        return {name: spread(one, canary) for name, one in value.items()} | {
            "variables": [{"key": "PASSWORD", "value": canary}],
            "token": canary,
        }
    return [spread(one, canary) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", BODIES, ids=name_of)
def test_what_nobody_has_named_is_not_kept_wherever_it_stands(path: Path) -> None:
    body = spread(json.loads(path.read_text()), "canary")
    shown = json.dumps(kept(parse("", body).kind, body))
    assert "canary" not in shown
    assert "@" not in shown.replace("git@", "")


@pytest.mark.parametrize("kind", [*KEPT, "unknown"])
@pytest.mark.parametrize("odd", [{"a": "canary"}, ["canary"], [["canary"]], [{"a": "canary"}]])
def test_an_object_where_a_plain_value_belongs_is_not_kept(kind: str, odd: Any) -> None:
    body = dict.fromkeys(KEPT.get(kind, KEPT["push"]), odd)
    assert "canary" not in json.dumps({**kept(kind, body), "commits": None})


def test_of_push_options_only_those_that_skip_ci_are_kept() -> None:
    options = {"ci": {"skip": True, "variable": {"TOKEN=canary": 1}}, "mr": {"title": "canary"}}
    assert kept("push", {"push_options": options}) == {"push_options": {"ci": {"skip": True}}}


def test_of_an_event_that_nobody_knows_only_what_and_where_it_is_is_kept() -> None:
    body = {"object_kind": "new", "project": {"id": 3, "path_with_namespace": "a/b", "token": "x"}, "ref": "main"}
    assert kept("new", body) == {"object_kind": "new", "project": {"id": 3, "path_with_namespace": "a/b"}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda one: (
        st.lists(one, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "message", "added", "title"]) | st.text(max_size=3), one, max_size=4)
    ),
    max_leaves=8,
)


@example(kind="push", body={"commits": [{"added": {"a": 1}}]})
@settings(deadline=None, max_examples=200)
@given(
    kind=st.sampled_from(READ_AGAIN),
    body=st.dictionaries(st.sampled_from(sorted({*KEPT["push"], *KEPT["merge_request"]})), JSON, max_size=8),
)
def test_any_body_means_the_same_when_it_is_read_again(kind: str, body: dict[str, Any]) -> None:
    body |= {"object_kind": kind}
    before = parse("", body)
    after = parse("", kept(before.kind, body))
    options: dict[str, Any] = {"push_options": {}}
    assert _without(after, options) == _without(before, options)


def _without(event: Any, more: dict[str, Any]) -> Any:
    return {name: more.get(name, getattr(event, name)) for name in event.__slots__}
