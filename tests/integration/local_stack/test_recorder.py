"""The recorder of the end-to-end tests loses no call on its way to the emulator."""

import http.client
from contextlib import closing

from tests.end_to_end.recorder import Recorder
from tests.integration.local_stack.upstream import Upstream

HEADERS = {"X-Amz-Target": "AmazonSQS.SendMessage"}


def test_an_emulator_that_closes_its_connections_loses_no_call() -> None:
    recorder = Recorder()
    with Upstream(closes=True) as emulator, recorder.listening():
        assert recorder._server is not None
        recorder._upstream = f"127.0.0.1:{emulator.port}"
        with closing(http.client.HTTPConnection("127.0.0.1", recorder._server.server_address[1])) as function:
            for _ in range(3):
                function.request("POST", "/BuilderFunction/", b'{"QueueUrl": "http://x/0/q"}', HEADERS)
                assert function.getresponse().read() == b"ok"
    assert len(emulator.received) == 3
    assert {(call.function, call.action, call.resource) for call in recorder.calls} == {
        ("BuilderFunction", "sqs:SendMessage", "q")
    }
