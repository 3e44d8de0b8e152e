"""Dead letters: what nobody can work on ends there, and whatever is redriven from there may be redriven again."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from local.stack import Stack
from tests.end_to_end.building import Built
from tests.end_to_end.ci_server import CiServer, running_server
from tests.end_to_end.coding_company import CodingCompany, Row
from tests.end_to_end.hub_client import Hub, until
from tests.end_to_end.stores import DEAD_LETTERS, dead_letters, send, soon_again, waiting


@pytest.fixture
def server() -> Iterator[CiServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def built(company: CodingCompany, server: CiServer) -> Built:
    return Built(company, {"type": "https", "url": server.url})


def redrive(stack: Stack, queue: str) -> int:
    """Move every dead letter back to its queue, as the console's button does; how many there were."""
    letters = dead_letters(stack, queue, keep=False)
    for letter in letters:
        send(stack, queue, letter)
    return len(letters)


def seen(built: Built, server: CiServer) -> Row:
    """Everything that a build has set off."""
    return {"builds": built.builds(), "calls": len(server.calls), "statuses": built.gitlab.truth("statuses")}


def test_a_whole_dead_letter_queue_may_be_redriven_twice(hub: Hub, built: Built, server: CiServer) -> None:
    sha = built.push()
    build = built.build("running")
    built.shows(sha, "running")
    built.report(build["id"], "success")
    built.shows(sha, "success")
    delivery, before = built.delivery(), seen(built, server)
    letters = {
        "DeliveriesQueue": [{"schema": 1, "delivery_id": delivery["id"]}],
        "BuildsQueue": [{"schema": 1, chore: build["id"]} for chore in ("start", "report", "stop", "look")],
    }
    for _ in range(2):
        for queue, bodies in letters.items():
            for body in bodies:
                send(hub.stack, DEAD_LETTERS[queue], json.dumps(body))
            resting = waiting(hub.stack, queue)
            assert redrive(hub.stack, queue) == len(bodies)
            until(lambda: waiting(hub.stack, queue) == resting)  # noqa: B023 - asked at once
    assert seen(built, server) == before
    assert built.delivery() == delivery


def test_what_nobody_understands_ends_among_the_dead_letters(hub: Hub, built: Built) -> None:
    """A message of a later release waits there for that release; nothing else waits for it."""
    later = json.dumps({"schema": 99, "delivery_id": f"dlv_{uuid4().hex}"})
    with soon_again(hub.stack, "DeliveriesQueue"):
        send(hub.stack, "DeliveriesQueue", later)
        sha = built.push()
        assert built.build("running")["sha"] == sha
        until(lambda: dead_letters(hub.stack, "DeliveriesQueue") == [later])
    assert dead_letters(hub.stack, "DeliveriesQueue", keep=False) == [later]
