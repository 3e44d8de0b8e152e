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
from tests.fakes.hints import Desk
from tests.fakes.session import ScriptedGitLab
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
def desk() -> Desk:
    return Desk(Kind.PIPELINES, MemoryTable(), ScriptedGitLab({}), TARGET)


def marks(desk: Desk) -> list[Any]:
    """What the desk's table holds, which is marks only."""
    return desk.table.query("i1#hints").items


def handle(desk: Desk, feature: Attentive, message: dict[str, Any] = MESSAGE, **views: Any) -> None:
    desk.handler(feature=feature, **views).handle(message, remaining=desk.remaining)


def test_a_hint_is_heard_once_and_its_mark_is_gone(desk: Desk) -> None:
    desk.pipelines.pipeline("i1", 7, 70)
    [message] = desk.queue.take()
    left: list[int] = []
    feature = Attentive(lambda _: left.append(len(marks(desk))))
    handle(desk, feature, message)
    assert (feature.heard, left, desk.queue.sent) == ([HINT], [0], []), "taken before GitLab is asked"


def test_what_happens_while_a_hint_is_processed_makes_another_message(desk: Desk) -> None:
    handle(desk, Attentive(lambda _: desk.pipelines.pipeline("i1", 7, 70)))
    assert desk.queue.bodies == [MESSAGE]


def test_a_message_without_a_mark_is_processed_all_the_same(desk: Desk) -> None:
    feature = Attentive()
    handle(desk, feature)
    handle(desk, feature)
    assert feature.heard == [HINT, HINT], "a worker may have died with the mark in its hands"


@pytest.mark.parametrize("error", FINAL)
def test_a_definite_answer_ends_a_hint_quietly(desk: Desk, error: type[Forbidden]) -> None:
    handle(desk, Attentive(lambda _: error("no")))
    assert (desk.queue.sent, desk.targets.verdicts) == ([], []), "the verdict is the next run's"


@pytest.mark.parametrize("error", PASSING)
def test_trouble_that_may_pass_puts_a_hint_off(desk: Desk, error: type[Unavailable]) -> None:
    handle(desk, Attentive(lambda _: error("trouble")))
    [sent] = desk.queue.sent
    assert (sent.body, sent.delay_seconds) == ({**MESSAGE, "tries": 1}, 10)
    assert len(marks(desk)) == 1, "later hints wait for this message"


def test_a_hint_waits_as_long_as_gitlab_says(desk: Desk) -> None:
    handle(desk, Attentive(lambda _: RateLimited("later", retry_after=240)))
    assert desk.queue.sent[0].delay_seconds == 240
    handle(desk, Attentive(lambda _: RateLimited("later", retry_after=86_400)), desk.queue.take()[0])
    assert desk.queue.sent[0].delay_seconds == 900, "what a queue holds back at most"


def test_waits_grow_and_come_to_an_end(desk: Desk) -> None:
    feature, waits = Attentive(lambda _: Unavailable("down")), []
    desk.queue.send(MESSAGE)
    while waiting := desk.queue.sent:
        waits.append(waiting[0].delay_seconds)
        handle(desk, feature, desk.queue.take()[0])
    assert waits[:9] == [0, 10, 20, 40, 80, 160, 320, 640, 900]
    assert (len(feature.heard), 2_000 < sum(waits) < 3_600) == (MOST_TRIES, True)


def test_a_hint_that_is_put_off_meets_a_newer_message_and_leaves_it_the_work(desk: Desk) -> None:
    def react(_: Session) -> Unavailable:
        desk.pipelines.pipeline("i1", 7, 70)
        return Unavailable("down")

    handle(desk, Attentive(react))
    assert desk.queue.bodies == [MESSAGE], "one message, however long the trouble lasts"


def test_little_time_puts_a_hint_off(desk: Desk) -> None:
    desk.remaining = lambda: 5.0
    handle(desk, Attentive(lambda session: session.io(lambda: None)))
    assert desk.queue.bodies == [{**MESSAGE, "tries": 1}]


def test_a_paused_or_removed_integration_drops_its_hints(desk: Desk) -> None:
    desk.pipelines.pipeline("i1", 7, 70)
    desk.targets.only = None
    feature = Attentive()
    handle(desk, feature, desk.queue.take()[0])
    assert (feature.heard, desk.queue.sent, marks(desk)) == ([], [], [])


