"""What counts as proven under `sam local`, and that containers reach the emulator."""

import json
import socket
from contextlib import closing
from pathlib import Path

import pytest

from local.problems import Problem
from local.sam.engine import gateway_of
from local.sam.proof import Case, cases, judge
from local.sam.relay import relayed
from tests.integration.local_stack.upstream import OK, Upstream, read_message
from tests.unit.template.transformed import ROOT, source

CASE = Case("AccessFunction", Path("events/access/list_accounts.json"))


def test_every_event_file_belongs_to_a_case() -> None:
    found = {case.event for case in cases(source(), ROOT / "events")}
    assert found == set((ROOT / "events").glob("*/*.json"))


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ('{"statusCode": 404, "body": "{}"}', "404"),
        ('a line of the log\n{"isAuthorized": true, "context": {"role": "owner"}}', "owner"),
        ('{"isAuthorized": true, "context": {}}', "nobody"),
        ('{"batchItemFailures": []}', "done"),
        ("null", "done"),
    ],
)
def test_an_answer_is_told_in_a_word(output: str, said: str) -> None:
    assert judge(CASE, output, "") == said


@pytest.mark.parametrize(
    "output",
    [
        '{"statusCode": 500, "body": "{}"}',
        '{"errorMessage": "Task timed out"}',
        '{"batchItemFailures": [{"itemIdentifier": "1"}]}',
        "Traceback",
    ],
)
def test_a_crash_proves_nothing(output: str) -> None:
    with pytest.raises(Problem, match="access/list_accounts"):
        judge(CASE, output, "")


@pytest.mark.parametrize(
    ("config", "address"),
    [
        ([{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.9"}], "172.17.0.9"),
        ([{"Subnet": "172.17.0.0/16"}], "172.17.0.1"),
    ],
)
def test_containers_find_the_machine_at_the_gateway_of_their_network(
    config: list[dict[str, str]], address: str
) -> None:
    assert gateway_of(json.dumps([{"Name": "bridge", "IPAM": {"Config": config}}])) == address


def test_a_network_without_addresses_is_told() -> None:
    with pytest.raises(Problem, match="no subnet"):
        gateway_of(json.dumps([{"IPAM": {"Config": None}}]))


def test_the_relay_passes_bytes_on() -> None:
    with Upstream() as upstream, relayed("127.0.0.1", upstream.port) as url:
        address, port = url.removeprefix("http://").split(":")
        with closing(socket.create_connection((address, int(port)), timeout=60)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: me\r\n\r\n")
            assert read_message(connection) == OK
