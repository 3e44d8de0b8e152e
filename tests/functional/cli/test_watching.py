"""Following syncs and deliveries: to their end, through a network that is away, until Ctrl-C."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.store import RunStore
from hub_cli.invocation import Invocation
from hub_cli.watching import PATIENCE
from tests.functional.cli.command_line import CommandLine

ERROR = {"code": "invalid_permissions", "hint": "Give the token the scope read_api."}


@pytest.fixture
def following(hub: CommandLine) -> CommandLine:
    """A shell at a hub whose accounts sync has just been asked for."""
    change(hub, status=RunStatus.IDLE, last_error=None)
    return hub


def change(hub: CommandLine, **how: object) -> None:
    """Let a worker have changed the run of access."""
    runs = RunStore(hub.hub.tables["integrations"])
    run: Run = replace(runs.load(hub.hub.own, Kind.ACCESS), **how)  # type: ignore[arg-type]  # the fields of a run
    runs.save(run)


def then(hub: CommandLine, *steps: Callable[[], None]) -> None:
    """Let these happen one after another, each while the command waits."""
    left = list(steps)
    hub.when_slept = lambda: left.pop(0)() if left else None


def test_a_sync_is_followed_to_its_end(following: CommandLine) -> None:
    then(
        following,
        lambda: change(following, status=RunStatus.RUNNING, done=3, total=10),
        lambda: change(following, status=RunStatus.IDLE, done=10, finished_at=int(following.clock)),
    )
    ended = following("sync", "--watch", "--kind", "access")
    assert (ended.code, ended.err.splitlines()[1:]) == (0, ["access: queued", "access: running", "access: idle"])
    assert "access  idle      10  10" in ended.out


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.SUSPECT])
def test_a_sync_that_fails_wants_attention_and_says_what_to_do(following: CommandLine, status: RunStatus) -> None:
    then(following, lambda: change(following, status=status, last_error=ERROR))
    ended = following("sync", "-w", "--kind", "access", "-o", "json")
    told = json.loads(ended.out)["kinds"]["access"]
    assert (ended.code, told["status"], told["last_error"]) == (4, status, ERROR)
    shown = following("sync", "--status")
    assert (shown.code, "Give the token the scope read_api." in shown.out) == (0, True)


def test_one_that_is_under_way_is_followed_instead_of_asked_for_again(following: CommandLine) -> None:
    change(following, status=RunStatus.RUNNING)
    then(following, lambda: change(following, status=RunStatus.IDLE))
    ended = following("sync", "--watch", "--kind", "access")
    assert (ended.code, "under way already" in ended.err) == (0, True)


def test_a_rate_limit_is_told_with_its_end(following: CommandLine) -> None:
    until = int(following.clock) + 300
    then(
        following,
        lambda: change(following, status=RunStatus.PARKED, parked_until=until),
        lambda: change(following, status=RunStatus.IDLE, parked_until=0),
    )
    assert "access: parked until 2026-" in following("sync", "--watch", "--kind", "access").err


def test_a_network_that_is_away_for_a_while_ends_no_watching(following: CommandLine) -> None:
    def go_away() -> None:
        following.network.faults = [httpx.ConnectError("refused") for _ in range(4)]
        following.network.faults.append(httpx.Response(503, json={"message": "Service Unavailable"}))
        change(following, status=RunStatus.IDLE)

    then(following, go_away)
    ended = following("sync", "--watch", "--kind", "access")
    assert (ended.code, "Nothing answers at hub.example.com. Trying again …" in ended.err) == (0, True)
    assert ended.err.splitlines()[-1] == "access: idle"


def test_a_network_that_stays_away_ends_it_at_last(following: CommandLine) -> None:
    def go_away() -> None:
        following.network.faults = [httpx.ConnectError("refused") for _ in range(2000)]

    then(following, go_away)
    started = following.clock
    ended = following("sync", "--watch", "--kind", "access")
    assert (ended.code, "Is the hub running" in ended.err) == (3, True)
    assert PATIENCE < following.clock - started < PATIENCE + 60


def test_a_token_that_is_revoked_meanwhile_ends_it_at_once(following: CommandLine) -> None:
    then(following, lambda: following.network.faults.append(_unauthorized()))
    assert following("sync", "--watch", "--kind", "access").code == 1


def test_ctrl_c_ends_the_watching_and_not_the_sync(following: CommandLine) -> None:
    then(following, lambda: following.network.faults.append(_interrupt))
    ended = following("sync", "--watch", "--kind", "access")
    assert (ended.code, "No longer watching; it goes on by itself." in ended.err, "Traceback" in ended.err) == (
        130,
        True,
        False,
    )


def test_a_terminal_sees_bars(following: CommandLine) -> None:
    then(following, lambda: change(following, status=RunStatus.IDLE, done=7, total=7))
    ended = following("sync", "--watch", "--kind", "access", terminal={})
    assert (ended.code, "7/7" in ended.everything) == (0, True)


def test_ctrl_c_ends_every_other_command_quietly_too(hub: CommandLine) -> None:
    hub.network.faults = [_interrupt]
    ended = hub("people")
    assert (ended.code, "Traceback" in ended.err) == (130, False)


def test_deliveries_are_told_once_each_when_they_are_done_with(hub: CommandLine) -> None:
    one = _delivery(hub)
    other = {**one, "id": "dlv_2", "build_ids": ["bld_1", "bld_2"], "reasons": [], "status": "handled"}
    waiting, ignored = {**one, "status": "pending"}, {**one, "status": "ignored", "reasons": ["trg_1: skip_ci_message"]}
    away = [httpx.ConnectError("refused") for _ in range(4)]
    del hub.environ["HUB_INTEGRATION"]
    hub.network.faults = [_page(waiting), _page(ignored), *away, _page(other, ignored), _interrupt]
    ended = hub("deliveries", "tail", "--event", "push")
    assert (ended.code, ended.out.splitlines()) == (130, [
        f"{one['id']}  push  main  ignored  skip ci message",
        "dlv_2  push  main  handled  2 builds",
    ])  # fmt: skip
    assert "Nothing answers at hub.example.com." in ended.err


@pytest.mark.parametrize("first", ["pending", "none"])
def test_a_tail_looks_back_to_what_it_has_not_shown_yet(hub: CommandLine, first: str) -> None:
    came = int(hub.clock) + 1
    one = {**_delivery(hub), "id": "dlv_1", "received_at": came, "status": "handled", "build_ids": [], "reasons": []}
    hub.when_slept = lambda: setattr(hub, "clock", hub.clock + 100)  # it takes its time, or the network was away
    before = _page({**one, "status": "pending"}) if first == "pending" else _page()
    away = [httpx.ConnectError("refused") for _ in range(4)]
    del hub.environ["HUB_INTEGRATION"]
    hub.network.faults = [before, *away, _page(one), _page(one), _interrupt]
    ended = hub("deliveries", "tail")
    since = [int(request.url.params["since"]) for request in hub.network.requests]
    assert [line.split()[0] for line in ended.out.splitlines()] == ["dlv_1"]
    assert since[5] <= came < since[-1], since


def test_a_tail_does_not_wait_for_one_delivery_for_ever(hub: CommandLine) -> None:
    one = {**_delivery(hub), "received_at": int(hub.clock), "status": "pending"}
    hub.when_slept = lambda: setattr(hub, "clock", hub.clock + 3600)
    del hub.environ["HUB_INTEGRATION"]
    hub.network.faults = [_page(one), _page(one), _page(one), _interrupt]
    hub("deliveries", "tail")
    since = [int(request.url.params["since"]) for request in hub.network.requests]
    assert since[-1] >= hub.clock - 3700


def _delivery(hub: CommandLine) -> dict[str, Any]:
    told: dict[str, Any] = hub.hub("GET", f"/v1/deliveries/{hub.hub.ids['delivery_id']}")[1]["delivery"]
    return told


def _page(*deliveries: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json={"deliveries": deliveries, "next_cursor": None})


def _interrupt(_request: httpx.Request) -> httpx.Response:
    raise KeyboardInterrupt


def _unauthorized() -> httpx.Response:
    return httpx.Response(401, json={"error": "No.", "code": "unauthorized", "retryable": False, "request_id": "r"})


@pytest.mark.parametrize(
    ("verb", "told", "after"),
    [("accept", "is queued", "queued"), ("reject", "nothing was removed", "idle")],
)
def test_what_a_suspect_sync_would_remove_is_accepted_or_rejected(
    following: CommandLine, verb: str, told: str, after: str
) -> None:
    change(following, status=RunStatus.SUSPECT, suspected={"grants": 40, "accounts": 3}, finished_at=1)
    assert "Add --yes" in following("sync", verb, "access").err
    assert RunStore(following.hub.tables["integrations"]).load(following.hub.own, Kind.ACCESS).suspected
    decided = following("sync", verb, "access", "--yes")
    assert (decided.code, told in decided.out) == (0, True)
    assert json.loads(following("sync", "--status", "-o", "json").out)["kinds"]["access"]["status"] == after
    again = following("sync", verb, "access", "--yes")
    assert (again.code, again.out) == (1, "")


def test_whoever_decides_about_removals_is_told_what_they_are(
    following: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(following, status=RunStatus.SUSPECT, suspected={"grants": 4000, "accounts": 3})
    asked: list[str] = []
    monkeypatch.setattr(Invocation, "confirm", lambda _, question, **__: asked.append(question))
    following("sync", "reject", "access")
    assert asked == ["Keep 4,000 grants, 3 accounts?"]


def test_syncs_that_have_ended_are_listed(following: CommandLine) -> None:
    run = RunStore(following.hub.tables["integrations"])
    run.end(replace(run.load(following.hub.own, Kind.ACCESS), status=RunStatus.SUSPECT, suspected={"grants": 4}))
    assert "access  suspect" in following("sync", "history").out
    assert json.loads(following("sync", "history", "-o", "json").out)[0]["suspected"] == {"grants": 4}
