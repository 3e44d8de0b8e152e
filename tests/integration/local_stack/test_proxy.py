"""The reverse proxy passes messages on as they are."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from local.proxy import ReverseProxy
from local.state_folder import listen
from tests.integration.local_stack.upstream import OK, Upstream, read_message

Open = Callable[[Upstream], int]
HOST = "abcd1234.execute-api.localhost:1"


@pytest.fixture
def opened() -> Iterator[Open]:
    """Puts proxies before upstreams, each on a port of its own."""
    with ExitStack() as cleanup:

        def opening(upstream: Upstream) -> int:
            cleanup.enter_context(upstream)
            return open_proxy(upstream.port, cleanup)

        yield opening


def open_proxy(upstream_port: int, cleanup: ExitStack) -> int:
    listening = listen(0)
    proxy = ReverseProxy(listening, upstream_port, HOST)
    cleanup.callback(proxy.close)
    proxy.open()
    return int(listening.getsockname()[1])


def talk(port: int, *requests: bytes) -> list[bytes]:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as connection:
        answers = []
        for request in requests:
            connection.sendall(request)
            answers.append(read_message(connection))
        return answers


def test_target_header_case_and_body_arrive_untouched(opened: Open) -> None:
    upstream = Upstream()
    request = (
        b"POST /a%2Fb//c?x=%C3%A9&x=+ HTTP/1.1\r\nHost: me\r\nX-CamelCase: V\r\nContent-Length: 4\r\n\r\n\x00\xff\r\n"
    )
    talk(opened(upstream), request)
    head, _, body = upstream.received[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /a%2Fb//c?x=%C3%A9&x=+ HTTP/1.1"
    assert sorted(lines[1:]) == [b"Content-Length: 4", f"Host: {HOST}".encode(), b"X-CamelCase: V"]
    assert body == b"\x00\xff\r\n"


def test_status_reason_headers_and_bytes_come_back_untouched(opened: Open) -> None:
    answer = (
        b"HTTP/1.1 418 Teapot\r\nX-CamelCase: 1\r\nX-Twice: a\r\nX-Twice: b\r\nContent-Length: 3\r\n\r\n\x00\x01\xff"
    )
    assert talk(opened(Upstream(answer)), b"GET / HTTP/1.1\r\nHost: me\r\n\r\n") == [answer]


def test_one_connection_serves_request_after_request(opened: Open) -> None:
    upstream = Upstream()
    assert talk(opened(upstream), *[b"GET / HTTP/1.1\r\nHost: me\r\n\r\n"] * 3) == [OK] * 3
    assert upstream.connections == 1


def test_an_upstream_that_closes_is_connected_again(opened: Open) -> None:
    upstream = Upstream(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", closes=True)
    assert talk(opened(upstream), *[b"GET / HTTP/1.1\r\nHost: me\r\n\r\n"] * 2) == [OK] * 2
    assert upstream.connections == 2


def test_an_upstream_that_is_gone_is_503_as_at_api_gateway() -> None:
    with ExitStack() as cleanup, closing(listen(0)) as nobody:
        port = open_proxy(int(nobody.getsockname()[1]), cleanup)
        (answer,) = talk(port, b"GET / HTTP/1.1\r\nHost: me\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert answer.endswith(b'{"message":"Service Unavailable"}')


def test_a_request_lost_on_the_way_is_not_sent_again(opened: Open) -> None:
    upstream = Upstream(b"", closes=True)
    (answer,) = talk(opened(upstream), b"POST / HTTP/1.1\r\nHost: me\r\nContent-Length: 0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert len(upstream.received) == 1


def test_a_body_over_ten_megabytes_is_refused_before_it_is_sent_on(opened: Open) -> None:
    upstream = Upstream()
    size = 10 * 1024 * 1024 + 1
    head = f"POST / HTTP/1.1\r\nHost: me\r\nContent-Length: {size}\r\n\r\n".encode()
    (answer,) = talk(opened(upstream), head + b"x" * size)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert upstream.received == []


def test_what_is_not_http_is_refused(opened: Open) -> None:
    (answer,) = talk(opened(Upstream()), b"NOT HTTP\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_slow_client_does_not_hold_up_others(opened: Open) -> None:
    port = opened(Upstream())
    with closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")
        assert talk(port, b"GET / HTTP/1.1\r\nHost: me\r\n\r\n") == [OK]


@pytest.mark.parametrize(("path", "at_once"), [("/v1/webhooks/gitlab/hook_1", 2), ("/v1/builds", 6)])
def test_deliveries_take_turns_and_nothing_else_does(opened: Open, path: str, at_once: int) -> None:
    upstream = Upstream(together=at_once)
    port = opened(upstream)
    request = f"POST {path} HTTP/1.1\r\nHost: me\r\nContent-Length: 0\r\n\r\n".encode()
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda _: talk(port, request), range(6))) == [[OK]] * 6
    assert upstream.at_once == at_once


def test_closing_ends_open_connections_and_the_thread() -> None:
    others = set(threading.enumerate())  # a whole stack may run in this process too
    with Upstream() as upstream:
        listening = listen(0)
        proxy = ReverseProxy(listening, upstream.port, HOST)
        proxy.open()
        with closing(socket.create_connection(listening.getsockname(), timeout=60)) as guest:
            guest.sendall(b"GET / HTTP/1.1\r\nHost: me\r\n\r\n")
            read_message(guest)
            proxy.close()
            assert guest.recv(1) == b""
    assert not [thread for thread in threading.enumerate() if thread.name == "proxy" and thread not in others]
