"""The demo's runner believes only what its trigger's secret has signed."""

import pytest

from local.demo.runner import Runner, is_genuine

# The published example of Standard Webhooks.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MOMENT = 1614265330
BODY = b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(MOMENT),
    "webhook-signature": "v2,abc v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def test_a_signature_of_the_secret_is_believed() -> None:
    assert is_genuine(SECRET, HEADERS, BODY, now=MOMENT)


@pytest.mark.parametrize(
    ("change", "body", "now"),
    [
        ({}, BODY + b" ", MOMENT),
        ({}, BODY, MOMENT + 301),
        ({"webhook-id": "msg_other"}, BODY, MOMENT),
        ({"webhook-timestamp": "soon"}, BODY, MOMENT),
        ({"webhook-signature": ""}, BODY, MOMENT),
    ],
)
def test_anything_else_is_not(change: dict[str, str], body: bytes, now: float) -> None:
    assert not is_genuine(SECRET, HEADERS | change, body, now=now)


def test_what_is_not_believed_is_refused_and_not_run() -> None:
    runner = Runner(url="http://127.0.0.1:1/builds", secret=SECRET)
    assert runner.take(HEADERS, BODY) == 401  # The example is of another day.
    assert runner.refused == 1