@pytest.mark.parametrize("after", [None, replace(TARGET, credential_id="c2"), replace(TARGET, group="acme")])
def test_nothing_is_written_for_an_integration_that_is_not_the_same_any_more(desk: Desk, after: Any) -> None:
    written: list[int] = []

    async def change_and_write(session: Session) -> None:
        desk.targets.only = after
        await session.write(written.append, 1)

    handle(desk, Attentive(change_and_write))
    assert written == []
    feature = Attentive()
    handle(desk, feature, desk.queue.take()[0])
    assert (len(feature.heard), desk.queue.sent) == (int(after is not None), [])


def test_a_store_that_is_down_puts_a_hint_off(desk: Desk) -> None:
    handle(desk, Attentive(lambda _: StorageUnavailable("down")))
    assert desk.queue.bodies == [{**MESSAGE, "tries": 1}]


def test_a_queue_that_is_down_too_has_the_message_delivered_again(desk: Desk) -> None:
    queue = faulty(desk.queue, Plan(at=1, error=QueueUnavailable))
    with pytest.raises(QueueUnavailable):
        handle(desk, Attentive(lambda _: Unavailable("down")), queue=queue)
    assert marks(desk) == [], "no mark without a message"


def test_a_mark_that_cannot_be_taken_away_has_the_message_delivered_again(desk: Desk) -> None:
    desk.pipelines.pipeline("i1", 7, 70)
    feature, table = Attentive(), faulty(desk.table, Plan(at=1, error=lambda: StorageUnavailable("down")))
    with pytest.raises(StorageUnavailable):
        handle(desk, feature, desk.queue.take()[0], table=table)
    assert feature.heard == []


def limiter(desk: Desk) -> SharedLimiter:
    return SharedLimiter(desk.state, host="gitlab.example", user_id=7, now=lambda: desk.now)


def test_an_allowance_that_others_have_spent_is_known_before_the_first_request(desk: Desk) -> None:
    other = limiter(desk)
    other.observe("other", RateFacts(limited=True, retry_after=300, limit=60))
    other.exchange()
    handler = desk.handler()
    limits: Any = handler.connect(TARGET).limiter
    feature = Attentive(lambda _: limits.acquire("other"))
    replace(handler, feature=feature).handle(MESSAGE, remaining=desk.remaining)
    [sent] = desk.queue.sent
    assert (sent.delay_seconds, sent.body["tries"]) == (300, 1)


def test_what_a_hint_has_learnt_of_the_allowance_others_know(desk: Desk) -> None:
    handler = desk.handler()
    limits: Any = handler.connect(TARGET).limiter

    def react(_: Session) -> RateLimited:
        limits.observe("other", RateFacts(limited=True, retry_after=300, limit=60))
        return RateLimited("later", retry_after=300)

    replace(handler, feature=Attentive(react)).handle(MESSAGE, remaining=desk.remaining)
    desk.queue.take()
    other = limiter(desk)
    other.exchange()
    waits = Attentive(lambda _: cast("Any", other.acquire("other")))
    replace(handler, feature=waits).handle(MESSAGE, remaining=desk.remaining)
    assert desk.queue.sent[0].delay_seconds == 300


def worker(desk: Desk, feature: Attentive | None) -> Worker:
    hints = None if feature is None else desk.handler(feature=feature)
    return Worker(cast("Engine", None), cast("Purger", None), hints)


def test_a_hint_is_a_third_kind_of_message(desk: Desk) -> None:
    feature = Attentive()
    worker(desk, feature)(MESSAGE, remaining=desk.remaining)
    assert feature.heard == [HINT]


@pytest.mark.parametrize(
    "hint", [{"integration_id": "i1"}, {"integration_id": "i1", "project_id": 7, "runner_id": 3}, {**HINT, "more": 1}]
)
def test_hints_of_a_later_release_wait_in_the_dead_letter_queue(desk: Desk, hint: dict[str, Any]) -> None:
    feature = Attentive()
    with pytest.raises(UnknownMessage):
        worker(desk, feature)({"schema": 1, "hint": hint}, remaining=desk.remaining)
    for message in ({"schema": 2, "hint": HINT}, MESSAGE):
        with pytest.raises(UnknownMessage):
            worker(desk, None)(message, remaining=desk.remaining)
    assert feature.heard == []
