"""What becomes of a hint, by what went wrong: done, dropped, put off, or delivered again. Never lost, never a loop."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from gitlab_hub.gitlab.errors import (
    Forbidden,
    HostNotAllowed,
    HostUnreachable,
    InsufficientScope,
    NotGitLab,
    RateLimited,
    ResourceNotFound,
    TlsError,
    Unauthorized,
    Unavailable,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.rates import RateFacts
from gitlab_hub.storage.ports import QueueUnavailable, StorageUnavailable, Table, UnknownMessage
from gitlab_hub.sync.engine import Engine
from gitlab_hub.sync.hints.handler import MOST_TRIES
from gitlab_hub.sync.message import Hint
from gitlab_hub.sync.ports import Kind, Session
from gitlab_hub.sync.rate_limit import SharedLimiter
from gitlab_hub.sync.worker import Purger, Worker
from tests.fakes.engine import TARGET
from tests.fakes.faults import Plan, faulty
from tests.fakes.hints import HintWorker
from tests.fakes.scripted_client import ScriptedClient
from tests.fakes.table import MemoryTable

HINT = {"integration_id": "i1", "project_id": 7, "pipeline_id": 70}
HEEDED: Table = MemoryTable()
MESSAGE: dict[str, Any] = {"schema": 1, "hint": HINT}

FINAL = [Unauthorized, Forbidden, InsufficientScope, ResourceNotFound, HostNotAllowed, TlsError]
PASSING = [Unavailable, HostUnreachable, UnexpectedResponse, NotGitLab]


class Attentive:
    """A feature that does as the test says, and keeps what it heard."""

    kind = Kind.PIPELINES

    def __init__(self, react: Callable[[Session], Any] = lambda _: None) -> None:
        self.react, self.heard, self.table = react, list[Hint](), HEEDED

    async def refresh(self, session: Session, hint: Hint) -> None:
        """Hear, and react."""
        self.heard.append(hint)
        answer = self.react(session)
        if isinstance(answer, BaseException):
            raise answer
        if answer is not None:
            await answer


@pytest.fixture
def hint_worker() -> HintWorker:
    return HintWorker(Kind.PIPELINES, MemoryTable(), ScriptedClient({}), TARGET)


def marks(hint_worker: HintWorker) -> list[Any]:
    """What the worker's table holds, which is marks only."""
    return hint_worker.table.query("i1#hints").items


def handle(hint_worker: HintWorker, feature: Attentive, message: dict[str, Any] = MESSAGE, **views: Any) -> None:
    hint_worker.handler(feature=feature, **views).handle(message, remaining=hint_worker.remaining)


def test_a_hint_is_heard_once_and_its_mark_is_gone(hint_worker: HintWorker) -> None:
    hint_worker.pipelines.pipeline("i1", 7, 70)
    [message] = hint_worker.queue.take()
    left: list[int] = []
    feature = Attentive(lambda _: left.append(len(marks(hint_worker))))
    handle(hint_worker, feature, message)
    assert (feature.heard, left, hint_worker.queue.sent) == ([HINT], [0], []), "taken before GitLab is asked"


def test_what_happens_while_a_hint_is_processed_makes_another_message(hint_worker: HintWorker) -> None:
    handle(hint_worker, Attentive(lambda _: hint_worker.pipelines.pipeline("i1", 7, 70)))
    assert hint_worker.queue.bodies == [MESSAGE]


def test_a_message_without_a_mark_is_processed_all_the_same(hint_worker: HintWorker) -> None:
    feature = Attentive()
    handle(hint_worker, feature)
    handle(hint_worker, feature)
    assert feature.heard == [HINT, HINT], "a worker may have died with the mark in its hands"


@pytest.mark.parametrize("error", FINAL)
def test_a_definite_answer_ends_a_hint_quietly(hint_worker: HintWorker, error: type[Forbidden]) -> None:
    handle(hint_worker, Attentive(lambda _: error("no")))
    assert (hint_worker.queue.sent, hint_worker.targets.verdicts) == ([], []), "the verdict is the next run's"


@pytest.mark.parametrize("error", PASSING)
def test_trouble_that_may_pass_puts_a_hint_off(hint_worker: HintWorker, error: type[Unavailable]) -> None:
    handle(hint_worker, Attentive(lambda _: error("trouble")))
    [sent] = hint_worker.queue.sent
    assert (sent.body, sent.delay_seconds) == ({**MESSAGE, "tries": 1}, 10)
    assert len(marks(hint_worker)) == 1, "later hints wait for this message"


def test_a_hint_waits_as_long_as_gitlab_says(hint_worker: HintWorker) -> None:
    handle(hint_worker, Attentive(lambda _: RateLimited("later", retry_after=240)))
    assert hint_worker.queue.sent[0].delay_seconds == 240
    handle(hint_worker, Attentive(lambda _: RateLimited("later", retry_after=86_400)), hint_worker.queue.take()[0])
    assert hint_worker.queue.sent[0].delay_seconds == 900, "what a queue holds back at most"


def test_waits_grow_and_come_to_an_end(hint_worker: HintWorker) -> None:
    feature, waits = Attentive(lambda _: Unavailable("down")), []
    hint_worker.queue.send(MESSAGE)
    while waiting := hint_worker.queue.sent:
        waits.append(waiting[0].delay_seconds)
        handle(hint_worker, feature, hint_worker.queue.take()[0])
    assert waits[:9] == [0, 10, 20, 40, 80, 160, 320, 640, 900]
    assert (len(feature.heard), 2_000 < sum(waits) < 3_600) == (MOST_TRIES, True)


