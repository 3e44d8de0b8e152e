"""Groups and projects that are renamed or moved: ids stay, paths are looked up, and everything goes on."""

from typing import Any

import pytest

from gitlab_hub.gitlab.errors import GitLabError, HostUnreachable, MissingPermissions
from gitlab_hub.webhooks.hooks.gitlab_api import GitLabRunner
from gitlab_hub.webhooks.hooks.scopes import HookScopes
from tests.fakes.gitlab import answer, lacking, project
from tests.fakes.hooks import INTEGRATION
from tests.functional.webhooks.hooks.test_missed_pushes import A, refs
from tests.functional.webhooks.hooks_hub import HooksHub

GROUP = {"scope": "group", "target": "acme", "events": ["push"]}


@pytest.fixture
def hub() -> HooksHub:
    return HooksHub()


def rename(hub: HooksHub, *, group: str = "ember-renamed", **projects: str) -> None:
    """Give the group 1 and some of its projects other paths; nothing answers to the old ones any more."""
    hub.gitlab.script["/groups/1"] = answer(body={"id": 1, "full_path": group})
    hub.gitlab.script["/groups/acme"] = answer(404, {"message": "404 Group Not Found"})
    for name, path in projects.items():
        number = int(name.removeprefix("p"))
        hub.gitlab.script[f"/projects/{number}"] = answer(body={"id": number, "path_with_namespace": path})


def covers(hub: HooksHub, hook_id: str, project_id: int) -> bool:
    return HookScopes(hub.store, GitLabRunner(hub.gitlabs)).covers(INTEGRATION, hook_id, project_id)


def test_a_renamed_group_s_hook_goes_on_speaking_of_its_projects(hub: HooksHub) -> None:
    hook_id = hub.register(**GROUP)["id"]
    rename(hub, p3="ember-renamed/p3", p4="elsewhere/p4")
    assert (covers(hub, hook_id, 3), covers(hub, hook_id, 4)) == (True, False)
    assert (hub.hook(hook_id).target, hub.hook(hook_id).target_id) == ("ember-renamed", 1)


def test_a_project_that_gitlab_does_not_show_is_none_of_a_hook_s(hub: HooksHub) -> None:
    hook_id = hub.register(**GROUP)["id"]
    hub.gitlab.script["/projects/3"] = answer(404, {"message": "404"})
    assert not covers(hub, hook_id, 3)


def test_a_project_is_found_by_a_path_that_it_had_before(hub: HooksHub) -> None:
    there = "https://elsewhere.example/api/v4/projects/3"
    hub.gitlab.script["/projects/acme%2Fold"] = answer(301, location=there)
    made = hub.register(target="acme/old")
    assert (made["target"], hub.hook(made["id"]).target_id) == ("acme/p3", 3)
    assert {request.url.host for request in hub.gitlab.requests} == {"gitlab.example.com"}


def test_where_the_token_may_not_read_groups_the_project_tells_of_the_two_above_it(hub: HooksHub) -> None:
    hook_id = hub.register(**GROUP)["id"]
    hub.gitlab.script["/groups/1"] = lacking("Group: Read", of="group")
    above = {
        3: {"id": 1, "full_path": "ember"},
        4: {"id": 9, "full_path": "ember/tools", "parent_id": 1},
        5: {"id": 8, "full_path": "ember/tools/deep", "parent_id": 9},
    }
    for number, namespace in above.items():
        shown = project(number, path_with_namespace=f"{namespace['full_path']}/p{number}", namespace=namespace)
        hub.gitlab.script[f"/projects/{number}"] = answer(body=shown)
    for number in (3, 4):
        assert covers(hub, hook_id, number)
        assert hub.hook(hook_id).target == "ember"
    with pytest.raises(MissingPermissions):
        covers(hub, hook_id, 5)


@pytest.mark.parametrize("status", [500, 429])
def test_a_gitlab_in_trouble_answers_nothing(hub: HooksHub, status: int) -> None:
    hook_id = hub.register(**GROUP)["id"]
    hub.gitlab.script["/groups/1"] = answer(status, {"message": "no"})
    with pytest.raises(GitLabError) as caught:
        covers(hub, hook_id, 3)
    assert caught.value.retryable
    assert hub.hook(hook_id).target == "acme"


