"""A network and a hub that fail: what is tried again, what is said, and which exit code it is."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from hub_cli.retries import TRIES
from tests.functional.api.api_hub import ApiHub
from tests.functional.cli.command_line import CommandLine
from tests.functional.console.console_hub import OWNER_TOKEN

AWAY = {"error": "DynamoDB is away.", "code": "service_unavailable", "retryable": True, "request_id": "req-9"}


def ssl_error() -> httpx.ConnectError:
    return httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (lambda: httpx.ConnectError("[Errno -2] Name or service not known"), "There is no host hub.example.com."),
        (lambda: httpx.ConnectError("[Errno 111] Connection refused"), "Nothing answers at hub.example.com."),
        (ssl_error, "SSL_CERT_FILE"),
        (lambda: httpx.ConnectTimeout("timed out"), "HTTPS_PROXY"),
        (lambda: httpx.ReadTimeout("timed out"), "did not answer in time"),
        (lambda: httpx.ProxyError("403 Forbidden"), "The proxy does not let through"),
        (lambda: httpx.RemoteProtocolError("Server disconnected"), "broke: RemoteProtocolError"),
        (lambda: httpx.Response(200, text="<html>Welcome</html>"), "is no gitlab-hub (HTTP 200)"),
        (lambda: httpx.Response(302, headers={"location": "https://evil.example.com"}), "is no gitlab-hub (HTTP 302)"),
        (lambda: httpx.Response(404, json={"message": "Not Found"}), "is no gitlab-hub (HTTP 404)"),
        (lambda: httpx.Response(200, json=[1]), "is no gitlab-hub (HTTP 200)"),
    ],
)
def test_where_no_hub_answers_it_is_said_what_to_do(hub: CommandLine, fault: object, words: str) -> None:
    assert callable(fault)
    hub.network.faults = [fault() for _ in range(TRIES)]
    ended = hub("whoami")
    assert (ended.code, ended.out, words in ended.err) == (3, "", True)
    assert (OWNER_TOKEN in ended.err, "Traceback" in ended.err) == (False, False)
    assert {request.url.host for request in hub.network.requests} == {"hub.example.com"}


def test_what_passes_by_itself_is_waited_for(hub: CommandLine) -> None:
    hub.network.faults = [
        httpx.ConnectError("refused"),
        httpx.Response(429, json={"message": "Too Many Requests"}, headers={"retry-after": "3"}),
        httpx.Response(503, json=AWAY),
    ]  # fmt: skip
    ended = hub("whoami")
    assert (ended.code, "t-owner" in ended.out, hub.slept) == (0, True, [0.5, 3.0, 2.0])


def test_what_asks_for_more_patience_than_there_is_says_when_to_try_again(hub: CommandLine) -> None:
    hub.network.faults = [httpx.Response(503, json=AWAY, headers={"retry-after": "120"})]
    ended = hub("whoami")
    assert (ended.code, hub.slept) == (1, [])
    assert ended.err.splitlines() == [
        "service_unavailable: DynamoDB is away.", "Try again in 120 seconds.", "request id: req-9",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(500, json={**AWAY, "code": "internal_error", "retryable": False}), "internal_error: "),
        (httpx.Response(500, text="Internal Server Error", headers={"apigw-requestid": "gw-1"}), "request id: gw-1"),
    ],
)
def test_a_hub_that_fails_is_not_asked_again(hub: CommandLine, answer: httpx.Response, words: str) -> None:
    hub.network.faults = [answer]
    ended = hub("whoami")
    assert (ended.code, words in ended.err, len(hub.network.requests)) == (1, True, 1)


def test_a_post_is_sent_again_under_the_same_key_and_takes_effect_once(hub: CommandLine) -> None:
    waiting = hub.hub.container.ordered_queues["deliveries"]
    before = len(waiting.sent)

    def answer_lost(request: httpx.Request) -> httpx.Response:
        hub.network.answer(request)
        raise httpx.ReadTimeout("timed out", request=request)

    hub.network.faults = [answer_lost]
    assert hub("deliveries", "replay", hub.hub.ids["delivery_id"]).code == 0
    keys = {request.headers["idempotency-key"] for request in hub.network.requests}
    assert (len(hub.network.requests), len(keys), len(waiting.sent)) == (2, 1, before + 1)
    hub("deliveries", "replay", hub.hub.ids["delivery_id"])
    assert hub.network.requests[-1].headers["idempotency-key"] not in keys


def test_a_delete_whose_answer_is_lost_is_not_sent_again(hub: CommandLine) -> None:
    hub.network.faults = [httpx.ReadTimeout("timed out")]
    assert (hub("tokens", "revoke", "t-1", "-y").code, len(hub.network.requests)) == (3, 1)


def test_a_list_is_read_page_by_page_and_no_further_than_is_wanted(tmp_path: Path) -> None:
    hub = CommandLine(ApiHub(), tmp_path)
    for number in range(250):
        hub.hub("POST", "/v1/tokens", {"role": "viewer", "label": f"CI {number}"})
    table = hub("tokens")
    assert (len(table.out.splitlines()), len(hub.network.requests)) == (51, 1)
    assert "These are the first 50; --limit shows more, -o json and -o csv give all." in table.err
    hub.network.requests.clear()
    whole = hub("tokens", "-o", "csv")
    assert (len(whole.out.splitlines()), whole.err) == (251, "")
    cursors = [request.url.params.get("cursor") for request in hub.network.requests]
    assert (len(cursors), cursors[0], len(set(cursors))) == (2, None, 2)
    some = hub("tokens", "--limit", "210")
    assert (len(some.out.splitlines()), some.err) == (211, "")


def test_a_list_that_goes_round_in_circles_is_ended(hub: CommandLine) -> None:
    page = {"tokens": [], "next_cursor": "same"}
    hub.network.faults = [httpx.Response(200, json=page) for _ in range(3)]
    assert (hub("tokens", "-o", "json").code, len(hub.network.requests)) == (3, 2)


def test_a_list_that_goes_round_in_a_larger_circle_is_ended_too(hub: CommandLine) -> None:
    pages: list[dict[str, Any]] = [{"tokens": [], "next_cursor": cursor} for cursor in ("a", "b", "c", "a", "b", "c")]
    hub.network.faults = [httpx.Response(200, json=page) for page in pages]
    assert (hub("tokens", "-o", "json").code, len(hub.network.requests)) == (3, 4)


def test_what_was_told_before_the_network_failed_is_no_whole_answer(hub: CommandLine) -> None:
    del hub.environ["HUB_INTEGRATION"]
    page = {"entries": [], "next_cursor": "next"}
    hub.network.faults = [httpx.Response(200, json=page), *(httpx.ConnectError("refused") for _ in range(TRIES))]
    assert hub("audit", "-o", "csv", "--action", "plan.apply").code == 3


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("who nobody/here", 1, "not_found: "),
        ("why nobody acme", 1, "There is no account of this username."),
        ("pipelines --project acme/none", 2, "There is no project “acme/none”"),
        ("pipelines --failed --status success", 2, "contradict each other"),
        ("pipelines --project acme/shop-Ana --group acme", 2, "Give one of them"),
        ("summary -i Nobody", 2, "There is no integration “Nobody”"),
        ("people --inactive 5h", 2, "not a number of days"),
        ("changes --since yesterday", 2, "“yesterday” is no time"),
        ("changes --kind all", 2, "Invalid value"),
        ("builds show ../tokens", 1, "not_found: "),
        ("builds --status done", 2, "Invalid value"),
        ("nothing", 2, "No such command"),
    ],
)
def test_what_there_is_not_is_said_in_words(hub: CommandLine, arguments: str, code: int, words: str) -> None:
    ended = hub(*arguments.split())
    assert (ended.code, ended.out, words in ended.err) == (code, "", True)


def test_an_answer_of_another_version_is_said_to_be_one(hub: CommandLine) -> None:
    del hub.environ["HUB_INTEGRATION"]
    rows: list[object] = [None, "x", 1, [None], [1], [["a"]], [{"what": 1}]]
    for answer in ({"ok": True}, *({"incidents": some, "next_cursor": None} for some in rows)):
        hub.network.faults = [httpx.Response(200, json=answer)]
        ended = hub("incidents")
        assert (ended.code, ended.out, "older or newer" in ended.err) == (1, "", True)


def test_several_integrations_want_one_to_be_named(hub: CommandLine) -> None:
    del hub.environ["HUB_INTEGRATION"]
    ended = hub("people")
    assert (ended.code, "There are several integrations: " in ended.err, "-i NAME" in ended.err) == (2, True, True)


def test_without_an_integration_it_is_said_how_to_connect_one(hub: CommandLine) -> None:
    hub.network.faults = [httpx.Response(200, json={"integrations": [], "next_cursor": None})]
    ended = hub("people")
    assert (ended.code, "hub connect" in ended.err) == (2, True)
