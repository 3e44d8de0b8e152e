"""A token with a canary in it: whatever happens, it is in no log line, row, message, error or note."""

import logging

import httpx
import pytest

from gitlab_hub.sync.ports import Kind
from stand_in_gitlab.process import Running
from tests.fakes.sync_worker import SyncHub
from tests.integration.sync.conftest import BOTH, KINDS

CANARY = "canary7d1f"
TOKEN = f"glpat-{CANARY}-0123456789"


@pytest.fixture
def hub(company: Running) -> SyncHub:
    company.control("DELETE", "faults")
    company.change("add_token", name="canary", user_id=1, scopes=["api"], value=TOKEN)
    return SyncHub(company, "canary")


def traces(hub: SyncHub, log: pytest.LogCaptureFixture) -> str:
    """Everything a hub leaves behind."""
    rows = [table.dump() for table in (hub.state, *hub.rows.values())]
    queues = [queue.sent for queue in hub.queues.values()]
    runs = [hub.service.view("i1"), *(hub.run(kind) for kind in BOTH)]
    lines = [f"{record.getMessage()} {record.__dict__} {record.exc_info}" for record in log.records]
    return f"{rows!r}{queues!r}{runs!r}{log.text}{lines}{hub.targets.verdicts}"


FAULTS: list[dict[str, object]] = [
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 403},
    {"kind": "status", "status": 404},
    {"kind": "unauthorized"},
    {"kind": "html_200"},
    {"kind": "truncated"},
    {"kind": "reset"},
    {"kind": "broken_json"},
    {"kind": "deep_json", "depth": 2_000},
    {"kind": "foreign_link"},
    {"kind": "redirect"},
]


def without_kind(rule: dict[str, object]) -> dict[str, object]:
    """The rest of a rule."""
    return {name: value for name, value in rule.items() if name != "kind"}


@KINDS
def test_the_canary_is_nowhere(hub: SyncHub, kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    seen: set[str] = set()

    def watch(request: httpx.Request) -> httpx.Request:
        seen.add(request.headers["authorization"])
        assert CANARY not in str(request.url)
        return request

    hub.watch = watch
    for rule in FAULTS:
        for skip in (0, 5):
            number = hub.server.fault(str(rule["kind"]), path="^/api/v4/", skip=skip, times=0, **without_kind(rule))
            hub.sync(kind)
            assert CANARY not in traces(hub, caplog), (rule, skip)
            hub.server.control("DELETE", f"faults/{number}")
    assert seen == {f"Bearer {TOKEN}"}
    assert caplog.records, "the capture is not connected"


@KINDS
def test_a_server_that_echoes_the_token_puts_it_nowhere(
    hub: SyncHub, kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    # This library logs raw headers at DEBUG; the functions keep it at WARNING (web/telemetry.py, tested there).
    caplog.set_level(logging.WARNING, logger="httpcore")
    hub.sync(kind)
    hub.server.fault("redirect", path="^/api/v4/", times=0, location=f"https://evil.example/?private_token={TOKEN}")
    hub.sync(kind)
    assert CANARY not in traces(hub, caplog)


@KINDS
def test_the_canary_is_not_in_what_a_crash_shows(hub: SyncHub, kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def crash(request: httpx.Request) -> httpx.Request:
        raise RuntimeError("a bug, at the deepest point there is")

    hub.watch = crash
    with pytest.raises(RuntimeError) as shown:
        hub.sync(kind)
    chain, error = [], shown.value
    while error is not None:
        chain.append(repr(error))
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    assert CANARY not in "".join(chain) + traces(hub, caplog)


def test_a_token_that_is_no_token_is_not_shown_either(hub: SyncHub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    hub.targets.token = f"glpat-{CANARY}\r\nX-Injected: 1"
    hub.sync(Kind.ACCESS)
    assert hub.requests == []
    assert CANARY not in traces(hub, caplog)
