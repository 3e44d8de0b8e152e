"""Whatever goes wrong at whichever request: no row is lost, none is removed wrongly, and the next runs converge."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pytest

from gitlab_hub.gitlab.client import ClientOptions
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from stand_in_gitlab.process import Running
from tests.fakes.faults import a_third
from tests.fakes.sync_worker import SyncHub
from tests.integration.sync.company_changes import synced_before
from tests.integration.sync.conftest import BOTH, KINDS
from tests.integration.sync.stored_rows import View, lost, stored, truth

FOR_EVER = 0
TRIED_AGAIN = {"status", "html_502", "truncated", "reset", "broken_json", "rate_limited"}
"""Faults that the client itself tries to overcome, three times in all."""

FAILING: list[dict[str, Any]] = [{"kind": "status", "status": 500}, {"kind": "unauthorized"}, {"kind": "truncated"}]
BOMB = {"kind": "gzip_bomb", "size": 12_000_000}
DEEP = {"kind": "deep_json", "depth": 5_000}
LASTING: list[dict[str, Any]] = [
    {"kind": "status", "status": 503},
    {"kind": "html_502"},
    {"kind": "html_200"},
    {"kind": "reset"},
    BOMB,
    DEEP,
    {"kind": "broken_json"},
    {"kind": "redirect"},
    {"kind": "looped_link"},
    {"kind": "foreign_link"},
]
PASSING: list[dict[str, Any]] = [
    {"kind": "status", "status": 500},
    {"kind": "html_502"},
    {"kind": "html_200"},
    {"kind": "truncated"},
    {"kind": "reset"},
    {"kind": "broken_json"},
    DEEP,
    {"kind": "redirect"},
    BOMB,
    {"kind": "looped_link"},
    {"kind": "foreign_link"},
    {"kind": "rate_limited", "retry_after": 1},
    {"kind": "rate_limited", "retry_after": 600},
    {"kind": "endpoint_limited"},
]


class Past(NamedTuple):
    """A hub that has synced, what it had then, and what GitLab has had since."""

    hub: SyncHub
    before: dict[Kind, View]
    now: dict[Kind, View]
    requests: dict[Kind, int]


@pytest.fixture(scope="module")
def past(company: Running) -> Past:
    hub, before = synced_before(company)
    requests = {}
    for kind in BOTH:
        undisturbed = hub.clone()
        assert undisturbed.sync(kind).status is RunStatus.IDLE
        requests[kind] = len(undisturbed.requests)
    return Past(hub, before, {kind: truth(hub, kind) for kind in BOTH}, requests)


@pytest.fixture(autouse=True)
def _healthy(server: Running) -> Iterator[None]:
    yield
    server.control("DELETE", "faults")


def assert_nothing_is_lost(past: Past, kind: Kind, rule: dict[str, Any], *, at: int, times: int, **options: Any) -> Run:
    """Sync while a fault strikes from the given request on, then once more without it; check both."""
    hub = past.hub.clone()
    hub.options = ClientOptions(**options)
    number = hub.server.fault(path="^/api/v4/", skip=at, times=times, **rule)
    suffered = hub.sync(kind)
    assert lost(past.before[kind], stored(hub, kind), past.now[kind]) == [], (rule, at)
    # A run that claims to have gone well must have.
    assert suffered.status is RunStatus.FAILED or stored(hub, kind) == past.now[kind], (rule, at, suffered)
    hub.server.control("DELETE", f"faults/{number}")
    converged = hub.sync(kind)
    assert (converged.status, stored(hub, kind)) == (RunStatus.IDLE, past.now[kind]), (rule, at, suffered)
    return suffered


def some(count: int, *, nth: int) -> Sequence[int]:
    """The first request, and one in the middle or the last."""
    return (0, count // 2 if nth % 2 else count - 1)


@KINDS
@pytest.mark.parametrize("rule", FAILING, ids=str)
def test_a_gitlab_that_fails_for_good_at_any_request(past: Past, kind: Kind, rule: dict[str, Any]) -> None:
    for at in a_third(past.requests[kind], first=FAILING.index(rule)):
        assert_nothing_is_lost(past, kind, rule, at=at, times=FOR_EVER, tries=1)


@KINDS
@pytest.mark.parametrize(
    "rule",
    LASTING,
    ids=lambda rule: str(rule.get("kind")),
)
def test_other_faults_for_good(past: Past, kind: Kind, rule: dict[str, Any]) -> None:
    for at in some(past.requests[kind], nth=LASTING.index(rule)):
        assert_nothing_is_lost(past, kind, rule, at=at, times=FOR_EVER, tries=1)


@KINDS
@pytest.mark.parametrize(
    "rule",
    PASSING,
    ids=lambda rule: f"{rule['kind']} {rule.get('retry_after', '')}".strip(),
)
def test_a_passing_fault_does_not_even_end_the_run(past: Past, kind: Kind, rule: dict[str, Any]) -> None:
    longer_than_a_call = 4 if rule["kind"] in TRIED_AGAIN else 2
    for at in some(past.requests[kind], nth=PASSING.index(rule)):
        run = assert_nothing_is_lost(past, kind, rule, at=at, times=longer_than_a_call)
        assert run.status is RunStatus.IDLE, (at, run)


@KINDS
def test_a_single_401_does_not_end_the_run(past: Past, kind: Kind) -> None:
    for at in a_third(past.requests[kind], first=2):
        assert assert_nothing_is_lost(past, kind, {"kind": "unauthorized"}, at=at, times=1).status is RunStatus.IDLE


@KINDS
def test_a_dripping_answer_is_left_at_the_deadline(past: Past, kind: Kind) -> None:
    rule = {"kind": "drip", "seconds": 0.2}
    for at in some(past.requests[kind], nth=1):
        assert assert_nothing_is_lost(past, kind, rule, at=at, times=1, deadline=1.0).status is RunStatus.IDLE
