"""A steady stream of webhooks into the deployed bundle, and what came of every one of them."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from benchmarks.bundle import Bundle
from benchmarks.children import answer_of
from benchmarks.pushes import push, token_headers

BODY_BYTES = 2_000
BRANCHES = 50
REPEATED = 0.1
INSTANCES, GROWTH = 24, 4
"""Instances of the receiver, and how many of them are made at a time."""

OTHERS = 1_000_000
"""The first number of deliveries that are not measured."""

SIMULTANEOUS = 10_000
"""A rate so high that all are under way together."""

PATIENCE = 900.0
TAKEN = frozenset({200, 202})
LOOKS = 2
"""How often in a row the queues are to be found empty: a message may be between them."""

LONGEST_PAGE = 200

Request = tuple[str, str, Mapping[str, str], str]
HEALTH: Request = ("GET", "/healthz", {}, "")

Answers = Sequence[tuple[int, float]]
"""Status (0: none) and seconds, for each request in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What was sent, what was answered, and what came of it. Times in seconds."""

    rate: int
    answers: Answers
    floor: Answers
    """`GET /healthz` at the same rate through the same stack."""
    distinct: int
    """Deliveries, each counted once however often it was sent."""
    accepted: int
    """Of these, the ones that at least one answer took."""
    kept: int
    handled: int
    builds: int
    built_twice: int
    drained: float
    """From the last answer to the last message."""

    @property
    def lost(self) -> int:
        """Accepted, and never worked on."""
        return self.accepted - self.handled


class Target:
    """A manual hook of one project, and a trigger that builds every push to it on the bundle's own bus."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        projects = [row for row in bundle.company.truth("projects") if not row["archived"]]
        self._project = projects[-1]  # The loop has the first.
        one = f"/v1/integrations/{bundle.integration_id}"
        body = {"scope": "project", "target": self._project["id"], "events": ["push"], "mode": "manual"}
        made = bundle.hub.call("POST", f"{one}/webhooks", body | {"verification": "token"})
        self._path = f"/v1/webhooks/gitlab/{made['webhook']['id']}"
        self._token = made["manual"]["secret_token"]
        trigger = {
            "integration_id": bundle.integration_id,
            "project_id": self._project["id"],
            "events": ["push"],
            "target": {"type": "eventbridge"},
            "report_status": {"enabled": False},
        }
        bundle.hub.call("POST", "/v1/triggers", trigger)

    def delivery(self, number: int) -> Request:
        """A push of its own; the same number is the same delivery again."""
        branch, sha = f"feature/{number % BRANCHES}", f"{number + 1:040x}"
        path = str(self._project["path_with_namespace"])
        raw = push(BODY_BYTES, project_id=int(self._project["id"]), path=path, branch=branch, sha=sha)
        return "POST", self._path, token_headers(self._token, f"bench-{number}"), raw.decode()


def loaded(bundle: Bundle, *, rate: int, seconds: int, floor_seconds: int) -> Load:
    """Send, wait until nothing is left to do, and count."""
    target = Target(bundle)
    _warm_up(bundle, target)
    floor = _send(bundle, [HEALTH] * (rate * floor_seconds), rate)
    _drain(bundle)
    before = _effects(bundle)
    numbers = _numbers(rate * seconds)
    answers = _send(bundle, [target.delivery(number) for number in numbers], rate)
    started = time.monotonic()
    _drain(bundle)
    drained = time.monotonic() - started
    after = _effects(bundle)
    taken = {number for number, (status, _) in zip(numbers, answers, strict=True) if status in TAKEN}
    shas = Counter(build["sha"] for build in after[1])
    return Load(
        rate=rate,
        answers=answers,
        floor=floor,
        distinct=len(set(numbers)),
        accepted=len(taken),
        kept=len(after[0]) - len(before[0]),
        handled=_handled(after[0]) - _handled(before[0]),
        builds=len(after[1]) - len(before[1]),
        built_twice=sum(count - 1 for count in shas.values()),
        drained=drained,
    )


def _numbers(count: int) -> list[int]:
    """Which delivery to send when; of ten one is an earlier one again."""
    draw = Random(7)
    numbers: list[int] = []
    for _ in range(count):
        again = numbers and draw.random() < REPEATED
        numbers.append(draw.choice(numbers) if again else len(set(numbers)))
    return numbers


def _send(bundle: Bundle, requests: Sequence[Request], rate: int) -> Answers:
    task = {"port": bundle.port, "rate": rate, "requests": requests}
    return [(status, seconds) for status, seconds in answer_of("benchmarks.sender", given=json.dumps(task))]


def _warm_up(bundle: Bundle, target: Target) -> None:
    """Have instances made, and no more later on.

    Whenever none is idle the emulator makes another one, as Lambda does; but each start takes a second or so of the
    processors that everything else runs on. Under load that delays whatever is under way, so still more are made, until
    nothing is answered any more. So they are made before, a few at a time, and then there is a limit.
    """
    limit = {"FunctionName": bundle.stack.resources["WebhooksFunction"], "ReservedConcurrentExecutions": INSTANCES}
    bundle.stack.client("lambda").put_function_concurrency(**limit)
    for count in range(GROWTH, INSTANCES + 1, GROWTH):
        _send(bundle, [target.delivery(OTHERS + number) for number in range(count)], SIMULTANEOUS)
        _send(bundle, [HEALTH] * count, SIMULTANEOUS)
        time.sleep(1)


def _drain(bundle: Bundle) -> None:
    """Wait until both queues have neither waiting messages nor such that are being worked on."""
    sqs, quiet, deadline = bundle.stack.client("sqs"), 0, time.monotonic() + PATIENCE
    urls = [bundle.stack.resources[name] for name in ("DeliveriesQueue", "BuildsQueue")]
    while quiet < LOOKS:
        if time.monotonic() > deadline:
            raise TimeoutError(f"The queues were not empty after {PATIENCE:.0f} s.")
        quiet = 0 if sum(_waiting(sqs, url) for url in urls) else quiet + 1
        time.sleep(0.2)


def _waiting(sqs: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


def _effects(bundle: Bundle) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All deliveries and all builds, as the API lists them."""
    return list(_listed(bundle, "deliveries")), list(_listed(bundle, "builds"))


def _listed(bundle: Bundle, what: str) -> Iterator[dict[str, Any]]:
    query: dict[str, Any] = {"integration_id": bundle.integration_id, "limit": LONGEST_PAGE}
    while True:
        page = bundle.hub.call("GET", f"/v1/{what}", query=query)
        yield from page[what]
        if page["next_cursor"] is None:
            return
        query["cursor"] = page["next_cursor"]


def _handled(deliveries: Sequence[Mapping[str, Any]]) -> int:
    return sum(one["status"] == "handled" for one in deliveries)
