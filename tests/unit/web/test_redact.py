import io
import json
import logging
import time
from urllib.parse import quote, urlencode

import pytest

from gitlab_hub.web.telemetry import RedactingFormatter, redact

CANARY = "c4n4ryC4N4RYc4n4ry99"
HEX = "c4a4" * 16

LINES = {
    "personal token": f"token is glpat-{CANARY}",
    "routable token": f"glpat-{CANARY}.01.0a1b2c",
    "oauth secret": f"gloas-{CANARY}",
    "runner token": f"glrt-t1_{CANARY}",
    "deploy token": f"gldt-{CANARY}",
    "job token": f"glcbt-64_{CANARY}",
    "trigger token": f"glptt-{CANARY}",
    "signing secret": f"whsec_{CANARY}+/{CANARY}==",
    "signing secret in a url": f"whsec_{CANARY}%2B%2F{CANARY}%3D",
    "hub token": f"ghub_abc_{CANARY}",
    "bearer": f"Authorization: Bearer {CANARY}",
    "bearer in a dict": str({"Authorization": f"Bearer {CANARY}"}),
    "bearer in json": json.dumps({"authorization": f"Bearer {CANARY}"}),
    "bearer, encoded": f"authorization%3A%20Bearer%20{CANARY}",
    "basic": f"authorization: Basic {CANARY}",
    "query": f"GET /user?private_token={CANARY}&per_page=1",
    "query with code": f"/callback?code={CANARY}&state=1",
    "code in json": json.dumps({"code": HEX}),
    "header": f"PRIVATE-TOKEN: {CANARY}",
    "gitlab header": json.dumps({"X-Gitlab-Token": CANARY}),
    "form": urlencode({"grant_type": "refresh_token", "refresh_token": CANARY, "client_secret": CANARY}),
    "json": json.dumps({"access_token": CANARY, "n": 1}),
    "json with blanks": json.dumps({"secret": f"two words {CANARY}"}),
    "json in json": json.dumps({"body": json.dumps({"refresh_token": CANARY})}),
    "json in json in json": json.dumps(json.dumps(json.dumps({"api_token": CANARY}))),
    "json in a url": quote(json.dumps({"client_secret": CANARY})),
    "url in a url": "next=" + quote(f"https://x/?access_token={CANARY}&a=b"),
    "repr": repr({"password": CANARY}),
    "keyword": f"Client(secret_token='{CANARY}')",
    "several lines": json.dumps({"private_token": f"line\n{CANARY}"}),
}

HARMLESS = [
    '{"code": "not_found", "error": "There is nothing"}',
    '{"token_id": "t1", "secret_prefix": "gitlab-hub/dev/"}',
    "status code 200, tokens left: 5",
    "the token was rejected",
    '{"credential": "c1", "retryable": false}',
]


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_no_secret_is_left(line: str) -> None:
    assert CANARY not in redact(line)
    assert HEX not in redact(line)


@pytest.mark.parametrize("line", HARMLESS)
def test_what_is_no_secret_stays_readable(line: str) -> None:
    assert redact(line) == line


def test_the_rest_of_the_line_is_kept() -> None:
    assert redact(f"GET /x?private_token={CANARY}&page=2 -> 200") == "GET /x?private_token=[redacted]&page=2 -> 200"
    assert redact(json.dumps({"access_token": CANARY, "n": 1})) == '{"access_token": "[redacted]", "n": 1}'


def fail(line: str) -> None:
    raise ValueError(line)


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_no_secret_comes_through_the_formatter(line: str) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter())
    log = logging.Logger("canary")  # noqa: LOG001 one of its own, so that nothing else sees the lines
    log.addHandler(handler)
    try:
        fail(line)
    except ValueError:
        log.exception("failed with %s", line, extra={"note": line, "deep": {"list": [line]}})
    written = stream.getvalue()
    assert CANARY not in written
    assert HEX not in written
    assert json.loads(written)["level"] == "ERROR"


def test_a_long_line_takes_no_long_time() -> None:
    began = time.thread_time()
    redact('"token": ' * 20_000 + "x" * 100_000)
    redact("token\\\\\\\\" * 20_000)
    assert time.thread_time() - began < 10
