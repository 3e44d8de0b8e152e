import asyncio
import time
from typing import Any

import httpx
import pytest

from gitlab_hub.storage.ports import StorageUnavailable
from gitlab_hub.webhooks.hooks import removal
from tests.fakes.faults import BEFORE_OR_AFTER, Plan
from tests.fakes.gitlab import answer
from tests.fakes.gitlab_hooks import says
from tests.fakes.hooks import INTEGRATION, secrets
from tests.functional.webhooks.hooks_hub import OTHER, PATH, PROJECT, HooksHub


def test_a_removed_hook_is_gone_in_gitlab_and_can_no_longer_be_found() -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    stranger = hub.gitlab.hang(3)
    assert hub("DELETE", f"{PATH}/{hook_id}") == (200, {"ok": True})
    assert set(hub.gitlab.hooks) == {stranger}
    assert hub.store.get(hook_id) is None
    assert hub.store.by_fingerprint(secrets().fingerprint(secrets().token(hook_id, 1))) is None
    assert hub("DELETE", f"{PATH}/{hook_id}")[0] == 404


def test_a_hook_that_gitlab_has_lost_can_be_removed() -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    hub.gitlab.hooks.clear()
    assert hub("DELETE", f"{PATH}/{hook_id}")[0] == 200


@pytest.mark.parametrize(("status", "code"), [(403, "maintainer_required"), (500, "gitlab_unavailable")])
def test_a_hook_that_gitlab_keeps_stays_known(status: int, code: str) -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    hub.gitlab.plan = Plan(at=1, error=says(status, {"message": "no"}))
    assert hub("DELETE", f"{PATH}/{hook_id}")[1]["code"] == code
    assert hub.store.get(hook_id) is not None


@BEFORE_OR_AFTER
def test_removing_an_unfinished_hook_takes_out_what_was_made_and_no_other(applied: bool) -> None:
    hub = HooksHub()
    stranger = hub.gitlab.hang(3)
    hub.gitlab.plan = Plan(at=3, error=lambda: httpx.ReadTimeout("late"), applied=applied)
    assert hub("POST", PATH, PROJECT)[0] == 502
    hub.heal()
    assert len(hub.gitlab.hooks) == 1 + applied
    assert hub("DELETE", f"{PATH}/{hub.hooks()[0].id}")[0] == 200
    assert set(hub.gitlab.hooks) == {stranger}


def test_every_secret_of_a_removed_hook_is_forgotten() -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    for _ in range(3):
        hub("POST", f"{PATH}/{hook_id}/rotate", {})
    hub("DELETE", f"{PATH}/{hook_id}")
    assert [row["sk"] for row in hub.rows.dump()] == [f"GONE#{hook_id}"]


def test_a_repeated_registration_does_not_bring_a_removed_hook_back() -> None:
    hub = HooksHub()
    _, body = hub("POST", PATH, PROJECT, key="k1")
    hub("DELETE", f"{PATH}/{body['webhook']['id']}")
    assert hub("POST", PATH, PROJECT, key="k1")[0] == 404
    assert (hub.gitlab.hooks, hub.hooks()) == ({}, [])


def test_an_integration_that_goes_takes_all_its_hooks_along_and_no_other() -> None:
    hub = HooksHub()
    for number in range(3, 8):
        hub.register(target=number)
    hub.register(mode="manual")
    _, other = hub("POST", PATH.replace(INTEGRATION, OTHER), PROJECT)
    assert hub.feature.removal.remove_all(INTEGRATION) == (5, [])
    assert [row["url"] for row in hub.gitlab.hooks.values()] == [other["webhook"]["url"]]
    assert hub.hooks() == []
    assert hub.feature.removal.remove_all(INTEGRATION) == (0, [])


def test_hooks_that_are_to_stay_in_gitlab_are_forgotten_here() -> None:
    hub = HooksHub()
    hub.register()
    hub.register(target=4, mode="manual")
    there = dict(hub.gitlab.hooks)
    hub.feature.removal.delete_rows(INTEGRATION)
    assert hub.gitlab.hooks == there
    assert {row["sk"].partition("#")[0] for row in hub.rows.dump()} == {"GONE"}


def test_hooks_that_stay_in_gitlab_are_named_and_forgotten() -> None:
    hub = HooksHub()
    ids = [hub.register(target=number)["id"] for number in range(3, 6)]
    hub.gitlab.plan = Plan(at=2, error=says(500, {"message": "500"}))
    deleted, failed = hub.feature.removal.remove_all(INTEGRATION)
    assert (deleted, len(failed)) == (2, 1)
    assert set(failed) < set(ids)
    assert hub.hooks() == []


@pytest.mark.parametrize("fault", [lambda: httpx.ConnectError("no"), lambda: answer(401, {"message": "401"})])
def test_a_gitlab_that_cannot_be_reached_keeps_no_integration(fault: Any) -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    hub.gitlab.plan = Plan(at=1, error=fault, repeat=True)
    assert hub.feature.removal.remove_all(INTEGRATION) == (0, [hook_id])
    assert hub.hooks() == []


def test_an_integration_without_a_credential_can_go() -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    del hub.gitlabs.connections[INTEGRATION]
    assert hub.feature.removal.remove_all(INTEGRATION) == (0, [hook_id])


def test_a_secret_that_cannot_be_read_keeps_no_hook() -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]

    def unavailable(integration_id: str) -> Any:
        raise StorageUnavailable(f"Try {integration_id} again.")

    hub.gitlabs.connection = unavailable  # type: ignore[method-assign]  # the store of secrets is away
    assert hub.feature.removal.remove_all(INTEGRATION) == (0, [hook_id])
    assert hub.hooks() == []


def test_a_slow_gitlab_gets_no_more_than_the_time_there_is() -> None:
    hub = HooksHub()
    ids = {hub.register(target=number)["id"] for number in (3, 4)}
    slow = hub.gitlab.hooks[501]["url"]
    really = hub.gitlab._really

    async def stuck(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/501"):
            await asyncio.sleep(60)
        return await really(request)

    hub.gitlab._really = stuck  # type: ignore[method-assign]  # one of two calls hangs
    quick = removal.HookRemoval(hub.feature._locks, hub.feature._runner, seconds=0.2)
    began = time.monotonic()
    deleted, failed = quick.remove_all(INTEGRATION)
    # The client alone would wait for eight seconds.
    assert time.monotonic() - began < 5
    assert (deleted, failed) == (1, [slow.rpartition("/")[2]])
    assert set(failed) < ids
    assert removal.ALL_SECONDS <= 15