def test_a_hint_that_is_put_off_meets_a_newer_message_and_leaves_it_the_work(hint_worker: HintWorker) -> None:
    def react(_: Session) -> Unavailable:
        hint_worker.pipelines.pipeline("i1", 7, 70)
        return Unavailable("down")

    handle(hint_worker, Attentive(react))
    assert hint_worker.queue.bodies == [MESSAGE], "one message, however long the trouble lasts"


def test_little_time_puts_a_hint_off(hint_worker: HintWorker) -> None:
    hint_worker.remaining = lambda: 5.0
    handle(hint_worker, Attentive(lambda session: session.io(lambda: None)))
    assert hint_worker.queue.bodies == [{**MESSAGE, "tries": 1}]


def test_a_paused_or_removed_integration_drops_its_hints(hint_worker: HintWorker) -> None:
    hint_worker.pipelines.pipeline("i1", 7, 70)
    hint_worker.targets.only = None
    feature = Attentive()
    handle(hint_worker, feature, hint_worker.queue.take()[0])
    assert (feature.heard, hint_worker.queue.sent, marks(hint_worker)) == ([], [], [])


@pytest.mark.parametrize("after", [None, replace(TARGET, credential_id="c2"), replace(TARGET, group="acme")])
def test_nothing_is_written_for_an_integration_that_has_changed(hint_worker: HintWorker, after: Any) -> None:
    written: list[int] = []

    async def change_and_write(session: Session) -> None:
        hint_worker.targets.only = after
        await session.write(written.append, 1)

    handle(hint_worker, Attentive(change_and_write))
    assert written == []
    feature = Attentive()
    handle(hint_worker, feature, hint_worker.queue.take()[0])
    assert (len(feature.heard), hint_worker.queue.sent) == (int(after is not None), [])


def test_a_store_that_is_down_puts_a_hint_off(hint_worker: HintWorker) -> None:
    handle(hint_worker, Attentive(lambda _: StorageUnavailable("down")))
    assert hint_worker.queue.bodies == [{**MESSAGE, "tries": 1}]


def test_a_queue_that_is_down_too_has_the_message_delivered_again(hint_worker: HintWorker) -> None:
    queue = faulty(hint_worker.queue, Plan(at=1, error=QueueUnavailable))
    with pytest.raises(QueueUnavailable):
        handle(hint_worker, Attentive(lambda _: Unavailable("down")), queue=queue)
    assert marks(hint_worker) == [], "no mark without a message"


def test_a_mark_that_cannot_be_taken_away_has_the_message_delivered_again(hint_worker: HintWorker) -> None:
    hint_worker.pipelines.pipeline("i1", 7, 70)
    feature, table = Attentive(), faulty(hint_worker.table, Plan(at=1, error=lambda: StorageUnavailable("down")))
    with pytest.raises(StorageUnavailable):
        handle(hint_worker, feature, hint_worker.queue.take()[0], table=table)
    assert feature.heard == []


def limiter(hint_worker: HintWorker) -> SharedLimiter:
    return SharedLimiter(hint_worker.state, host="gitlab.example", user_id=7, now=lambda: hint_worker.now)


def test_an_allowance_that_others_have_spent_is_known_before_the_first_request(hint_worker: HintWorker) -> None:
    other = limiter(hint_worker)
    other.observe("other", RateFacts(limited=True, retry_after=300, limit=60))
    other.exchange()
    handler = hint_worker.handler()
    limits: Any = handler.connect(TARGET).limiter
    feature = Attentive(lambda _: limits.acquire("other"))
    replace(handler, feature=feature).handle(MESSAGE, remaining=hint_worker.remaining)
    [sent] = hint_worker.queue.sent
    assert (sent.delay_seconds, sent.body["tries"]) == (300, 1)


def test_what_a_hint_has_learnt_of_the_allowance_others_know(hint_worker: HintWorker) -> None:
    handler = hint_worker.handler()
    limits: Any = handler.connect(TARGET).limiter

    def react(_: Session) -> RateLimited:
        limits.observe("other", RateFacts(limited=True, retry_after=300, limit=60))
        return RateLimited("later", retry_after=300)

    replace(handler, feature=Attentive(react)).handle(MESSAGE, remaining=hint_worker.remaining)
    hint_worker.queue.take()
    other = limiter(hint_worker)
    other.exchange()
    waits = Attentive(lambda _: cast("Any", other.acquire("other")))
    replace(handler, feature=waits).handle(MESSAGE, remaining=hint_worker.remaining)
    assert hint_worker.queue.sent[0].delay_seconds == 300


def worker(hint_worker: HintWorker, feature: Attentive | None) -> Worker:
    hints = None if feature is None else hint_worker.handler(feature=feature)
    return Worker(cast("Engine", None), cast("Purger", None), hints)


def test_a_hint_is_a_third_kind_of_message(hint_worker: HintWorker) -> None:
    feature = Attentive()
    worker(hint_worker, feature)(MESSAGE, remaining=hint_worker.remaining)
    assert feature.heard == [HINT]


@pytest.mark.parametrize(
    "hint", [{"integration_id": "i1"}, {"integration_id": "i1", "project_id": 7, "runner_id": 3}, {**HINT, "more": 1}]
)
def test_hints_of_a_later_release_wait_in_the_dead_letter_queue(hint_worker: HintWorker, hint: dict[str, Any]) -> None:
    feature = Attentive()
    with pytest.raises(UnknownMessage):
        worker(hint_worker, feature)({"schema": 1, "hint": hint}, remaining=hint_worker.remaining)
    for message in ({"schema": 2, "hint": HINT}, MESSAGE):
        with pytest.raises(UnknownMessage):
            worker(hint_worker, None)(message, remaining=hint_worker.remaining)
    assert feature.heard == []