@pytest.mark.parametrize("more", [{}, {"mode": "manual"}])
def test_a_row_that_knows_only_a_path_gets_its_id(hub: HooksHub, more: dict[str, Any]) -> None:
    group, single = hub.register(**GROUP, **more)["id"], hub.register(**more)["id"]
    for hook_id in (group, single):
        hub.store.change(hook_id, lambda one: one.moved_to(None, one.target))
    assert covers(hub, group, 3)
    assert (covers(hub, single, 3), covers(hub, single, 4)) == (True, False)
    assert (hub.hook(group).target_id, hub.hook(single).target_id) == (1, 3)


def test_the_hourly_look_shows_where_hooks_are_by_now(hub: HooksHub) -> None:
    group, single = hub.register(**GROUP)["id"], hub.register()["id"]
    rename(hub, p3="ember-renamed/p3")
    hub.now += 3_600
    hub.health_check.tick(lambda: 600.0)
    assert (hub.hook(group).target, hub.hook(single).target) == ("ember-renamed", "ember-renamed/p3")
    assert {hub.hook(one).status for one in (group, single)} == {"active"}


def test_a_path_that_nobody_can_say_keeps_no_hook_from_being_mended(hub: HooksHub) -> None:
    shown = hub.register()
    hub.gitlab.hooks[shown["gitlab_hook_id"]]["push_events"] = False
    hub.gitlab.script["/projects/3"] = answer(500, {"message": "500"})
    hub.now += 3_600
    assert hub.health_check.tick(lambda: 600.0).repaired == 1
    assert hub.hook(shown["id"]).target == "acme/p3"


def test_the_hourly_look_gives_a_row_its_id(hub: HooksHub) -> None:
    single = hub.register()["id"]
    hub.store.change(single, lambda one: one.moved_to(None, one.target))
    hub.now += 3_600
    assert hub.health_check.tick(lambda: 600.0).looked == 1
    assert (hub.hook(single).target_id, hub.hook(single).status) == (3, "active")


def test_a_renamed_group_s_new_projects_get_their_hooks(hub: HooksHub) -> None:
    hub.gitlab.has_group_hooks = False
    hub.gitlab.script["/groups/1/projects"] = answer(body=[project(3)])
    hook_id = hub.register(**GROUP, fallback="project")["id"]
    rename(hub)
    hub.gitlab.script["/groups/1/projects"] = answer(
        body=[project(number) | {"path_with_namespace": f"ember-renamed/p{number}"} for number in (3, 4)]
    )
    hub.now += 86_400
    hub.health_check.tick(lambda: 600.0)
    assert sorted(hook.target_id or 0 for hook in hub.hooks() if hook.parent_id == hook_id) == [3, 4]


def test_a_project_that_leaves_its_group_loses_the_hook_that_stood_in_for_the_group_s(hub: HooksHub) -> None:
    hub.gitlab.has_group_hooks = False
    hub.gitlab.script["/groups/1/projects"] = answer(body=[project(3), project(4)])
    hook_id = hub.register(**GROUP, fallback="project")["id"]
    rename(hub, p3="ember-renamed/p3", p4="elsewhere/p4")
    hub.now += 3_600
    assert hub.health_check.tick(lambda: 600.0).repaired == 1
    assert [hook.target for hook in hub.hooks() if hook.parent_id == hook_id] == ["ember-renamed/p3"]
    assert [row["_where"][1] for row in hub.gitlab.hooks.values()] == ["3"]
    assert hub.hook(hook_id).target == "ember-renamed"


@pytest.mark.parametrize("more", [{}, {"mode": "manual"}])
def test_a_renamed_group_s_refs_are_watched_on(hub: HooksHub, more: dict[str, Any]) -> None:
    hook_id = hub.register(**GROUP, **more)["id"]
    hub.built[INTEGRATION] = [3, 4, 5]
    for number in (3, 4, 5):
        refs(hub, {"main": A}, number=number)
    rename(hub, p3="ember-renamed/p3", p4="ember-renamed/p4", p5="elsewhere/p5")
    asked = len(hub.gitlab.requests)
    hub.watch.tick(lambda: 600.0)
    watched = [number for number in (3, 4, 5) if hub.feature.refs.get(INTEGRATION, number) is not None]
    assert (watched, hub.hook(hook_id).target) == ([3, 4], "ember-renamed")
    groups = [one for one in hub.gitlab.requests[asked:] if one.url.path.endswith("/groups/1")]
    assert len(groups) == 1


def test_what_nobody_answers_is_unreachable(hub: HooksHub) -> None:
    hook_id = hub.register(**GROUP)["id"]
    hub.gitlab.script["/groups/1"] = HostUnreachable("no")
    with pytest.raises(HostUnreachable):
        covers(hub, hook_id, 3)
